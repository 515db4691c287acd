//! What a run needs, checked before anything runs.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use super::args::EvalArgs;
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::cli::spec_source;
use crate::evaluate::{AdapterRegistry, Selection, Start, Suite, open_ambient_suite};
use crate::spec::{EnvironmentSpec, Loaded};

/// A run that can begin.
pub(super) struct Plan {
    pub(super) suite: Arc<Suite>,
    pub(super) submission: Option<PathBuf>,
    pub(super) start: Start,
    pub(super) selection: Selection,
    pub(super) jobs: usize,
}

impl Plan {
    pub(super) fn make(args: &EvalArgs) -> anyhow::Result<Self> {
        args.reports.iter().try_for_each(|target| target.check(args.submissions.is_some()))?;
        let suite = open_ambient_suite(&args.cases, &AdapterRegistry::with_builtins())?;
        let submission = match &args.submission {
            Some(path) if !path.exists() => {
                return Err(Usage::new(format!("there is no submission `{}`", path.display())).into());
            }
            Some(path) => Some(std::path::absolute(path).context("cannot read the current directory")?),
            None => None,
        };
        let start = match &args.command {
            Some(line) => Start::Command(line.clone()),
            None => Start::Entry(args.entry.clone()),
        };
        Ok(Self {
            suite: Arc::new(suite),
            submission,
            start,
            selection: Selection { cases: args.ids.clone(), groups: args.groups.clone() },
            jobs: jobs(args),
        })
    }
}

/// Gives how many cases are judged at once.
pub(in crate::cli) fn jobs(args: &EvalArgs) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    args.jobs.map_or(cores, usize::from)
}

/// Loads the spec of a run, and asks for consent where nothing isolates the submission.
pub(super) fn spec(app: &App, args: &EvalArgs) -> anyhow::Result<EnvironmentSpec> {
    let loaded = spec_source::load(&app.registry, args.spec.as_deref(), args.runtime.as_deref(), &args.settings)?;
    let Loaded { spec, warnings, .. } = loaded;
    warnings.iter().for_each(|warning| app.terminal.explain(&format!("warning: {warning}")));
    consent(app, args, &spec)?;
    Ok(spec)
}

/// Refuses a runtime without walls until it is asked for in so many words.
pub(super) fn consent(app: &App, args: &EvalArgs, spec: &EnvironmentSpec) -> anyhow::Result<()> {
    let kind = app.registry.kind_of(spec)?;
    if !kind.needs_consent() || args.allow_unsandboxed {
        return Ok(());
    }
    let message = format!("the runtime `{}` puts nothing between the submission and this host", kind.ty());
    let usage = Usage::new(message).with_hint("--allow-unsandboxed agrees to that; or choose another runtime");
    Err(usage.forbidden().into())
}
