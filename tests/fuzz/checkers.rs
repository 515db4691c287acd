//! Checkers: whatever was expected and whatever came, the answer is one, and tells nothing of what was expected.

use std::sync::Arc;

use bailiwick::evaluate::check::{Check, CheckConfig, CheckName, Comparison, DefaultValidator, Mismatch};
use base64::Engine as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::driver::{Chance, run};

/// Stands between what a checker is told, what is expected and what came.
const BETWEEN: &[u8] = b"\n=====\n";
/// What only the expected text holds.
const CANARY: &str = "zq9canary";
/// The most bytes of one text of a mismatch.
const LONGEST: usize = 2048;

/// Every checker that compares, with the options that change how.
const CHECKERS: [&str; 28] = [
    r#"{"check":"exact"}"#,
    r#"{"check":"exact","ignore_case":true}"#,
    r#"{"check":"trimmed"}"#,
    r#"{"check":"trimmed","ignore_case":true}"#,
    r#"{"check":"trimmed","last":1}"#,
    r#"{"check":"tokens"}"#,
    r#"{"check":"tokens","ignore_case":true}"#,
    r#"{"check":"numbers"}"#,
    r#"{"check":"float"}"#,
    r#"{"check":"float","absolute":0.5}"#,
    r#"{"check":"float","relative":0}"#,
    r#"{"check":"lines"}"#,
    r#"{"check":"lines","ignore_case":true,"last":3}"#,
    r#"{"check":"contains","ignore_case":true}"#,
    r#"{"check":"regex"}"#,
    r#"{"check":"regex","ignore_case":true}"#,
    r#"{"check":"json"}"#,
    r#"{"check":"json","ignore_order":true}"#,
    r#"{"check":"json","ignore_order":true,"ignore_case":true,"ignore":["a","[*].id"]}"#,
    r#"{"check":"json","ignore_order":true,"tolerance":0.5}"#,
    r#"{"check":"json_schema"}"#,
    r#"{"check":"csv"}"#,
    r#"{"check":"csv","header":true,"ignore":["t"]}"#,
    r#"{"check":"csv","header":true,"ignore_order":true,"absolute":0.1}"#,
    r#"{"check":"csv","ignore_order":true,"delimiter":";"}"#,
    r#"{"check":"yaml"}"#,
    r#"{"check":"yaml","ignore_order":true,"ignore_case":true}"#,
    r#"{"check":"exists"}"#,
];

const FLAGS: [&str; 4] = ["", "case_sensitive space_change_sensitive", "float_tolerance 1e-6", "float_tolerance 1e300"];

#[test]
fn checkers() {
    let words: [&[u8]; 16] = [
        BETWEEN,
        b"nan",
        b"-inf",
        b"1e400",
        b"-0",
        b"\r\n",
        b"\"",
        b"[[[[[[[[",
        b"{\"a\":",
        b"\\ud800",
        b"\xff",
        "\u{2028}\u{202e}".as_bytes(),
        b"&a [*a, *a]",
        b"(a*)*{9}",
        b"$ref",
        &[b'9'; 400],
    ];
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("there"), "there").unwrap();
    let base = Arc::new(Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap());
    run("checkers", &words, |input, chance| {
        let (told, rest) = cut(input);
        let (expected, came) = cut(rest);
        let mut expected = expected.to_vec();
        if chance.below(4) == 0 {
            let at = chance.below(expected.len() + 1);
            drop(expected.splice(at..at, CANARY.bytes()));
        }
        validator(&expected, came, chance);
        let Some(config) = config(told, &expected, chance) else { return };
        match config.expectation("expect.stdout", &base) {
            Err(problems) => {
                assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.to_string().is_empty()));
            }
            Ok(expectation) => {
                let wanted = expectation.expected.as_ref().map(|data| data.read().unwrap()).unwrap_or_default();
                match &expectation.check {
                    Check::Program(_) => {}
                    Check::Compare(comparison) => compare(comparison, (&config, &base), &wanted, came),
                }
            }
        }
    });
}

fn cut(input: &[u8]) -> (&[u8], &[u8]) {
    match input.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        Some(at) => (&input[..at], &input[at + BETWEEN.len()..]),
        None => (input, b""),
    }
}

/// Gives the checker that the input asks for, else one of the known ones; what is expected is put into it.
fn config(told: &[u8], expected: &[u8], chance: &mut Chance) -> Option<CheckConfig> {
    let own = serde_json::from_slice(told).ok().filter(|_| chance.below(2) == 0);
    let mut config: CheckConfig = own.or_else(|| serde_json::from_str(CHECKERS[chance.below(CHECKERS.len())]).ok())?;
    let says = config.text.is_some() || config.file.is_some() || config.base64.is_some();
    let holds = config.equal.is_some() || config.subset.is_some() || config.schema.is_some();
    let takes_none = matches!(config.check, Some(CheckName::Exists | CheckName::Absent | CheckName::Program));
    if !says && !holds && !takes_none {
        config.base64 = Some(base64::engine::general_purpose::STANDARD.encode(expected));
    }
    Some(config)
}

fn compare(comparison: &Comparison, (config, base): (&CheckConfig, &Arc<Dir>), wanted: &[u8], came: &[u8]) {
    let found = comparison.compare(wanted, Some(came));
    assert_eq!(found, comparison.clone().compare(wanted, Some(came)), "one answer: {config:?}");
    assert_eq!(comparison.compare(wanted, None).is_ok(), config.check == Some(CheckName::Absent));
    if let Err(mismatch) = &found {
        tells_little(mismatch, came);
    }
    let accepts = |wanted: &[u8], came: &[u8]| comparison.compare(wanted, Some(came)).is_ok();
    if config.last.is_some() || config.equal.is_some() || config.subset.is_some() {
        return;
    }
    let is_of_itself = match config.check.unwrap_or_default() {
        CheckName::Regex | CheckName::JsonSchema | CheckName::Absent | CheckName::Program => false,
        CheckName::Exact
        | CheckName::Trimmed
        | CheckName::Tokens
        | CheckName::Numbers
        | CheckName::Float
        | CheckName::Lines
        | CheckName::Contains
        | CheckName::Json
        | CheckName::Csv
        | CheckName::Yaml
        | CheckName::Exists => true,
    };
    if is_of_itself {
        assert!(accepts(wanted, wanted), "what is expected is accepted: {config:?}");
    }
    if is_symmetric(config) && comparison.fault_of(came).is_none() {
        assert_eq!(found.is_ok(), accepts(came, wanted), "the order of the sides does not count: {config:?}");
    }
    if found.is_ok() {
        implied(config, base, wanted, came);
    }
}

/// Says whether the two sides are alike to the checker.
fn is_symmetric(config: &CheckConfig) -> bool {
    let relative = config.relative.or(config.tolerance);
    match config.check.unwrap_or_default() {
        CheckName::Exact | CheckName::Trimmed | CheckName::Tokens | CheckName::Numbers | CheckName::Lines => true,
        CheckName::Json | CheckName::Csv | CheckName::Yaml => relative.unwrap_or(0.0) == 0.0,
        CheckName::Float => relative.or(config.absolute.map(|_| 0.0)) == Some(0.0),
        CheckName::Contains
        | CheckName::Regex
        | CheckName::JsonSchema
        | CheckName::Exists
        | CheckName::Absent
        | CheckName::Program => false,
    }
}

/// What one checker accepts, those accept that look at less.
fn implied(config: &CheckConfig, base: &Arc<Dir>, wanted: &[u8], came: &[u8]) {
    let looser: &[CheckName] = match config.check.unwrap_or_default() {
        CheckName::Exact => &[CheckName::Trimmed, CheckName::Contains],
        CheckName::Trimmed => &[CheckName::Tokens, CheckName::Lines],
        CheckName::Tokens => &[CheckName::Numbers],
        CheckName::Numbers => &[CheckName::Float],
        CheckName::Float
        | CheckName::Lines
        | CheckName::Contains
        | CheckName::Regex
        | CheckName::Json
        | CheckName::JsonSchema
        | CheckName::Csv
        | CheckName::Yaml
        | CheckName::Exists
        | CheckName::Absent
        | CheckName::Program => &[],
    };
    for check in looser {
        let mut other = CheckConfig::default();
        (other.check, other.ignore_case) = (Some(*check), config.ignore_case);
        other.base64 = Some(base64::engine::general_purpose::STANDARD.encode(wanted));
        // An empty text is in every output, and is no expectation.
        let Ok(expectation) = other.expectation("", base) else { continue };
        let Check::Compare(comparison) = expectation.check else { continue };
        assert_eq!(comparison.compare(wanted, Some(came)), Ok(()), "{config:?} accepts and {check:?} does not");
    }
}

fn validator(wanted: &[u8], came: &[u8], chance: &mut Chance) {
    let flags = FLAGS[chance.below(FLAGS.len())];
    let read = DefaultValidator::read(&flags.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let comparison = Comparison::of_validator(read.unwrap());
    let found = comparison.compare(wanted, Some(came));
    assert_eq!(found, comparison.compare(wanted, Some(came)));
    if let Err(mismatch) = &found {
        tells_little(mismatch, came);
    }
    // With a tolerance what is not finite is near to nothing.
    if !flags.contains("float") {
        assert!(comparison.compare(wanted, Some(wanted)).is_ok(), "{flags}");
        assert_eq!(found.is_ok(), comparison.compare(came, Some(wanted)).is_ok(), "{flags}");
    }
}

/// Every text of a mismatch is short, on one line and safe for a terminal, and one field alone has what was expected.
fn tells_little(mismatch: &Mismatch, came: &[u8]) {
    let lower = |text: &str| text.to_lowercase();
    let has_canary = String::from_utf8_lossy(came).to_lowercase().contains(&CANARY[..4]);
    for text in [Some(&mismatch.message), Some(&mismatch.at), mismatch.actual.as_ref()].into_iter().flatten() {
        assert!(has_canary || !lower(text).contains(&CANARY[..4]), "{mismatch:?}");
    }
    let texts = [Some(&mismatch.message), Some(&mismatch.at), mismatch.actual.as_ref(), mismatch.expected.as_ref()];
    for text in texts.into_iter().flatten() {
        assert!(text.len() <= LONGEST && !text.chars().any(char::is_control), "{mismatch:?}");
    }
}
