//! Packages of 2025-09 and of its draft: every key is honoured, or refused by its name.

use super::tests::{MODERN, of_default, read, told, with};
use crate::evaluate::check::Check;
use crate::evaluate::{TimeBound, Verdict, Visibility};

const DRAFT: &str = "problem_format_version: 2023-07-draft\nname: Sum\nuuid: 8ee7605a-ab1a-8226-1d71-e346ab1e688d\n";

fn is_told(yaml: &str, more: &[(&str, &str)], says: &str) {
    let dir = with(yaml, more);
    let lines = told(dir.path());
    assert!(lines.iter().any(|line| line.contains(says)), "{yaml} {more:?}: {says}: {lines:#?}");
}

#[test]
fn all_that_is_said_of_people_and_origin_is_read() {
    let yaml = "problem_format_version: 2025-09\ntype: [pass-fail]\nname: {sv: Summa, en: Sum}\nuuid: x\nversion: '3'\n\
        credits: {authors: [A <a@b.c>, {name: B, email: b@b.c, orcid: 0-1, kattis: b}], contributors: C, testers: [D],\n\
        \x20 translators: {sv: E, da: [F]}, packagers: G, acknowledgements: [H]}\n\
        source: [One, {name: Two, url: 'https://two.example'}]\nlicense: cc by-sa\nrights_owner: A\n\
        embargo_until: 2031-01-02T03:04:05Z\nkeywords: [a, b c]\nlanguages: all\nallow_file_writing: true\n\
        constants: {n: 3, s: text, both: {value: 5000, tex: '5\\,000'}}\n\
        limits: {time_limit: 2, time_resolution: 0.5, memory: 64, output: 1, validation_time: 9}\n";
    let suite = read(with(yaml, &[]).path());
    assert_eq!(suite.name, "Sum");
    assert!(suite.warnings.is_empty(), "{:?}", suite.warnings);
}

#[test]
fn what_is_accepted_and_does_nothing_is_warned_of_by_name() {
    let yaml = format!(
        "{MODERN}languages: [python3]\nlimits: {{code: 1, compilation_time: 2, time_multipliers: {{ac_to_time_limit: 3}}}}\n"
    );
    let submissions = "accepted/*: {language: cpp, message: right}\n";
    let dir = with(&yaml, &[("submissions/submissions.yaml", submissions)]);
    let warnings = read(dir.path()).warnings.join("\n");
    for key in [
        "`languages`",
        "`limits.code`",
        "`limits.compilation_…`",
        "`limits.time_multipliers`",
        "no time limit",
        "`language`",
        "`message`",
    ] {
        assert!(warnings.contains(key), "{key}: {warnings}");
    }
}

#[test]
fn what_the_format_of_2025_does_not_know_is_refused_by_name() {
    for (yaml, says) in [
        ("author: A\n", "author: is not a known key"),
        ("source_url: x\n", "source_url: is not a known key"),
        ("validation: default\n", "validation: is not a known key"),
        ("keywords: a b\n", "keywords: must be a list"),
        ("credits: {author: A}\n", "credits"),
        ("source: [{url: x}]\n", "source"),
        ("license: mine\n", "license: `mine` is no licence"),
        ("embargo_until: soon\n", "embargo_until: must be"),
        ("embargo_until: 2031-02-30\n", "embargo_until: must be"),
        ("type: []\n", "type: names no type"),
        ("type: [pass-fail, pass-fail]\n", "names `pass-fail` twice"),
        ("type: submit-answer\n", "is `submit-answer`"),
        ("constants: {1n: 2}\n", "is no name of a constant"),
        ("constants: {n: {tex: '2'}}\n", "constants.n: has no `value`"),
        ("limits: {validation_passes: 3}\n", "limits.validation_passes: is of problems of the type `multi-pass`"),
        ("limits: {time_multipliers: {ac_to_time_limit: 0.5}}\n", "ac_to_time_limit: must be 1 or more"),
        ("limits: {time_multipliers: {fast: 2}}\n", "time_multipliers.fast: is not a known key"),
    ] {
        is_told(&format!("{MODERN}{yaml}"), &[], says);
    }
    is_told("problem_format_version: 2025-09\nname: {en: 3}\nuuid: x\n", &[], "name");
}

#[test]
fn what_a_group_or_a_case_of_2025_cannot_say_is_refused_by_name() {
    let group = "data/secret/test_group.yaml";
    for (file, text, says) in [
        (group, "max_score: 10\n", "max_score: is not supported"),
        (group, "score_aggregation: sum\n", "score_aggregation: is not supported"),
        (group, "static_validation_score: 3\n", "static_validation_score: is not supported"),
        (group, "static_validator_args: [x]\n", "static_validator_args: is not supported"),
        (group, "hint: x\n", "hint: is a key of a case"),
        (group, "output_validator_args: case_sensitive\n", "output_validator_args: must be a list"),
        (group, "output_validator_flags: x\n", "output_validator_flags: is not a known key"),
        (group, "scoring: {}\n", "scoring: is not a known key"),
        (group, "full_feedback: often\n", "full_feedback"),
        (
            group,
            "output_validator_args: [float_tolerance, '1', float_tolerance, '2']\n",
            "a tolerance stands there twice",
        ),
        (group, "output_validator_args: [float_tolerance, '1', float_absolute_tolerance, '2']\n", "stands there twice"),
        ("data/secret/1.yaml", "arg: [x]\n", "arg: is not a known key"),
        ("data/secret/1.args", "x\n", "1.args"),
        ("data/secret/a/b/test_group.yaml", "", "stands where no group can be"),
        ("data/secret/a/test_group.yaml", "", "stands beside the group `a`"),
        ("output_validators/v.py", "", "name it `output_validator`"),
    ] {
        let dir = with(MODERN, &[(file, text)]);
        let all = match super::open_package(dir.path()) {
            Ok(suite) => suite.warnings.join("\n"),
            Err(error) => format!("{error} {:?}", error.hint()),
        };
        assert!(all.contains(says), "{file} {text:?}: {all}");
    }
    is_told("validation: default\n", &[("output_validator/v.py", "")], "belongs to another version");
    let fine = with(MODERN, &[(group, "score_aggregation: pass-fail\ninput_validator_args: {v: [x]}\n")]);
    assert_eq!(read(fine.path()).cases.len(), 1);
}

#[test]
fn the_draft_has_what_its_states_had() {
    let yaml = format!(
        "{DRAFT}type: pass-fail\nauthor: A\nsource: S\nsource_url: 'https://s.example'\nkeywords: a b\nvalidation: default\n\
         limits: {{time_limit: 1.5}}\n"
    );
    let dir = with(
        &yaml,
        &[
            ("data/testdata.yaml", "output_validator_args: case_sensitive float_tolerance 0.5\n"),
            (
                "data/secret/deep/testdata.yaml",
                "output_validator_flags: space_change_sensitive\nstatic_validation: false\n",
            ),
            ("data/secret/deep/er/test_group.yaml", "args: [a]\n"),
            ("data/secret/deep/er/2.in", ""),
            ("data/secret/deep/er/2.ans", ""),
            ("data/secret/deep/er/3.in", ""),
            ("data/secret/deep/er/3.ans", ""),
            ("data/secret/deep/er/3.args", "b  c\n"),
            ("data/secret/deep/er/3.files/x", "x"),
            ("data/secret/deep/er/3.yaml", "full_feedback: true\n"),
            ("data/secret/deep/er/3.hint", ""),
            ("data/secret/deep/er/3.desc", ""),
            ("data/sample/1.in", ""),
            ("data/sample/1.ans", ""),
            ("data/sample/statement/1.in", ""),
            ("data/sample/statement/1.out", ""),
            ("data/sample/download/tool.py", ""),
        ],
    );
    let suite = read(dir.path());
    let ids: Vec<&str> = suite.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["sample/1", "secret/1", "secret/deep/er/2", "secret/deep/er/3"]);
    for case in &suite.cases[..2] {
        assert!(of_default(case).contains("case_sensitive: true"));
        assert!(of_default(case).contains("float_absolute_tolerance: Some(0.5)"));
    }
    assert!(of_default(&suite.cases[3]).contains("case_sensitive: false, space_change_sensitive: true"));
    assert_eq!(
        (&suite.cases[2].steps[0].args, &suite.cases[3].steps[0].args),
        (&vec!["a".to_owned()], &vec!["b".to_owned(), "c".to_owned()])
    );
    assert_eq!(suite.cases[3].steps[0].files.keys().collect::<Vec<_>>(), ["x"]);
    assert_eq!(suite.cases[3].visibility, Visibility::Full);
    assert!(suite.warnings.is_empty(), "{:?}", suite.warnings);
}

#[test]
fn a_validator_of_the_draft_is_where_any_of_its_states_had_it() {
    let custom = format!("{DRAFT}validation: custom\n");
    for (yaml, file, is_program) in [
        (DRAFT, "output_validator/v.py", true),
        (DRAFT, "output_validators/v.py", true),
        (DRAFT, "output_validators/v/__main__.py", true),
        (custom.as_str(), "output_validators/v.py", true),
        (&format!("{DRAFT}validation: default\n"), "output_validators/v.py", false),
        (DRAFT, "README", false),
    ] {
        let suite = read(with(yaml, &[(file, "")]).path());
        let check = &suite.cases[0].steps[0].expect.stdout.as_ref().unwrap().check;
        assert_eq!(matches!(check, Check::Program(_)), is_program, "{yaml} {file}");
    }
    is_told(&custom, &[], "output_validators: is missing");
}

#[test]
fn what_the_draft_has_and_this_has_not_is_refused_by_name() {
    for (yaml, more, says) in [
        ("type: pass-fail interactive\n", vec![], "is `interactive`"),
        ("validation: custom interactive\n", vec![("output_validators/v.py", "")], "asks for `interactive`"),
        ("validation: custom odd\n", vec![("output_validators/v.py", "")], "has an unknown word `odd`"),
        ("validation: some\n", vec![], "must begin with `default` or `custom`"),
        ("", vec![("data/testdata.yaml", "scoring: {score: 3}\n")], "scoring: is not supported"),
        ("", vec![("data/testdata.yaml", "grading: {score: 3}\n")], "grading: is not supported"),
        ("", vec![("data/testdata.yaml", "static_validation: true\n")], "static_validation: is not supported"),
        ("", vec![("data/testdata.yaml", "on_reject: break\n")], "on_reject: is not a known key"),
        (
            "",
            vec![("data/testdata.yaml", ""), ("data/test_group.yaml", "")],
            "stands beside `data/test_group.yaml`, which says the same",
        ),
        ("", vec![("data/secret/2.args", "")], "is of a case without an input"),
        ("", vec![("include/default/x", "")], "code that is added to submissions is not supported"),
    ] {
        is_told(&format!("{DRAFT}{yaml}"), &more, says);
    }
}

#[test]
fn submissions_promise_by_their_directories_and_by_their_file() {
    let promises = "time_limit_exceeded: {permitted: [AC, WA, TLE]}\naccepted/*.py: {authors: A, model_solution: true}\n\
        mixed/{a,b}.py:\n  permitted: [AC, WA]\n  use_for_time_limit: lower\n  secret/*-easy: {required: [AC]}\n";
    let suite = read(with(MODERN, &[("submissions/submissions.yaml", promises)]).path());
    let of = |name: &str| suite.promises.iter().filter(|promise| promise.solutions.matches(name)).collect::<Vec<_>>();
    let slow = of("time_limit_exceeded/a.py");
    let [slow] = slow[..] else { panic!("{slow:?}") };
    // Key by key: what it must have is as before.
    assert_eq!(slow.permitted.as_deref(), Some(&[Verdict::Ac, Verdict::Wa, Verdict::Tle][..]));
    assert_eq!(slow.required.as_deref(), Some(&[Verdict::Tle][..]));
    assert_eq!(of("accepted/a.py").len(), 2);
    let mixed = of("mixed/b.py");
    assert_eq!(mixed.len(), 2);
    assert!(mixed.iter().any(|promise| promise.bound == TimeBound::Lower && promise.cases.is_none()));
    assert!(mixed.iter().any(|promise| promise.is_about("secret/1-easy/2") && !promise.is_about("secret/1")));
    assert!(of("other/a.py").is_empty());
    for (text, says) in [
        ("accepted: {permitted: [OK]}\n", "accepted.permitted: must be a list of AC, WA, TLE and RTE"),
        ("accepted: {score: 3}\n", "accepted.score: is not supported"),
        ("accepted: {use_for_time_limit: maybe}\n", "must be true, false, `lower` or `upper`"),
        ("accepted: {premitted: [AC]}\n", "accepted.premitted: is not a known key"),
        ("accepted: {sample: {language: c}}\n", "accepted.sample.language: is not a known key"),
        ("'**/a': {permitted: [AC]}\n", "which the format does not have"),
        ("accepted: [AC]\n", "accepted"),
    ] {
        is_told(MODERN, &[("submissions/submissions.yaml", text)], says);
    }
}
