//! `run`: one command in a sandbox, its output passed on as it comes, its result explained.
//!
//! `plan.rs` checks the flags before anything runs, this file walks through the run, `live.rs` is the command while
//! it runs, `outcome.rs` says what came of it.

mod args;
mod assets;
mod deterministic;
mod files;
mod live;
mod outcome;
mod parse;
mod plan;
mod program;
mod stdin;

use std::process::ExitCode;

pub(super) use self::args::RunArgs;
use self::live::Ran;
use self::outcome::Outcome;
#[cfg(feature = "wasi")]
pub(super) use self::parse::mount as parse_mount;
pub(super) use self::parse::pair as parse_setting;
use self::plan::Plan;
pub(super) use self::plan::unsandboxed;
use self::stdin::Source;
use super::app::App;
use super::progress;
use super::signals::Signals;
use crate::ExecutionError;
use crate::runtime::{Command, SpawnRequest};
use crate::session::Session;
use crate::workspace::{Changes, DiffBounds, SnapshotDiff};

/// How many changes of the workspace are listed.
const MOST_CHANGES: usize = 10_000;

pub(super) async fn run(mut app: App, args: RunArgs) -> anyhow::Result<ExitCode> {
    let started = jiff::Timestamp::now();
    let mut plan = Plan::make(&app, args)?;
    plan.warnings().for_each(|warning| app.terminal.explain(&format!("warning: {warning}")));
    let signals = Signals::take()?;
    let session = signals.or(open(&app, &plan)).await??;
    let driven = drive(&mut app, &mut plan, &session, &signals).await;
    // The workspace is kept and the session closed after every ending; only a second signal lets go of them.
    let kept = signals.or_again(keep(&plan, &session)).await;
    let closed = signals.or_again(session.close()).await;
    let trouble = match &closed {
        Ok(Err(error)) => Some(format!("cleaning up failed, `bailiwick gc` mends it: {error}")),
        Ok(Ok(())) | Err(_) => None,
    };
    let mut driven = match driven {
        Ok(driven) => driven,
        Err(error) => {
            // A clean-up that failed never hides the failure before it, nor the other way round.
            trouble.iter().for_each(|line| app.terminal.explain(line));
            return Err(error);
        }
    };
    kept??;
    closed.map(drop)?;
    driven.notes.extend(trouble);
    let outcome = Outcome { plan: &plan, session: &session, started, driven };
    outcome.report(&app, &signals).await
}

/// What came of a command, before anything is said about it.
struct Driven {
    ran: Ran,
    command: Vec<String>,
    changes: Changes,
    diff: Option<SnapshotDiff>,
    notes: Vec<String>,
}

async fn open(app: &App, plan: &Plan) -> anyhow::Result<Session> {
    let assets = assets::resolve(&plan.assets, app.registry.host())?;
    let builder = Session::builder(&app.registry, plan.loaded.spec.clone()).mode(plan.mode).grant_assets(assets);
    // One command runs, so there is nothing to go back to; what was there before is kept to be compared.
    let builder = if plan.diff { builder } else { builder.without_reset() };
    let builder = match &plan.submission {
        Some(path) => builder.submission(path),
        None => builder,
    };
    Ok(builder.open().await?)
}

async fn drive(app: &mut App, plan: &mut Plan, session: &Session, signals: &Signals) -> anyhow::Result<Driven> {
    let (words, request) = resolve(plan, session)?;
    let spawned = signals.or(session.spawn(request));
    let runtime = progress::while_waiting(app.progress, "preparing the runtime", spawned).await??;
    let source = std::mem::replace(&mut plan.stdin, Source::Closed);
    let own = app.stdin.take();
    let own_was_given = own.as_ref().is_some_and(|own| own.is_given);
    let mut feed = source.feed(own.map_or_else(|| Box::new(std::io::empty()) as _, |own| own.reader));
    let mut command = Command::argv(words.clone()).grant_stdin(feed.take());
    command.cwd = plan.cwd.take();
    let ran = live::run(&app.terminal, &runtime, command, signals).await;
    let cleaned = signals.or_again(runtime.cleanup()).await?;
    let ran = ran?;
    let mut notes: Vec<String> = feed.failure().into_iter().collect();
    notes.extend(cleaned.err().map(|error| format!("the runtime could not be cleaned up: {error}")));
    let changes = signals.or_again(session.changes(MOST_CHANGES)).await??;
    let diff = match plan.diff {
        true => Some(signals.or_again(session.diff(DiffBounds::default())).await??),
        false => None,
    };
    if ran.result.met_closed_stdin && own_was_given {
        notes.push("the guest met the end of standard input, which was not given; -i passes the own one on".into());
    }
    Ok(Driven { ran, command: words, changes, diff, notes })
}

/// Resolves the placeholders of the command and of the variables.
fn resolve(plan: &Plan, session: &Session) -> Result<(Vec<String>, SpawnRequest), ExecutionError> {
    let words = plan.command.iter().map(|word| session.resolve_static_placeholder(word));
    let words = words.collect::<Result<Vec<_>, _>>()?;
    let mut request = plan.request.clone();
    program::grant(&*plan.kind, &words, &mut request.options);
    for value in request.env.values_mut() {
        *value = session.resolve_static_placeholder(value)?;
    }
    Ok((words, request))
}

async fn keep(plan: &Plan, session: &Session) -> Result<(), ExecutionError> {
    match &plan.keep {
        Some(dir) => session.keep(dir).await.map(drop),
        None => Ok(()),
    }
}
