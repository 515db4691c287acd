//! Compilation: what it sees, what comes of it, and when it is done again.

use std::os::unix::fs::PermissionsExt as _;

use bailiwick::evaluate::Verdict;

use crate::support::{Place, Run};

/// Makes a place whose submission is built by a tool of the host, and the path of the tool.
fn place(cases: &str, compile: &str, tool: &str) -> Place {
    let place = Place::new(cases, "");
    std::fs::remove_file(place.path("submission/main.sh")).unwrap();
    write_tool(&place, tool);
    let command = place.path("tools/make it").display().to_string();
    place.with_spec(&format!("compile: {{command: \"'{command}'\", {compile}}}\n"))
}

fn write_tool(place: &Place, text: &str) {
    place.write("tools/make it", &format!("#!/bin/sh\nset -e\n{text}"));
    let path = place.path("tools/make it");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Judges, and says whether it was compiled for that.
async fn judged(place: &Place) -> (Run, bool) {
    let run = place.judge().await;
    let is_compiled = run.results.facts().compile.is_some();
    (run, is_compiled)
}

const CASES: &str = "
cases:
  - {id: seen, args: [seen.txt], expect: {stdout: \"main.src\\nparts/one.src\\n\"}}
  - {id: data, args: [data.txt], expect: {stdout: data}}
  - {id: source, args: [parts/one.src], expect: {stdout: one}}
  - {id: rest, args: [rest.txt], expect: {stdout: \"\", exit_code: 1, stderr: any}}
";

const BUILD: &str = r#"
seen=$(find . -type f | cut -c3- | LC_ALL=C sort)
echo "$seen" > seen.txt
cp seen.txt rest.txt
printf 'cat "$1"' > main.sh
"#;

#[tokio::test]
async fn a_compilation_sees_its_sources_and_gives_its_outputs() {
    let compile = "sources: ['*.src'], outputs: [main.sh, seen.txt]";
    let place = place(CASES, compile, BUILD);
    place.write("submission/main.src", "main");
    place.write("submission/parts/one.src", "one");
    place.write("submission/parts/deep/data.txt", "not seen");
    place.write("submission/data.txt", "data");
    let (run, is_compiled) = judged(&place).await;
    assert!(is_compiled);
    run.expect(&[("seen", Verdict::Ac), ("data", Verdict::Ac), ("source", Verdict::Ac), ("rest", Verdict::Ac)]);
}

#[tokio::test]
async fn sources_and_outputs_may_be_directories() {
    let cases = "cases: [{id: a, expect: {stdout: \"src/deep/a\\n\"}}]";
    let build = "seen=$(find . -type f | cut -c3-); mkdir out; echo $seen > out/seen; printf 'cat out/seen' > main.sh; touch stray";
    let place = place(cases, "sources: [src], outputs: [out, main.sh]", build);
    place.write("submission/src/deep/a", "");
    place.write("submission/b", "");
    judged(&place).await.0.expect(&[("a", Verdict::Ac)]);
}

#[tokio::test]
async fn without_outputs_what_was_made_or_changed_comes_over() {
    let cases = "cases: [{id: a, expect: {stdout: \"new\\nchanged\\nold\\n\"}}]";
    let build = "echo new > made; echo changed > known; chmod 755 main.sh; rm lost";
    let place = place(cases, "sources: [known, main.sh, lost]", build);
    place.write("submission/main.sh", "cat made known kept; test -x main.sh && test -e lost");
    for name in ["known", "kept", "lost"] {
        place.write(&format!("submission/{name}"), "old\n");
    }
    // What a compilation removes, it removes from its own room: the submission stays whole.
    judged(&place).await.0.expect(&[("a", Verdict::Ac)]);
}

#[tokio::test]
async fn only_sources_decide_whether_it_is_compiled_again() {
    let cases = "cases: [{id: a, args: [data.txt], expect: {stdout: any}}]";
    let mut place = place(cases, "sources: ['*.src'], outputs: [main.sh]", "printf 'cat \"$1\"' > main.sh");
    place.write("submission/main.src", "one");
    place.write("submission/data.txt", "first");
    assert!(judged(&place).await.1);
    place.write("submission/data.txt", "second");
    let (run, is_compiled) = judged(&place).await;
    assert!(!is_compiled, "it reads no data");
    assert_eq!(run.record("a").steps[0].stdout.as_ref().unwrap().shown(), "second", "cases see the new data");
    place.write("submission/main.src", "two");
    assert!(judged(&place).await.1, "a source changed");
    // A snapshot of such a session would not hold the source at all.
    place.spec += "snapshot: {keep_globs: ['*.txt']}\n";
    assert!(!judged(&place).await.1);
    place.write("submission/main.src", "three");
    assert!(judged(&place).await.1, "what no snapshot holds counts too");
}

#[tokio::test]
async fn a_compiler_that_changed_compiles_again() {
    let cases = "cases: [{id: a, expect: {stdout: any}}]";
    let mut place = place(cases, "outputs: [main.sh]", "echo 'echo one' > main.sh");
    place.write("submission/main.src", "x");
    let printed = |run: &Run| run.record("a").steps[0].stdout.as_ref().unwrap().shown();
    let (run, is_compiled) = judged(&place).await;
    assert!(is_compiled && printed(&run) == "one\n");
    let (run, is_compiled) = judged(&place).await;
    assert!(!is_compiled && printed(&run) == "one\n", "nothing changed");
    write_tool(&place, "echo 'echo two' > main.sh");
    let (run, is_compiled) = judged(&place).await;
    assert!(is_compiled && printed(&run) == "two\n", "the compiler is another one");
    assert!(!judged(&place).await.1);
    place.spec += "environment: {env: {LEVEL: '2'}}\n";
    assert!(judged(&place).await.1, "its variables are others");
    assert!(!judged(&place).await.1);
    // What only the cases use decides nothing.
    place.spec = place.spec.replace("name: sh", "name: other").replace("command: sh}", "command: /bin/sh}");
    assert!(!judged(&place).await.1, "the command of the cases is no compiler");
    let cc = place.path("tools/cc");
    std::fs::write(&cc, "one").unwrap();
    place.spec = place.spec.replace("LEVEL: '2'", &format!("CC: '{}'", cc.display()));
    assert!(judged(&place).await.1);
    assert!(!judged(&place).await.1);
    std::fs::write(&cc, "two").unwrap();
    assert!(judged(&place).await.1, "a program that a variable names is another one");
}

#[tokio::test]
async fn what_cannot_be_told_is_compiled_each_time_and_leaves_nothing() {
    let words: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
    let cases = "cases: [{id: a, expect: {stdout: any}}]";
    let mut place = place(cases, "outputs: [main.sh]", "echo 'echo one' > main.sh");
    place.write("submission/main.src", "x");
    place.spec = place.spec.replace("make it'\"", &format!("make it' {}\"", words.join(" ")));
    assert!(judged(&place).await.1);
    assert!(judged(&place).await.1, "too many words to look at");
}
