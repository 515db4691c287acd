//! What was seen, held against what was expected.

use super::facts;
use super::program::Validators;
use crate::error::ExecutionError;
use crate::evaluate::adapter::{Observed, Part, Seen};
use crate::evaluate::check::{Check, Mismatch};
use crate::evaluate::{Difference, Evidence, Expect, Expectation, StatusCodes, Step, Verdict};
use crate::runtime::Termination;
use crate::session::Session;

/// Lists what speaks against the submission in one step.
///
/// Output of a command that did not end by itself is not compared: it is a part of what it would have been. Programs
/// that decide are asked only where nothing else speaks against the submission.
pub(super) async fn of_step(
    validators: &Validators,
    session: &Session,
    step: &Step,
    observed: &Observed,
) -> Result<Vec<(Verdict, Evidence)>, ExecutionError> {
    let mut found = observed.facts.clone();
    let mut ended_by_itself = found.is_empty();
    if let Some(result) = &observed.result {
        found.extend(facts::of_ending(result, &step.expect));
        ended_by_itself &= matches!(result.termination, Termination::Exited { .. });
    }
    if let Some(status) = observed.status {
        found.extend(of_status(status, &step.expect.status));
    }
    if !ended_by_itself {
        return Ok(found);
    }
    let mut programs = Vec::new();
    for (part, seen) in &observed.parts {
        let Some(expectation) = expectation_of(&step.expect, part) else { continue };
        match &expectation.check {
            Check::Compare(_) => found.extend(compare(session, part, seen, expectation)?),
            Check::Program(program) => programs.push((part, seen, program, expectation)),
        }
    }
    for (part, seen, program, expectation) in programs {
        if found.is_empty() {
            let mismatch = match seen {
                Seen::Bytes(actual) => validators.ask(session, program, step, expectation, actual).await?,
                Seen::Missing => Some(Mismatch::new("is missing")),
                Seen::Unusable(why) => Some(Mismatch::new(why.clone())),
            };
            found.extend(mismatch.map(|mismatch| (Verdict::Wa, evidence(part, expectation, mismatch))));
        }
    }
    Ok(found)
}

fn of_status(status: u16, accepted: &StatusCodes) -> Option<(Verdict, Evidence)> {
    if accepted.accepts(status) {
        return None;
    }
    let expected = match accepted {
        StatusCodes::OneOf(codes) => Some(codes.clone()),
        StatusCodes::Success | StatusCodes::Any => None,
    };
    Some((Verdict::Wa, Evidence::Status { status, expected }))
}

fn expectation_of<'a>(expect: &'a Expect, part: &Part) -> Option<&'a Expectation> {
    match part {
        Part::Stdout => expect.stdout.as_ref(),
        Part::Stderr => expect.stderr.as_ref(),
        Part::Body => expect.body.as_ref(),
        Part::File(path) => expect.files.get(path),
        Part::Header(name) => expect.headers.get(name),
    }
}

fn compare(
    session: &Session,
    part: &Part,
    seen: &Seen,
    expectation: &Expectation,
) -> Result<Option<(Verdict, Evidence)>, ExecutionError> {
    let Check::Compare(comparison) = &expectation.check else { return Ok(None) };
    let expected = match &expectation.expected {
        Some(data) => crate::evaluate::adapter::bytes(session, data)?,
        None => bytes::Bytes::new(),
    };
    let compared = match seen {
        Seen::Bytes(actual) => comparison.compare(&expected, Some(actual)),
        Seen::Missing => comparison.compare(&expected, None),
        Seen::Unusable(why) => Err(Mismatch::new(why.clone())),
    };
    Ok(compared.err().map(|mismatch| (Verdict::Wa, evidence(part, expectation, mismatch))))
}

fn evidence(part: &Part, expectation: &Expectation, mismatch: Mismatch) -> Evidence {
    let Mismatch { message, at, actual, expected, .. } = mismatch;
    let has_difference = !at.is_empty() || actual.is_some() || expected.is_some();
    Evidence::Mismatch {
        what: part.name(),
        check: expectation.check.name().to_owned(),
        message,
        difference: has_difference.then_some(Difference { at, expected, actual }),
    }
}
