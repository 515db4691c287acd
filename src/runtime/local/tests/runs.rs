//! What a guest is given: words, variables, descriptors, directories, streams.

use bytes::Bytes;

use super::*;
use crate::runtime::{NotStarted, RuntimeEvent, Stdin, Termination};

#[tokio::test]
async fn a_command_runs_and_says_what_it_used() {
    let place = open("").await;
    let result = place.sh("echo out; echo err >&2; exit 3").await;
    assert_eq!(result.termination, Termination::Exited { code: 3 });
    assert_eq!((stdout(&result), text(&result.stderr)), ("out\n".to_owned(), "err\n".to_owned()));
    assert_eq!(result.isolation, "none");
    assert!(result.usage.cpu_time.value().is_some(), "{:?}", result.usage);
    assert!(result.usage.wall_time.value().is_some());
    assert_eq!(result.usage.disk_written.value(), None);
}

/// L1: nothing of the engine reaches the guest but what is documented.
#[tokio::test]
async fn l1_the_guest_is_given_only_what_is_documented() {
    let place = open("environment: {env: {MINE: '1'}}\nlimits: {open_files: 77}\n").await;
    let script = "env | sort; ls /proc/self/fd | tr '\\n' ' '; umask; ulimit -n; ulimit -c; pwd; \
                  grep -E '^Sig(Blk|Ign)' /proc/self/status; cat /dev/tty 2>&1";
    let out = stdout(&place.sh(script).await);
    let lines: Vec<&str> = out.lines().collect();
    let names: Vec<&str> = lines.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    for name in ["HOME", "LANG", "MINE", "PATH", "PWD", "TMPDIR"] {
        assert!(names.contains(&name), "{name} is missing in {out}");
    }
    let more = ["_", "OLDPWD", "SHLVL"];
    assert!(
        names.iter().all(|name| more.contains(name) || name.len() > 2 && "HOMELANGMINEPATHPWDTMPDIR".contains(name)),
        "{out}"
    );
    // Number 3 is the directory that `ls` itself reads.
    assert!(out.contains("\n0 1 2 3 0022\n77\n0\n"), "{out}");
    assert!(out.contains("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000"), "{out}");
    assert!(out.contains("No such device or address"), "a controlling terminal: {out}");
    assert!(lines.contains(&place.workspace.open_ambient_path().unwrap().to_str().unwrap()), "{out}");
}

#[tokio::test]
async fn home_is_private_and_goes_with_the_runtime() {
    let place = open("").await;
    let result = place.sh("echo x > $HOME/x && ls -ld $TMPDIR | cut -c1-10; echo $HOME").await;
    let out = stdout(&result);
    let (mode, home) = out.trim().split_once('\n').unwrap();
    assert_eq!(mode, "drwx------");
    assert!(std::path::Path::new(home).exists());
    place.runtime.cleanup().await.unwrap();
    place.reaper.flush(LONG);
    assert!(!std::path::Path::new(home).exists());
}

/// L11: every way of not being a program has its name, and no shell helps out.
#[tokio::test]
async fn l11_what_cannot_be_started_says_why() {
    let place = open("").await;
    place.put("plain", b"echo via a shell\n", 0o755);
    place.put("locked", b"#!/bin/sh\n", 0o644);
    place.put("shebang", b"#!/no/such/interpreter\n", 0o755);
    place.put("with space", b"#!/bin/sh\necho spaced\n", 0o755);
    place.put("-x", b"#!/bin/sh\necho dashed\n", 0o755);
    place.workspace.dir().create_dir("dir").unwrap();
    for (word, reason, why) in [
        ("no-such-program", NotStarted::Missing, "search path"),
        ("./nowhere", NotStarted::Missing, "no file"),
        ("plain/below", NotStarted::Missing, "no file"),
        ("./dir", NotStarted::NotExecutable, "directory"),
        ("./locked", NotStarted::NotExecutable, "may not be executed"),
        ("./plain", NotStarted::NotExecutable, "neither a program"),
        ("./shebang", NotStarted::NotExecutable, "interpreter"),
    ] {
        let result = place.run(Command::argv([word])).await;
        let Termination::NotStarted { reason: found, message, .. } = &result.termination else {
            panic!("{word}: {result}");
        };
        assert_eq!(*found, reason, "{word}: {message}");
        assert!(message.contains(why), "{word}: {message}");
        assert!(!message.contains(place.base.path().to_str().unwrap()), "{message}");
        assert_eq!(result.stdout.bytes, 0);
    }
    let huge = Command::argv(["true".to_owned(), "x".repeat(1 << 20)]);
    assert!(matches!(place.run(huge).await.termination, Termination::NotStarted { .. }));
    assert_eq!(stdout(&place.run(Command::argv(["./with space"])).await), "spaced\n");
    let dashed = Command::argv(["-x"]).grant_env("PATH", ":/bin:/usr/bin");
    assert_eq!(stdout(&place.run(dashed).await), "dashed\n");
    let quoted = Command::argv(["echo", "$HOME", "a  b", ";", "*"]);
    assert_eq!(stdout(&place.run(quoted).await), "$HOME a  b ; *\n");
}

#[tokio::test]
async fn words_are_resolved_as_they_would_be_run() {
    let place = open("").await;
    place.put("here", b"#!/bin/sh\n", 0o755);
    assert!(place.runtime.resolve("sh").await.is_ok());
    assert!(place.runtime.resolve("./here").await.is_ok());
    assert!(place.runtime.resolve("here").await.is_err());
    assert!(place.runtime.resolve("no-such-program").await.is_err());
}

#[tokio::test]
async fn a_working_directory_is_one_of_the_workspace() {
    let place = open("").await;
    place.workspace.dir().create_dir_all("a/b").unwrap();
    place.workspace.dir().symlink("../..", "a/out").unwrap();
    let root = place.workspace.open_ambient_path().unwrap().to_str().unwrap().to_owned();
    let pwd = async |dir: &str| place.run(sh("pwd; echo $PWD").in_dir(dir)).await;
    for dir in ["a/b".to_owned(), format!("{root}/a/b")] {
        assert_eq!(stdout(&pwd(&dir).await), format!("{root}/a/b\n{root}/a/b\n"));
    }
    assert_eq!(stdout(&pwd("/").await), "/\n/\n");
    for dir in ["nowhere", "a/out", "../.."] {
        let result = pwd(dir).await;
        assert!(matches!(result.termination, Termination::NotStarted { reason: NotStarted::Missing, .. }), "{result}");
    }
}

#[tokio::test]
async fn lines_go_to_a_shell_only_where_one_is_named() {
    let place = open("").await;
    assert_eq!(stdout(&place.run(Command::line("echo 'a b' c")).await), "a b c\n");
    assert!(place.runtime.execute(Command::line("echo a | cat")).await.is_err());
    let place = open("local: {shell: /bin/sh}\n").await;
    assert_eq!(stdout(&place.run(Command::line("echo a | cat; echo $((1 + 1))")).await), "a\n2\n");
    assert_eq!(stdout(&place.run(Command::argv(["echo", "$HOME"])).await), "$HOME\n");
}

#[tokio::test]
async fn standard_input_is_what_was_given_and_then_over() {
    let place = open("").await;
    assert_eq!(stdout(&place.sh("cat; echo over").await), "over\n");
    let bytes = Command::argv(["cat"]).grant_stdin("a\nb");
    assert_eq!(stdout(&place.run(bytes).await), "a\nb");
    let chunks = Stdin::Chunks(vec![Bytes::from_static(b"1"), Bytes::new(), Bytes::from_static(b"2")]);
    assert_eq!(stdout(&place.run(Command::argv(["cat"]).grant_stdin(chunks)).await), "12");
}

#[tokio::test]
async fn live_input_and_live_output_alternate() {
    use futures_util::StreamExt;
    let place = open("").await;
    let (writer, stdin) = Stdin::live();
    let mut running = place.runtime.stream(Command::argv(["cat"]).grant_stdin(stdin)).await.unwrap();
    for word in ["one", "two", "three"] {
        assert!(writer.write(word).await);
        let Some(Ok(RuntimeEvent::Stdout(said))) = running.next().await else { panic!("no echo of {word}") };
        assert_eq!(&said[..], word.as_bytes());
    }
    drop(writer);
    let result = running.wait().await.unwrap();
    assert_eq!((result.exit_code(), stdout(&result)), (0, "onetwothree".to_owned()));
}

#[tokio::test]
async fn a_terminal_is_one() {
    let place = open("local: {requires_tty: true}\n").await;
    let result = place
        .sh("test -t 0 && test -t 1 && test -t 2 && echo tty; stty size; echo err >&2; : </dev/tty && echo own")
        .await;
    assert_eq!((stdout(&result), result.stderr.bytes), ("tty\r\n24 80\r\nerr\r\nown\r\n".to_owned(), 0));
    let place = open("").await;
    let mut command = sh("read line; echo got $line; cat; echo over").grant_stdin("words\n");
    command.tty = true;
    let out = stdout(&place.run(command).await);
    assert!(out.ends_with("got words\r\nover\r\n"), "{out:?}");
}

#[tokio::test]
async fn set_up_runs_where_commands_run() {
    let place = open("setup: {commands: ['touch made', 'false']}\n").await;
    assert!(place.workspace.dir().exists("made"));
    let result = place.sh("ls").await;
    assert_eq!((stdout(&result), result.setup.len()), ("made\n".to_owned(), 2));
    assert!(result.notes.iter().any(|note| note.contains("false")), "{:?}", result.notes);
}
