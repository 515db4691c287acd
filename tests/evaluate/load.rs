//! Case files: everything is checked before the first run, and every problem is told with its place.

use bailiwick::evaluate::{AdapterRegistry, GroupScoring, PassPolicy, Visibility, cases_schema};

use crate::support::Place;

fn problems(cases: &str) -> String {
    Place::new(cases, "").suite().unwrap_err().to_string()
}

#[test]
fn all_problems_of_a_file_are_told_together() {
    let told = problems(
        r#"
adapter: cli
cases:
  - {id: a, stdin: {file: in/none.txt}}
  - {id: b, expect: {stdout: {check: regex, text: "("}}}
  - {id: a}
  - {id: c, typo: 1}
  - {id: d, points: -1}
  - {id: e, args: [1]}
  - {id: f, files: {"../x": {text: a}}}
  - {id: g, request: {path: /}}
  - {id: h, matrix: {n: []}}
  - {group: core}
"#,
    );
    let wanted = [
        "cases[0].stdin.file: the file `in/none.txt` of the cases cannot be read",
        "cases[1].expect.stdout",
        "the id `a` stands twice",
        "cases[3].typo: is not a known key",
        "cases[4].points",
        "cases[5].args",
        "the input file `../x`",
        "asks a server",
        "cases[8].matrix",
        "cases[9].id: is missing",
    ];
    for one in wanted {
        assert!(told.contains(one), "{one} is not in:\n{told}");
    }
    for line in [5, 6, 7, 8, 9, 10, 11, 12, 13, 14] {
        assert!(told.contains(&format!("cases.yaml:{line}:")), "line {line} is not in:\n{told}");
    }
}

#[test]
fn a_suite_has_what_its_file_says() {
    let place = Place::new(
        r#"
name: mean
pass: core-cases
groups: {sub: {weight: 3, scoring: all}}
defaults: {points: 2, visibility: hidden, limits: {cpu_time: 2s}}
cases:
  - {id: a, group: sub, visibility: full, args: "--digits 2 'a b'"}
  - {id: b, points: 5, limits: {memory: 1MiB}}
"#,
        "",
    );
    let suite = place.suite().unwrap();
    assert_eq!((suite.name.as_str(), suite.pass), ("mean", PassPolicy::CoreCases));
    let group = suite.group("sub").unwrap();
    assert_eq!((group.weight, group.scoring), (3.0, GroupScoring::All));
    let [a, b] = suite.cases.as_slice() else { panic!() };
    assert_eq!((a.points, a.visibility, a.origin.line), (2.0, Visibility::Full, Some(8)));
    assert_eq!(a.steps[0].args, ["--digits", "2", "a b"]);
    assert_eq!((b.points, b.visibility, b.group.as_str()), (5.0, Visibility::Hidden, "core"));
    assert_ne!(b.limits, a.limits);
    assert_eq!(b.limits.cpu_time, a.limits.cpu_time);
}

#[test]
fn other_files_are_included_and_none_includes_itself() {
    let place = Place::new("include: [{path: ../first, group: regression, prefix: 'one/'}]\ncases: [{id: a}]\n", "");
    place.write("first/cases.yaml", "version: 1\ncases: [{id: a, stdin: {file: in.txt}}]\n");
    place.write("first/in.txt", "1");
    let suite = place.suite().unwrap();
    let cases: Vec<_> = suite.cases.iter().map(|case| (case.id.as_str(), case.group.as_str())).collect();
    assert_eq!(cases, [("one/a", "regression"), ("a", "core")]);
    place.write("first/cases.yaml", "version: 1\ninclude: [{path: ../cases}]\ncases: []\n");
    let error = place.suite().unwrap_err().to_string();
    assert!(error.contains("leads back to a file that includes it"), "{error}");
}

#[test]
fn a_directory_may_hold_one_case() {
    let place = Place::new("", "");
    std::fs::remove_file(place.path("cases/cases.yaml")).unwrap();
    place.write("cases/one/case.yaml", "stdin: {file: in.txt}\nexpect: {stdout: x}\n");
    place.write("cases/one/in.txt", "");
    place.write("cases/error/two/case.yaml", "args: [x]\n");
    let suite = place.suite().unwrap();
    let cases: Vec<_> = suite.cases.iter().map(|case| (case.id.as_str(), case.group.as_str())).collect();
    assert_eq!(cases, [("error/two", "error"), ("one", "core")]);
    std::fs::remove_dir_all(place.path("cases")).unwrap();
    std::fs::create_dir(place.path("cases")).unwrap();
    assert!(place.suite().unwrap_err().to_string().contains("holds no cases"));
}

#[test]
fn assets_and_their_placeholders_are_checked() {
    let place = Place::new("assets: {table: {path: table.csv}}\ncases: [{id: a}]\n", "");
    assert!(place.suite().unwrap_err().to_string().contains("assets"), "the asset is not there");
    place.write("cases/table.csv", "1");
    place.suite().unwrap();
}

#[test]
fn the_schema_takes_what_the_loader_takes() {
    let schema = cases_schema(&AdapterRegistry::with_builtins());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good =
        serde_json::json!({"version": 1, "adapter": "http", "http": {"ready_path": "/up"}, "cases": [{"id": "a"}]});
    assert!(validator.is_valid(&good));
    for bad in [
        serde_json::json!({"version": 2, "cases": []}),
        serde_json::json!({"version": 1, "adapter": "ftp", "cases": []}),
        serde_json::json!({"version": 1, "http": {"typo": 1}, "cases": []}),
        serde_json::json!({"version": 1, "cases": [{"id": "a", "expect": {"stdout": {"check": "magic"}}}]}),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

#[test]
fn many_cases_load() {
    let place = Place::new(
        "cases: [{id: c, matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], m: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}]\n",
        "",
    );
    assert_eq!(place.suite().unwrap().cases.len(), 100);
}

#[test]
fn typed_inputs_become_the_bytes_that_mean_them() {
    let place = Place::new(
        r#"
cases:
  - id: a
    stdin: {jsonl: [1, {a: 2}]}
    files:
      t.csv: {csv: [{a: 1, b: x}]}
      t.yaml: {yaml: {a: [1]}}
      db.sqlite: {sqlite: {t: [{n: 1}]}}
      packed.txt.gz: {text: hello}
      run.sh: {text: "exit 0", executable: true}
"#,
        "",
    );
    let suite = place.suite().unwrap();
    let step = &suite.cases[0].steps[0];
    let bytes = |name: &str| step.files[name].read().unwrap();
    assert_eq!(step.stdin.as_ref().unwrap().read().unwrap(), "1\n{\"a\":2}\n");
    assert_eq!(bytes("t.csv"), "a,b\r\n1,x\r\n");
    assert!(bytes("db.sqlite").starts_with(b"SQLite format 3\0") && bytes("packed.txt.gz").starts_with(&[0x1f, 0x8b]));
    assert!(step.executables.contains("run.sh") && step.executables.len() == 1);
    assert!(problems("cases: [{id: a, files: {x: {text: a, json: 1}}}]").contains("write one of them"));
}
