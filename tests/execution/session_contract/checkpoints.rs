//! Snapshots, resets, forks, checkpoints and assets.

use bailiwick::spec::Mode;
use bailiwick::{ChangeKind, Changes, ErrorKind, Host, Session, SnapshotDiff, SpawnRequest, WorkspaceError};

use super::{assets, input, say, text};
use crate::support::yard::{Yard, command};

fn told(changes: &Changes) -> Vec<String> {
    let word = |kind: &ChangeKind| match kind {
        ChangeKind::Created => "created".to_owned(),
        ChangeKind::Deleted => "deleted".to_owned(),
        ChangeKind::Modified => "modified".to_owned(),
        ChangeKind::ModeChanged => "mode".to_owned(),
        ChangeKind::Renamed { from } => format!("renamed from {from}"),
    };
    changes.list.iter().map(|change| format!("{} {}", change.path, word(&change.kind))).collect()
}

/// Lists what a checkpoint says, with the lines that came and went.
fn compared(diff: &SnapshotDiff) -> Vec<String> {
    let line = |file: &bailiwick::FileDiff| {
        let (added, removed) = file.body.lines();
        format!("{} {} +{added} -{removed}", file.path, file.change.name())
    };
    diff.files.iter().map(line).collect()
}

/// A place whose workspaces are in memory, where this host may make that.
fn in_memory() -> Yard {
    Yard::on(|host: &mut Host| host.dirs.base = None)
}

#[tokio::test]
async fn a_reset_gives_the_content_back_and_keeps_the_directory() {
    for yard in [Yard::new(), in_memory()] {
        let session = yard.session("").await;
        session.materialize_input_files(vec![input("in/file", "1"), input("gone", "x")]).await.unwrap();
        say(&session, &["link:in/link=file", "mkdir:empty", "mode:gone=600"]).await;
        let id = session.update_snapshot().await.unwrap().id();
        let inode = say(&session, &["inode"]).await;
        let long_lived = session.spawn(SpawnRequest::default()).await.unwrap();
        let words = ["write:in/file=changed", "remove:gone", "write:new=y", "write:venv=is ignored", "mkdir:deep"];
        long_lived.execute(command(&words)).await.unwrap();
        let changed = told(&session.changes(10).await.unwrap());
        assert_eq!(changed, ["deep created", "gone deleted", "in/file modified", "new created", "venv created"]);
        session.reset().await.unwrap();
        assert!(session.changes(10).await.unwrap().is_empty());
        assert_eq!(session.update_snapshot().await.unwrap().id(), id, "the same content has the same name");
        assert_eq!(say(&session, &["inode", "out: ", "cat:in/link"]).await, format!("{inode} 1"));
        // A runtime that was spawned before sees the content that is back.
        let result = long_lived.execute(command(&["cat:in/file"])).await.unwrap();
        assert_eq!(result.stdout.text().as_deref(), Some("1"));
        drop(long_lived);
        session.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_snapshots_ignore_comes_back_with_a_reset_too() {
    let yard = Yard::new();
    let session = yard.session("").await;
    session.materialize_input_files(vec![input(".venv/lib", "made"), input("a.pyc", "code")]).await.unwrap();
    session.update_snapshot().await.unwrap();
    say(&session, &["write:.venv/lib=broken", "remove:a.pyc"]).await;
    assert!(session.changes(10).await.unwrap().is_empty());
    session.reset().await.unwrap();
    assert_eq!(text(&session, ".venv/lib").await.as_deref(), Some("made"));
    assert_eq!(text(&session, "a.pyc").await.as_deref(), Some("code"));
}

#[tokio::test]
async fn update_snapshot_moves_the_base_and_leaves_the_start() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let start = session.start();
    say(&session, &["write:a=1"]).await;
    let first = session.update_snapshot().await.unwrap().id();
    assert_ne!(first, start);
    say(&session, &["write:b=2"]).await;
    assert_eq!(told(&session.changes(10).await.unwrap()), ["b created"]);
    assert_eq!(session.changes(0).await.unwrap().omitted, 1);
    session.reset().await.unwrap();
    assert_eq!((text(&session, "a").await.as_deref(), text(&session, "b").await), (Some("1"), None));
    assert_eq!(session.start(), start);
}

#[tokio::test]
async fn a_reset_goes_back_behind_the_first_set_up() {
    let yard = Yard::new();
    let session = yard.session("setup: {commands: ['write:made=by-set-up']}").await;
    let first = session.spawn(SpawnRequest::default()).await.unwrap();
    first.execute(command(&["write:dirt=1", "write:made=by-command"])).await.unwrap();
    let second = session.spawn(SpawnRequest::default()).await.unwrap();
    session.reset().await.unwrap();
    assert_eq!(text(&session, "made").await.as_deref(), Some("by-set-up"));
    assert_eq!(text(&session, "dirt").await, None, "a later set-up keeps nothing of what commands did");
    drop((first, second));
}

#[tokio::test]
async fn equal_content_has_an_equal_start() {
    let (yard, other) = (Yard::new(), yard_beside());
    let submission = yard.outside("submission");
    let outside = cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority()).unwrap();
    outside.create_dir_all("submission/sub").unwrap();
    outside.write("submission/main.py", "print()\n").unwrap();
    outside.write("submission/sub/a.pyc", "ignored").unwrap();
    let open =
        |registry: &bailiwick::RuntimeRegistry, spec| Session::builder(registry, spec).submission(&submission).open();
    let one = open(&yard.registry, yard.spec("")).await.unwrap();
    let two = open(&other, yard.spec("")).await.unwrap();
    assert_eq!(one.start(), two.start());
    assert_eq!(one.update_snapshot().await.unwrap().id(), one.start());
    assert_eq!(text(&one, "sub/a.pyc").await, None, "what the spec ignores is not copied in");
    outside.write("submission/main.py", "print(1)\n").unwrap();
    let three = open(&yard.registry, yard.spec("")).await.unwrap();
    assert_ne!(one.start(), three.start());
    assert_eq!(text(&one, "main.py").await.as_deref(), Some("print()\n"), "a copy, not the original");
    for session in [&one, &two, &three] {
        session.close().await.unwrap();
    }
}

/// A registry of its own whose workspaces are in memory where that can be.
fn yard_beside() -> bailiwick::RuntimeRegistry {
    let kind = crate::support::scripted::Scripted { gates: Default::default(), need: bailiwick::BaseNeed::Detached };
    bailiwick::RuntimeRegistry::builder(Host::default()).with(kind).build().unwrap()
}

#[tokio::test]
async fn h28_a_fork_shares_nothing_that_can_be_written_and_runs_no_set_up() {
    for yard in [Yard::new(), in_memory()] {
        let more = "setup: {commands: ['log:set-up', 'write:made=1']}";
        let parent = yard.builder(more).grant_assets(assets(&yard)).open().await.unwrap();
        drop(parent.spawn(SpawnRequest::default()).await.unwrap());
        say(&parent, &["write:.venv=kept", "link:link=made", "mkdir:empty"]).await;
        let (left, right) = (parent.fork().await.unwrap(), parent.fork().await.unwrap());
        let before = parent.update_snapshot().await.unwrap().id();
        for fork in [&left, &right] {
            let runtime = fork.spawn(SpawnRequest::default()).await.unwrap();
            assert!(runtime.setup().is_empty());
            drop(runtime);
            assert_eq!(say(fork, &["cat:made", "cat:.venv", "cat:link"]).await, "1kept1");
        }
        assert_eq!(*yard.gates.log.lock().unwrap(), ["set-up"]);
        say(&left, &["write:made=left", "remove:link"]).await;
        say(&right, &["write:made=right"]).await;
        assert_eq!(
            (text(&left, "made").await.unwrap(), text(&right, "made").await.unwrap()),
            ("left".into(), "right".into())
        );
        assert_eq!(parent.update_snapshot().await.unwrap().id(), before);
        // A fork lives on without its parent, assets and all; its reset goes back to where it began.
        parent.close().await.unwrap();
        let path = left.resolve_static_placeholder("asset:{{static:table}}").unwrap();
        assert_eq!(say(&left, &[&path]).await, "a,b\n");
        left.reset().await.unwrap();
        assert_eq!(text(&left, "made").await.as_deref(), Some("1"));
        let grandchild = left.fork().await.unwrap();
        left.close().await.unwrap();
        assert_eq!(say(&grandchild, &[&path]).await, "a,b\n");
        grandchild.close().await.unwrap();
        right.close().await.unwrap();
        assert_eq!(yard.workspaces(), Vec::<String>::new(), "the last one took the assets along");
    }
}

#[tokio::test]
async fn a_fork_on_the_host_has_staged_assets_of_its_own() {
    let yard = Yard::new();
    let parent = yard.builder("scripted: {static_root: null}").grant_assets(assets(&yard)).open().await.unwrap();
    let fork = parent.fork().await.unwrap();
    let [one, other] = [&parent, &fork].map(|session| session.resolve_static_placeholder("{{static:table}}").unwrap());
    assert_ne!(one, other);
    parent.close().await.unwrap();
    assert_eq!(std::fs::read_to_string(other).unwrap(), "a,b\n");
    assert!(!std::path::Path::new(&one).exists());
}

#[tokio::test]
async fn agents_get_writable_copies_beside_the_read_only_assets() {
    let yard = Yard::new();
    let open = |mode| yard.builder("").mode(mode).grant_assets(assets(&yard)).open();
    let evaluation = open(Mode::Evaluation).await.unwrap();
    assert_eq!(text(&evaluation, "given/table.csv").await, None);
    let agent = open(Mode::Agent).await.unwrap();
    assert_eq!(text(&agent, "given/table.csv").await.as_deref(), Some("a,b\n"));
    assert_eq!(text(&agent, "given/tree/sub/leaf").await.as_deref(), Some("leaf"));
    say(&agent, &["write:given/table.csv=mine", "write:given/tree/new=mine"]).await;
    let path = agent.resolve_static_placeholder("asset:{{static:table}}").unwrap();
    assert_eq!(say(&agent, &[&path]).await, "a,b\n", "the asset itself is as it was");
    assert!(agent.changes(10).await.unwrap().is_empty(), "copies are no part of snapshots");
    agent.reset().await.unwrap();
    assert_eq!(text(&agent, "given/table.csv").await.as_deref(), Some("a,b\n"));
    assert_eq!(text(&agent, "given/tree/new").await, None);
    assert_eq!(std::fs::read_to_string(yard.outside("table.csv")).unwrap(), "a,b\n");
}

#[tokio::test]
async fn a_checkpoint_is_written_out_and_becomes_the_base() {
    let yard = Yard::new();
    let agent = yard.builder("").mode(Mode::Agent).open().await.unwrap();
    say(&agent, &["write:a=1"]).await;
    let changes = agent.finish_checkpoint(&yard.outside("one")).await.unwrap();
    assert_eq!(compared(&changes), ["a created +1 -0"]);
    say(&agent, &["write:a=2", "write:b=x"]).await;
    // A place that cannot be one is refused, and the base stays where it was.
    let error = agent.finish_checkpoint(&yard.outside("canary")).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(WorkspaceError::Destination { .. })), "{error:?}");
    let changes = agent.finish_checkpoint(&yard.outside("two")).await.unwrap();
    assert_eq!(compared(&changes), ["a modified +1 -1", "b created +1 -0"]);
    let read = |name: &str| std::fs::read_to_string(yard.outside(name)).unwrap();
    assert_eq!((read("one/a"), read("two/a"), read("two/b")), ("1".into(), "2".into(), "x".into()));
    // Restored elsewhere: the resume commands run, the set-up does not.
    let spec = "setup: {commands: ['log:set-up'], resume_commands: ['log:resumed cat:a', 'exit:3']}";
    let next = yard.builder(spec).mode(Mode::Agent).grant_assets(assets(&yard)).open().await.unwrap();
    say(&next, &["write:left-over=x"]).await;
    next.restore_from_snapshot_dir(&yard.outside("one")).await.unwrap();
    assert_eq!((text(&next, "a").await.as_deref(), text(&next, "left-over").await), (Some("1"), None));
    assert_eq!(text(&next, "given/table.csv").await.as_deref(), Some("a,b\n"), "copies are there again");
    let results = next.resume().await.unwrap();
    let codes: Vec<i32> = results.iter().map(|result| result.exit_code()).collect();
    assert_eq!((codes, results[0].stdout.text().as_deref()), (vec![0, 3], Some("1")));
    assert_eq!(*yard.gates.log.lock().unwrap(), ["resumed"]);
    let error = next.restore_from_snapshot_dir(&yard.outside("nowhere")).await.unwrap_err();
    assert_eq!((error.kind(), error.hint().is_some()), (ErrorKind::Workspace, true));
    assert_eq!(text(&next, "a").await.as_deref(), Some("1"), "nothing was thrown away for it");
}

#[tokio::test]
async fn a_workspace_is_kept_where_there_is_room_for_it() {
    let yard = Yard::new();
    let session = yard.session("").await;
    say(&session, &["write:a=1", "link:out=/etc/passwd", "mkdir:empty"]).await;
    let outside = cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority()).unwrap();
    outside.create_dir("taken-but-empty").unwrap();
    for name in ["new/and/deep", "taken-but-empty"] {
        session.keep(&yard.outside(name)).await.unwrap();
        assert_eq!(std::fs::read_to_string(yard.outside(name).join("a")).unwrap(), "1");
        let link = std::fs::read_link(yard.outside(name).join("out")).unwrap();
        assert_eq!(link, std::path::Path::new("/etc/passwd"), "a link stays a link");
        assert!(yard.outside(name).join("empty").is_dir());
    }
    let error = session.keep(&yard.outside("taken-but-empty")).await.unwrap_err();
    assert!(error.to_string().contains("taken-but-empty"), "{error}");
    assert!(session.keep(&yard.outside("canary")).await.is_err());
}

#[tokio::test]
async fn a_checkpoint_leaves_nothing_stale_in_its_directory() {
    let yard = Yard::on(|host| host.dirs.data = host.dirs.state.clone());
    let agent = yard.builder("").mode(Mode::Agent).open().await.unwrap();
    let outside = cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority()).unwrap();
    outside.create_dir_all("done/old/deep").unwrap();
    outside.write("done/old/deep/file", "stale").unwrap();
    outside.write("done/sub", "a file where a directory comes").unwrap();
    say(
        &agent,
        &[
            "mkdir:sub",
            "write:sub/a=1",
            "write:gone=x",
            "link:sub/link=/etc/passwd",
            "mkdir:empty",
            "mkdir:venv",
            "write:venv/x=left out",
        ],
    )
    .await;
    for round in ["first", "second"] {
        agent.finish_checkpoint(&yard.outside("done")).await.unwrap();
        let last = agent.last_snapshot().unwrap();
        let done = outside.open_dir("done").unwrap();
        let found = bailiwick::scan(&done, &bailiwick::Capture::All, None, bailiwick::Bounds::default()).unwrap();
        assert_eq!(found.manifest.id(), last.id(), "in the {round} round the directory is equal to the snapshot");
        say(&agent, &["write:sub/a=2", "write:gone=again"]).await;
    }
    assert!(outside.symlink_metadata("done/sub/link").unwrap().is_symlink());
    // What the session itself works with is not replaced.
    let error = agent.finish_checkpoint(yard.temp.path()).await.unwrap_err();
    assert_eq!((error.kind(), error.hint().is_some()), (ErrorKind::Workspace, true), "{error:?}");
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_kept_snapshot_starts_sessions_after_its_own_is_gone() {
    let yard = Yard::on(|host| host.dirs.data = host.dirs.state.clone());
    let more = "setup: {commands: ['log:set-up', 'mkdir:venv write:venv/made=1']}";
    let session = yard.session(more).await;
    drop(session.spawn(SpawnRequest::default()).await.unwrap());
    say(&session, &["write:a=1", "mkdir:empty"]).await;
    let id = session.update_snapshot().await.unwrap().id();
    say(&session, &["write:a=2"]).await;
    session.close().await.unwrap();
    drop(session);
    // Another process, as it were: its registry opens the store anew.
    let other = yard.registry_on(|host| host.dirs.data = host.dirs.state.clone());
    let store = other.snapshot_store().unwrap().unwrap();
    assert_eq!(store.list().unwrap().iter().map(|kept| kept.id).collect::<Vec<_>>(), [id]);
    let open = || Session::builder(&other, yard.spec(more)).snapshot(store.open(id).unwrap()).open();
    let (one, two) = (open().await.unwrap(), open().await.unwrap());
    assert_eq!((one.start(), text(&one, "a").await.as_deref()), (id, Some("1")));
    say(&one, &["write:a=changed"]).await;
    assert_eq!(text(&two, "a").await.as_deref(), Some("1"));
    // What set-up makes is left out of snapshots: it runs again.
    drop(one.spawn(SpawnRequest::default()).await.unwrap());
    assert_eq!(text(&one, "venv/made").await.as_deref(), Some("1"));
    let back = one.fork_from(&store.open(id).unwrap()).await.unwrap();
    assert_eq!((back.start(), text(&back, "a").await.as_deref()), (id, Some("1")));
    drop(back.spawn(SpawnRequest::default()).await.unwrap());
    assert_eq!(*yard.gates.log.lock().unwrap(), ["set-up", "set-up", "set-up"]);
    for session in [&one, &two, &back] {
        session.close().await.unwrap();
    }
    drop((one, two, back));
    store.remove(id).unwrap();
    let swept = store.gc(bailiwick::GcMode::Remove).unwrap();
    assert!(swept.failures.is_empty() && swept.manifests == 1 && swept.held == 0, "{swept:?}");
    assert!(store.open(id).is_err());
}

#[tokio::test]
async fn a_fork_runs_a_set_up_line_of_its_own_spawn_alone() {
    let yard = Yard::new();
    let parent = yard.session("setup: {commands: ['log:spec'], eval_commands: ['log:eval']}").await;
    let fork = parent.fork().await.unwrap();
    let mut request = SpawnRequest::default();
    request.setup_command = Some("log:own".to_owned());
    assert_eq!(fork.spawn(request.clone()).await.unwrap().setup().len(), 1);
    request.disable_setup = true;
    assert!(fork.spawn(request).await.unwrap().setup().is_empty());
    assert_eq!(*yard.gates.log.lock().unwrap(), ["own"]);
    fork.close().await.unwrap();
    parent.close().await.unwrap();
}

#[tokio::test]
async fn a_restored_directory_replaces_everything_or_nothing() {
    let yard = Yard::new();
    let session = yard.session("").await;
    say(&session, &["mkdir:old", "write:old/file=1", "link:file=old/file", "write:dir=a file"]).await;
    let outside = cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority()).unwrap();
    outside.create_dir_all("given/dir/deep").unwrap();
    outside.write("given/file", "new").unwrap();
    rustix::fs::symlinkat("/etc/passwd", outside.open_dir("given/dir").unwrap(), "link").unwrap();
    session.restore_from_snapshot_dir(&yard.outside("given")).await.unwrap();
    assert_eq!((text(&session, "old/file").await, text(&session, "file").await.as_deref()), (None, Some("new")));
    let kept = yard.outside("kept");
    session.keep(&kept).await.unwrap();
    assert_eq!(std::fs::read_link(kept.join("dir/link")).unwrap(), std::path::Path::new("/etc/passwd"));
    assert!(session.restore_from_snapshot_dir(&yard.outside("canary")).await.is_err());
    assert_eq!(text(&session, "file").await.as_deref(), Some("new"));
    session.close().await.unwrap();
}

#[tokio::test]
async fn no_reset_begins_while_a_call_works_in_the_workspace() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let many = (0..200).map(|number| input(&format!("d{number}/file"), "1")).collect();
    session.materialize_input_files(many).await.unwrap();
    session.update_snapshot().await.unwrap();
    let (mut done, mut busy) = (0, 0);
    while done < 5 && busy < 10_000 {
        // Whichever is first: the other one waits or says that it would have to.
        let out = yard.outside("kept");
        let (forked, reset, kept) = tokio::join!(session.fork(), session.reset(), session.keep(&out));
        for error in [forked.as_ref().err(), reset.as_ref().err(), kept.as_ref().err()].into_iter().flatten() {
            assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
            busy += 1;
        }
        if let Ok(fork) = forked {
            assert_eq!(fork.start(), session.last_snapshot().unwrap().id(), "a fork is of one moment");
            fork.close().await.unwrap();
            done += 1;
        }
        if let Ok(report) = kept {
            assert_eq!((report.files, report.directories), (200, 200), "what is kept is whole");
            cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority())
                .unwrap()
                .remove_dir_all("kept")
                .unwrap();
        }
    }
    assert!(done > 0);
    session.close().await.unwrap();
}
