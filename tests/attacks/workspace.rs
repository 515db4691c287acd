//! Attacks on the workspace (section H): what a guest plants, and what the host does when it meets it.

#![expect(clippy::disallowed_methods, reason = "a guest writes by path")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

#[path = "support/without_openat2.rs"]
mod without_openat2;

use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bailiwick::{
    Base, BaseNeed, Bounds, Capture, Content, ContentsBounds, CopyIn, EntryKind, ErrorKind, ExecutionError,
    FileOutcome, GcMode, GcScope, Host, InputContent, InputFile, Owner, Quota, Reaper, StatCache, Workspace,
    WorkspaceError, WorkspacePath, gc,
};
use rustix::fs::{CWD, FileType, Mode, OFlags};

const SECRET: &str = "nothing of this may be seen or changed";
const LONG: Duration = Duration::from_secs(120);

/// A host with a canary outside the workspaces.
struct Yard {
    temp: tempfile::TempDir,
    host: Host,
    owner: Arc<Owner>,
    reaper: Arc<Reaper>,
}

impl Yard {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        for name in ["base", "state", "outside"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        fs::write(temp.path().join("outside/secret"), SECRET).unwrap();
        fs::set_permissions(temp.path().join("outside/secret"), fs::Permissions::from_mode(0o640)).unwrap();
        let mut host = Host::default();
        host.dirs.temp = Some(temp.path().join("base"));
        host.dirs.state = Some(temp.path().join("state"));
        let owner = Owner::open(&host).unwrap();
        Self { temp, host, owner, reaper: Reaper::new() }
    }

    fn outside(&self) -> PathBuf {
        self.temp.path().join("outside")
    }

    fn open(&self, need: BaseNeed, quota: Quota) -> Workspace {
        let base = Base::choose(&self.host, need).unwrap();
        Workspace::open(&base, &self.owner, quota, &self.reaper).unwrap()
    }

    /// One workspace in a directory, and one in memory where this host may make one.
    fn both(&self) -> [Workspace; 2] {
        let quota = Quota { bytes: Some(64 << 20), entries: None };
        let both = [self.open(BaseNeed::Directory, quota), self.open(BaseNeed::Detached, quota)];
        if both[1].quota_held_by().is_none() {
            println!("skipped: no memory file system on this host, a second directory instead");
        }
        both
    }

    fn check(self) {
        let secret = self.outside().join("secret");
        assert_eq!(fs::read_to_string(&secret).unwrap(), SECRET);
        assert_eq!(fs::metadata(&secret).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(self.outside()).unwrap().count(), 1);
        let flushed = self.reaper.flush(LONG);
        assert!(flushed.failures.is_empty() && flushed.unfinished == 0, "{flushed:?}");
        assert_eq!(fs::read_dir(self.temp.path().join("base")).unwrap().count(), 0, "a workspace is left");
        drop(self.owner);
        assert_eq!(fs::read_dir(self.temp.path().join("state/owners")).unwrap().count(), 0, "a lock is left");
    }
}

/// Ends a thread that works against the host, also when the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Where a guest of the workspace writes.
fn guest(workspace: &Workspace) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", workspace.dir().as_raw_fd()))
}

fn path(name: &str) -> WorkspacePath {
    WorkspacePath::new(name).unwrap()
}

fn input(name: &str, text: &str) -> InputFile {
    InputFile::new(path(name), InputContent::Text(text.into()))
}

fn read(workspace: &Workspace, name: &str) -> Option<FileOutcome> {
    workspace.get_file_contents(&[name], ContentsBounds::default()).unwrap().get(name).cloned()
}

fn text(content: &str) -> Option<FileOutcome> {
    Some(FileOutcome::Content(Content::Text(content.into())))
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[test]
fn run_again_without_openat2() {
    without_openat2::run_all_again();
}

#[test]
fn h1_an_output_that_is_a_link_is_not_read() {
    let yard = Yard::new();
    for workspace in yard.both() {
        symlink(yard.outside().join("secret"), guest(&workspace).join("out.txt")).unwrap();
        symlink("/nowhere", guest(&workspace).join("dangling")).unwrap();
        for name in ["out.txt", "dangling"] {
            assert_eq!(read(&workspace, name), Some(FileOutcome::NotRegular), "{name}");
        }
        let all = workspace.get_file_contents(&["*", "."], ContentsBounds::default()).unwrap();
        assert!(all.files.iter().all(|(_, outcome)| *outcome == FileOutcome::NotRegular), "{all:?}");
    }
    yard.check();
}

#[test]
fn h2_a_link_where_the_host_writes_is_replaced() {
    let yard = Yard::new();
    for workspace in yard.both() {
        let guest = guest(&workspace);
        symlink(yard.outside().join("secret"), guest.join("input")).unwrap();
        symlink(yard.outside(), guest.join("dir")).unwrap();
        fs::create_dir_all(guest.join("full/of/things")).unwrap();
        fifo(&guest.join("fifo"));
        fs::write(guest.join("file"), "a file where a directory is wanted").unwrap();
        let names = ["input", "dir/new", "full", "fifo", "file/below/deep"];
        let files: Vec<InputFile> = names.iter().map(|name| input(name, "mine")).collect();
        workspace.write_input_files(&files).unwrap();
        for name in names {
            assert_eq!(read(&workspace, name), text("mine"), "{name}");
        }
    }
    yard.check();
}

#[test]
fn h3_a_link_where_the_host_sets_permissions_changes_nothing_outside() {
    let yard = Yard::new();
    for workspace in yard.both() {
        symlink(yard.outside().join("secret"), guest(&workspace).join("tool")).unwrap();
        let mut file = input("tool", "#!/bin/sh\n");
        file.mode = Some(0o4755);
        workspace.write_input_files(&[file]).unwrap();
        assert_eq!(fs::metadata(guest(&workspace).join("tool")).unwrap().mode() & 0o7777, 0o755);
        symlink(yard.outside().join("secret"), guest(&workspace).join("again")).unwrap();
        let captured = workspace.capture(&Capture::All, Bounds::default()).unwrap();
        workspace.restore(&captured).unwrap();
    }
    yard.check();
}

#[test]
fn h4_h6_links_on_the_way_are_refused_and_nothing_is_made_through_them() {
    let yard = Yard::new();
    for workspace in yard.both() {
        let guest = guest(&workspace);
        symlink("/", guest.join("root")).unwrap();
        symlink(yard.outside(), guest.join("c")).unwrap();
        symlink("c", guest.join("b")).unwrap();
        symlink("b", guest.join("a")).unwrap();
        symlink("loop", guest.join("loop")).unwrap();
        symlink("../../..", guest.join("up")).unwrap();
        for name in ["root/etc/passwd", "a/secret", "b/secret", "c/nothing", "loop/x", "up/etc", "a/../a/secret"] {
            assert_eq!(read(&workspace, name), Some(FileOutcome::Outside), "{name}");
        }
        assert!(workspace.remove(&path("c/secret")).is_err());
        let all = workspace.get_file_contents(&["**/*", "a/*", "root/**"], ContentsBounds::default()).unwrap();
        assert!(all.files.iter().all(|(_, outcome)| *outcome == FileOutcome::NotRegular), "{all:?}");
        workspace.write_input_files(&[input("loop", "1"), input("a/new", "2")]).unwrap();
    }
    yard.check();
}

#[test]
fn h7_odd_names_are_names_everywhere() {
    let yard = Yard::new();
    let long = "x".repeat(255);
    let names: [&[u8]; 10] = [
        b"...",
        b"-rf",
        b"$(id)",
        b"a\\b",
        b"C:\\x",
        b" blank ",
        b"line\nfeed",
        b"\xff\xfe",
        "\u{202e}txt".as_bytes(),
        long.as_bytes(),
    ];
    for workspace in yard.both() {
        for name in names {
            let path = WorkspacePath::new(OsStr::from_bytes(name)).unwrap();
            workspace.write_input_files(&[InputFile::new(path, InputContent::Bytes(name.to_vec()))]).unwrap();
        }
        let scan = workspace.scan(&Capture::All, None, Bounds::default()).unwrap();
        let found: Vec<&[u8]> = scan.manifest.iter().map(|(path, _)| path.as_bytes()).collect();
        assert_eq!(found.len(), names.len());
        assert!(names.iter().all(|name| found.contains(name)));
        let captured = workspace.capture(&Capture::All, Bounds::default()).unwrap();
        assert_eq!(captured.scan().unwrap().manifest.id(), scan.manifest.id());
        for bad in ["..", "", "/etc/passwd", "a//b", "a/../../b", "a\0b", &"x".repeat(256)] {
            assert!(WorkspacePath::new(bad).is_err());
            let outcome = workspace.get_file_contents(&[bad], ContentsBounds::default()).unwrap();
            assert!(bad.is_empty() || outcome.files[0].1 == FileOutcome::Outside, "{bad:?}: {outcome:?}");
        }
        let deep = path(&["y".repeat(200).as_str(); 30].join("/"));
        workspace.write_input_files(&[InputFile::new(deep.clone(), InputContent::Text("deep".into()))]).unwrap();
        assert_eq!(read(&workspace, deep.as_str().unwrap()), text("deep"), "longer than one system call takes");
    }
    yard.check();
}

#[test]
fn h8_a_directory_that_keeps_becoming_a_link_leads_nowhere() {
    const ROUNDS: usize = 150;
    let yard = Yard::new();
    let workspace = yard.open(BaseNeed::Directory, Quota::default());
    let (guest, outside, stop) = (guest(&workspace), yard.outside(), AtomicBool::new(false));
    fs::create_dir_all(guest.join("real/deep/er")).unwrap();
    fs::write(guest.join("real/deep/er/file"), "mine").unwrap();
    symlink(&outside, guest.join("link")).unwrap();
    fs::create_dir(guest.join("real/deep/secret")).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                let _ = rustix::fs::renameat_with(CWD, guest.join("real"), CWD, guest.join("link"), flags);
            }
        });
        let _stop = Stop(&stop);
        for round in 0..ROUNDS {
            let scan = workspace.scan(&Capture::All, None, Bounds::default());
            for (path, entry) in scan.iter().flat_map(|scan| scan.manifest.iter()) {
                let is_secret = matches!(entry.kind, EntryKind::File { .. }) && path.file_name() == "secret";
                assert!(!is_secret, "{path} in round {round}");
            }
            for name in ["real/secret", "link/secret"] {
                let outcome = read(&workspace, name).unwrap();
                assert!(!matches!(outcome, FileOutcome::Content(_)), "{name}: {outcome:?}");
            }
            if let Ok(captured) = workspace.capture(&Capture::All, Bounds::default()) {
                let report = captured.report();
                assert!(report.bytes < SECRET.len() as u64, "{report:?}");
            }
            workspace.write_input_files(&[input("real/new", "1"), input("link/new", "2")]).unwrap();
            let _ = workspace.remove(&path("link/new"));
            let _ = workspace.remove(&path("real/deep/secret"));
        }
    });
    workspace.close().unwrap();
    drop(workspace);
    yard.check();
}

#[test]
fn h9_prefixes_are_components() {
    assert!(!path("w/ab").starts_with(&path("w/a")));
    assert!(WorkspacePath::from_guest("/workspaces/x", Path::new("/workspace")).is_err());
}

#[test]
fn h17_set_user_id_bits_and_extended_attributes_are_dropped() {
    let yard = Yard::new();
    for workspace in yard.both() {
        let file = guest(&workspace).join("tool");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o6751)).unwrap();
        let dir = guest(&workspace).join("sticky");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o1777)).unwrap();
        let _ = rustix::fs::setxattr(&file, "user.note", b"1", rustix::fs::XattrFlags::empty());
        let captured = workspace.capture(&Capture::All, Bounds::default()).unwrap();
        workspace.restore(&captured).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o751);
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o7777, 0o777);
        let mut names = [0u8; 256];
        assert_eq!(rustix::fs::listxattr(&file, &mut names).unwrap_or(0), 0);
    }
    yard.check();
}

#[test]
fn h18_specials_are_listed_and_never_opened() {
    let yard = Yard::new();
    for workspace in yard.both() {
        fifo(&guest(&workspace).join("fifo"));
        let _socket = std::os::unix::net::UnixListener::bind(guest(&workspace).join("socket")).unwrap();
        let scan = workspace.scan(&Capture::All, None, Bounds::default()).unwrap();
        assert!(scan.manifest.iter().all(|(_, entry)| entry.kind == EntryKind::Special));
        assert_eq!((scan.manifest.len(), scan.read), (2, 0));
        assert_eq!(read(&workspace, "fifo"), Some(FileOutcome::NotRegular));
        let captured = workspace.capture(&Capture::All, Bounds::default()).unwrap();
        assert_eq!((captured.report().specials, captured.report().files), (2, 0));
        assert_eq!(captured.scan().unwrap().manifest.id(), scan.manifest.id(), "a special is no part of the id");
        workspace.restore(&captured).unwrap();
        assert_eq!(fs::read_dir(guest(&workspace)).unwrap().count(), 0);
    }
    yard.check();
}

#[test]
fn h19_a_file_that_changes_while_it_is_read_has_one_size() {
    let yard = Yard::new();
    let workspace = yard.open(BaseNeed::Directory, Quota::default());
    let (file, stop) = (guest(&workspace).join("log"), AtomicBool::new(false));
    fs::write(&file, "").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let open = fs::OpenOptions::new().write(true).open(&file).unwrap();
            for size in (0..).map(|round| (round * 7919) % (4 << 20)) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                open.set_len(size).unwrap();
            }
        });
        let _stop = Stop(&stop);
        for _ in 0..50 {
            let scan = workspace.scan(&Capture::All, None, Bounds::default()).unwrap();
            let (_, entry) = scan.manifest.iter().next().unwrap();
            let EntryKind::File { size, hash } = entry.kind else { panic!("{entry:?}") };
            let zeros = vec![0; usize::try_from(size).unwrap()];
            assert_eq!(hash, *blake3::hash(&zeros).as_bytes(), "size and hash speak of the same bytes");
        }
    });
    drop(workspace);
    yard.check();
}

#[test]
fn h19_a_huge_sparse_file_and_many_entries_stop_at_the_bounds() {
    let yard = Yard::new();
    let workspace = yard.open(BaseNeed::Directory, Quota::default());
    fs::File::create(guest(&workspace).join("sparse")).unwrap().set_len(8 << 40).unwrap();
    for outcome in [
        workspace.scan(&Capture::All, None, Bounds::default()).map(drop),
        workspace.capture(&Capture::All, Bounds::default()).map(drop),
    ] {
        assert!(matches!(outcome, Err(WorkspaceError::TooLarge { what: "bytes", .. })), "{outcome:?}");
    }
    let size = 8 << 40;
    assert_eq!(read(&workspace, "sparse"), Some(FileOutcome::TooLarge { size }));
    assert!(workspace.usage().unwrap().bytes < 1 << 20, "holes take nothing");
    workspace.clear().unwrap();
    for number in 0..2000 {
        fs::write(guest(&workspace).join(number.to_string()), "x").unwrap();
    }
    let few = Bounds { entries: 1000, ..Bounds::default() };
    let outcome = workspace.scan(&Capture::All, None, few).map(drop);
    assert!(matches!(outcome, Err(WorkspaceError::TooLarge { what: "entries", limit: 1000 })), "{outcome:?}");
    let bounds = ContentsBounds { files: 10, ..ContentsBounds::default() };
    let contents = workspace.get_file_contents(&["*"], bounds).unwrap();
    assert_eq!((contents.files.len(), contents.omitted), (10, 1990));
    drop(workspace);
    yard.check();
}

#[test]
fn h20_what_is_outside_looks_the_same_whether_it_is_there_or_not() {
    let yard = Yard::new();
    for workspace in yard.both() {
        symlink(yard.outside(), guest(&workspace).join("out")).unwrap();
        symlink(yard.outside().join("secret"), guest(&workspace).join("there")).unwrap();
        symlink(yard.outside().join("nothing"), guest(&workspace).join("not-there")).unwrap();
        let outcomes = |names: [&str; 2]| names.map(|name| read(&workspace, name).unwrap());
        for pair in [["out/secret", "out/nothing"], ["there", "not-there"], ["/etc/passwd", "/etc/nothing"]] {
            let [first, second] = outcomes(pair);
            assert_eq!(first, second, "{pair:?}");
        }
        let error = workspace.remove(&path("out/secret")).unwrap_err();
        let error = ExecutionError::from(error);
        let shown = format!("{error:?}");
        assert!(!shown.contains(&*yard.temp.path().to_string_lossy()), "{shown}");
    }
    yard.check();
}

/// Makes a chain of directories, as a guest does: one step at a time.
fn dig(from: &Path, depth: usize) {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = rustix::fs::open(from, flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, "d", flags, Mode::empty()).unwrap();
    }
    rustix::fs::openat(&at, "bottom", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
}

#[test]
fn h21_a_deep_tree_is_copied_listed_and_removed_with_few_descriptors() {
    let before = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let few = rustix::process::Rlimit { current: Some(256), ..before };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, few).unwrap();
    let yard = Yard::new();
    // The deepest only in memory: thirty thousand directories on a busy disk take a minute.
    for (workspace, deepest) in yard.both().into_iter().zip([5_000, 20_000]) {
        dig(&guest(&workspace), 2_000);
        let captured = workspace.capture(&Capture::All, Bounds::default()).unwrap();
        assert_eq!((captured.report().directories, captured.report().files), (2_000, 1));
        let scan = workspace.scan(&Capture::All, None, Bounds::default()).unwrap();
        assert_eq!(scan.manifest.len(), 2_001);
        assert_eq!(captured.scan().unwrap().manifest.id(), scan.manifest.id());
        dig(&guest(&workspace).join("d"), 0);
        drop(captured);
        workspace.clear().unwrap();
        dig(&guest(&workspace), deepest);
        workspace.close().unwrap();
        drop(workspace);
    }
    yard.check();
}

#[test]
fn h21_closed_directories_and_links_to_the_root_are_removed() {
    let yard = Yard::new();
    for workspace in yard.both() {
        let guest = guest(&workspace);
        fs::create_dir_all(guest.join("closed/inner")).unwrap();
        fs::write(guest.join("closed/inner/file"), "x").unwrap();
        symlink("/", guest.join("closed/inner/root")).unwrap();
        symlink(yard.outside(), guest.join("closed/out")).unwrap();
        fs::set_permissions(guest.join("closed/inner/file"), fs::Permissions::from_mode(0o0)).unwrap();
        fs::set_permissions(guest.join("closed/inner"), fs::Permissions::from_mode(0o0)).unwrap();
        fs::set_permissions(guest.join("closed"), fs::Permissions::from_mode(0o0)).unwrap();
        let scan = workspace.scan(&Capture::All, None, Bounds::default()).unwrap();
        assert_eq!(scan.manifest.len(), 5, "what is closed is listed all the same");
        assert_eq!(scan.manifest.get(&path("closed/inner")).unwrap().mode, 0);
        let captured = workspace.capture(&Capture::All, Bounds::default()).unwrap();
        assert_eq!(captured.scan().unwrap().manifest.id(), scan.manifest.id());
        workspace.restore(&captured).unwrap();
        assert_eq!(fs::metadata(guest.join("closed")).unwrap().mode() & 0o777, 0);
        assert_eq!(workspace.scan(&Capture::All, None, Bounds::default()).unwrap().manifest.id(), scan.manifest.id());
        drop(captured);
        workspace.close().unwrap();
        drop(workspace);
    }
    yard.check();
}

#[test]
fn h22_a_workspace_swapped_by_name_is_still_the_same_directory() {
    let yard = Yard::new();
    let workspace = yard.open(BaseNeed::Directory, Quota::default());
    let named = workspace.open_ambient_path().unwrap().to_owned();
    fs::rename(&named, named.with_file_name("moved")).unwrap();
    symlink(yard.outside(), &named).unwrap();
    workspace.write_input_files(&[input("secret", "mine")]).unwrap();
    assert_eq!(read(&workspace, "secret"), text("mine"));
    workspace.clear().unwrap();
    workspace.close().unwrap();
    drop(workspace);
    yard.check();
}

#[test]
fn h25_a_submission_is_copied_and_never_linked() {
    let yard = Yard::new();
    let source = yard.temp.path().join("submission");
    fs::create_dir_all(source.join("venv/lib")).unwrap();
    fs::write(source.join("main.py"), "print(1)").unwrap();
    fs::hard_link(source.join("main.py"), source.join("twin.py")).unwrap();
    fs::write(source.join("main.pyc"), "x").unwrap();
    fs::write(source.join("venv/lib/x"), "x").unwrap();
    fs::set_permissions(source.join("main.py"), fs::Permissions::from_mode(0o555)).unwrap();
    symlink("/etc/passwd", source.join("link")).unwrap();
    fifo(&source.join("fifo"));
    for workspace in yard.both() {
        let mut options = CopyIn::default();
        options.ignore = bailiwick::Globs::new(["*.pyc", "venv/*"]);
        let mut told = 0;
        let mut tell = |_: &bailiwick::CopyReport| told += 1;
        options.progress = Some(&mut tell);
        let report = workspace.copy_in(&source, options).unwrap();
        assert_eq!((report.files, report.links, report.specials, report.ignored), (2, 1, 1, 2));
        assert!(told >= 4);
        fs::write(guest(&workspace).join("main.py"), "changed").unwrap();
        assert_eq!(fs::read_to_string(source.join("main.py")).unwrap(), "print(1)");
        assert_eq!(read(&workspace, "twin.py"), text("print(1)"));
        assert_eq!(fs::metadata(guest(&workspace).join("main.py")).unwrap().mode() & 0o777, 0o755);
        workspace.clear().unwrap();
        workspace.copy_in(&source.join("main.py"), CopyIn::default()).unwrap();
        assert_eq!(read(&workspace, "main.py"), text("print(1)"));
        let kept = yard.temp.path().join("kept");
        workspace.keep(&kept).unwrap();
        assert!(matches!(workspace.keep(&kept), Err(WorkspaceError::DestinationNotEmpty { .. })));
        fs::remove_dir_all(kept).unwrap();
    }
    yard.check();
}

#[test]
fn h26_no_name_is_reserved_because_the_host_keeps_no_file_there() {
    let yard = Yard::new();
    for workspace in yard.both() {
        assert_eq!(fs::read_dir(guest(&workspace)).unwrap().count(), 0);
        let names = [".bailiwick", "stdin", "work", "static", "tmp-1"];
        let files: Vec<InputFile> = names.iter().map(|name| input(name, name)).collect();
        workspace.write_input_files(&files).unwrap();
        let temp = workspace.make_temp().unwrap();
        temp.dir().write("x", "y").unwrap();
        workspace.private_dir("static").unwrap().write("x", "y").unwrap();
        for name in names {
            assert_eq!(read(&workspace, name), text(name));
        }
        drop(temp);
    }
    yard.check();
}

#[test]
fn h27_the_memory_file_system_holds_the_quota_and_what_the_host_writes_is_free() {
    let yard = Yard::new();
    let workspace = yard.open(BaseNeed::Detached, Quota { bytes: Some(1 << 20), entries: Some(10) });
    if workspace.quota_held_by().is_none() {
        println!("skipped: no memory file system on this host");
        return;
    }
    let big = "x".repeat(5 << 20);
    workspace.write_input_files(&[input("given", &big)]).unwrap();
    let guest = guest(&workspace);
    let error = fs::write(guest.join("mine"), vec![1; (1 << 20) + 65536]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    fs::remove_file(guest.join("mine")).unwrap();
    fs::write(guest.join("mine"), vec![1; (1 << 20) - 65536]).unwrap();
    let made = (0..100).take_while(|number| fs::create_dir(guest.join(number.to_string())).is_ok()).count();
    assert!((8..=30).contains(&made), "{made} directories");
    assert!(guest.join("given").exists() && workspace.make_temp().is_ok(), "entries used up stop no command");
    assert_eq!(workspace.usage().unwrap().bytes >> 20, 5);
    // A full workspace still takes what the host brings, and can be captured.
    workspace.write_input_files(&[input("more", &big)]).unwrap();
    assert!(workspace.make_temp().is_ok());
    let error = fs::write(guest.join("second"), vec![1; 1 << 20]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "what was used up stays used up");
    fs::remove_file(guest.join("second")).unwrap();
    for _ in 0..3 {
        let captured = workspace.capture(&Capture::All, Bounds::default()).unwrap();
        workspace.restore(&captured).unwrap();
        drop(captured);
        assert!(yard.reaper.flush(LONG).failures.is_empty());
        fs::write(guest.join("third"), vec![1; (1 << 20) - 65536]).expect("a restored workspace has its whole quota");
        let error = fs::write(guest.join("fourth"), vec![1; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "and no more than that");
        fs::remove_file(guest.join("third")).unwrap();
        fs::remove_file(guest.join("fourth")).unwrap();
    }
    drop(workspace);
    yard.check();
}

#[test]
fn h28_a_fork_leaves_its_parent_and_siblings_alone() {
    let yard = Yard::new();
    let id = |workspace: &Workspace| workspace.scan(&Capture::All, None, Bounds::default()).unwrap().manifest.id();
    for parent in yard.both() {
        let guest_of_parent = guest(&parent);
        fs::create_dir(guest_of_parent.join("dir")).unwrap();
        fs::write(guest_of_parent.join("dir/file"), "original").unwrap();
        fs::hard_link(guest_of_parent.join("dir/file"), guest_of_parent.join("twin")).unwrap();
        symlink("dir/file", guest_of_parent.join("link")).unwrap();
        let time = fs::metadata(guest_of_parent.join("dir/file")).unwrap().modified().unwrap();
        let captured = parent.capture(&Capture::All, Bounds::default()).unwrap();
        let children =
            [yard.open(BaseNeed::Directory, Quota::default()), yard.open(BaseNeed::Detached, parent.quota())];
        for child in &children {
            child.restore(&captured).unwrap();
            assert_eq!(id(child), id(&parent));
            assert_eq!(fs::metadata(guest(child).join("dir/file")).unwrap().modified().unwrap(), time);
        }
        let before = id(&parent);
        fs::write(guest(&children[0]).join("twin"), "changed").unwrap();
        fs::write(guest(&children[0]).join("dir/file"), "changed").unwrap();
        assert_eq!((id(&parent), id(&children[1])), (before, before));
        assert_ne!(id(&children[0]), before);
        // The captured content outlives its workspace, unless that is closed.
        let inode = fs::metadata(guest(&children[0])).unwrap().ino();
        drop(parent);
        children[0].restore(&captured).unwrap();
        assert_eq!(id(&children[0]), before);
        assert_eq!(fs::metadata(guest(&children[0])).unwrap().ino(), inode, "the directory itself stays");
    }
    yard.check();
}

#[test]
fn an_overwritten_file_with_its_time_set_back_is_read_again() {
    let yard = Yard::new();
    for workspace in yard.both() {
        let file = guest(&workspace).join("file");
        fs::write(&file, "aaaa").unwrap();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        let scan = |cache: Option<&StatCache>| workspace.scan(&Capture::All, cache, Bounds::default()).unwrap();
        let mut last = scan(None);
        let mut rounds = 0;
        while last.read > 0 && rounds < 10_000 {
            // Until the change lies far enough back to be believed.
            last = scan(Some(&last.cache));
            rounds += 1;
            std::thread::yield_now();
        }
        assert_eq!(last.read, 0, "a settled file is not read again");
        fs::write(&file, "bbbb").unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        let after = scan(Some(&last.cache));
        assert_eq!(after.read, 1);
        assert_ne!(after.manifest.id(), last.manifest.id());
    }
    yard.check();
}

#[test]
fn a_read_only_base_is_named_with_a_hint() {
    use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};
    let mount = || {
        let system = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        rustix::mount::fsconfig_create(&system)?;
        rustix::mount::fsmount(&system, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_RDONLY)
    };
    let Ok(mounted) = mount() else {
        println!("skipped: nothing can be mounted on this host");
        return;
    };
    let mut yard = Yard::new();
    yard.host.dirs.base = Some(format!("/proc/self/fd/{}", mounted.as_raw_fd()).into());
    let base = Base::choose(&yard.host, BaseNeed::Directory).unwrap();
    let error = Workspace::open(&base, &yard.owner, Quota::default(), &yard.reaper).unwrap_err();
    let error = ExecutionError::from(error);
    assert_eq!(error.kind(), ErrorKind::Workspace);
    assert_eq!(error.hint(), Some("choose a directory that can be written with `--base-dir`"));
    yard.check();
}

#[test]
fn a_full_disk_is_an_error_with_a_hint_and_leaves_nothing() {
    let yard = Yard::new();
    let small = yard.open(BaseNeed::Detached, Quota { bytes: Some(1 << 20), entries: None });
    if small.quota_held_by().is_none() {
        println!("skipped: no memory file system on this host");
        return;
    }
    // A base directory of 1 MiB: another workspace's own file system. It is named by a descriptor, whose number the
    // reaper's thread would take were it started later.
    yard.reaper.enqueue(|| Ok(()));
    let mut host = yard.host.clone();
    host.dirs.base = Some(guest(&small));
    let base = Base::choose(&host, BaseNeed::Directory).unwrap();
    let full = Workspace::open(&base, &yard.owner, Quota::default(), &yard.reaper).unwrap();
    let error = full.write_input_files(&[input("big", &"x".repeat(2 << 20))]).unwrap_err();
    let error = ExecutionError::from(error);
    assert_eq!(error.kind(), ErrorKind::InputFileWrite);
    assert!(error.hint().unwrap().starts_with("free some space"), "{error:?}");
    full.close().unwrap();
    drop(full);
    assert_eq!(fs::read_dir(guest(&small)).unwrap().count(), 0);
    drop((small, base));
    yard.check();
}

#[test]
fn gc_removes_what_the_dead_left_and_nothing_of_the_living() {
    let yard = Yard::new();
    let base = yard.temp.path().join("base");
    let alive = yard.open(BaseNeed::Directory, Quota::default());
    let dead_id = "0123456789abcdef0123456789abcdef";
    let (left, lock) = (base.join(format!("bailiwick-{dead_id}-7")), format!("state/owners/{dead_id}.lock"));
    let elsewhere = yard.temp.path().join("elsewhere");
    let far = elsewhere.join(format!("bailiwick-{dead_id}-8"));
    for dir in [&left, &far] {
        fs::create_dir_all(dir.join("work/deep")).unwrap();
        symlink(yard.outside(), dir.join("work/out")).unwrap();
    }
    fs::write(yard.temp.path().join(&lock), format!("{}\0", elsewhere.display())).unwrap();
    let ownerless = base.join("bailiwick-ffffffffffffffffffffffffffffffff-1");
    fs::create_dir(&ownerless).unwrap();
    fs::create_dir(base.join("bailiwick-notes")).unwrap();
    symlink(yard.outside(), base.join(format!("bailiwick-{dead_id}-9"))).unwrap();

    let report = gc(&yard.host, GcMode::DryRun, GcScope::DeadOwners);
    assert_eq!(report.removed, [left.clone(), far.clone()]);
    assert!(left.exists() && far.exists());
    let report = gc(&yard.host, GcMode::Remove, GcScope::DeadOwners);
    assert!(report.failures.is_empty(), "{report:?}");
    assert_eq!((report.removed.len(), report.alive, report.dead_owners.len()), (2, 1, 1));
    assert_eq!(report.ownerless, std::slice::from_ref(&ownerless));
    assert!(!left.exists() && !far.exists() && ownerless.exists());
    assert!(!yard.temp.path().join(lock).exists());
    assert_eq!(gc(&yard.host, GcMode::Remove, GcScope::Ownerless).removed, [ownerless]);
    alive.write_input_files(&[input("still", "here")]).unwrap();
    assert_eq!(read(&alive, "still"), text("here"));
    fs::remove_dir(base.join("bailiwick-notes")).unwrap();
    fs::remove_file(base.join(format!("bailiwick-{dead_id}-9"))).unwrap();
    drop(alive);
    yard.check();
}

#[test]
fn an_owner_without_a_state_directory_is_alive_while_it_holds_its_directory() {
    let mut yard = Yard::new();
    yard.host.dirs.state = None;
    let owner = Owner::open(&yard.host).unwrap();
    let base = Base::choose(&yard.host, BaseNeed::Directory).unwrap();
    let workspace = Workspace::open(&base, &owner, Quota::default(), &yard.reaper).unwrap();
    let report = gc(&yard.host, GcMode::Remove, GcScope::Ownerless);
    assert_eq!((report.removed.len(), report.alive), (0, 1));
    drop(workspace);
    yard.check();
}

#[test]
fn spec_globs_prune_and_beat_what_is_kept() {
    let yard = Yard::new();
    for workspace in yard.both() {
        let names = ["main.py", "a/b.py", "a/b.pyc", "venv/x.py", "sub/venv/x.py", "notes.txt", ".hidden"];
        let files: Vec<InputFile> = names.iter().map(|name| input(name, name)).collect();
        workspace.write_input_files(&files).unwrap();
        let ignore = bailiwick::Globs::new(["*.pyc", "venv/*"]);
        let taken = |keep| {
            let scope = Capture::Spec { keep, ignore: ignore.clone() };
            let scan = workspace.scan(&scope, None, Bounds::default()).unwrap();
            scan.manifest.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>()
        };
        let all = [".hidden", "a", "a/b.py", "main.py", "notes.txt", "sub", "sub/venv", "sub/venv/x.py"];
        assert_eq!(taken(None), all);
        let kept = ["a", "a/b.py", "main.py", "sub", "sub/venv", "sub/venv/x.py"];
        assert_eq!(taken(Some(bailiwick::Globs::new(["*.py"]))), kept);
    }
    yard.check();
}

#[test]
fn contents_come_in_the_order_asked_and_each_once() {
    let yard = Yard::new();
    for workspace in yard.both() {
        let names = ["out/a.txt", "out/b.txt", ".env", "out/deep/c.txt", "odd[1].txt"];
        let files: Vec<InputFile> = names.iter().map(|name| input(name, "1\r\n")).collect();
        workspace.write_input_files(&files).unwrap();
        let bytes = InputFile::new(path("raw"), InputContent::Bytes(vec![0xff, 0]));
        workspace.write_input_files(&[bytes]).unwrap();
        let asked = ["./.env", "out/b.txt", "out", "**/*.txt", "odd[1].txt", "raw", "gone", "", "*.nothing"];
        let contents = workspace.get_file_contents(&asked, ContentsBounds::default()).unwrap();
        let names: Vec<&str> = contents.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [".env", "out/b.txt", "out/a.txt", "out/deep/c.txt", "odd[1].txt", "raw", "gone"]);
        assert_eq!(contents.get("raw"), Some(&FileOutcome::Content(Content::Bytes(vec![0xff, 0]))));
        assert_eq!(contents.get("gone"), Some(&FileOutcome::Missing));
        assert_eq!(contents.get("out/a.txt").cloned(), text("1\r\n"), "no byte is changed");
        let bounds = ContentsBounds { file_bytes: 2, ..ContentsBounds::default() };
        let small = workspace.get_file_contents(&["out/a.txt", "out/a.txt"], bounds).unwrap();
        assert_eq!(small.files, [("out/a.txt".to_owned(), FileOutcome::TooLarge { size: 3 })]);
    }
    yard.check();
}
