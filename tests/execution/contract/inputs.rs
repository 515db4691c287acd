//! What a command is given: standard input, environment, words and lines.

use bailiwick::{Command, ErrorKind, ExecutionError, SolutionRuntimeError, SpawnRequest, Stdin};
use bytes::Bytes;

use crate::support::yard::{Yard, command, loud};

#[tokio::test]
async fn every_form_of_standard_input_arrives_whole() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let binary: Vec<u8> = (0..=255).collect();
    let chunks = Stdin::Chunks(vec![Bytes::from_static(b"1"), Bytes::new(), Bytes::from_static(b"2\n3")]);
    for (stdin, expected, given) in [
        (Stdin::Closed, &b""[..], false),
        (Stdin::from(""), b"", true),
        (Stdin::from("text\n"), b"text\n", true),
        (Stdin::from(binary.clone()), &binary, true),
        (chunks, b"12\n3", true),
    ] {
        let result = runtime.execute(command(&["echo", "err:done"]).grant_stdin(stdin)).await.unwrap();
        assert_eq!((&result.stdout.kept[..], result.stderr.text().as_deref()), (expected, Some("done")));
        assert_eq!(result.met_closed_stdin, !given);
    }
    let unread = runtime.execute(command(&["out:x"])).await.unwrap();
    assert!(!unread.met_closed_stdin, "it never looked");
}

#[tokio::test]
async fn a_live_writer_may_come_late_and_go_early() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let (writer, stdin) = Stdin::live();
    let running = runtime.stream(command(&["reach:up", "echo"]).grant_stdin(stdin)).await.unwrap();
    yard.gates.reached("up").await;
    assert!(writer.write("late ").await && writer.clone().write("text").await);
    drop(writer);
    assert_eq!(running.wait().await.unwrap().stdout.text().as_deref(), Some("late text"));

    let (writer, stdin) = Stdin::live();
    drop(writer);
    let result = runtime.execute(command(&["echo"]).grant_stdin(stdin)).await.unwrap();
    assert_eq!((result.stdout.bytes, result.met_closed_stdin), (0, false));
}

#[tokio::test]
async fn l8_a_guest_that_never_reads_holds_its_writer_no_longer_than_it_lives() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let big = vec![b'x'; 1 << 26];
    let result = runtime.execute(command(&["out:x"]).grant_stdin(big)).await.unwrap();
    assert_eq!(result.exit_code(), 0);

    let (writer, stdin) = Stdin::live();
    let running = runtime.stream(command(&["wait:end"]).grant_stdin(stdin)).await.unwrap();
    let write = async {
        let mut taken = 0;
        while writer.write(vec![0; 1 << 16]).await {
            taken += 1;
            yard.gates.open("end");
        }
        taken
    };
    let (taken, result) = loud("the writer", async { tokio::join!(write, running.wait()) }).await;
    assert_eq!(result.unwrap().exit_code(), 0);
    assert!(taken < 100, "the writer was held back: {taken}");
}

#[tokio::test]
async fn l9_both_streams_and_the_input_go_on_together() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let input = vec![b'x'; 3_000_000];
    let asked = command(&["flood-err:1000000", "echo", "flood-err:1000000"]).grant_stdin(input);
    let result = loud("the end", runtime.execute(asked)).await.unwrap();
    assert_eq!((result.stdout.bytes, result.stderr.bytes), (3_000_000, 2_000_000));
}

#[tokio::test]
async fn variables_come_from_the_nearest_who_sets_them() {
    let yard = Yard::new();
    let env = |result: std::sync::Arc<bailiwick::RuntimeResult>| result.stdout.text().unwrap();
    let spawn = |level: Option<&str>| {
        let mut request = SpawnRequest::default();
        request.env.extend(level.map(|level| ("LEVEL".to_owned(), level.to_owned())));
        request
    };
    let session = yard.session("environment: {env: {LEVEL: spec, SPEC: '1'}, include_os_env: true}").await;
    let runtime = session.spawn(spawn(Some("spawn"))).await.unwrap();
    let called = command(&["env:LEVEL"]).grant_env("LEVEL", "call");
    assert_eq!(env(runtime.execute(called).await.unwrap()), "call");
    assert_eq!(env(runtime.execute(command(&["env:LEVEL"])).await.unwrap()), "spawn", "a call's is its own");
    let runtime = session.spawn(spawn(None)).await.unwrap();
    assert_eq!(env(runtime.execute(command(&["env:LEVEL"])).await.unwrap()), "spec");
    assert_eq!(
        env(runtime.execute(command(&["env:HOME"])).await.unwrap()),
        "/host",
        "the host's, since it was asked for"
    );
    let plain = yard.run("environment: {include_os_env: true}", command(&["env:LEVEL"])).await;
    assert_eq!(env(plain), "os");
    // Closed by default: nothing of the host, and of this process neither.
    let plain = yard.run("", command(&["env"])).await;
    assert_eq!(env(plain), "HOME=/home\nLEVEL=granted\n");
}

#[tokio::test]
async fn words_are_never_inspected_and_lines_are_split() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let odd = "out:a | b > $HOME && *?[x] `c` # ~ \n \"q\" 'p' \\";
    let result = runtime.execute(command(&[odd])).await.unwrap();
    assert_eq!(result.stdout.text().as_deref(), odd.strip_prefix("out:"));
    let result = runtime.execute(Command::line(r#"out:a 'out: b' "out: c" out:\|"#)).await.unwrap();
    assert_eq!(result.stdout.text().as_deref(), Some("a b c|"));
    let (_shell, shell) = yard.runtime("scripted: {shell: true}").await;
    let result = shell.execute(Command::line("a | b")).await.unwrap();
    assert_eq!(result.stdout.text().as_deref(), Some("shell(a | b)"));
    assert_eq!(shell.execute(command(&["out:| b"])).await.unwrap().stdout.text().as_deref(), Some("| b"));
    let cwd = runtime.execute(command(&["cwd"]).in_dir("sub/dir")).await.unwrap();
    assert_eq!(cwd.stdout.text().as_deref(), Some("sub/dir"));
}

#[tokio::test]
async fn a_command_that_cannot_be_is_told_before_anything_runs() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let (_shell, shell) = yard.runtime("scripted: {shell: true}").await;
    for (asked, told) in [
        (Command::line("out:a | out:b"), "`|` at column 7 needs a shell"),
        (Command::line("A=1 out:b"), "sets a variable"),
        (Command::line("out:'a"), "never closed"),
        (Command::line("  "), "empty"),
        (command(&[]), "at least one word"),
        (command(&["", "out:x"]), "at least one word"),
        (command(&["out:x\0y"]), "NUL"),
        (command(&["out:x"]).grant_env("A=B", "c"), "no name of a variable"),
        (command(&["out:x"]).grant_env("", "c"), "no name of a variable"),
        (command(&["out:x"]).grant_env("A", "c\0"), "env.A: holds a NUL"),
        (command(&["out:x"]).in_dir("a\0"), "cwd: holds a NUL"),
    ] {
        let error = runtime.execute(asked).await.unwrap_err();
        let SolutionRuntimeError::Invalid { source } = &error else { panic!("{told}: {error:?}") };
        assert!(source.to_string().contains(told), "{told}: {source}");
        assert_eq!(ExecutionError::from(error).kind(), ErrorKind::Spec);
    }
    assert!(shell.execute(command(&[])).await.is_err(), "with a shell no less");
    let hint = ExecutionError::from(runtime.stream(Command::line("a > b")).await.unwrap_err());
    assert!(hint.hint().unwrap().contains("list of words"));
    let mut tty = command(&["out:x"]);
    tty.tty = true;
    let error = ExecutionError::from(runtime.execute(tty).await.unwrap_err());
    assert_eq!((error.kind(), error.hint().is_some()), (ErrorKind::Unenforceable, true));
    assert_eq!((yard.gates.runs(), runtime.poll()), (0, bailiwick::State::NotStarted));
}

#[tokio::test]
async fn a_first_word_can_be_asked_for() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    runtime.resolve("out").await.unwrap();
    assert_eq!(runtime.resolve("out!").await.unwrap_err(), ["out", "err", "echo"]);
    assert_eq!(runtime.address(80), None);
}
