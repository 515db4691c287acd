//! The report as JUnit XML: a suite a group, a test a case. `IE` is an error, `SK` is skipped, the rest fails.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::kind::unwritten;
use super::words::harmless_lines;
use super::{Audience, CaseRecord, Results, StreamRecord};
use crate::error::ExecutionError;
use crate::evaluate::{Evidence, Verdict};

/// The most bytes of a stream that stand in a test.
const MOST: usize = 4 << 10;

/// Writes the document.
pub(super) fn write(results: &Results, audience: Audience, out: &mut dyn Write) -> Result<(), ExecutionError> {
    let mut report = Report::new(results.facts().suite.clone());
    report.set_time(results.elapsed());
    let mut suites: BTreeMap<String, TestSuite> = BTreeMap::new();
    for record in results.view(audience) {
        let record = record?;
        let suite = suites.entry(record.group.clone()).or_insert_with(|| TestSuite::new(record.group.clone()));
        suite.add_test_case(test(&record));
    }
    // In the order of the groups.
    let order = results.score().groups.iter().map(|group| group.name.as_str());
    let sorted: Vec<TestSuite> = order.filter_map(|name| suites.remove(name)).collect();
    report.add_test_suites(sorted);
    report.serialize(out).map_err(unwritten)
}

fn test(record: &CaseRecord) -> TestCase {
    let mut test = TestCase::new(record.id.clone(), status(record));
    test.set_classname(record.group.clone());
    if let Some(seconds) = record.seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
        test.set_time(Duration::from_secs_f64(seconds));
    }
    if let Some(step) = record.steps.last().filter(|_| record.verdict != Verdict::Ac) {
        let shown = |stream: &Option<StreamRecord>| stream.as_ref().map(short).filter(|text| !text.is_empty());
        if let Some(text) = shown(&step.stdout) {
            test.set_system_out(text);
        }
        if let Some(text) = shown(&step.stderr) {
            test.set_system_err(text);
        }
    }
    test
}

fn status(record: &CaseRecord) -> TestCaseStatus {
    let kind = match record.verdict {
        Verdict::Ac => return TestCaseStatus::success(),
        Verdict::Sk => {
            let mut status = TestCaseStatus::skipped();
            if let Some(fact) = record.facts.first() {
                status.set_message(fact.to_string());
            }
            return status;
        }
        Verdict::Ie => NonSuccessKind::Error,
        Verdict::Ce | Verdict::Tle | Verdict::Mle | Verdict::Ole | Verdict::Rte | Verdict::Wa => {
            NonSuccessKind::Failure
        }
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(record.verdict.name());
    let lines: Vec<String> =
        record.facts.iter().flat_map(|fact| std::iter::once(fact.to_string()).chain(sides(&fact.evidence))).collect();
    if let Some(first) = lines.first() {
        status.set_message(first.clone());
        status.set_description(lines.join("\n"));
    }
    status
}

/// Gives both sides of a difference, where the record still has them.
pub(super) fn sides(evidence: &Evidence) -> Vec<String> {
    let Evidence::Mismatch { difference: Some(difference), .. } = evidence else { return Vec::new() };
    let side =
        |name: &str, text: &Option<String>| text.as_ref().map(|text| format!("{name}: {}", harmless_lines(text)));
    side("expected", &difference.expected).into_iter().chain(side("got", &difference.actual)).collect()
}

fn short(stream: &StreamRecord) -> String {
    let text = harmless_lines(&stream.shown());
    match text.char_indices().nth(MOST) {
        Some((cut, _)) => format!("{}\n… {} bytes in all", &text[..cut], stream.bytes),
        None => text,
    }
}
