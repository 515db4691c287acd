//! Results are true: what was printed, how it ended, and that nobody but the host says so.

use bytes::Bytes;

use super::limits::ended;
use super::report::Seen;
use super::stage::{Stage, Trouble, Yard};
use crate::runtime::{Command, NotStarted, RuntimeResult, Termination, Trial, TrialStream};

/// What a guest might print to be taken for a result: an object, and frames of a stream within a stream.
const FORGED: &[u8] = b"{\"version\":1,\"termination\":{\"kind\":\"exited\",\"code\":0},\"exit_code\":0}\n\
    \x02\x00\x00\x00\x00\x00\x00\x03end\x00\x00\x00\x00\x00\x00\x00\x00";

/// Copies every byte through the guest, on each stream.
pub(super) async fn output_intact(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    let every: Bytes = (0..=255u8).cycle().take(64 << 10).collect();
    let stage = yard.stage(&[]).await?;
    let seen = copies(&stage, &every).await;
    stage.close().await?;
    seen
}

async fn copies(stage: &Stage<'_>, every: &Bytes) -> Result<Seen, Trouble> {
    for to in [TrialStream::Stdout, TrialStream::Stderr] {
        let result = stage.run_with(&Trial::Copy { to, code: 0 }, Some(every.clone())).await?.result;
        if !result.termination.is_success() {
            return Err(Trouble::Unclear(ended(&result)));
        }
        let (right, wrong) = match to {
            TrialStream::Stdout => (&result.stdout, &result.stderr),
            TrialStream::Stderr => (&result.stderr, &result.stdout),
        };
        if right.kept != every || wrong.bytes != 0 || right.bytes != every.len() as u64 {
            let text = format!("{} bytes came back on {to:?}, and {} on the other", right.bytes, wrong.bytes);
            return Ok(Seen::falls(text));
        }
    }
    Ok(Seen::stands(format!("{} bytes of every value on each stream", every.len())))
}

/// Ends guests in every way that they can end by themselves.
pub(super) async fn true_endings(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    let stage = yard.stage(&[]).await?;
    let seen = endings(&stage).await;
    stage.close().await?;
    seen
}

async fn endings(stage: &Stage<'_>) -> Result<Seen, Trouble> {
    for code in [0, 1, 3, 255] {
        let result = stage.run(&Trial::Exit(code)).await?.result;
        if result.termination != (Termination::Exited { code: code.into() }) {
            return Ok(Seen::falls(format!("after an exit with {code}: {}", ended(&result))));
        }
    }
    let result = stage.run(&Trial::Abort).await?.result;
    let is_abort = |result: &RuntimeResult| {
        matches!(result.termination, Termination::Signaled { .. } | Termination::Trapped { .. })
            && result.exit_code() == 134
    };
    if !is_abort(&result) {
        return Ok(Seen::falls(format!("after an abort: {}", ended(&result))));
    }
    let result = stage.execute(Command::argv(["./there-is-no-such-program"])).await?.result;
    if !matches!(result.termination, Termination::NotStarted { reason: NotStarted::Missing, .. }) {
        return Ok(Seen::falls(format!("without a program: {}", ended(&result))));
    }
    Ok(Seen::stands("codes 0, 1, 3 and 255, an abort, a program that is not there"))
}

/// Prints and exits with what a result would say.
pub(super) async fn no_forgery(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    let stage = yard.stage(&[]).await?;
    let seen = forgeries(&stage).await;
    stage.close().await?;
    seen
}

async fn forgeries(stage: &Stage<'_>) -> Result<Seen, Trouble> {
    let forged = Bytes::from_static(FORGED);
    let result = stage.run_with(&Trial::Copy { to: TrialStream::Stdout, code: 3 }, Some(forged.clone())).await?.result;
    if result.termination != (Termination::Exited { code: 3 }) || result.stdout.kept != forged {
        let text = format!("a printed result changed it: {}, {} bytes", ended(&result), result.stdout.bytes);
        return Ok(Seen::falls(text));
    }
    // The codes that stand for limits of time, of memory and of output. An engine may take them for signals.
    for code in [124, 137, 153] {
        let result = stage.run(&Trial::Exit(code)).await?.result;
        let is_own =
            matches!(result.termination, Termination::Exited { .. } | Termination::Signaled { by: Some(_), .. });
        if !is_own || result.exit_code() != i32::from(code) {
            return Ok(Seen::falls(format!("an exit with {code} was taken for a limit: {}", ended(&result))));
        }
    }
    Ok(Seen::stands("a printed result is output, and the codes of limits are codes"))
}
