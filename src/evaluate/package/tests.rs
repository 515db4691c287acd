//! Packages as authors write them: what is read of each format, and what is told of what is wrong.

use std::path::Path;

use super::open_package;
use crate::evaluate::check::{Check, Protocol};
use crate::evaluate::{Case, Suite, Visibility};
use crate::spec::{ByteSize, Limit, Span};

/// Writes a package; a text `+x` makes an executable file.
pub(super) fn package(files: &[(&str, &str)]) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        let base = cap_std::fs::Dir::open_ambient_dir(dir.path(), cap_std::ambient_authority()).unwrap();
        let inner = path.strip_prefix(dir.path()).unwrap();
        base.create_dir_all(inner.parent().unwrap()).unwrap();
        base.write(inner, text).unwrap();
        if text.starts_with("#!x") {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    dir
}

/// What every package needs, with more behind it.
pub(super) fn with<'a>(yaml: &'a str, more: &[(&'a str, &'a str)]) -> tempfile::TempDir {
    let mut files = vec![("problem.yaml", yaml), ("data/secret/1.in", "1\n"), ("data/secret/1.ans", "2\n")];
    files.extend_from_slice(more);
    package(&files)
}

pub(super) fn read(dir: &Path) -> Suite {
    open_package(dir).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn told(dir: &Path) -> Vec<String> {
    let error = open_package(dir).unwrap_err().to_string();
    let mut lines: Vec<String> = error.lines().map(|line| line.trim().to_owned()).collect();
    if lines.len() > 1 {
        lines.remove(0);
    }
    lines
}

const LEGACY: &str = "name: Sum\n";
pub(super) const MODERN: &str =
    "problem_format_version: 2025-09\nname: Sum\nuuid: 8ee7605a-ab1a-8226-1d71-e346ab1e688d\n";

pub(super) fn of_default(case: &Case) -> String {
    let check = &case.steps[0].expect.stdout.as_ref().unwrap().check;
    let Check::Compare(comparison) = check else { panic!("{check:?}") };
    assert_eq!(comparison.name(), "default_validator");
    format!("{comparison:?}")
}

#[test]
fn a_small_legacy_package_has_all_defaults() {
    let dir = with("", &[]);
    let suite = read(dir.path());
    assert_eq!(suite.cases.len(), 1);
    let case = &suite.cases[0];
    assert_eq!((case.id.as_str(), case.group.as_str(), case.points), ("secret/1", "secret", 1.0));
    assert_eq!(case.visibility, Visibility::Verdict);
    assert_eq!(&*case.origin.file, "data/secret/1.in");
    assert_eq!(case.steps[0].stdin.as_ref().unwrap().read().unwrap(), "1\n");
    let expected = case.steps[0].expect.stdout.as_ref().unwrap().expected.as_ref().unwrap();
    assert_eq!(expected.read().unwrap(), "2\n");
    assert!(of_default(case).contains("case_sensitive: false"));
    assert_eq!(suite.warnings, ["the package has no time limit: those of the spec hold"]);
}

#[test]
fn flags_are_handed_down_and_stand_behind_those_of_the_problem() {
    let dir = with(
        "name: x\nvalidator_flags: case_sensitive\n",
        &[
            ("data/testdata.yaml", "output_validator_flags: float_tolerance 0.5\ngrader_flags: first_error\n"),
            ("data/sample/1.in", ""),
            ("data/sample/1.ans", ""),
            ("data/secret/deep/er/1.in", ""),
            ("data/secret/deep/er/1.ans", ""),
            ("data/secret/deep/testdata.yaml", "output_validator_flags: space_change_sensitive\non_reject: continue\n"),
        ],
    );
    let suite = read(dir.path());
    let ids: Vec<&str> = suite.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["sample/1", "secret/1", "secret/deep/er/1"]);
    assert_eq!(suite.cases[0].visibility, Visibility::Full);
    for case in &suite.cases[..2] {
        assert!(of_default(case).contains("case_sensitive: true"));
        assert!(of_default(case).contains("float_absolute_tolerance: Some(0.5)"));
    }
    assert!(of_default(&suite.cases[2]).contains("space_change_sensitive: true, float_absolute_tolerance: None"));
}

#[test]
fn limits_are_those_of_specs() {
    let yaml =
        "limits: {memory: 64, output: 0.5, validation_time: 7, validation_memory: 32, code: 9, time_multiplier: 5}\n";
    let dir = with(yaml, &[(".timelimit", "1.5\n")]);
    let suite = read(dir.path());
    let limits = &suite.cases[0].limits;
    let seconds = |seconds: f64| Limit::Set(Span(std::time::Duration::from_secs_f64(seconds)));
    assert_eq!((limits.cpu_time, limits.wall_time), (seconds(1.5), seconds(4.0)));
    assert_eq!((limits.memory, limits.output), (Limit::Set(ByteSize(64 << 20)), Limit::Set(ByteSize(1 << 19))));
    assert_eq!(suite.warnings, ["`limits.code` of the package is not checked"]);
    let ini = with("", &[("domjudge-problem.ini", "name=x\ntimelimit='3'\n")]);
    assert_eq!(read(ini.path()).cases[0].limits.cpu_time, seconds(3.0));
}

#[test]
fn validators_are_read_in_every_form() {
    for (files, compile, command) in [
        (vec![("v.py", "#!/usr/bin/env python3\n")], None, "python3 v.py"),
        (vec![("v/__main__.py", ""), ("v/help.py", "")], None, "python3 __main__.py"),
        (vec![("v.c", "")], Some("cc -O2 -o made-validator v.c -lm"), "./made-validator"),
        (
            vec![("v/a.cc", ""), ("v/b.cpp", ""), ("v/testlib.h", "")],
            Some("c++ -O2 -o made-validator a.cc b.cpp -lm"),
            "./made-validator",
        ),
        (vec![("v/build", "#!x"), ("v/src/x.rs", "")], Some("./build"), "./run"),
        (vec![("v", "#!x")], None, "./v"),
    ] {
        let files: Vec<(String, &str)> =
            files.into_iter().map(|(path, text)| (format!("output_validators/{path}"), text)).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let dir = with("validation: custom\nvalidator_flags: a  b\nlimits: {validation_memory: 32}\n", &files);
        let suite = read(dir.path());
        let expectation = suite.cases[0].steps[0].expect.stdout.as_ref().unwrap();
        let Check::Program(program) = &expectation.check else { panic!() };
        assert_eq!(program.command.join(" "), command);
        assert_eq!(program.compile.as_ref().map(|words| words.join(" ")).as_deref(), compile);
        assert_eq!(
            (program.protocol, program.flags.as_slice()),
            (Protocol::Icpc, &["a".to_owned(), "b".to_owned()][..])
        );
        assert_eq!(program.limits.memory, Limit::Set(ByteSize(32 << 20)));
        assert_eq!(program.files.len(), files.len(), "{:?}", program.files.keys());
    }
}

#[test]
fn every_problem_of_every_file_is_told_together() {
    let dir = with(
        "nam: x\nlimits: {memory: 0, memori: 1}\n",
        &[("data/secret/2.in", ""), ("data/secret/3.ans", ""), ("include/c/x.h", "")],
    );
    let lines = told(dir.path());
    for says in [
        "problem.yaml:1:1: nam: is not a known key",
        "problem.yaml:2:21: limits.memori: is not a known key",
        "problem.yaml:2:18: limits.memory: must be more than zero",
        "data/secret/2.in: has no answer `2.ans`",
        "data/secret/3.ans: is an answer without an input `3.in`",
        "include: code that is added to submissions is not supported",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(says)), "{says}: {lines:#?}");
    }
    assert_eq!(lines.len(), 6, "{lines:#?}");
    let dir = with(
        "limits: {memory: 0, time_limit: 3}\nvalidation: default interactive\n",
        &[
            ("data/secret/2.in", ""),
            ("data/secret/3.ans", ""),
            ("data/secret/test_group.yaml", ""),
            ("include/c/x.h", ""),
        ],
    );
    let lines = told(dir.path());
    for says in [
        "problem.yaml:1:18: limits.memory: must be more than zero",
        "problem.yaml:1:33: limits.time_limit: is no limit of this version",
        "problem.yaml:2:13: validation: has `interactive` behind `default`",
        "data/secret/2.in: has no answer `2.ans`",
        "data/secret/3.ans: is an answer without an input `3.in`",
        "data/secret/test_group.yaml: belongs to another version of the format",
        "include: code that is added to submissions is not supported",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(says)), "{says}: {lines:#?}");
    }
    assert_eq!(lines.len(), 7, "{lines:#?}");
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let validator = ("output_validators/v.py", "");
    for (yaml, more, says) in [
        ("type: scoring\n", vec![], "problems that give a score are not supported"),
        ("type: other\n", vec![], "must be `pass-fail` or `scoring`"),
        ("validation: custom interactive\n", vec![validator], "interactive problems are not supported"),
        ("validation: custom score\n", vec![validator], "problems that give a score are not supported"),
        ("validation: special\n", vec![], "must begin with `default` or `custom`"),
        ("validation: custom\n", vec![], "output_validators: is missing"),
        ("validation: custom\n", vec![("output_validators/README", "")], "holds no validator"),
        ("validation: custom\n", vec![validator, ("output_validators/w.py", "")], "more than one validator"),
        ("validation: custom\n", vec![("output_validators/V.java", "")], "is in no language that is known here"),
        (
            "validation: custom\n",
            vec![("output_validators/v/a.py", ""), ("output_validators/v/b.c", "")],
            "several languages",
        ),
        ("validation: custom\n", vec![("output_validators/v.py", "#!/usr/bin/python2\n")], "Python 2"),
        ("validator_flags: strict\n", vec![], "`strict` is no flag of the default validator"),
        ("validator_flags: float_tolerance -1\n", vec![], "is no tolerance"),
        ("", vec![("data/secret/testdata.yaml", "grading: custom\n")], "graders are not supported"),
        ("", vec![("data/secret/testdata.yaml", "on_reject: stop\n")], "must be `break` or `continue`"),
        ("", vec![("data/secret/testdata.yaml", "on_rejekt: break\n")], "is not a known key"),
        ("", vec![(".timelimit", "soon")], "holds no number of seconds"),
        ("", vec![("data/secret/1/x.in", ""), ("data/secret/1/x.ans", "")], "is a directory with the name of a case"),
        ("problem_format_version: 2031-01\n", vec![], "known: legacy"),
        ("a: b: c\n", vec![], "problem.yaml:1:"),
    ] {
        let dir = with(yaml, &more);
        let error = open_package(dir.path()).unwrap_err();
        let all = format!("{error} {:?}", error.hint());
        assert!(all.contains(says), "{yaml:?} {more:?}: {all}");
    }
    let none = package(&[("problem.yaml", LEGACY), ("data/sample/1.in", ""), ("data/sample/1.ans", "")]);
    assert!(told(none.path())[0].starts_with("data/secret: is missing"));
    let empty = package(&[("problem.yaml", LEGACY), ("data/secret/README", "")]);
    assert!(told(empty.path())[0].contains("holds no cases"));
}

#[test]
fn a_package_of_2025_has_arguments_files_and_feedback() {
    let yaml = format!("{MODERN}limits: {{time_limit: 1.0, time_resolution: 0.5, memory: 64}}\ntype: [pass-fail]\n");
    let dir = with(
        &yaml,
        &[
            ("data/secret/test_group.yaml", "output_validator_args: [case_sensitive]\nargs: [a]\n"),
            ("data/secret/1.yaml", "args: ['b c']\nfull_feedback: true\nhint: think\n"),
            ("data/secret/1.files/in/x.txt", "x"),
            ("data/secret/1.png", ""),
            ("data/secret/group/2.in", ""),
            ("data/secret/group/2.ans", ""),
            ("data/secret/.git", ""),
            ("data/invalid_input/x.in", ""),
        ],
    );
    let suite = read(dir.path());
    let [first, second] = &suite.cases[..] else { panic!("{:?}", suite.cases) };
    assert_eq!((first.id.as_str(), first.steps[0].args.as_slice()), ("secret/1", &["b c".to_owned()][..]));
    assert_eq!(first.visibility, Visibility::Full);
    assert_eq!(first.steps[0].files.keys().collect::<Vec<_>>(), ["in/x.txt"]);
    assert_eq!(first.steps[0].files["in/x.txt"].read().unwrap(), "x");
    // What a directory says holds in the directories below.
    assert_eq!((second.id.as_str(), second.steps[0].args.as_slice()), ("secret/group/2", &["a".to_owned()][..]));
    assert!(of_default(second).contains("case_sensitive: true"));
    assert_eq!(suite.name, "Sum");
    assert!(suite.warnings.is_empty(), "{:?}", suite.warnings);
}

#[test]
fn a_validator_of_2025_is_there_or_not() {
    let dir = with(
        MODERN,
        &[
            ("output_validator/v.py", ""),
            ("data/secret/1.yaml", "output_validator_args: [x]\n"),
            ("data/sample/1.in", ""),
            ("data/sample/1.ans", ""),
        ],
    );
    let flags: Vec<Vec<String>> = read(dir.path())
        .cases
        .iter()
        .map(|case| match &case.steps[0].expect.stdout.as_ref().unwrap().check {
            Check::Program(program) => program.flags.clone(),
            Check::Compare(_) => panic!(),
        })
        .collect();
    assert_eq!(flags, [vec![], vec!["x".to_owned()]]);
}

#[test]
fn what_2025_has_and_this_has_not_is_refused_by_name() {
    for (yaml, more, says) in [
        ("type: scoring\n", vec![], "is `scoring`: problems of this type are not supported"),
        ("type: [interactive, multi-pass]\n", vec![], "is `multi-pass`"),
        ("type: pass-fail interactive\n", vec![], "`pass-fail interactive` is no type of problem"),
        ("type: other\n", vec![], "`other` is no type of problem"),
        ("limits: {time_multiplier: 3}\n", vec![], "is no limit of this version"),
        ("validator_flags: x\n", vec![], "is not a known key"),
        ("", vec![("static_validator/v.py", "")], "validators of source code are not supported"),
        ("", vec![("data/secret/test_group.yaml", "require_pass: sample\n")], "require_pass: is not supported"),
        ("", vec![("data/secret/testdata.yaml", "")], "belongs to another version"),
        ("", vec![("data/secret/2.yaml", "")], "is of a case without an input"),
        ("constants: {n: 3}\n", vec![("output_validator/v.py", "")], "constants: are not supported"),
        (
            "constants: {n: 3}\n",
            vec![("data/secret/test_group.yaml", "args: ['{{n}}']\n")],
            "constants are not supported",
        ),
    ] {
        let yaml = format!("{MODERN}{yaml}");
        let dir = with(&yaml, &more);
        let lines = told(dir.path());
        assert!(lines.iter().any(|line| line.contains(says)), "{yaml} {more:?}: {lines:?}");
    }
    let dir = with("problem_format_version: 2023-07-draft\n", &[]);
    let lines = told(dir.path());
    assert!(lines.iter().any(|line| line.contains("uuid: is missing")), "{lines:?}");
}

#[test]
fn links_lead_nowhere_above_the_package() {
    let dir = with("", &[("data/secret/2.ans", "")]);
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("data/secret/2.in")).unwrap();
    assert!(open_package(dir.path()).is_err());
    let dir = with("", &[("data/secret/2.ans", "2\n")]);
    std::os::unix::fs::symlink("1.in", dir.path().join("data/secret/2.in")).unwrap();
    assert_eq!(read(dir.path()).cases[1].steps[0].stdin.as_ref().unwrap().read().unwrap(), "1\n");
}
