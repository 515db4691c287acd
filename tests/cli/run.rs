//! `run`: flags to what the guest is given, what the guest did to lines and exit codes.

use crate::support::Bench;

#[test]
fn output_passes_through_and_nothing_else_is_said() {
    let said = Bench::new().run(&["run", "say", "a", "b"]).expect(0);
    assert_eq!((said.text(), said.stderr.as_str()), ("a b\n", "said\n"));
}

#[test]
fn words_after_the_command_are_the_commands() {
    let said = Bench::new().run(&["run", "say", "--json", "-q", "--", "x"]).expect(0);
    assert_eq!(said.text(), "--json -q -- x\n");
}

#[test]
fn the_exit_code_is_the_results() {
    let bench = Bench::new();
    for (words, code) in [
        (&["exit", "7"][..], 7),
        (&["exit", "255"], 255),
        (&["signal", "11"], 139),
        (&["trap"], 134),
        (&["hungry"], 137),
        (&["nothing"], 127),
    ] {
        bench.run(&[&["run"], words].concat()).expect(code);
    }
}

#[test]
fn one_line_explains_what_the_exit_code_does_not() {
    let bench = Bench::new();
    let trap = bench.run(&["run", "trap"]).stderr;
    assert_eq!(trap.lines().count(), 1);
    assert!(trap.starts_with("bailiwick: the guest trapped: it met an \\u{1b}[31munreachable"), "{trap}");
    assert_eq!(bench.run(&["run", "-q", "trap"]).stderr, "");
    assert_eq!(bench.run(&["run", "exit", "3"]).stderr, "");
    let missing = bench.run(&["run", "nothing"]).stderr;
    assert!(missing.contains("there is no `nothing`") && missing.contains("known: bytes, cat"), "{missing}");
}

#[test]
fn a_limit_of_a_flag_ends_the_command() {
    let said = Bench::new().run(&["run", "--wall-time", "50ms", "spin"]).expect(124);
    assert_eq!(said.text(), "spinning\n");
    assert!(said.stderr.contains("the wall_time limit ended the guest"), "{}", said.stderr);
    let said = Bench::new().run(&["run", "--output-limit", "10", "flood"]).expect(153);
    assert_eq!(said.text(), "xxxxxxxxxx");
}

#[test]
fn a_limit_that_nothing_holds_is_refused() {
    let said = Bench::new().run(&["run", "--fuel", "5", "say"]).expect(125);
    assert!(said.stderr.starts_with("error: the runtime `echo` cannot hold"), "{}", said.stderr);
    let said = Bench::new().run(&["run", "--fuel", "5", "--set", "limits.on_unsupported=best_effort", "say"]);
    said.expect(0);
}

#[test]
fn variables_come_from_flags_files_and_the_host() {
    let bench = Bench::new();
    let file = bench.file("vars", "A=1\nB=2\nFROM_HOST\n");
    let value = |args: &[&str], name| bench.run(&[&["run"], args, &["env", name]].concat()).expect(0).text().to_owned();
    assert_eq!(value(&[], "FROM_HOST"), "unset");
    assert_eq!(value(&["--env", "FROM_HOST"], "FROM_HOST"), "the host's own");
    assert_eq!(value(&["--env-file", &file], "FROM_HOST"), "the host's own");
    assert_eq!(value(&["--env-file", &file, "--env", "A=x=y"], "A"), "x=y");
    assert_eq!(value(&["--set", "environment.env.N=1"], "N"), "1");
    let said = bench.run(&["run", "--env", "NOT_THERE", "say"]).expect(2);
    assert!(
        said.stderr.contains("the host has no variable `NOT_THERE`\nhint: --env NOT_THERE=VALUE"),
        "{}",
        said.stderr
    );
}

#[test]
fn standard_input_is_closed_unless_given() {
    let mut bench = Bench::new();
    bench.stdin = b"own".to_vec();
    assert_eq!(bench.run(&["run", "cat"]).expect(0).text(), "");
    for flags in [&["-i"][..], &["--stdin", "-"]] {
        assert_eq!(bench.run(&[&["run"], flags, &["cat"]].concat()).expect(0).text(), "own");
    }
    let large = "0123456789".repeat(100_000);
    let file = bench.file("in", &large);
    let said = bench.run(&["run", "--stdin", &file, "cat"]).expect(0);
    assert_eq!(said.text().len(), large.len());
    assert!(said.text() == large);
    let said = bench.run(&["run", "--stdin", "/", "cat"]).expect(2);
    assert_eq!(said.stderr, "error: cannot read standard input from `/`: it is a directory\n");
    bench.run(&["run", "-i", "--stdin", &file, "cat"]).expect(2);
}

#[test]
fn a_guest_that_misses_its_input_is_told_of() {
    let mut bench = Bench::new();
    assert_eq!(bench.run(&["run", "read"]).expect(1).stderr, "");
    bench.stdin_is_given = true;
    let said = bench.run(&["run", "read"]).expect(1);
    assert!(said.stderr.contains("-i passes the own one on"), "{}", said.stderr);
    assert_eq!(bench.run(&["run", "-q", "read"]).expect(1).stderr, "");
    assert_eq!(bench.run(&["run", "-i", "read"]).expect(1).stderr, "");
}

#[test]
fn a_standard_output_that_nobody_reads_ends_the_command_quietly() {
    let mut bench = Bench::new();
    bench.broken_stdout = true;
    let said = bench.run(&["run", "flood"]).expect(143);
    assert_eq!(said.stderr, "");
}

#[test]
fn options_are_typed_by_the_runtimes_schema() {
    let bench = Bench::new();
    let said = bench.run(&["run", "--option", "number=5", "--option", "text=5", "options"]).expect(0);
    assert_eq!(said.text(), "Some(5) Some(\"5\")");
    let said = bench.run(&["run", "--option", "colour=red", "say"]).expect(2);
    assert!(said.stderr.contains("has no option `colour`\nhint: its options: number, program_file"), "{}", said.stderr);
    bench.run(&["run", "--option", "number=many", "options"]).expect(2);
}

#[test]
fn a_module_of_the_host_is_the_program_where_nothing_else_is() {
    let bench = Bench::new();
    let module = bench.file("hello.wasm", "");
    assert_eq!(bench.run(&["run", &module]).expect(0).text(), "module of the host");
    bench.run(&["run", "/nowhere/hello.wasm"]).expect(127);
    let text = bench.file("hello.txt", "");
    bench.run(&["run", &text]).expect(127);
}

#[test]
fn the_submission_is_in_the_workspace_and_the_workspace_can_be_kept() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("submission")).unwrap();
    std::fs::write(bench.path("submission/main.wasm"), "x").unwrap();
    let (submission, kept) = (bench.path("submission"), bench.path("kept"));
    let (submission, kept) = (submission.to_str().unwrap(), kept.to_str().unwrap());
    let said = bench.run(&["run", "--submission", submission, "--keep", kept, "main.wasm"]).expect(0);
    assert_eq!(said.text(), "own module");
    assert_eq!(std::fs::read_to_string(bench.path("kept/main.wasm")).unwrap(), "x");
    let said = bench.run(&["run", "--keep", kept, "say"]).expect(2);
    assert!(said.stderr.contains("is not empty"), "{}", said.stderr);
    let late = bench.path("late");
    let late = late.to_str().unwrap();
    bench.run(&["run", "--submission", submission, "--keep", late, "--wall-time", "10ms", "spin"]).expect(124);
    assert!(bench.path("late/main.wasm").exists(), "kept after a limit");
}

#[test]
fn what_changed_is_listed_when_asked() {
    let bench = Bench::new();
    let said = bench.run(&["run", "--diff", "write", "out.txt", "hello"]).expect(0);
    assert!(said.stderr.starts_with("diff --git a/out.txt b/out.txt\nnew file mode 100644\n"), "{}", said.stderr);
    assert!(said.stderr.contains("+hello\n"), "{}", said.stderr);
    assert_eq!(bench.run(&["run", "write", "out.txt", "hello"]).expect(0).stderr, "");
}

#[test]
fn consent_is_asked_for() {
    let mut bench = Bench::new();
    bench.consent = true;
    let said = bench.run(&["run", "say", "x"]).expect(2);
    assert!(said.stderr.contains("hint: --allow-unsandboxed"), "{}", said.stderr);
    bench.run(&["run", "--allow-unsandboxed", "say", "x"]).expect(0);
}

#[test]
fn a_spec_and_a_runtime_must_agree() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["run", "--spec", "polite", "say", "x"]).expect(0).text(), "hello x\n");
    assert_eq!(bench.run(&["run", "--set", "echo.greeting=hey", "say", "x"]).expect(0).text(), "hey x\n");
    bench.run(&["run", "--spec", "polite", "--runtime", "echo", "say", "x"]).expect(0);
    let said = bench.run(&["run", "--spec", "polite", "--runtime", "other", "say"]).expect(2);
    assert!(said.stderr.contains("the spec is for the runtime `echo`, not for `other`"), "{}", said.stderr);
    let said = bench.run(&["run", "--spec", "rude", "say"]).expect(2);
    assert!(said.stderr.contains("hint: built-in specs: polite"), "{}", said.stderr);
    bench.run(&["run", "--runtime", "other", "say"]).expect(2);
}

#[test]
fn the_directory_of_the_guest_is_passed_on() {
    assert_eq!(Bench::new().run(&["run", "--cwd", "/data", "pwd"]).expect(0).text(), "/data");
}

#[test]
fn placeholders_in_the_command_and_in_variables_are_resolved() {
    let bench = Bench::new();
    let table = format!("table={}", bench.file("t.csv", "1,2\n"));
    let renamed = format!("{table}:data/table.csv");
    let say =
        |asset: &str| bench.run(&["run", "--asset", asset, "say", "{{static:table}}"]).expect(0).text().to_owned();
    assert_eq!(say(&table), "/static/t.csv\n");
    assert_eq!(say(&renamed), "/static/data/table.csv\n");
    let said = bench.run(&["run", "--asset", &table, "--env", "T=<{{static:table}}>", "env", "T"]).expect(0);
    assert_eq!(said.text(), "</static/t.csv>");
    let said = bench.run(&["run", "--asset", &table, "say", "{{static:tabel}}"]).expect(2);
    assert!(said.stderr.contains("table"), "{}", said.stderr);
    bench.run(&["run", "--asset", "table=/nowhere/at/all", "say"]).expect(2);
    bench.run(&["run", "--asset", &table, "--asset", &table, "say"]).expect(2);
}

#[test]
fn a_file_of_assets_grants_what_it_asks_for() {
    let bench = Bench::new();
    bench.file("t.csv", "1,2\n");
    let file = bench.file(
        "assets.yaml",
        "assets:\n  base: {table: {path: t.csv}, key: {secret: {env: FROM_HOST}, save_path: keys/api}}\n  \
         more: {table: {path: t.csv, save_path: new.csv}}\norder: [base, more]\n",
    );
    let words = ["run", "--json", "--assets", &file, "say", "{{static:table}} {{static:key}}"];
    let said = bench.run(&words).expect(0);
    assert_eq!(said.object()["stdout"]["text"], "/static/new.csv /static/keys/api\n");
    assert!(!said.text().contains("the host's own") && !said.stderr.contains("the host's own"));
    let said = bench.run(&["run", "--assets", &file, "say", "{{static:more}}"]).expect(2);
    assert!(said.stderr.contains("names a group"), "{}", said.stderr);
    let wrong = bench.file("wrong.yaml", "assets: {a: {path: no}, b: {secret: {env: NO}, save_path: b}}\ntypo: 1\n");
    assert!(bench.run(&["run", "--assets", &wrong, "say"]).expect(2).stderr.contains("typo"));
    let wrong = bench.file("wrong.yaml", "assets: {a: {path: no}, b: {secret: {env: NO}, save_path: b}}\n");
    let said = bench.run(&["run", "--assets", &wrong, "say"]).expect(2);
    assert!(said.stderr.contains("2 assets cannot be used"), "{}", said.stderr);
    bench.run(&["run", "--assets", "/nowhere/at/all", "say"]).expect(2);
}

#[test]
fn broken_archives_and_missing_submissions_are_usage_errors() {
    let bench = Bench::new();
    let archive = bench.file("work.tar.gz", "");
    let said = bench.run(&["run", "--submission", &archive, "say"]).expect(2);
    assert!(said.stderr.contains("caused by: it is no archive"), "{}", said.stderr);
    assert!(said.stderr.contains("hint: known: tar, tar.gz"), "{}", said.stderr);
    bench.run(&["run", "--submission", "/nowhere/at/all", "say"]).expect(2);
}

#[cfg(feature = "files")]
#[test]
fn an_archive_is_unpacked_into_the_workspace() {
    let bench = Bench::new();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    tar.append_data(&mut header.clone(), "main.wasm", &b"x"[..]).unwrap();
    tar.append_data(&mut header, "main.pyc", &b"y"[..]).unwrap();
    let archive = bench.path("submission.tar");
    std::fs::write(&archive, tar.into_inner().unwrap()).unwrap();
    let (archive, kept) = (archive.to_str().unwrap(), bench.path("kept"));
    bench.run(&["run", "--submission", archive, "--keep", kept.to_str().unwrap(), "main.wasm"]).expect(0);
    let names: Vec<_> = std::fs::read_dir(kept).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["main.wasm"], "what the spec ignores is left out");
}

#[test]
fn the_log_is_written_where_it_is_asked_for() {
    let said = Bench::new().run(&["-vvv", "--log-format", "json", "run", "say", "x"]).expect(0);
    assert_eq!(said.text(), "x\n");
}
