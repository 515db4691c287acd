//! The set-up of a runtime: command lines in the sandbox, before the first command, each with its own result.

use std::sync::Arc;
use std::time::Duration;

use super::ask::tighten;
use super::shared::Shared;
use super::{Command, InForce, RuntimeResult, SetupOutcome, SolutionRuntimeError};
use crate::spec::{Limit, Limits, LimitsConfig, OnFailure, Span};

/// The least time that a line gets, when those before it have used up what there was.
const SHORTEST: Duration = Duration::from_millis(1);

/// Runs every set-up line; a failed one ends the set-up where failures count.
pub(super) async fn run_setup(
    shared: &Arc<Shared>,
    lines: Vec<String>,
) -> Result<Vec<SetupOutcome>, SolutionRuntimeError> {
    let config = &shared.launch.spec.setup;
    // Only the guests' own time counts: how long they wait for a place is the host's affair.
    let mut left = config.wall_time.0;
    let mut outcomes = Vec::with_capacity(lines.len());
    for line in lines {
        let outcome = run_line(shared, line, left.max(SHORTEST)).await?;
        left = left.saturating_sub(outcome.elapsed);
        let failed = !outcome.termination.is_success();
        outcomes.push(outcome);
        if failed && config.on_failure == OnFailure::Fail {
            break;
        }
    }
    Ok(outcomes)
}

async fn run_line(shared: &Arc<Shared>, line: String, left: Duration) -> Result<SetupOutcome, SolutionRuntimeError> {
    let limits = LimitsConfig { wall_time: Limit::Set(Span(left)), ..LimitsConfig::default() };
    let result = shared.execute_setup(Command::line(line.clone()).limited_by(limits)).await?;
    Ok(outcome(line, &result))
}

fn outcome(command: String, result: &RuntimeResult) -> SetupOutcome {
    let (stdout, stderr) = (result.stdout.clone(), result.stderr.clone());
    let elapsed = result.usage.wall_time.value().copied().unwrap_or_default();
    SetupOutcome { command, termination: result.termination.clone(), stdout, stderr, elapsed }
}

impl Shared {
    /// Runs a set-up line, under the set-up's own time and the host's ceilings, and no ceiling of the spec.
    async fn execute_setup(self: &Arc<Self>, command: Command) -> Result<Arc<RuntimeResult>, SolutionRuntimeError> {
        let mut limits = Limits::defaults(self.launch.mode);
        for (name, bound) in self.launch.limits.iter().filter(|(name, _)| !name.is_per_command()) {
            limits.set(name, bound);
        }
        let limits = self.launch.host.policy.lower(tighten(&limits, &command.limits)?);
        let in_force = InForce { limits, ..self.launch.in_force() };
        let (slot, _) = self.begin(command, in_force, false)?;
        slot.drive().await
    }
}
