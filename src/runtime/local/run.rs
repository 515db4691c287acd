//! One command: started under a supervisor, attended to its end, and explained.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::attend::Attendant;
use super::limits::{self, Applied};
use super::lookup;
use super::order::{Order, Request};
use super::spawn::LocalGuest;
use super::streams::{GuestEnds, Phase, Streams};
use super::supervisor::{Begun, LeftOvers, Manner, Plan, Refusal, Report, Step, start};
use crate::runtime::{Control, End, Ending, Job, SolutionRuntimeError};
use crate::spec::Mode;

/// How long a supervisor that was let go may take to be gone.
pub(super) const LET_GO: Duration = Duration::from_secs(1);

/// Runs one command to its end.
pub(super) async fn run(guest: &LocalGuest, job: Job) -> Ending {
    match try_run(guest, job).await {
        Ok(ending) => ending,
        Err(ending) => *ending,
    }
}

/// An ending before there was a guest is an `Err`, to leave early.
async fn try_run(guest: &LocalGuest, job: Job) -> Result<Ending, Box<Ending>> {
    let order = order(guest, &job)?;
    let applied = limits::apply(&job.limits, &guest.config, &guest.hierarchies)
        .map_err(failed("make a control group for the command"))?;
    let sinks = [Arc::clone(&job.stdout), Arc::clone(&job.stderr)];
    let tty = job.tty || guest.config.requires_tty;
    let streams = if tty { Streams::terminal(Arc::clone(&job.stdout)) } else { Streams::pipes(&job.stdin, sinks) };
    let (streams, ends) = streams.map_err(failed("make the streams of the command"))?;
    let begun = begin(guest, &job.control, &order, &applied, (&ends, tty)).await?;
    drop((ends, order));
    let Job { stdin, control, limits, .. } = job;
    let known = guest.know(begun.supervisor.pid());
    let (phase, phases) = watch::channel(Phase::default());
    let attendant = Attendant::new(&control, begun, applied, (left_overs(guest.mode), phase));
    let (seen, ()) = tokio::join!(attendant.run(), streams.run(stdin, phases));
    drop(known);
    Ok(seen.settle(guest, &control, &limits).await)
}

fn left_overs(mode: Mode) -> LeftOvers {
    match mode {
        Mode::Evaluation => LeftOvers::End,
        Mode::Agent => LeftOvers::Keep,
    }
}

fn failed(action: &'static str) -> impl FnOnce(std::io::Error) -> Box<Ending> {
    move |error| Box::new(Ending::new(End::Failed(SolutionRuntimeError::host(action)(error))))
}

fn order(guest: &LocalGuest, job: &Job) -> Result<Order, Box<Ending>> {
    let mut env = job.env.clone();
    // The directory that the caller chose is the one that the guest is told, unless it was told otherwise by name.
    let (root, told) = (guest.workspace.open_ambient_path(), env.get("PWD").map(Path::new));
    if let (Some(cwd), Some(root)) = (&job.cwd, root)
        && told == Some(root)
        && let Some(path) = root.join(cwd).to_str()
    {
        env.insert("PWD".to_owned(), path.to_owned());
    }
    Order::of(Request {
        line: job.line.clone(),
        shell: guest.config.shell.as_deref(),
        env: &env,
        cwd: job.cwd.as_deref(),
        workspace: &guest.workspace,
        host_path: guest.host_path.as_deref(),
    })
}

/// Starts the guest; a program that is still open for writing is tried again for a while.
///
/// Another command, forked while we wrote the program, holds it open until its own exec.
async fn begin(
    guest: &LocalGuest,
    control: &Control,
    order: &Order,
    applied: &Applied,
    (ends, tty): (&GuestEnds, bool),
) -> Result<Begun, Box<Ending>> {
    const TRIES: usize = 100;
    const PAUSE: Duration = Duration::from_millis(5);
    let dirs = applied.group.dirs();
    let plan = Plan {
        candidates: &order.candidates,
        argv: &order.argv,
        env: &order.env,
        streams: ends.borrow(),
        tty,
        cwd: order.cwd.as_fd(),
        rlimits: &applied.rlimits,
        cgroups: applied.group.procs(),
        cgroup_dirs: &dirs,
        left_overs: left_overs(guest.mode),
    };
    let mut attempt = 1;
    loop {
        let begun = start(&plan, &guest.reaper).map_err(failed("start a supervisor"))?;
        let Some(refusal) = refusal(&begun, control).await else {
            if !control.is_stopped() {
                control.mark_started();
            }
            return Ok(begun);
        };
        let is_busy = refusal == Refusal { step: Step::Exec, errno: libc::ETXTBSY };
        if !is_busy || attempt == TRIES || control.is_stopped() {
            begun.supervisor.release(LET_GO).await;
            return Err(explain(refusal, order));
        }
        // Killed, not let go: it would remove the groups of the next attempt.
        begun.supervisor.kill();
        begun.supervisor.release(LET_GO).await;
        tokio::time::sleep(PAUSE).await;
        attempt += 1;
    }
}

/// Waits until the guest runs its own code, or gives the reason why it does not.
async fn refusal(begun: &Begun, control: &Control) -> Option<Refusal> {
    const AT_MOST: Duration = Duration::from_secs(1);
    let heard = tokio::select! {
        biased;
        heard = begun.exec.next() => heard,
        _ = control.stopped() => {
            begun.supervisor.ask(Manner::Now);
            tokio::time::timeout(AT_MOST, begun.exec.next()).await.ok().flatten()
        }
    };
    match heard {
        Some(Report::Refused(refusal)) => Some(refusal),
        Some(Report::Ended { .. } | Report::Over { .. }) | None => None,
    }
}

/// Whatever an exec refuses is the guest's doing; the steps before it are the host's.
fn explain(refusal: Refusal, order: &Order) -> Box<Ending> {
    match refusal.step {
        Step::Exec => {
            let cwd = order.cwd.as_fd();
            Box::new(lookup::explain(refusal.errno, &order.word, &order.candidates, cwd))
        }
        Step::Fork | Step::Session | Step::Cgroup | Step::Streams | Step::Directory | Step::Limits => {
            failed(refusal.step.action())(std::io::Error::from_raw_os_error(refusal.errno))
        }
    }
}
