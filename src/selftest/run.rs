//! The order of a self-test: look, plant, warm up, try everything, look what is left.

use std::collections::HashMap;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;

use super::canary::Canary;
use super::check::Check;
use super::ledger::{self, Ledger};
use super::report::{Report, Seen, Tested, judge};
use super::stage::{Trouble, Yard};
use super::{ends, environment, limits, process, walls};
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{Level, Progress, RuntimeRegistry, Subject, Trial, TrialStream};
use crate::spec::{EnvironmentSpec, LimitName};

/// How many checks run at once, where nothing is timed.
const AT_ONCE: usize = 4;

/// Holds what the runtime of a spec claims against what guests can do on this host. Takes seconds, at most a minute.
///
/// The walls are those of the spec's section; its limits and its set-up are left out, since each check brings its own.
/// Guests run in sessions of this registry, and each kind [brings them](crate::RuntimeKind::trial).
/// Nothing else may go on in this process meanwhile, since its descriptors and children are counted; its environment and
/// the processes of the host are looked at. A Tokio runtime of several threads is asked for: a guest that gives its
/// thread back to nobody is found out by another.
///
/// # Errors
/// A kind that is not known, forbidden or cannot run here, and a host on which nothing can be planted. What does not
/// stand is no error: [`Report::stands`] says so.
///
/// Cancel safe: what runs is ended and removed.
pub async fn run(
    registry: &RuntimeRegistry,
    spec: EnvironmentSpec,
    progress: &dyn Progress,
) -> Result<Report, ExecutionError> {
    let began = Instant::now();
    let kind = std::sync::Arc::clone(registry.kind_of(&spec)?);
    progress.step(&format!("{}: getting ready", kind.ty()));
    let info = kind.probe().await?;
    kind.prepare(&spec.section, progress).await?;
    // Asked after the probe, which may know more of this host.
    let table = kind.enforcement(&spec.section)?;
    let (runtime, isolation) = (kind.ty(), kind.isolation(&spec.section)?);
    let yard = Yard { registry, kind, spec, table };
    warm_up(&yard).await?;
    progress.step(&format!("{runtime}: below the limits"));
    let below = try_below(&yard).await;
    // What is kept for all commands has been made by now.
    let before = Ledger::open_ambient_process(&yard).await;
    let mut rows = try_all(&yard, below, progress).await;
    progress.step(&format!("{runtime}: {}", Check::NothingLeft.name()));
    let claim = Check::NothingLeft.claim(&yard.table);
    rows.push(judge(Check::NothingLeft, claim, ledger::nothing_left(&yard, &before).await));
    let position = |row: &Tested| Check::all().iter().position(|check| *check == row.check);
    rows.sort_by_key(position);
    Ok(Report { runtime, engine: info.engine, isolation, rows, elapsed: began.elapsed() })
}

/// Runs a guest that does nothing: what is made once for all commands is there afterwards.
async fn warm_up(yard: &Yard<'_>) -> Result<(), ExecutionError> {
    let fits = |trouble: Trouble| ExecutionError::new(ErrorKind::Runtime, format!("no guest can be run: {trouble}"));
    let mut programs = Vec::new();
    let canary = Canary::plant(yard.registry)?;
    for trial in samples(&canary) {
        // Where there is none, each row says so.
        let Ok(guest) = yard.guest(&trial) else { continue };
        if programs.contains(&guest.files) {
            continue;
        }
        programs.push(guest.files);
        let again = |_| yard.once(&[], &trial);
        futures_util::future::try_join_all((0..AT_ONCE).map(again)).await.map_err(fits)?;
    }
    Ok(())
}

/// Gives trials for which a kind may have programs of their own.
fn samples(canary: &Canary) -> Vec<Trial> {
    let connect = canary.address().ok().map(Trial::Connect);
    let copy = Trial::Copy { to: TrialStream::Stdout, code: 0 };
    let rest = [copy, Trial::ShowEnvironment, Trial::ReadPaths(Vec::new()), Trial::LinkPaths(Vec::new())];
    [Trial::Exit(0)].into_iter().chain(rest).chain(connect).collect()
}

/// What came of each limit below it.
type Below = HashMap<LimitName, Result<Option<Seen>, Trouble>>;

/// Tries what stays below each limit that is claimed.
async fn try_below(yard: &Yard<'_>) -> Below {
    let is_claimed = |limit: &LimitName| yard.table.claim(Subject::Limit(*limit)).0 != Level::Unsupported;
    let one = async |limit: LimitName| (limit, limits::below(yard, limit).await);
    stream::iter(LimitName::ALL.into_iter().filter(is_claimed)).map(one).buffer_unordered(AT_ONCE).collect().await
}

/// Carries out every check but the last.
async fn try_all(yard: &Yard<'_>, mut below: Below, progress: &dyn Progress) -> Vec<Tested> {
    let checks = Check::all().into_iter().filter(|check| *check != Check::NothingLeft);
    // What falls below its limit need not be tried past it.
    let mut known = |check: Check| match check.subject() {
        Some(Subject::Limit(limit)) if check == Check::Limit(limit) => below.remove(&limit).and_then(Result::transpose),
        Some(Subject::Limit(_) | Subject::Capability(_)) | None => None,
    };
    let mut checks: Vec<_> = checks.map(|check| (check, known(check))).collect();
    // The longest first, so that nobody waits for it alone.
    checks.sort_by_key(|(check, _)| *check != Check::NothingRuns);
    let (timed, untimed): (Vec<_>, Vec<_>) = checks.into_iter().partition(|(check, _)| check.is_timed());
    let one = async |(check, known): (Check, Option<Result<Seen, Trouble>>)| {
        progress.step(&format!("{}: {}", yard.kind.ty(), check.name()));
        try_one(yard, check, known).await
    };
    let mut rows: Vec<Tested> = stream::iter(timed).then(one).collect().await;
    rows.extend(stream::iter(untimed).map(one).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    rows
}

async fn try_one(yard: &Yard<'_>, check: Check, known: Option<Result<Seen, Trouble>>) -> Tested {
    let claim = check.claim(&yard.table);
    // What nobody claims is not tried: a guest without walls does what it is asked.
    let tried = match known {
        _ if claim.level == Some(Level::Unsupported) => Err(Trouble::NoGuest),
        Some(known) => known,
        None => carry_out(yard, check).await,
    };
    judge(check, claim, tried)
}

async fn carry_out(yard: &Yard<'_>, check: Check) -> Result<Seen, Trouble> {
    match check {
        Check::Limit(limit) => limits::past(yard, limit).await,
        Check::OutputCut => limits::output_cut(yard).await,
        Check::HostFilesUnread => walls::read(yard).await,
        Check::HostFilesUnwritten => walls::write(yard).await,
        Check::LinksLeadNowhere => walls::links(yard).await,
        Check::Network => walls::network(yard).await,
        Check::HostFollowsNoLink => walls::read_back(yard).await,
        Check::Environment => environment::environment(yard).await,
        Check::OutputIntact => ends::output_intact(yard).await,
        Check::TrueEndings => ends::true_endings(yard).await,
        Check::NoForgery => ends::no_forgery(yard).await,
        Check::NothingRuns => process::nothing_runs(yard).await,
        // It comes last, when everything else is over.
        Check::NothingLeft => Err(Trouble::NoGuest),
    }
}
