//! Problem packages: every submission of every package below `tests/data/packages` gets the verdict that its directory
//! says, on every runtime that is here and can run it.
//!
//! A package says it by where a submission stands: `accepted`, `wrong_answer`, `time_limit_exceeded`,
//! `run_time_error`. The format has no word for memory; submissions named `memory` are those that hold too much.

#![expect(clippy::disallowed_methods, reason = "the compiler of the guests is a process, and packages are written")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::BTreeMap;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick::evaluate::{
    AdapterRegistry, CaseRecord, Evaluation, Journal, RunOptions, Start, Suite, Verdict, open_ambient_suite,
};
use bailiwick::{Host, RuntimeRegistry, spec};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A language on a runtime: what is needed to run a submission of it.
struct Way {
    runtime: &'static str,
    /// The ending of its sources.
    language: &'static str,
    /// The spec; `{file}` is the submission's name.
    spec: &'static str,
    /// The command line.
    command: &'static str,
    /// Makes a file to submit of the source, or says why that cannot be done here.
    make: fn(&Path) -> Result<PathBuf, String>,
}

/// What runs in which way. A row is all that a further runtime needs.
const WAYS: [Way; 6] = [
    Way { runtime: "local", language: "py", spec: "type: local\nname: t\n", command: "python3 {file}", make: as_it_is },
    Way {
        runtime: "local",
        language: "c",
        spec: "type: local\nname: t\ncompile: {command: 'cc -O1 -o main {file} -lm', outputs: [main]}\n",
        command: "./main",
        make: as_it_is,
    },
    Way { runtime: "wasi", language: "py", spec: "type: wasi\nname: t\n", command: "python {file}", make: as_it_is },
    Way { runtime: "wasi", language: "c", spec: "type: wasi\nname: t\n", command: "./{file}", make: to_wasm },
    Way {
        runtime: "docker",
        language: "py",
        // The image of `tests/data/docker/images.sh`.
        spec: "type: docker\nname: t\ndocker: {image: 'bailiwick-test/python:latest', pull: never}\n",
        command: "python3 {file}",
        make: as_it_is,
    },
    Way {
        runtime: "docker",
        language: "c",
        spec: "type: docker\nname: t\ndocker: {image: 'bailiwick-test/python:latest', pull: never}\n",
        command: "./{file}",
        make: to_native,
    },
];

fn as_it_is(source: &Path) -> Result<PathBuf, String> {
    Ok(source.to_owned())
}

/// Compiles a source to WebAssembly, as `tests/data/toolchains/build.sh` compiles its guests.
fn to_wasm(source: &Path) -> Result<PathBuf, String> {
    compile(source, "wasm", "clang-22", &["--target=wasm32-wasi", "-Wno-deprecated", "-O1", "-s"])
}

/// Compiles a source for an image that has no compiler and other libraries.
fn to_native(source: &Path) -> Result<PathBuf, String> {
    compile(source, "elf", "cc", &["-static", "-O1"])
}

fn compile(source: &Path, ending: &str, compiler: &str, options: &[&str]) -> Result<PathBuf, String> {
    let package = source.ancestors().nth(3).unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let dir = repository("target/guests/packages");
    std::fs::create_dir_all(&dir).unwrap();
    let made = dir.join(format!("{package}-{}.{ending}", source.file_stem().unwrap().to_str().unwrap()));
    // Each test may be a process of its own: what is made appears whole in its place.
    let draft = made.with_extension(format!("{}.draft", std::process::id()));
    let status = std::process::Command::new(compiler).args(options).arg("-o").arg(&draft).arg(source).status();
    match status {
        Ok(status) if status.success() => {
            std::fs::rename(draft, &made).unwrap();
            Ok(made)
        }
        Ok(status) => Err(format!("{compiler} cannot compile this: {status}")),
        Err(error) => Err(format!("there is no {compiler}: {error}")),
    }
}

fn registry() -> RuntimeRegistry {
    // Where distributions put programs first: what stands in a home may need a home.
    let path = format!("/usr/bin:/bin:{}", std::env::var("PATH").unwrap());
    let mut host = Host::from_env(BTreeMap::from([("PATH".to_owned(), path)]));
    host.dirs.shared_data.clear();
    host.dirs.data = Some(repository("target/guests/data"));
    host.dirs.cache = Some(repository("target/guests/cache"));
    RuntimeRegistry::builder(host).with_builtins().build().unwrap()
}

fn suite(package: &str) -> Suite {
    open_ambient_suite(&repository("tests/data/packages").join(package), &AdapterRegistry::with_builtins()).unwrap()
}

/// Lists the submissions of a package in a language, each with its verdict.
fn submissions(package: &str, language: &str) -> Vec<(PathBuf, Verdict)> {
    let root = repository("tests/data/packages").join(package).join("submissions");
    let verdicts = [
        ("accepted", Verdict::Ac),
        ("wrong_answer", Verdict::Wa),
        ("time_limit_exceeded", Verdict::Tle),
        ("run_time_error", Verdict::Rte),
    ];
    let mut found = Vec::new();
    for (dir, verdict) in verdicts {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(root.join(dir)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == language));
        paths.sort();
        assert!(!paths.is_empty(), "{package}/{dir} has nothing in {language}");
        found.extend(paths.into_iter().map(|path| {
            let holds_too_much = path.file_stem().is_some_and(|stem| stem == "memory");
            (path, if holds_too_much { Verdict::Mle } else { verdict })
        }));
    }
    assert!(found.iter().any(|(_, verdict)| *verdict == Verdict::Mle), "{package} has no hungry one in {language}");
    found
}

async fn judge(
    registry: &RuntimeRegistry,
    suite: &Arc<Suite>,
    way: &Way,
    source: &Path,
) -> Result<Vec<CaseRecord>, String> {
    let file = (way.make)(source)?;
    let name = file.file_name().unwrap().to_str().unwrap();
    let spec = spec::load(&way.spec.replace("{file}", name), "test", registry).unwrap().spec;
    let evaluation = Evaluation::builder(registry, spec, Arc::clone(suite))
        .submission(&file)
        .start(Start::Command(way.command.replace("{file}", name)));
    let explain = |error: bailiwick::ExecutionError| format!("{error} {:?}", error.hint());
    let evaluation = evaluation.prepare().await.map_err(explain)?;
    let scratch = tempfile::tempdir().unwrap();
    let journal = Journal::open_ambient_temporary(scratch.path(), &evaluation.journal_header()).unwrap();
    let results = evaluation.run(RunOptions::jobs(2), journal, Arc::new(()), pending()).await.unwrap();
    results.records().collect::<Result<_, _>>().map_err(explain)
}

/// The first in precedence of all that is not accepted.
fn worst(records: &[CaseRecord]) -> Verdict {
    records.iter().map(|record| record.verdict).min().unwrap()
}

/// Judges every submission of a package on a runtime.
async fn every_verdict(package: &str, runtime: &'static str) {
    let registry = registry();
    if registry.kind(runtime).is_err() {
        return println!("skipped: this build has no runtime `{runtime}`");
    }
    let suite = Arc::new(suite(package));
    for way in WAYS.iter().filter(|way| way.runtime == runtime) {
        for (source, expected) in submissions(package, way.language) {
            let records = match judge(&registry, &suite, way, &source).await {
                Ok(records) => records,
                Err(why) => {
                    assert!(std::env::var_os("CI").is_none(), "in CI nothing is skipped: {}: {why}", source.display());
                    println!("skipped: {} on {runtime}: {why}", source.display());
                    continue;
                }
            };
            let shown: Vec<_> = records.iter().filter(|record| record.verdict != Verdict::Ac).collect();
            assert_eq!(worst(&records), expected, "{} on {runtime}: {shown:#?}", source.display());
            // Whatever it does wrong in one case, it is judged in the others.
            let right = records.iter().filter(|record| record.verdict == Verdict::Ac).count();
            assert!(right > 0 || expected == Verdict::Wa, "{} on {runtime}: {shown:#?}", source.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_with_a_validator_of_its_own_on_local() {
    every_verdict("factors", "local").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_with_a_tolerance_on_local() {
    every_verdict("mean", "local").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_with_a_validator_of_its_own_on_wasi() {
    every_verdict("factors", "wasi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_with_a_tolerance_on_wasi() {
    every_verdict("mean", "wasi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_with_a_validator_of_its_own_on_docker() {
    every_verdict("factors", "docker").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_with_a_tolerance_on_docker() {
    every_verdict("mean", "docker").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_2025_with_arguments_files_and_groups_on_local() {
    every_verdict("above", "local").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_2025_with_arguments_files_and_groups_on_wasi() {
    every_verdict("above", "wasi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_2025_with_arguments_files_and_groups_on_docker() {
    every_verdict("above", "docker").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_the_draft_of_2023_on_local() {
    every_verdict("share", "local").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_the_draft_of_2023_on_wasi() {
    every_verdict("share", "wasi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_the_draft_of_2023_on_docker() {
    every_verdict("share", "docker").await;
}

#[test]
fn cases_come_in_the_order_of_the_format_and_with_its_groups() {
    let suite = suite("factors");
    let ids: Vec<&str> = suite.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "sample/1",
            "sample/2",
            "secret/01-square",
            "secret/02-four",
            "secret/large/01-prime",
            "secret/large/02-composite",
            "secret/ordered/01",
            "secret/ordered/02",
        ]
    );
    let groups: Vec<&str> = suite.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["sample", "secret", "secret/large", "secret/ordered"]);
    assert_eq!(suite.name, "Two Factors");
    assert!(suite.warnings.is_empty(), "{:?}", suite.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_validator_reach_the_record_beside_what_was_expected() {
    let registry = registry();
    let suite = Arc::new(suite("factors"));
    let source = repository("tests/data/packages/factors/submissions/wrong_answer/unordered.py");
    let records = judge(&registry, &suite, &WAYS[0], &source).await.unwrap();
    let rejected: Vec<&CaseRecord> = records.iter().filter(|record| record.verdict != Verdict::Ac).collect();
    let ids: Vec<&str> = rejected.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["secret/ordered/01", "secret/ordered/02"]);
    let facts = serde_json::to_value(&rejected[0].facts).unwrap();
    let evidence = &facts[0]["evidence"];
    assert_eq!(evidence["message"], "is rejected by the checker", "{facts}");
    // They may quote the answer, so they stand where a report for others leaves them out.
    assert_eq!(evidence["difference"]["expected"], "the smaller factor comes first here", "{facts}");
}

/// Writes a package of one case, whose input is `7` and whose answer is `yes`, with a validator of its own.
fn package_with(validator: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        ("problem.yaml", "validation: custom\nlimits: {validation_time: 20}\n"),
        (".timelimit", "5"),
        ("data/secret/1.in", "7\n"),
        ("data/secret/1.ans", "yes\n"),
    ];
    for (path, text) in files.iter().chain(validator) {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

/// Judges a submission that prints what it reads by a package, on local.
async fn echo_judged_by(package: &Path) -> Result<Vec<CaseRecord>, String> {
    let suite = open_ambient_suite(package, &AdapterRegistry::with_builtins()).unwrap();
    let source = tempfile::tempdir().unwrap();
    let source = source.path().join("echo.py");
    std::fs::write(&source, "print(input())").unwrap();
    judge(&registry(), &Arc::new(suite), &WAYS[0], &source).await
}

/// Accepts when everything that the format promises a validator is there.
const IN_C: &str = r#"
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    char input[9], answer[9], output[9], path[99];
    if (argc != 4 || argv[3][strlen(argv[3]) - 1] != '/') return 1;
    FILE *given = fopen(argv[1], "r"), *right = fopen(argv[2], "r");
    if (!given || fscanf(given, "%8s", input) != 1 || !right || fscanf(right, "%8s", answer) != 1) return 1;
    if (scanf("%8s", output) != 1 || strcmp(answer, "yes")) return 1;
    snprintf(path, sizeof path, "%sjudgemessage.txt", argv[3]);
    FILE *message = fopen(path, "w");
    if (!message) return 1;
    fprintf(message, "seen %s", output);
    fclose(message);
    return strcmp(input, output) ? 43 : 42;
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn validators_in_c_and_with_a_build_script_are_made_once_and_run() {
    let build = "#!/bin/sh\nset -e\nprintf '#!/bin/sh\\nread word\\ntest \"$word\" = 7 && exit 42\\nexit 43\\n' > run\nchmod +x run\n";
    for validator in [("output_validators/check.c", IN_C), ("output_validators/check/build", build)] {
        let package = package_with(&[validator]);
        let records = echo_judged_by(package.path()).await.unwrap();
        assert_eq!(worst(&records), Verdict::Ac, "{}: {:?}", validator.0, records[0].facts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_breaks_is_no_verdict_on_the_submission() {
    for text in ["raise ValueError", "import sys; sys.exit(0)", "import sys; sys.exit(1)", "import os; os.abort()"] {
        let package = package_with(&[("output_validators/check.py", text)]);
        let records = echo_judged_by(package.path()).await.unwrap();
        assert_eq!(worst(&records), Verdict::Ie, "{text}: {:?}", records[0].facts);
    }
    let package = package_with(&[("output_validators/check.c", "int main(void) { return }")]);
    let why = echo_judged_by(package.path()).await.unwrap_err();
    assert!(why.contains("does not compile"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_sees_nothing_of_the_submission_but_its_output() {
    let looks = "import os, sys\nsys.exit(43 if any('echo' in name for _, dirs, files in os.walk('.') for name in dirs + files) else 42)\n";
    let package = package_with(&[("output_validators/check.py", looks)]);
    let records = echo_judged_by(package.path()).await.unwrap();
    assert_eq!(worst(&records), Verdict::Ac, "{:?}", records[0].facts);
}
