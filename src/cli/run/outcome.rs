//! What came of a run: the object, the lines that explain it, the exit code.

use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::anyhow;

use super::Driven;
use super::files;
use super::plan::Plan;
use crate::cli::app::App;
use crate::cli::changes::{describe, draw_diff};
use crate::cli::failure::HOST_FAILURE;
use crate::cli::json::{ResultFacts, ResultObject};
use crate::cli::signals::Signals;
use crate::runtime::{NotStarted, RuntimeResult, Termination};
use crate::session::Session;

/// A run that is over.
pub(super) struct Outcome<'a> {
    pub(super) plan: &'a Plan,
    pub(super) session: &'a Session,
    pub(super) started: jiff::Timestamp,
    pub(super) driven: Driven,
}

impl Outcome<'_> {
    /// Says what came of the run, in the forms that were asked for, and gives the exit code.
    pub(super) async fn report(self, app: &App, signals: &Signals) -> anyhow::Result<ExitCode> {
        let wants_object = app.terminal.wants_json() || self.plan.result.is_some();
        let object = if wants_object { Some(self.object().await) } else { None };
        if let (Some(path), Some(object)) = (&self.plan.result, &object) {
            files::write(path, &(serde_json::to_string(object)? + "\n"))?;
        }
        match &object {
            Some(object) if app.terminal.wants_json() => app.terminal.print_object(object),
            Some(_) | None => self.explain(app),
        }
        let code = match signals.came() {
            Some(signal) => signal.exit_code(),
            None => u8::try_from(self.driven.ran.result.exit_code()).unwrap_or(HOST_FAILURE),
        };
        match self.driven.ran.unwritten {
            // A reader that went away wanted no more: that is no failure.
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(anyhow!(error).context("cannot write to standard output"))
            }
            Some(_) | None => Ok(ExitCode::from(code)),
        }
    }

    async fn object(&self) -> ResultObject {
        let engine = self.plan.kind.probe().await.ok().map(|info| info.engine).filter(|engine| !engine.is_empty());
        let spec = self.session.spec();
        let facts = ResultFacts {
            engine,
            runtime: spec.ty.clone(),
            command: self.driven.command.clone(),
            spec_id: spec.spec_id(),
            start: self.session.start().to_string(),
            started: self.started,
            changes: self.driven.changes.list.iter().map(describe).collect(),
            changes_omitted: self.driven.changes.omitted,
            notes: self.driven.notes.clone(),
        };
        ResultObject::new(&self.driven.ran.result, facts)
    }

    /// Explains on standard error what the exit code and the output do not say.
    fn explain(&self, app: &App) {
        let Driven { ran, notes, diff, .. } = &self.driven;
        let terminal = &app.terminal;
        if ran.unwritten.is_none() {
            explanation(&ran.result).iter().for_each(|line| terminal.explain(line));
        }
        setup_words(&ran.result).iter().for_each(|line| terminal.explain(line));
        let known = ran.result.notes.iter().chain(notes);
        known.for_each(|note| terminal.explain(note));
        if let Some(diff) = diff {
            let _ = terminal.stderr.write(draw_diff(diff).as_bytes());
        }
    }
}

/// Gives the line for an ending that is not the guest's own.
fn explanation(result: &RuntimeResult) -> Option<String> {
    match &result.termination {
        Termination::Exited { .. } => None,
        Termination::NotStarted { known, .. } if !known.is_empty() => {
            Some(format!("{result}; known: {}", known.join(", ")))
        }
        Termination::Signaled { .. }
        | Termination::Trapped { .. }
        | Termination::LimitExceeded { .. }
        | Termination::Killed { .. }
        | Termination::NotStarted { .. } => Some(result.to_string()),
    }
}

/// Gives what the set-up said that kept the guest from starting: a compiler's words are what its user looks for.
fn setup_words(result: &RuntimeResult) -> Vec<String> {
    const MOST_LINES: usize = 20;
    if !matches!(result.termination, Termination::NotStarted { reason: NotStarted::SetupFailed, .. }) {
        return Vec::new();
    }
    let failed = result.setup.iter().rfind(|one| one.termination.exit_code() != 0);
    let text = failed.and_then(|one| one.stderr.text()).unwrap_or_default();
    text.lines().take(MOST_LINES).map(|line| format!("| {line}")).collect()
}
