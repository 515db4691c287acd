//! The pages name what there is.

use crate::support::Bench;

const COMMAND_LINE: &str = include_str!("../../docs/execution/command-line.md");
const RESULTS: &str = include_str!("../../docs/execution/results.md");

#[test]
fn every_flag_of_every_command_is_on_the_page() {
    let bench = Bench::new();
    let commands: &[&[&str]] = &[
        &["run"],
        #[cfg(feature = "evaluate")]
        &["eval"],
        #[cfg(feature = "evaluate")]
        &["init"],
        &["prepare"],
        &["spec", "check"],
        &["spec", "show"],
        &["spec", "list"],
        &["schema"],
        &["doctor"],
        &["selftest"],
        &["cache", "list"],
        &["cache", "prune"],
        &["gc"],
        &["snapshot", "create"],
        &["snapshot", "show"],
        &["snapshot", "restore"],
        &["snapshot", "diff"],
        &["snapshot", "list"],
        &["snapshot", "remove"],
        &["version"],
        &["completions"],
    ];
    for command in commands {
        assert!(COMMAND_LINE.contains(&command.join(" ")), "{command:?}");
        let help = bench.run(&[*command, &["--help"]].concat()).expect(0);
        let words = help.text().split(|c: char| !c.is_ascii_lowercase() && c != '-');
        for flag in words.filter(|word| word.starts_with("--") && word.len() > 3 && *word != "--help") {
            assert!(COMMAND_LINE.contains(flag), "{command:?} {flag}");
        }
    }
}

#[test]
fn every_field_of_a_result_is_on_the_page() {
    let object = Bench::new().run(&["run", "--json", "say"]).expect(0).object();
    for field in object.as_object().unwrap().keys() {
        assert!(RESULTS.contains(&format!("`{field}`")), "{field}");
    }
}
