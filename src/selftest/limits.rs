//! Every limit, below it and past it.

use std::time::Duration;

use super::report::Seen;
use super::stage::{Trouble, Yard};
use crate::runtime::{RuntimeResult, Termination, Trial, TrialGuest};
use crate::spec::{LimitName, LimitValue, OutputOverflow};

/// How late a limit of time may end a guest and still stand.
const LATE: Duration = Duration::from_secs(2);
/// Processors that a guest may use where its limit is half of one: a busy host measures roughly.
const MOST_CORES: f64 = 0.8;

/// How a limit is tried: its value, who stays below it, who goes past it.
struct Plan {
    value: &'static str,
    below: Trial,
    past: Vec<Trial>,
}

fn plan(limit: LimitName) -> Plan {
    const MIB: u64 = 1 << 20;
    let asleep = Trial::Sleep(Duration::from_secs(30));
    let plan = |value, below, past| Plan { value, below, past: vec![past] };
    match limit {
        LimitName::WallTime => {
            Plan { value: "1s", below: Trial::Sleep(Duration::from_millis(20)), past: vec![Trial::Spin, asleep] }
        }
        LimitName::CpuTime => plan("300ms", Trial::Exit(0), Trial::Spin),
        LimitName::IdleTime => plan("1s", Trial::Tick { every: Duration::from_millis(250), times: 6 }, asleep),
        LimitName::Memory => plan("64MiB", Trial::TakeMemory(32 * MIB), Trial::TakeMemory(256 * MIB)),
        LimitName::Output => plan("4KiB", Trial::Print(4096), Trial::Print(4097)),
        LimitName::Disk => plan("1MiB", Trial::WriteFile(MIB / 4), Trial::WriteFile(4 * MIB)),
        LimitName::Entries => plan("64", Trial::MakeFiles(16), Trial::MakeFiles(300)),
        LimitName::FileSize => plan("64KiB", Trial::WriteFile(64 << 10), Trial::WriteFile((64 << 10) + 1)),
        LimitName::OpenFiles => plan("64", Trial::OpenFiles(16), Trial::OpenFiles(300)),
        LimitName::Processes => plan("32", Trial::StartProcesses(8), Trial::StartProcesses(128)),
        LimitName::Cpus => plan("0.5", Trial::Exit(0), Trial::SpinMany(2)),
        LimitName::Stack => plan("1MiB", Trial::Exit(0), Trial::UseStack(MIB)),
        LimitName::Fuel => plan("1000000", Trial::Exit(0), Trial::Spin),
    }
}

fn in_force(limit: LimitName) -> Vec<(LimitName, &'static str)> {
    let own = (limit, plan(limit).value);
    // A guest that computes for ever must end to be measured.
    let end = (limit == LimitName::Cpus).then_some((LimitName::WallTime, "2s"));
    [own].into_iter().chain(end).collect()
}

/// Tries what stays below a limit; gives what speaks against it, if anything does.
pub(super) async fn below(yard: &Yard<'_>, limit: LimitName) -> Result<Option<Seen>, Trouble> {
    let Plan { value, below, past } = plan(limit);
    for trial in &past {
        yard.guest(trial)?;
    }
    let result = yard.once(&in_force(limit), &below).await?.result;
    let is_fine = matches!(result.termination, Termination::Exited { code: 0 | TrialGuest::WORKED });
    let falls = !is_fine || result.stdout.is_truncated();
    Ok(falls.then(|| Seen::falls(format!("below {value}: {}", ended(&result)))))
}

/// Tries what goes past a limit.
pub(super) async fn past(yard: &Yard<'_>, limit: LimitName) -> Result<Seen, Trouble> {
    let Plan { value, past, .. } = plan(limit);
    let mut seen = Seen::stands(String::new());
    for trial in &past {
        let result = yard.once(&in_force(limit), trial).await?.result;
        let overshoot = overshoot(limit, &result);
        let is_late = overshoot.is_some_and(|overshoot| overshoot > LATE);
        if !stands(limit, trial, &result) || is_late {
            let late = overshoot.filter(|_| is_late).map(|late| format!(", {:.1} s late", late.as_secs_f64()));
            let text = format!("past {value}: {}{}", ended(&result), late.unwrap_or_default());
            return Ok(Seen { overshoot, ..Seen::falls(text) });
        }
        seen.overshoot = seen.overshoot.max(overshoot);
        seen.text = describe(limit, value, &result);
    }
    if let Some(overshoot) = seen.overshoot {
        seen.text = format!("ended {:.1} ms past {value}", overshoot.as_secs_f64() * 1e3);
    }
    Ok(seen)
}

/// Says whether a guest that went past a limit met it.
fn stands(limit: LimitName, trial: &Trial, result: &RuntimeResult) -> bool {
    let is_ended = matches!(result.termination, Termination::LimitExceeded { limit: met, .. } if met == limit);
    let is_refused = matches!(result.termination, Termination::Exited { code: TrialGuest::REFUSED });
    match limit {
        LimitName::WallTime | LimitName::CpuTime | LimitName::IdleTime | LimitName::Output | LimitName::Fuel => {
            is_ended
        }
        LimitName::Memory | LimitName::Disk | LimitName::Entries | LimitName::FileSize | LimitName::OpenFiles => {
            is_ended || is_refused
        }
        // A shell may try again for long: how many there were decides.
        LimitName::Processes => {
            is_ended || is_refused || matches!(trial, Trial::StartProcesses(all) if lines(result) < *all)
        }
        LimitName::Stack => matches!(result.termination, Termination::Signaled { .. } | Termination::Trapped { .. }),
        LimitName::Cpus => cores(result).is_some_and(|cores| cores <= MOST_CORES),
    }
}

fn lines(result: &RuntimeResult) -> u64 {
    result.stdout.kept.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Gives how many processors a guest used, if both figures were measured.
fn cores(result: &RuntimeResult) -> Option<f64> {
    Some(result.usage.cpu_time.value()?.as_secs_f64() / result.usage.wall_time.value()?.as_secs_f64())
}

/// Gives how far past a limit of time a guest got.
fn overshoot(limit: LimitName, result: &RuntimeResult) -> Option<Duration> {
    let Termination::LimitExceeded { limit: met, value: LimitValue::Time(value), allowed: LimitValue::Time(allowed) } =
        result.termination
    else {
        return None;
    };
    let lived = match limit {
        // The silence that was seen; the guest, which prints nothing, may have lived on.
        LimitName::IdleTime => *result.usage.wall_time.value()?,
        LimitName::WallTime
        | LimitName::CpuTime
        | LimitName::Memory
        | LimitName::Output
        | LimitName::Disk
        | LimitName::Entries
        | LimitName::FileSize
        | LimitName::OpenFiles
        | LimitName::Processes
        | LimitName::Cpus
        | LimitName::Stack
        | LimitName::Fuel => value,
    };
    (met == limit).then(|| lived.saturating_sub(allowed))
}

fn describe(limit: LimitName, value: &str, result: &RuntimeResult) -> String {
    match (limit, &result.termination) {
        (LimitName::Cpus, _) => format!("{:.2} processors of {value} used", cores(result).unwrap_or_default()),
        (LimitName::Processes, _) => format!("{} of 128 started with {value} allowed", lines(result)),
        (_, Termination::LimitExceeded { value: met, .. }) => format!("ended at {met} with {value} allowed"),
        (_, Termination::Exited { .. }) => format!("refused past {value}"),
        (_, Termination::Signaled { .. } | Termination::Trapped { .. }) => format!("{} past {value}", ended(result)),
        (_, Termination::Killed { .. } | Termination::NotStarted { .. }) => ended(result),
    }
}

/// Says in words how a guest ended.
pub(super) fn ended(result: &RuntimeResult) -> String {
    match &result.termination {
        Termination::Exited { code: TrialGuest::WORKED } => "what the guest tried worked".to_owned(),
        Termination::Exited { code: TrialGuest::REFUSED } => "what the guest tried was refused".to_owned(),
        Termination::Exited { code: TrialGuest::UNABLE } => "the guest has no means to try it".to_owned(),
        Termination::Exited { .. }
        | Termination::Signaled { .. }
        | Termination::Trapped { .. }
        | Termination::LimitExceeded { .. }
        | Termination::Killed { .. }
        | Termination::NotStarted { .. } => result.termination.to_string(),
    }
}

/// Tries what becomes of output past its limit where the guest may run on.
pub(super) async fn output_cut(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    const PRINTED: u64 = 1 << 20;
    yard.guest(&Trial::Print(PRINTED))?;
    let stage = yard.stage_with(&[(LimitName::Output, "4KiB")], OutputOverflow::Truncate).await?;
    let ran = stage.run(&Trial::Print(PRINTED)).await;
    stage.close().await?;
    let result = ran?.result;
    let (output, kept) = (&result.stdout, result.stdout.kept.len());
    let against = if !result.termination.is_success() {
        Some(ended(&result))
    } else if kept > 4096 || !output.is_truncated() || output.bytes != PRINTED {
        Some(format!("{kept} bytes kept, {} counted, {PRINTED} printed", output.bytes))
    } else {
        None
    };
    Ok(Seen::unless(against, format!("{kept} bytes kept, {PRINTED} counted")))
}
