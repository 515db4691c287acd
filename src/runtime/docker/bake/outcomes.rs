//! What a set-up did, as a file beside what it made: a head in JSON, then what was printed, as it was.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::runtime::{Omitted, Output, SetupOutcome, Termination};

/// The longest file that is kept.
pub(super) const MOST: usize = 64 << 20;

#[derive(Serialize, Deserialize)]
struct Line {
    command: String,
    elapsed: Duration,
    printed: [Printed; 2],
}

#[derive(Serialize, Deserialize)]
struct Printed {
    kept: usize,
    bytes: u64,
    omitted: Option<(u64, u64)>,
}

/// Writes down a set-up that succeeded; nothing where one of its lines failed or it printed too much to be kept.
pub(super) fn encode(outcomes: &[SetupOutcome]) -> Option<Vec<u8>> {
    if outcomes.iter().any(|outcome| !outcome.termination.is_success()) {
        return None;
    }
    let lines: Vec<Line> = outcomes.iter().map(line).collect();
    let mut text = serde_json::to_vec(&lines).ok()?;
    text.push(b'\n');
    for outcome in outcomes {
        text.extend_from_slice(&outcome.stdout.kept);
        text.extend_from_slice(&outcome.stderr.kept);
    }
    (text.len() <= MOST).then_some(text)
}

/// Reads it; nothing where it is not what was written.
pub(super) fn decode(text: &[u8]) -> Option<Vec<SetupOutcome>> {
    // JSON has no plain line feed within.
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let (head, mut rest) = (&text[..end], &text[end + 1..]);
    let lines: Vec<Line> = serde_json::from_slice(head).ok()?;
    let mut outcomes = Vec::with_capacity(lines.len());
    for Line { command, elapsed, printed: [stdout, stderr] } in lines {
        let stdout = output(&stdout, &mut rest)?;
        let stderr = output(&stderr, &mut rest)?;
        outcomes.push(SetupOutcome { command, termination: Termination::Exited { code: 0 }, stdout, stderr, elapsed });
    }
    rest.is_empty().then_some(outcomes)
}

fn line(outcome: &SetupOutcome) -> Line {
    let printed = [&outcome.stdout, &outcome.stderr].map(|output| Printed {
        kept: output.kept.len(),
        bytes: output.bytes,
        omitted: output.omitted.map(|omitted| (omitted.at, omitted.bytes)),
    });
    Line { command: outcome.command.clone(), elapsed: outcome.elapsed, printed }
}

fn output(printed: &Printed, rest: &mut &[u8]) -> Option<Output> {
    let (kept, after) = rest.split_at_checked(printed.kept)?;
    *rest = after;
    let omitted = printed.omitted.map(|(at, bytes)| Omitted { at, bytes });
    Some(Output { kept: Bytes::copy_from_slice(kept), bytes: printed.bytes, omitted })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(code: i32, printed: &'static [u8]) -> SetupOutcome {
        let omitted = Some(Omitted { at: 1, bytes: 7 });
        SetupOutcome {
            command: "make\n\"x\"".to_owned(),
            termination: Termination::Exited { code },
            stdout: Output { kept: Bytes::from_static(printed), bytes: printed.len() as u64 + 7, omitted },
            stderr: Output { kept: Bytes::from_static(b"\n"), bytes: 1, omitted: None },
            elapsed: Duration::from_micros(1_234_567),
        }
    }

    #[test]
    fn what_was_written_comes_back_and_a_failure_is_never_written() {
        let all = [outcome(0, b"\xff\n[]"), outcome(0, b"")];
        let text = encode(&all).unwrap();
        assert_eq!(format!("{:?}", decode(&text).unwrap()), format!("{all:?}"));
        assert_eq!(decode(&encode(&[]).unwrap()).unwrap().len(), 0);
        assert!(encode(&[outcome(0, b""), outcome(1, b"")]).is_none());
    }

    #[test]
    fn anything_else_is_told_from_it() {
        let text = encode(&[outcome(0, b"abc")]).unwrap();
        assert!(decode(&text[..text.len() - 1]).is_none());
        assert!(decode(&[&text[..], b"x"].concat()).is_none());
        assert!(decode(b"").is_none() && decode(b"{}\n").is_none());
    }
}
