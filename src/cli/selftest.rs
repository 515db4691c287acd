//! `selftest`: tries on this host whether what runtimes claim to hold stands, and fails where it does not.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::app::App;
use super::failure::Failure;
use super::json::{SelftestObject, SelftestRuntime, VERSION};
use super::progress::Spinner;
use super::run::{parse_setting, unsandboxed};
use super::signals::Signals;
use super::spec_source;
use super::terminal::printable;
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::AnyRuntimeKind;
use crate::selftest;
use crate::spec::EnvironmentSpec;

/// The arguments of `selftest`.
#[derive(Debug, Args)]
pub(super) struct SelftestArgs {
    /// Try this runtime, and fail where it cannot run; again for more. Default: every one that can run here.
    #[arg(long, value_name = "TYPE", conflicts_with = "spec")]
    runtime: Vec<String>,
    /// Try the runtime of this spec alone, with the spec's own section.
    #[arg(long, value_name = "FILE|NAME")]
    spec: Option<String>,
    /// Put a value over the spec first, as `run --set` does; of a section for its own runtime alone.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
    /// Agree to a runtime that puts nothing between the guests and this host.
    #[arg(long)]
    allow_unsandboxed: bool,
}

/// A runtime to be tried.
struct Candidate {
    kind: Arc<dyn AnyRuntimeKind>,
    spec: EnvironmentSpec,
    /// Whether somebody asked for it in so many words.
    is_named: bool,
}

pub(super) async fn run(app: App, args: SelftestArgs) -> anyhow::Result<ExitCode> {
    let candidates = candidates(&app, &args)?;
    let signals = Signals::take()?;
    let spinner = Spinner::new(app.progress);
    let (mut runtimes, mut fails) = (Vec::new(), false);
    for Candidate { kind, spec, is_named } in candidates {
        if kind.needs_consent() && !args.allow_unsandboxed {
            let body = Failure::new(&unsandboxed(kind.ty()).into()).body();
            runtimes.push(SelftestRuntime::not_tried(kind.ty(), "not_asked", body));
            continue;
        }
        match signals.or(selftest::run(&app.registry, spec, &spinner)).await? {
            Ok(report) => {
                fails |= !report.stands();
                runtimes.push(SelftestRuntime::tried(&report));
            }
            Err(error) => {
                let state = if is_absent(&error) { "unavailable" } else { "falls" };
                fails |= is_named || !is_absent(&error);
                let body = Failure::new(&error.into()).body();
                runtimes.push(SelftestRuntime::not_tried(kind.ty(), state, body));
            }
        }
    }
    drop(spinner);
    // Where nothing was tried, nothing was shown.
    let stands = !fails && runtimes.iter().any(|runtime| runtime.state == "stands");
    let object = SelftestObject { version: VERSION, bailiwick: env!("CARGO_PKG_VERSION"), stands, runtimes };
    app.terminal.print_either(&object, draw);
    Ok(if stands { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says whether a runtime is not to be had here, as against one that failed.
fn is_absent(error: &ExecutionError) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Forbidden)
}

fn candidates(app: &App, args: &SelftestArgs) -> anyhow::Result<Vec<Candidate>> {
    let registry = &app.registry;
    if let Some(name) = &args.spec {
        let spec = spec_source::load(registry, Some(name), None, &args.settings)?.spec;
        let kind = Arc::clone(registry.kind_of(&spec)?);
        return consented(vec![Candidate { kind, spec, is_named: true }], args);
    }
    let mut found = Vec::new();
    for kind in registry.kinds().filter(|kind| args.runtime.is_empty() || is_named(args, kind.ty())) {
        let spec = spec_of(app, kind, &args.settings)?;
        found.push(Candidate { kind: Arc::clone(kind), spec, is_named: is_named(args, kind.ty()) });
    }
    for ty in &args.runtime {
        registry.kind(ty)?;
    }
    consented(found, args)
}

fn is_named(args: &SelftestArgs, ty: &str) -> bool {
    args.runtime.iter().any(|named| named == ty)
}

/// Refuses what was named and needs a consent that was not given.
fn consented(candidates: Vec<Candidate>, args: &SelftestArgs) -> anyhow::Result<Vec<Candidate>> {
    let lacks = |one: &&Candidate| one.is_named && one.kind.needs_consent() && !args.allow_unsandboxed;
    match candidates.iter().find(lacks) {
        Some(one) => Err(unsandboxed(one.kind.ty()).into()),
        None => Ok(candidates),
    }
}

/// Gives a runtime's own defaults as a spec, or where its section needs more the first spec that it brings along.
fn spec_of(
    app: &App,
    kind: &Arc<dyn AnyRuntimeKind>,
    settings: &[(String, String)],
) -> anyhow::Result<EnvironmentSpec> {
    let is_section = |path: &str| app.registry.kinds().any(|other| other.ty() == first(path));
    let own = settings.iter().filter(|(path, _)| first(path) == kind.ty() || !is_section(path));
    let own: Vec<(String, String)> = own.cloned().collect();
    let bare = spec_source::load(&app.registry, None, Some(kind.ty()), &own);
    match (bare, kind.builtin_specs().first()) {
        (Err(_), Some(builtin)) => Ok(spec_source::load(&app.registry, Some(builtin.name), None, &own)?.spec),
        (bare, _) => Ok(bare?.spec),
    }
}

fn first(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

fn draw(object: &SelftestObject) -> String {
    let mut text: String = object.runtimes.iter().map(draw_runtime).collect();
    let fallen = object.runtimes.iter().flat_map(|runtime| {
        let rows = runtime.checks.iter().filter(|check| matches!(check.outcome, "BROKEN" | "NOT TRIED"));
        rows.map(move |check| format!("{} {}", runtime.ty, check.check))
    });
    let fallen: Vec<String> = fallen.collect();
    text += &match (object.stands, fallen.is_empty()) {
        (true, _) => "everything that is claimed stands\n".to_owned(),
        (false, false) => format!("what is claimed does not stand: {}\n", fallen.join(", ")),
        (false, true) => "not everything that was asked for could be tried\n".to_owned(),
    };
    text
}

fn draw_runtime(runtime: &SelftestRuntime) -> String {
    let about = [runtime.engine.clone(), runtime.isolation.map(|isolation| format!("isolation {isolation}"))];
    let about: Vec<String> = about.into_iter().flatten().chain(runtime.seconds()).collect();
    let state = runtime.state.replace('_', " ");
    let mut text = match about.is_empty() {
        true => format!("{}: {state}\n", runtime.ty),
        false => format!("{}: {state} ({})\n", runtime.ty, about.join(", ")),
    };
    if let Some(error) = &runtime.error {
        let hints = error.hint.iter().flat_map(|hint| hint.lines());
        let lines = [&error.message].into_iter().chain(&error.causes).map(String::as_str).chain(hints);
        text.extend(lines.map(|line| format!("  {}\n", printable(line))));
    }
    for check in &runtime.checks {
        let said = match (check.outcome, check.seen.as_str()) {
            (_, "") => check.by.clone(),
            ("best effort", seen) => format!("{}; {seen}", check.by),
            ("BROKEN" | "NOT TRIED", seen) => format!("{seen} (claimed: {})", check.by),
            (_, seen) => seen.to_owned(),
        };
        text += &format!("  {:<20}  {:<15}  {}\n", check.check, check.outcome, printable(&said));
    }
    text + "\n"
}
