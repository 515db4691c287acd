//! One command: from what was asked to its end, explained.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::DockerError;
use super::attend::Attendant;
use super::cell::Cell;
use super::container::Container;
use super::ending;
use super::exec::{self, Frames, Input, Order};
use super::order;
use super::settle::{Seen, settle};
use super::spawn::Inner;
use super::streams::{Phase, Pump, Pumped, feed};
use super::transfer::Refusal;
use super::usage::{Counters, cpu_time, peak_memory};
use super::watch::Watch;
use crate::runtime::{End, Ending, Job, Stop};
use crate::workspace::DiskUsage;

/// How often a command is begun: a container may have ended, or be full, where the last command left it.
const TRIES: u32 = 2;

/// Runs one command to its end.
pub(super) async fn run(inner: &Arc<Inner>, mut job: Job) -> Ending {
    match try_run(inner, &mut job).await {
        Ok(ending) => ending,
        Err(error) => Ending::new(End::Failed(error.into())),
    }
}

async fn try_run(inner: &Arc<Inner>, job: &mut Job) -> Result<Ending, DockerError> {
    let control = Arc::clone(&job.control);
    let mut cell = tokio::select! {
        biased;
        _ = control.stopped() => return Ok(stopped()),
        cell = Cell::enter(inner) => cell,
    };
    let mut tries = TRIES;
    loop {
        tries -= 1;
        // An error leaves the cell by drop: what may live in the container is killed.
        if let Some(ending) = once(inner, &mut cell, job, tries == 0).await? {
            cell.leave();
            return Ok(ending);
        }
        cell.kill().await?;
    }
}

fn stopped() -> Ending {
    Ending::new(End::Stopped(None))
}

/// Runs a command; nothing where the container could not take it, and might after it was killed.
async fn once(inner: &Inner, cell: &mut Cell, job: &mut Job, is_last: bool) -> Result<Option<Ending>, DockerError> {
    let api = inner.client.api().await?;
    cell.ensure(api).await?;
    cell.forget_seed();
    if job.control.is_stopped() {
        return Ok(Some(stopped()));
    }
    let user = cell.user().clone();
    let container = cell.container()?;
    let order = match order::of(inner, (api, &container.id), job, &user).await? {
        Ok(order) => order,
        Err(ending) => return Ok(Some(*ending)),
    };
    let used = prepare(inner, user.ids).await?;
    let before = match container.counters {
        Some(counters) => counters,
        None => container.count(api).await?,
    };
    let Some((exec, streams)) = begin(api, container, &order).await? else { return Ok(None) };
    let mut watch = Watch::new(&job.limits, &inner.workspace, (&before, used, container.layer));
    let about = About { inner, api, exec: &exec, before: &before, order: &order };
    let (seen, pumped) = converse(&about, container, job, streams, &mut watch).await;
    let seen = seen?;
    container.layer = None;
    let refusal = if seen.how.is_some() { cell.carry_out().await? } else { None };
    explain(&about, seen, pumped, (job, &watch, refusal), is_last).await
}

/// Whom a conversation with the engine is about.
struct About<'a> {
    inner: &'a Inner,
    api: &'a bollard::Docker,
    exec: &'a str,
    before: &'a Counters,
    order: &'a Order,
}

/// Gives the workspace to the user of the command, and measures it.
async fn prepare(inner: &Inner, user: Option<(u32, u32)>) -> Result<Option<DiskUsage>, DockerError> {
    let workspace = Arc::clone(&inner.workspace);
    let ferried = inner.ferried;
    let is_root = rustix::process::geteuid().is_root();
    let done = tokio::task::spawn_blocking(move || {
        // What is carried in gets its owner on the way.
        if let Some((user, group)) = user.filter(|_| is_root && !ferried) {
            workspace.give_to(user, group)?;
        }
        Ok(workspace.usage().ok())
    });
    let lost = DockerError::Answer { action: "prepare the workspace", why: "its own thread ended" };
    done.await.map_err(|_| lost)?.map_err(|source| DockerError::Workspace { source })
}

/// Starts the command; nothing where the container has ended meanwhile.
async fn begin(
    api: &bollard::Docker,
    container: &mut Container,
    order: &Order,
) -> Result<Option<(String, (Frames, Input))>, DockerError> {
    let begun = async {
        let exec = exec::make(api, &container.id, order).await?;
        let streams = exec::start(api, &exec).await?;
        Ok::<_, DockerError>((exec, streams))
    };
    match begun.await {
        Ok(begun) => Ok(Some(begun)),
        // Not running: something ended it between two commands.
        Err(error) if error.status() == Some(409) => {
            if container.look(api).await? {
                Err(error)
            } else {
                Ok(None)
            }
        }
        Err(error) => Err(error),
    }
}

/// Moves bytes both ways and attends to the command, all at once, until it is over.
async fn converse(
    about: &About<'_>,
    container: &mut Container,
    job: &mut Job,
    (frames, input): (Frames, Input),
    watch: &mut Watch,
) -> (Result<Seen, DockerError>, Pumped) {
    let ((phase, phases), nudge) = (watch::channel(Phase::default()), Notify::new());
    let sinks = [Arc::clone(&job.stdout), Arc::clone(&job.stderr)];
    let pump = Pump::new(sinks, phases.clone(), &nudge).run(frames);
    let mut attendant = Attendant {
        api: about.api,
        container,
        exec: about.exec,
        control: &job.control,
        phase: &phase,
        nudge: &nudge,
        watch,
        out_of_memory: false,
        last: None,
    };
    let attended = async {
        let seen = match attendant.run().await {
            Ok(came) => settle(&mut attendant, came, (about.before, about.inner.mode)).await,
            Err(error) => Err(error),
        };
        phase.send_replace(seen.as_ref().map_or(Phase::Broken, Seen::phase));
        seen
    };
    let fed = async {
        if about.order.stdin {
            feed(input, &mut job.stdin, phases.clone()).await;
        }
    };
    let (pumped, seen, ()) = tokio::join!(pump, attended, fed);
    (seen, pumped)
}

/// Makes the ending; nothing where the engine could not start the command for a reason that may pass.
async fn explain(
    about: &About<'_>,
    seen: Seen,
    pumped: Pumped,
    (job, watch, refusal): (&Job, &Watch, Option<Refusal>),
    is_last: bool,
) -> Result<Option<Ending>, DockerError> {
    let Some(how) = &seen.how else {
        let words = String::from_utf8_lossy(&pumped.words).into_owned();
        let word = about.order.argv.first().map_or("", String::as_str);
        if words.contains("unable to find user") || words.contains("unable to find group") {
            return Err(DockerError::User { user: about.order.user.clone() });
        }
        return match ending::not_started(&words, word, &about.order.cwd) {
            Some(ending) => Ok(Some(ending)),
            None if is_last => Err(DockerError::Start { why: words.trim_end().to_owned() }),
            None => Ok(None),
        };
    };
    if let (ending::How::Code(_), Some(source)) = (how, pumped.broken) {
        return Err(DockerError::Api { action: "pass on the whole output", source });
    }
    let cpu = cpu_time(about.before, seen.after.as_ref());
    let peak = peak_memory(about.before, seen.after.as_ref());
    let (end, denied) = ending::of(how, &job.limits, seen.out_of_memory, (&cpu, &peak));
    let (written, above) = watch.end().await;
    let above = above.or_else(|| refusal.as_ref()?.limit(&job.limits));
    let end = match (end, above) {
        (End::Exited(_) | End::Signaled { .. }, Some(Stop::Limit(limit, value))) => End::Limit(limit, value),
        (end, _) => end,
    };
    let mut ending = Ending::new(end);
    ending.denied.extend(denied);
    (ending.cpu_time, ending.peak_memory, ending.disk_written) = (cpu, peak, written);
    ending.notes = seen.notes;
    ending.notes.extend(about.inner.found().map(|_| "the set-up was not run: it is part of the image".to_owned()));
    ending.notes.extend(refusal.map(|refusal| refusal.to_string()));
    Ok(Some(ending))
}

/// Says whether the first word of a command would be found in the container.
pub(super) async fn resolve(inner: &Arc<Inner>, word: &str, search: Option<&str>) -> Result<bool, DockerError> {
    const SCRIPT: &str = "command -v -- \"$1\"";
    let mut cell = Cell::enter(inner).await;
    let api = inner.client.api().await?;
    cell.ensure(api).await?;
    let user = cell.user().clone();
    prepare(inner, user.ids).await?;
    let order = Order {
        argv: ["/bin/sh", "-c", SCRIPT, "sh", word].map(str::to_owned).to_vec(),
        env: search.map(|path| format!("PATH={path}")).into_iter().collect(),
        cwd: inner.config.workdir.clone(),
        user: user.name,
        stdin: false,
    };
    let container = cell.container()?;
    let code = exec::run_quietly(api, &container.id, &order).await?;
    container.counters = None;
    cell.leave();
    // Without a shell there is nobody to ask; the command itself will tell.
    Ok(code.is_none_or(|code| code == 0))
}
