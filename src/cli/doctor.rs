//! `doctor`: what each runtime can do on this host, what it holds, and what costs walls or speed.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::app::App;
use super::failure::Failure;
use super::json::{DoctorObject, DoctorRuntime, EnforcementObject, VERSION};
use super::signals::Signals;
use super::spec_source;
use crate::runtime::{AnyRuntimeKind, RuntimeInfo};
use crate::spec::Section;
use crate::workspace::{Base, BaseNeed};

/// The arguments of `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Look at the runtime of this spec alone, with the spec's own section.
    #[arg(long, value_name = "FILE|NAME")]
    spec: Option<String>,
    /// Fail with exit code 1 unless all of these runtimes can run.
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',')]
    require: Vec<String>,
}

pub(super) async fn run(app: App, args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let signals = Signals::take()?;
    for ty in &args.require {
        app.registry.kind(ty)?;
    }
    let spec = args.spec.map(|name| spec_source::load(&app.registry, Some(&name), None, &[])).transpose()?;
    let section = spec.as_ref().map(|loaded| &loaded.spec.section);
    let is_wanted = |ty: &str| spec.as_ref().is_none_or(|loaded| loaded.spec.ty == ty);
    let mut runtimes = Vec::new();
    for kind in app.registry.kinds().filter(|kind| is_wanted(kind.ty()) || is_required(&args.require, kind.ty())) {
        let section = section.filter(|_| is_wanted(kind.ty())).cloned();
        runtimes.push(signals.or(examine(&app, kind, section)).await?);
    }
    let cannot = |ty: &&String| runtimes.iter().any(|found| found.ty == ty.as_str() && !found.available);
    let missing: Vec<String> = args.require.iter().filter(cannot).cloned().collect();
    let dirs = &app.registry.host().dirs;
    let text = |dir: &Option<std::path::PathBuf>| dir.as_ref().map(|dir| dir.display().to_string());
    let directories = [("cache", &dirs.cache), ("data", &dirs.data), ("state", &dirs.state), ("base", &dirs.base)]
        .map(|(name, dir)| (name, text(dir)));
    let object = DoctorObject {
        version: VERSION,
        bailiwick: env!("CARGO_PKG_VERSION"),
        directories: directories.into(),
        runtimes,
        missing,
    };
    app.terminal.print_either(&object, draw);
    Ok(if object.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_required(required: &[String], ty: &str) -> bool {
    required.iter().any(|one| one == ty)
}

/// Asks a kind about itself, for a section or its default one.
async fn examine(app: &App, kind: &Arc<dyn AnyRuntimeKind>, section: Option<Arc<dyn Section>>) -> DoctorRuntime {
    let probed = kind.probe().await.map_err(|error| Failure::new(&error.into()).body());
    let base = Base::choose(app.registry.host(), kind.base_need());
    let error = probed.as_ref().err().cloned();
    let info = probed.unwrap_or_else(|_| RuntimeInfo::default());
    // A runtime whose section has required keys has no default section to ask about.
    let section = section.or_else(|| kind.parse(None).ok());
    let rows = section.as_ref().and_then(|section| kind.enforcement(section).ok()).unwrap_or_default().rows;
    let mut weaker = info.weaker;
    match &base {
        Err(error) => weaker.push(format!("no workspace can be made: {error}")),
        Ok(base) if kind.base_need() == BaseNeed::Detached && !base.holds_quota() => {
            weaker.push("no memory file system for workspaces: nothing holds `disk` and `entries`".to_owned());
        }
        Ok(_) => {}
    }
    DoctorRuntime {
        ty: kind.ty(),
        available: error.is_none() && base.is_ok(),
        error,
        engine: Some(info.engine).filter(|engine| !engine.is_empty()),
        isolation: section.as_ref().and_then(|section| kind.isolation(section).ok()),
        default_for_run: kind.is_default_for_run(),
        needs_consent: kind.needs_consent(),
        base: base.ok().map(|base| base.describe()),
        facts: info.facts.into_iter().collect(),
        weaker,
        slower: info.slower,
        enforcement: rows
            .into_iter()
            .map(|row| EnforcementObject { subject: row.subject.name(), level: row.level.name(), by: row.by })
            .collect(),
    }
}

fn draw(object: &DoctorObject) -> String {
    let mut text = format!("bailiwick {}\n", object.bailiwick);
    for (name, dir) in &object.directories {
        text += &format!("{name:>8}: {}\n", dir.as_deref().unwrap_or("none"));
    }
    text.extend(object.runtimes.iter().map(draw_runtime));
    if !object.missing.is_empty() {
        text += &format!("\nrequired, but cannot run here: {}\n", object.missing.join(", "));
    }
    text
}

fn draw_runtime(runtime: &DoctorRuntime) -> String {
    let state = if runtime.available { "can run" } else { "cannot run" };
    let mut text = format!("\n{}: {state}\n", runtime.ty);
    let mut row = |name: &str, value: &str| text += &format!("  {name}: {value}\n");
    if let Some(error) = &runtime.error {
        row("error", &error.message);
        error.causes.iter().for_each(|cause| row("caused by", cause));
        error.hint.iter().flat_map(|hint| hint.lines()).for_each(|hint| row("hint", hint));
    }
    runtime.engine.iter().for_each(|engine| row("engine", engine));
    runtime.isolation.iter().for_each(|isolation| row("isolation", isolation));
    if runtime.needs_consent {
        row("consent", "`run` asks for --allow-unsandboxed");
    }
    runtime.base.iter().for_each(|base| row("workspaces", base));
    runtime.facts.iter().for_each(|(name, value)| row(name, value));
    runtime.weaker.iter().for_each(|what| row("costs walls", what));
    runtime.slower.iter().for_each(|what| row("costs speed", what));
    for EnforcementObject { subject, level, by } in &runtime.enforcement {
        text += &format!("  {subject:<16}  {level:<15}  {by}\n");
    }
    text
}
