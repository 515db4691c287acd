//! The set-up of a runtime: command lines in the sandbox, before the first command, each with its own result.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::commands::Shared;
use super::{Command, RuntimeResult, SetupOutcome, SolutionRuntimeError};
use crate::spec::{Limit, LimitsConfig, OnFailure, Span};

/// Runs every set-up line; a failed one ends the set-up where failures count.
pub(super) async fn run_setup(
    shared: &Arc<Shared>,
    lines: Vec<String>,
) -> Result<Vec<SetupOutcome>, SolutionRuntimeError> {
    let config = &shared.launch.spec.setup;
    let deadline = Instant::now() + config.wall_time.0;
    let mut outcomes = Vec::with_capacity(lines.len());
    for line in lines {
        let outcome = run_line(shared, line, deadline).await?;
        let failed = !outcome.termination.is_success();
        outcomes.push(outcome);
        if failed && config.on_failure == OnFailure::Fail {
            break;
        }
    }
    Ok(outcomes)
}

async fn run_line(shared: &Arc<Shared>, line: String, deadline: Instant) -> Result<SetupOutcome, SolutionRuntimeError> {
    const SHORTEST: Duration = Duration::from_millis(1);
    let began = Instant::now();
    let left = deadline.saturating_duration_since(began).max(SHORTEST);
    let limits = LimitsConfig { wall_time: Limit::Set(Span(left)), ..LimitsConfig::default() };
    let result = Arc::clone(shared).execute_setup(Command::line(line.clone()).limited_by(limits)).await?;
    Ok(outcome(line, &result, began.elapsed()))
}

fn outcome(command: String, result: &RuntimeResult, elapsed: Duration) -> SetupOutcome {
    let (stdout, stderr) = (result.stdout.clone(), result.stderr.clone());
    SetupOutcome { command, termination: result.termination.clone(), stdout, stderr, elapsed }
}
