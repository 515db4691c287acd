//! `spec`, `schema`, `doctor`, `gc`.

use crate::support::Bench;

#[test]
fn check_reports_every_problem_with_its_place() {
    let bench = Bench::new();
    let file =
        bench.file("bad.yaml", "type: echo\nname: x\nlimits:\n  wall_time: 0s\n  wal_time: 5s\necho: {loud: 1}\n");
    let said = bench.run(&["spec", "check", &file]).expect(2);
    let text = said.text();
    assert!(text.contains(&format!("{file}:4:14: limits.wall_time: ")), "{text}");
    assert!(text.contains(&format!("{file}:5:3: limits.wal_time: ")), "{text}");
    assert!(text.contains(&format!("{file}:6:")), "{text}");
    assert!(text.contains("  hint: "), "{text}");
}

#[test]
fn check_says_what_is_good() {
    let bench = Bench::new();
    let file = bench.file("good.yaml", "type: echo\nname: x\n");
    assert_eq!(bench.run(&["spec", "check", &file]).expect(0).text(), format!("{file}: ok\n"));
    let said = bench.run(&["spec", "check", "/nowhere/at/all.yaml", &file]).expect(2);
    assert!(said.text().contains("/nowhere/at/all.yaml: the spec `"), "{}", said.text());
    assert!(said.text().ends_with(&format!("{file}: ok\n")), "{}", said.text());
    bench.run(&["spec", "check"]).expect(2);
}

#[test]
fn check_explains_every_key() {
    let bench = Bench::new();
    let file = bench.file("good.yaml", "type: echo\nname: x\nenvironment:\n  env: {A: b}\nlimits: {wall_time: 5s}\n");
    let set = ["--set", "limits.memory=1GiB", "--set", "setup.on_failure=fail"];
    let arguments = [&["spec", "check", file.as_str(), "--explain"][..], &set].concat();
    let text = bench.run(&arguments).expect(0).text().to_owned();
    assert!(text.starts_with(&format!("{file}: ok\n  in evaluation mode:\n")), "{text}");
    for line in [
        "  environment.env.A: \"b\" (spec, line 4)\n    Variables by name. Default: none.\n",
        "  limits.wall_time: \"5s\" (spec, line 5)\n",
        "  limits.memory: \"1GiB\" (flag)\n",
        "  limits.cpu_time: null (default)\n",
        "  setup.on_failure: \"fail\" (flag)\n",
        "  snapshot.compression: \"gz\" (default)\n    How archives are compressed. Default: `gz`.\n",
        "  standard input that was not given\n    there: the harness's own\n    here: closed\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    // What the file does not say has no row, and neither has another runtime.
    assert!(!text.contains("  `snapshot.compression`\n") && !text.contains("extra_mounts"), "{text}");
    let agent = bench.run(&["spec", "check", &file, "--explain", "--mode", "agent"]).expect(0);
    assert!(agent.text().contains("  limits.memory: \"8GiB\" (default)\n"), "{}", agent.text());
}

#[test]
fn show_prints_a_spec_to_copy_or_what_it_comes_to() {
    let bench = Bench::new();
    assert!(bench.run(&["spec", "show", "polite"]).expect(0).text().starts_with("type: echo\n"));
    let evaluation = bench.run(&["spec", "show", "polite", "--effective"]).expect(0);
    let row = |text: &str, name: &str| {
        let row = text.lines().find(|line| line.starts_with(name)).unwrap();
        row.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row(evaluation.text(), "wall_time"), ["wall_time", "30s", "spec"]);
    assert_eq!(row(evaluation.text(), "memory"), ["memory", "512MiB", "default"]);
    assert_eq!(row(evaluation.text(), "cpu_time"), ["cpu_time", "none", "default"]);
    let agent = bench.run(&["spec", "show", "polite", "--effective", "--mode", "agent"]).expect(0);
    assert_eq!(row(agent.text(), "memory"), ["memory", "8GiB", "default"]);
    let set = bench.run(&["spec", "show", "polite", "--effective", "--set", "limits.memory=1GiB"]).expect(0);
    assert_eq!(row(set.text(), "memory"), ["memory", "1GiB", "flag"]);
}

#[test]
fn list_names_the_built_in_specs() {
    assert_eq!(Bench::new().run(&["spec", "list"]).expect(0).text(), "polite  echo: says hello first\n");
}

#[test]
fn the_schema_of_specs_holds_the_sections_of_the_registry() {
    let bench = Bench::new();
    let schema = bench.run(&["schema", "spec"]).expect(0);
    assert_eq!(schema.text(), bench.run(&["spec", "schema"]).expect(0).text());
    assert!(schema.text().contains("greeting"));
}

#[test]
fn doctor_says_what_can_run_and_fails_when_it_is_required() {
    let mut bench = Bench::new();
    let said = bench.run(&["doctor", "--require", "echo"]).expect(0);
    assert!(said.text().contains("echo: can run\n  engine: echo 1.0\n"), "{}", said.text());
    assert!(said.text().contains("the test says so"));
    bench.run(&["doctor", "--spec", "polite"]).expect(0);
    bench.run(&["doctor", "--spec", "rude"]).expect(2);
    bench.broken_runtime = true;
    let said = bench.run(&["doctor"]).expect(0);
    assert!(
        said.text().contains("echo: cannot run\n  error: the echo is gone\n  hint: shout louder\n"),
        "{}",
        said.text()
    );
    bench.run(&["doctor", "--require", "echo"]).expect(1);
}

#[test]
fn gc_finds_nothing_where_nothing_is() {
    assert_eq!(Bench::new().run(&["gc"]).expect(0).text(), "0 removed, 0 in use\n");
}

#[test]
fn prepare_does_what_a_runtime_needs_ahead_of_time() {
    Bench::new().run(&["prepare", "--spec", "polite"]).expect(0);
}
