//! `programs`: what is added is listed, and gone when removed.

use crate::support::Bench;

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

#[test]
fn a_program_is_listed_as_it_was_added_and_gone_when_removed() {
    let bench = Bench::new();
    std::fs::write(bench.path("m.wasm"), MODULE).unwrap();
    let module = bench.path("m.wasm");
    let module = module.to_str().unwrap();
    let flags = ["--program-version", "1.2", "--entry", "main", "--arg", "-I", "--env", "A=1", "--mount", "/tmp:/lib"];
    let added = [&["programs", "add", "tool", module][..], &flags].concat();
    assert_eq!(bench.run(&added).expect(0).text(), "");
    assert!(bench.run(&["programs", "list"]).expect(0).text().starts_with("tool  1.2"));
    let object = bench.run(&["programs", "list", "--json"]).expect(0).object();
    assert_eq!((&object["programs"][0]["name"], &object["programs"][0]["size"]), (&"tool".into(), &8.into()));
    let object = bench.run(&["programs", "remove", "tool", "--json"]).expect(0).object();
    assert_eq!(object["programs"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_a_program_is_usage() {
    let bench = Bench::new();
    std::fs::write(bench.path("m.wasm"), MODULE).unwrap();
    let module = bench.path("m.wasm");
    let module = module.to_str().unwrap();
    for args in [
        &["remove", "nope"][..],
        &["add", "../x", module],
        &["add", "x", "/dev/null"],
        &["add", "x", module, "--mount", "/tmp:/x:rw"],
        &["add", "x"],
    ] {
        let said = bench.run(&[&["programs"], args].concat()).expect(2);
        assert!(said.stderr.starts_with("error: "), "{args:?}: {}", said.stderr);
    }
}
