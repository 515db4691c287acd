//! Every object that is printed, against the schema that is printed.

use serde_json::Value;

use crate::support::Bench;

#[track_caller]
fn validate(bench: &Bench, name: &str, object: &Value) {
    let schema: Value = serde_json::from_str(bench.run(&["schema", name]).expect(0).text()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(object).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{object:#}");
}

#[test]
fn every_result_is_what_its_schema_says() {
    let bench = Bench::new();
    for (words, code) in [
        (&["say", "x"][..], 0),
        (&["bytes"], 0),
        (&["write", "out", "x"], 0),
        (&["exit", "3"], 3),
        (&["signal", "9"], 137),
        (&["trap"], 134),
        (&["hungry"], 137),
        (&["nothing"], 127),
        (&["flood"], 153),
    ] {
        let said = bench.run(&[&["run", "--json", "--output-limit", "16"], words].concat()).expect(code);
        assert_eq!(said.stderr, "");
        let object = said.object();
        validate(&bench, "result", &object);
        assert_eq!(object["exit_code"], i64::from(code));
        assert_eq!((&object["version"], &object["runtime"]), (&Value::from(1), &Value::from("echo")));
        assert_eq!(object["engine"]["runtime"], "echo 1.0");
    }
}

#[test]
fn a_result_says_everything_once() {
    let bench = Bench::new();
    let object = bench.run(&["--json", "run", "--wall-time", "2s", "write", "out.txt", "hello"]).expect(0).object();
    let change = serde_json::json!({"path": "out.txt", "change": "created", "size": 5});
    assert_eq!(object["changes"], Value::from(vec![change]));
    assert_eq!(object["limits"]["wall_time"], serde_json::json!({"seconds": 2.0, "from": "flag"}));
    assert_eq!(object["limits"]["cpu_time"], serde_json::json!({"unlimited": true, "from": "default"}));
    assert_eq!(object["termination"], serde_json::json!({"kind": "exited", "code": 0}));
    assert_eq!(object["guest_code"], Value::Null);
    for name in ["spec_id", "start"] {
        assert_eq!(object[name].as_str().unwrap().len(), 64, "{name}");
    }
    let started = object["started"].as_str().unwrap();
    assert!(started.ends_with('Z') && started.len() == "2026-11-22T13:00:00.000Z".len(), "{started}");
}

#[test]
fn equal_specs_and_workspaces_have_equal_names() {
    let bench = Bench::new();
    let names = |args: &[&str]| {
        let object = bench.run(&[&["run", "--json"], args, &["say"]].concat()).expect(0).object();
        (object["spec_id"].clone(), object["start"].clone())
    };
    assert_eq!(names(&[]), names(&[]));
    assert_ne!(names(&[]).0, names(&["--set", "echo.greeting=hey"]).0);
}

#[test]
fn the_result_file_holds_the_object_while_output_passes_live() {
    let bench = Bench::new();
    let file = bench.path("result.json");
    let said = bench.run(&["run", "--result", file.to_str().unwrap(), "say", "x"]).expect(0);
    assert_eq!(said.text(), "x\n");
    let object = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    validate(&bench, "result", &object);
    bench.run(&["run", "--result", "/no/such/place/result.json", "say"]).expect(2);
}

#[test]
fn every_failure_is_one_object() {
    let bench = Bench::new();
    for (args, code, kind) in [
        (&["run", "--json"][..], 2, "usage"),
        (&["run", "--json", "--spec", "rude", "say"], 2, "usage"),
        (&["run", "--json", "--set", "limits.wall_time=0", "say"], 2, "spec"),
        (&["run", "--json", "--fuel", "5", "say"], 125, "unenforceable"),
        (&["doctor", "--json", "--require", "other"], 2, "spec"),
    ] {
        let said = bench.run(args).expect(code);
        assert_eq!(said.stderr, "", "{args:?}");
        let object = said.object();
        validate(&bench, "error", &object);
        assert_eq!(object["error"]["kind"], kind, "{args:?}");
    }
    let object = bench.run(&["run", "--json", "--fuel", "5", "say"]).object();
    assert!(object["error"]["hint"].as_str().unwrap().contains("on_unsupported"));
}

#[test]
fn every_other_object_is_what_its_schema_says() {
    let mut bench = Bench::new();
    let (good, bad) =
        (bench.file("good.yaml", "type: echo\nname: x\n"), bench.file("bad.yaml", "type: echo\nnope: 1\n"));
    for (args, name, code) in [
        (&["doctor"][..], "doctor", 0),
        (&["gc", "--dry-run"], "gc", 0),
        (&["version"], "version", 0),
        (&["prepare", "--spec", "polite"], "prepare", 0),
        (&["spec", "list"], "spec-list", 0),
        (&["spec", "show", "polite"], "spec-text", 0),
        (&["spec", "show", "polite", "--effective"], "spec-effective", 0),
        (&["spec", "check", &good], "spec-check", 0),
        (&["spec", "check", &good, &bad], "spec-check", 2),
    ] {
        let object = bench.run(&[&["--json"], args].concat()).expect(code).object();
        validate(&bench, name, &object);
    }
    bench.broken_runtime = true;
    let object = bench.run(&["--json", "doctor"]).expect(0).object();
    validate(&bench, "doctor", &object);
}
