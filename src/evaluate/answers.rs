//! Recording: what a solution printed becomes what is expected.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cap_std::fs::{Dir, OpenOptions};

use super::report::{CaseRecord, Results, StepRecord, StreamRecord};
use super::{Data, DataFile, Evidence, Expectation};
use crate::error::{ErrorKind, ExecutionError};

/// What came of recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The files that were written, as the cases name them.
    pub written: Vec<String>,
    /// How many files held the answer already.
    pub same: usize,
    /// What could not be recorded: the case, and why.
    pub left: Vec<(String, String)>,
}

impl Results {
    /// Writes what the submission printed into the files that hold what is expected of its standard streams.
    ///
    /// Answers that stand in the case file itself are left to their author, and so is what did not end by itself. What
    /// is longer than [`MAX_KEPT`](super::MAX_KEPT) is looked up in `outputs`, the directory of
    /// [`keep_outputs`](super::EvaluationBuilder::keep_outputs).
    ///
    /// # Errors
    /// A journal that cannot be read, and a file beside the cases that cannot be written.
    pub fn record_answers(&self, outputs: Option<&Dir>) -> Result<Recorded, ExecutionError> {
        let mut recorded = Recorded::default();
        let mut taken: BTreeMap<String, blake3::Hash> = BTreeMap::new();
        for (case, record) in self.cases().iter().zip(self.records()) {
            let record = record?;
            for (number, step) in case.steps.iter().enumerate() {
                let streams = [("stdout", &step.expect.stdout), ("stderr", &step.expect.stderr)];
                for (name, expectation) in streams.into_iter().filter_map(|(name, one)| Some((name, one.as_ref()?))) {
                    let one = answer(&record, (number, name), expectation, outputs).and_then(|(file, bytes)| {
                        let hash = blake3::hash(&bytes);
                        match taken.insert(file.path.clone(), hash) {
                            Some(other) if other != hash => Err(format!("`{}` is the answer of two cases", file.path)),
                            Some(_) | None => Ok((file, bytes)),
                        }
                    });
                    match one {
                        Err(why) => recorded.left.push((record.id.clone(), format!("{name}: {why}"))),
                        Ok((file, bytes)) if file.bytes().is_ok_and(|old| *old == *bytes) => recorded.same += 1,
                        Ok((file, bytes)) => {
                            write(file, &bytes)?;
                            recorded.written.push(file.path.clone());
                        }
                    }
                }
            }
        }
        Ok(recorded)
    }
}

/// Gives what is to be written where, or why nothing is.
fn answer<'a>(
    record: &CaseRecord,
    (number, name): (usize, &str),
    expectation: &'a Expectation,
    outputs: Option<&Dir>,
) -> Result<(&'a DataFile, Vec<u8>), String> {
    let Some(Data::File(file)) = &expectation.expected else {
        return Err("the answer stands in the case file, or in the checker".to_owned());
    };
    let other = record.facts.iter().find(|fact| !matches!(fact.evidence, Evidence::Mismatch { .. }));
    if let Some(fact) = other {
        return Err(fact.to_string());
    }
    let step = record.steps.get(number).ok_or("an earlier step was not what was expected; record again")?;
    let stream = stream(step, name).ok_or("nothing was seen of it")?;
    whole(stream, outputs)
        .map(|bytes| (file, bytes))
        .ok_or_else(|| format!("{} bytes are more than is kept", stream.bytes))
}

fn stream<'a>(step: &'a StepRecord, name: &str) -> Option<&'a StreamRecord> {
    if name == "stdout" { step.stdout.as_ref() } else { step.stderr.as_ref() }
}

fn whole(stream: &StreamRecord, outputs: Option<&Dir>) -> Option<Vec<u8>> {
    if stream.omitted.is_some() {
        return outputs?.read(stream.blake3.as_ref()?).ok();
    }
    match (&stream.text, &stream.base64) {
        (Some(text), _) => Some(text.clone().into_bytes()),
        (None, Some(coded)) => STANDARD.decode(coded).ok(),
        (None, None) => Some(Vec::new()),
    }
}

/// Writes a file beside the cases in one piece.
fn write(file: &DataFile, bytes: &[u8]) -> Result<(), ExecutionError> {
    let failed = |error: std::io::Error| {
        ExecutionError::new(ErrorKind::Workspace, format!("cannot write the answer `{}`: {error}", file.path))
    };
    let draft = format!("{}.draft-{}", file.path, std::process::id());
    let mut options = OpenOptions::new();
    let mut put = || {
        let mut out = file.base.open_with(&draft, options.write(true).create_new(true))?;
        std::io::Write::write_all(&mut out, bytes)?;
        file.base.rename(&draft, &file.base, &file.path)
    };
    put().map_err(|error| {
        // The failure before it is the one to tell.
        let _ = file.base.remove_file(&draft);
        failed(error)
    })
}
