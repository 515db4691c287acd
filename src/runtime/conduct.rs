//! One command from its place in the queue to its result: what is the same for every guest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::admission::{Place, Turn};
use super::shared::Shared;
use super::slot::Outcome;
use super::{
    AdmissionGroup, Control, Denied, End, Ending, InForce, Job, Measured, RuntimeResult, SolutionRuntimeError, Stop,
    Termination, Usage,
};
use crate::spec::{LimitName, LimitValue, Limits};

/// Runs a job to its result.
pub(super) async fn conduct(shared: Arc<Shared>, job: Job, in_force: InForce, turn: Option<Turn>) -> Outcome {
    let control = Arc::clone(&job.control);
    let (stdout, stderr) = (Arc::clone(&job.stdout), Arc::clone(&job.stderr));
    let stdin_given = job.stdin.was_given();
    let _ticket = shared.launch.admission.ask();
    let began = Instant::now();
    let place = queue(&shared.launch.admission, turn, &control).await?;
    let queued = began.elapsed();
    let Some(place) = place else {
        return finish(&shared, &control, in_force, Ending::new(End::Stopped(None)), queued);
    };
    let ending = match shared.setup_failure() {
        Some(ending) => ending,
        None => run(&shared, job, &control, &in_force.limits).await,
    };
    drop(place);
    let met_closed_stdin = ending.met_end_of_stdin && !stdin_given;
    let mut result = finish(&shared, &control, in_force, ending, queued)?;
    if let Some(result) = Arc::get_mut(&mut result) {
        (result.stdout, result.stderr) = (stdout.finish(), stderr.finish());
        result.met_closed_stdin = met_closed_stdin;
        settle_output_value(result);
    }
    log(&shared, &result);
    Ok(result)
}

/// Logs that a command ended. No word of the command and nothing that the guest made: logs are read by other tools.
fn log(shared: &Shared, result: &RuntimeResult) {
    tracing::info!(
        target: "bailiwick::command",
        isolation = shared.launch.isolation,
        termination = result.termination.name(),
        exit_code = result.exit_code(),
        wall_seconds = result.usage.wall_time.value().map(Duration::as_secs_f64),
        stdout_bytes = result.stdout.bytes,
        stderr_bytes = result.stderr.bytes,
        "a command ended"
    );
}

struct Queued {
    _place: Place,
    _turn: Option<tokio::sync::OwnedSemaphorePermit>,
}

/// Waits for a turn on the runtime, then for a place of the process; `None` when the command was stopped first.
async fn queue(
    admission: &AdmissionGroup,
    turn: Option<Turn>,
    control: &Control,
) -> Result<Option<Queued>, SolutionRuntimeError> {
    if control.is_stopped() {
        return Ok(None);
    }
    let enter = async {
        let turn = match turn {
            Some(turn) => Some(turn.come().await?),
            None => None,
        };
        Ok(Some(Queued { _place: admission.enter().await?, _turn: turn }))
    };
    let too_long = async {
        match admission.queue_timeout() {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        entered = enter => entered,
        _ = control.stopped() => Ok(None),
        () = too_long => Err(SolutionRuntimeError::Busy),
    }
}

/// Runs the guest, and stops it when its wall or idle time is over.
async fn run(shared: &Shared, job: Job, control: &Control, limits: &Limits) -> Ending {
    let mut guest = shared.guest.run(job);
    let ending = tokio::select! {
        biased;
        ending = &mut guest => Some(ending),
        stop = watch(control, limits) => {
            control.stop(stop);
            None
        }
    };
    let ending = match ending {
        Some(ending) => ending,
        None => guest.await,
    };
    control.mark_ended();
    ending
}

/// Waits until the wall or the idle time is over.
async fn watch(control: &Control, limits: &Limits) -> Stop {
    let (wall, idle) = (limits.time(LimitName::WallTime), limits.time(LimitName::IdleTime));
    if wall.is_none() && idle.is_none() {
        return std::future::pending().await;
    }
    let started = control.wait_started().await;
    loop {
        if control.has_ended() {
            // What the runtime does now is not the guest's time.
            return std::future::pending().await;
        }
        let wall_left = wall.map(|wall| wall.saturating_sub(started.elapsed()));
        let idle_left = idle.map(|idle| idle.saturating_sub(control.silence()));
        if wall_left == Some(Duration::ZERO) {
            return Stop::Limit(LimitName::WallTime, LimitValue::Time(started.elapsed()));
        }
        if idle_left == Some(Duration::ZERO) {
            return Stop::Limit(LimitName::IdleTime, LimitValue::Time(control.silence()));
        }
        let nap = wall_left.unwrap_or(Duration::MAX).min(idle_left.unwrap_or(Duration::MAX));
        tokio::time::sleep(nap).await;
    }
}

/// Turns an ending into a result, without its output.
fn finish(shared: &Shared, control: &Control, in_force: InForce, ending: Ending, queued: Duration) -> Outcome {
    let InForce { limits, best_effort, unenforced } = in_force;
    let wall = control.lived();
    let (termination, guest_code) = judge(control.stop_reason(), &limits, wall, &ending)?;
    let mut notes = shared.notes();
    notes.extend(ending.notes);
    notes.extend(ending.denied.iter().map(|Denied { limit, value }| format!("the {limit} limit refused {value}")));
    let usage = Usage {
        queued: Measured::known(queued, "monotonic clock"),
        wall_time: wall
            .map_or(Measured::not_measured("never started"), |wall| Measured::known(wall, "monotonic clock")),
        cpu_time: ending.cpu_time,
        peak_memory: ending.peak_memory,
        fuel: ending.fuel,
        disk_written: ending.disk_written,
    };
    Ok(Arc::new(RuntimeResult {
        termination,
        guest_code,
        stdout: super::Output::default(),
        stderr: super::Output::default(),
        setup: shared.setup(),
        usage,
        isolation: shared.launch.isolation,
        machine: shared.guest.machine(),
        program: ending.program,
        limits,
        best_effort,
        unenforced,
        notes,
        met_closed_stdin: false,
    }))
}

/// Decides how the command ended: what stopped it, else a limit that refused it something, else what it did.
fn judge(
    stop: Option<Stop>,
    limits: &Limits,
    wall: Option<Duration>,
    ending: &Ending,
) -> Result<(Termination, Option<i32>), SolutionRuntimeError> {
    let exceeded = |limit, value| match limits.get(limit).value {
        Some(allowed) => Termination::LimitExceeded { limit, value, allowed },
        None => Termination::LimitExceeded { limit, value, allowed: value },
    };
    let denied = ending.denied.first().map(|denied| exceeded(denied.limit, denied.value));
    let own_code = match &ending.end {
        End::Exited(code) | End::Stopped(Some(code)) => Some(*code),
        End::Signaled { .. } | End::Trapped { .. } | End::Limit(..) | End::NotStarted { .. } => None,
        End::Stopped(None) | End::Failed(_) => None,
    };
    if let End::Failed(error) = &ending.end {
        return Err(error.clone());
    }
    if let Some(stop) = stop.or_else(|| overrun(limits, wall, ending)) {
        let termination = match stop {
            Stop::Kill(by) => Termination::Killed { by },
            Stop::Limit(limit, seen) => exceeded(limit, measured(limit, seen, wall, ending)),
        };
        return Ok((termination, own_code));
    }
    Ok(match &ending.end {
        End::Exited(0) => (Termination::Exited { code: 0 }, None),
        End::Exited(code) => match denied {
            Some(termination) => (termination, Some(*code)),
            None => (Termination::Exited { code: *code }, None),
        },
        End::Signaled { signal, by } => (denied.unwrap_or(Termination::Signaled { signal: *signal, by: *by }), None),
        End::Trapped { trap, message, backtrace } => {
            let (message, backtrace) = (message.clone(), backtrace.clone());
            (denied.unwrap_or(Termination::Trapped { trap, message, backtrace }), None)
        }
        End::Limit(limit, value) => (exceeded(*limit, *value), None),
        End::NotStarted { reason, message, known } => {
            let (message, known) = (message.clone(), known.clone());
            (Termination::NotStarted { reason: *reason, message, known }, None)
        }
        // Without a stop there is nothing that could have stopped it: the runtime broke its promise.
        End::Stopped(_) | End::Failed(_) => return Err(SolutionRuntimeError::Cancelled),
    })
}

/// Finds the limit of time that a guest overran before anybody stopped it: what was measured decides, not who looked
/// first.
fn overrun(limits: &Limits, wall: Option<Duration>, ending: &Ending) -> Option<Stop> {
    match &ending.end {
        End::Exited(_) | End::Signaled { .. } | End::Trapped { .. } => {}
        End::Limit(..) | End::NotStarted { .. } | End::Stopped(_) | End::Failed(_) => return None,
    }
    let used = [(LimitName::WallTime, wall), (LimitName::CpuTime, ending.cpu_time.value().copied())];
    used.into_iter().find_map(|(limit, used)| {
        let (used, allowed) = (used?, limits.time(limit)?);
        (used > allowed).then_some(Stop::Limit(limit, LimitValue::Time(used)))
    })
}

/// Gives what was measured when the command was dead, which says how far past the limit it got.
fn measured(limit: LimitName, seen: LimitValue, wall: Option<Duration>, ending: &Ending) -> LimitValue {
    match limit {
        LimitName::WallTime => wall.map_or(seen, LimitValue::Time),
        LimitName::CpuTime => ending.cpu_time.value().map_or(seen, |cpu| LimitValue::Time(*cpu)),
        LimitName::IdleTime
        | LimitName::Memory
        | LimitName::Output
        | LimitName::Disk
        | LimitName::Entries
        | LimitName::FileSize
        | LimitName::OpenFiles
        | LimitName::Processes
        | LimitName::Cpus
        | LimitName::Stack
        | LimitName::Fuel => seen,
    }
}

/// Gives the output limit the number of bytes that were printed when everything was drained.
fn settle_output_value(result: &mut RuntimeResult) {
    let printed = result.stdout.bytes.max(result.stderr.bytes);
    if let Termination::LimitExceeded { limit: LimitName::Output, value, .. } = &mut result.termination {
        *value = LimitValue::Bytes(printed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Killer;
    use crate::spec::Mode;

    fn judged(stop: Option<Stop>, ending: Ending) -> (Termination, Option<i32>) {
        judged_after(Duration::from_secs(61), stop, ending)
    }

    fn judged_after(wall: Duration, stop: Option<Stop>, ending: Ending) -> (Termination, Option<i32>) {
        judge(stop, &Limits::defaults(Mode::Evaluation), Some(wall), &ending).unwrap()
    }

    fn denied_memory(end: End) -> Ending {
        let mut ending = Ending::new(end);
        ending.denied.push(Denied { limit: LimitName::Memory, value: LimitValue::Bytes(1 << 30) });
        ending
    }

    #[test]
    fn a_refused_growth_names_the_end_only_of_a_guest_that_failed() {
        let memory = |ending| {
            let termination = judged_after(Duration::from_secs(1), None, denied_memory(ending)).0;
            if let Termination::LimitExceeded { limit, .. } = termination { Some(limit) } else { None }
        };
        assert_eq!(memory(End::Exited(0)), None);
        assert_eq!(memory(End::Exited(1)), Some(LimitName::Memory));
        let trap = End::Trapped { trap: "unreachable", message: String::new(), backtrace: vec![] };
        assert_eq!(memory(trap), Some(LimitName::Memory));
    }

    #[test]
    fn what_was_measured_decides_though_nobody_stopped_the_guest() {
        let at_limit = judged_after(Duration::from_secs(60), None, Ending::new(End::Exited(0))).0;
        assert_eq!(at_limit, Termination::Exited { code: 0 }, "the limit itself is allowed");
        let (late, own) = judged(None, Ending::new(End::Exited(3)));
        assert_eq!((late.exit_code(), late.timed_out(), own), (124, true, Some(3)));
        let mut limits = Limits::defaults(Mode::Evaluation);
        let (value, from) = (Some(LimitValue::Time(Duration::from_secs(1))), crate::spec::Provenance::Spec);
        limits.set(LimitName::CpuTime, crate::spec::Bound { value, from });
        let mut ending = Ending::new(End::Exited(0));
        ending.cpu_time = Measured::known(Duration::from_millis(1001), "test");
        let (termination, _) = judge(None, &limits, Some(Duration::from_secs(2)), &ending).unwrap();
        assert!(matches!(termination, Termination::LimitExceeded { limit: LimitName::CpuTime, .. }));
    }

    #[test]
    fn the_first_stop_wins_over_what_the_guest_says() {
        let late = Stop::Limit(LimitName::WallTime, LimitValue::Time(Duration::from_secs(60)));
        let (termination, own) = judged(Some(late), Ending::new(End::Exited(0)));
        assert_eq!((termination.exit_code(), own), (124, Some(0)));
        let expected = LimitValue::Time(Duration::from_secs(61));
        assert!(matches!(termination, Termination::LimitExceeded { value, .. } if value == expected));
        let killed = judged(Some(Stop::Kill(Killer::Caller)), Ending::new(End::Stopped(None))).0;
        assert_eq!(killed.exit_code(), 143);
    }
}
