//! What is kept of a step: bounded, and what was expected only where somebody will look for it.

use std::time::Duration;

use cap_std::fs::{Dir, OpenOptions};

use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::{Observed, Part, Seen};
use crate::evaluate::report::{CaseRecord, Expected, MAX_KEPT, Measure, StepRecord, StreamRecord};
use crate::evaluate::{Case, Data, Evidence, Expect, Fact, Judgement, Step, Verdict, Visibility};

/// The most that is kept of an input, or of what was expected.
const MOST: usize = 4 << 10;

/// Keeps what was seen in a step.
pub(super) fn of_step(case: &Case, step: &Step, observed: &Observed, found: &[(Verdict, Evidence)]) -> StepRecord {
    let mut record = StepRecord { command: observed.command.clone(), status: observed.status, ..StepRecord::default() };
    if let Some(result) = &observed.result {
        // Without its times, which have figures of their own: equal runs have equal endings.
        record.ending = Some(result.termination.to_string());
        record.exit_code = Some(result.exit_code());
        record.stdout = Some((&result.stdout).into());
        record.stderr = Some((&result.stderr).into());
        record.wall_time = Some(Measure::time(&result.usage.wall_time));
        record.cpu_time = Some(Measure::time(&result.usage.cpu_time));
        record.peak_memory = Some(Measure::bytes(&result.usage.peak_memory));
        record.notes.clone_from(&result.notes);
    }
    for (part, seen) in &observed.parts {
        let Seen::Bytes(bytes) = seen else { continue };
        match part {
            Part::Body => record.body = Some(StreamRecord::of(bytes, MAX_KEPT)),
            Part::Stdout if record.stdout.is_none() => record.stdout = Some(StreamRecord::of(bytes, MAX_KEPT)),
            Part::Stderr if record.stderr.is_none() => record.stderr = Some(StreamRecord::of(bytes, MAX_KEPT)),
            Part::Stdout | Part::Stderr | Part::File(_) | Part::Header(_) => {}
        }
    }
    if case.visibility == Visibility::Full || !found.is_empty() {
        let input = step.stdin.as_ref().or_else(|| step.request.as_ref()?.body.as_ref());
        record.input = input.and_then(excerpt);
        record.expected = expected(&step.expect);
    }
    record
}

/// Keeps what a record does not keep whole, in files named by their hashes.
///
/// # Errors
/// What cannot be written.
pub(super) fn keep_long(dir: &Dir, observed: &Observed) -> Result<(), ExecutionError> {
    let Some(result) = &observed.result else { return Ok(()) };
    for output in [&result.stdout, &result.stderr] {
        if output.omitted.is_some() || output.kept.len() <= MAX_KEPT {
            continue;
        }
        let name = blake3::hash(&output.kept).to_hex();
        let mut options = OpenOptions::new();
        let written = match dir.open_with(name.as_str(), options.write(true).create_new(true)) {
            Ok(mut file) => std::io::Write::write_all(&mut file, &output.kept),
            // Another case printed the same.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        };
        written.map_err(|error| ExecutionError::new(ErrorKind::Workspace, error))?;
    }
    Ok(())
}

fn expected(expect: &Expect) -> Vec<Expected> {
    let named = |what: String, expectation: &crate::evaluate::Expectation| Expected {
        what,
        check: expectation.check.name().to_owned(),
        content: expectation.expected.as_ref().and_then(excerpt),
    };
    let streams = [(Part::Stdout, &expect.stdout), (Part::Stderr, &expect.stderr), (Part::Body, &expect.body)];
    let streams = streams.into_iter().filter_map(|(part, one)| Some(named(part.name(), one.as_ref()?)));
    let files = expect.files.iter().map(|(path, one)| named(Part::File(path.clone()).name(), one));
    let headers = expect.headers.iter().map(|(name, one)| named(Part::Header(name.clone()).name(), one));
    streams.chain(files).chain(headers).collect()
}

fn excerpt(data: &Data) -> Option<StreamRecord> {
    data.read().ok().map(|bytes| StreamRecord::of(&bytes, MOST))
}

/// Keeps a case that was judged.
pub(super) fn of_case(
    (index, case): (usize, &Case),
    judgement: Judgement,
    steps: Vec<StepRecord>,
    tries: u32,
    took: Option<Duration>,
) -> CaseRecord {
    let file = Some(case.origin.file.to_string()).filter(|file| !file.is_empty());
    CaseRecord {
        index,
        id: case.id.clone(),
        group: case.group.clone(),
        points: case.points,
        visibility: case.visibility,
        verdict: judgement.verdict,
        facts: judgement.facts,
        steps,
        tries,
        seconds: took.map(|took| took.as_secs_f64()),
        file,
        line: case.origin.line,
    }
}

/// Makes the record of a case that was not run.
pub(super) fn of_nothing(place: (usize, &Case), verdict: Verdict, evidence: Evidence) -> CaseRecord {
    let fact = Fact { step: None, verdict, evidence };
    of_case(place, Judgement::of(vec![fact]), Vec::new(), 0, None)
}
