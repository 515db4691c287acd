//! `cli`: a command a step, in a session of its own a case.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Adapter, Driver, Observed, Part, Scope, Seen, Stage, SubmissionCommand, inputs};
use crate::error::ExecutionError;
use crate::evaluate::{Case, Step};
use crate::runtime::{Output, Stdin, SubmissionRuntime};
use crate::session::Session;

/// The adapter `cli`: the submission is a command.
#[derive(Clone, Copy, Debug, Default)]
pub struct CliAdapter;

#[async_trait]
impl Adapter for CliAdapter {
    fn name(&self) -> &'static str {
        "cli"
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "description": "The adapter `cli` has no settings.", "additionalProperties": false})
    }

    fn scope(&self) -> Scope {
        Scope::Case
    }

    fn check(&self, case: &Case) -> Vec<String> {
        let mut wrong = Vec::new();
        for step in &case.steps {
            let expect = &step.expect;
            if step.request.is_some() || expect.body.is_some() || !expect.headers.is_empty() {
                wrong.push("asks a server, which the adapter `cli` does not; write `adapter: http`".to_owned());
            }
            wrong.extend(inputs::check_paths(&step.files));
        }
        wrong
    }

    async fn open(&self, stage: &Stage, first: &Case) -> Result<Box<dyn Driver>, ExecutionError> {
        let session = stage.session(&first.limits).await?;
        let runtime = session.spawn(stage.request()).await?;
        Ok(Box::new(Cli { session, runtime, command: stage.command.clone() }))
    }
}

struct Cli {
    // In this order: the runtime ends before its session does.
    runtime: Arc<dyn SubmissionRuntime>,
    session: Session,
    command: SubmissionCommand,
}

#[async_trait]
impl Driver for Cli {
    async fn step(&mut self, _: &Case, step: &Step) -> Result<Observed, ExecutionError> {
        let session = &self.session;
        inputs::put(session, step).await?;
        let args = inputs::words(session, &step.args)?;
        let mut command = self.command.with(&args);
        command.env = inputs::map(session, &step.env)?;
        command.cwd = step.cwd.as_deref().map(|cwd| inputs::text(session, cwd)).transpose()?.map(Into::into);
        command.stdin = match &step.stdin {
            Some(data) => Stdin::Bytes(inputs::bytes(session, data)?),
            None => Stdin::Closed,
        };
        let result = self.runtime.execute(command).await?;
        let mut observed = Observed { command: shown(&self.command, &args), ..Observed::default() };
        observed.parts = vec![(Part::Stdout, seen(&result.stdout)), (Part::Stderr, seen(&result.stderr))];
        inputs::take(session, &step.expect.files, &mut observed.parts).await?;
        observed.result = Some(result);
        Ok(observed)
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn close(self: Box<Self>) -> Result<(), ExecutionError> {
        let Self { runtime, session, .. } = *self;
        let ended = runtime.cleanup().await.err();
        drop(runtime);
        let closed = session.close().await.err();
        ExecutionError::first_of(ended.into_iter().chain(closed)).map_or(Ok(()), Err)
    }
}

fn shown(command: &SubmissionCommand, args: &[String]) -> String {
    let words = shell_words::join(args);
    if words.is_empty() { command.text() } else { format!("{} {words}", command.text()) }
}

/// Gives what a stream is compared as: only a whole one can be.
pub(super) fn seen(output: &Output) -> Seen {
    match output.omitted {
        None => Seen::Bytes(output.kept.clone()),
        Some(gap) => Seen::Unusable(format!("is not all there: {} of {} bytes were not kept", gap.bytes, output.bytes)),
    }
}
