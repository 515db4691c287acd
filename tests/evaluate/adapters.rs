//! An adapter of another crate: registered, named by a suite that is made in code, and judged by the same rules.

use std::sync::Arc;

use async_trait::async_trait;
use bailiwick::evaluate::{
    Adapter, AdapterRegistry, Case, Driver, Evaluation, Observed, Part, RunOptions, Scope, Seen, Stage, Step, Suite,
    Verdict,
};
use bailiwick::{ExecutionError, Session, SubmissionRuntime};
use serde_json::{Value, json};

use crate::support::{Place, Run};

/// Runs a submission twice, and lets its cases look at the second run.
struct Twice;

struct Pair {
    runtime: Arc<dyn SubmissionRuntime>,
    session: Session,
    command: bailiwick::evaluate::SubmissionCommand,
}

#[async_trait]
impl Adapter for Twice {
    fn name(&self) -> &'static str {
        "twice"
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "additionalProperties": false})
    }

    fn scope(&self) -> Scope {
        Scope::Case
    }

    fn check(&self, case: &Case) -> Vec<String> {
        case.steps.iter().filter(|step| step.request.is_some()).map(|_| "asks nobody".to_owned()).collect()
    }

    async fn open(&self, stage: &Stage, first: &Case) -> Result<Box<dyn Driver>, ExecutionError> {
        let session = stage.session(&first.limits).await?;
        let runtime = session.spawn(stage.request()).await?;
        Ok(Box::new(Pair { runtime, session, command: stage.command.clone() }))
    }
}

#[async_trait]
impl Driver for Pair {
    async fn step(&mut self, _: &Case, step: &Step) -> Result<Observed, ExecutionError> {
        self.runtime.execute(self.command.with(&step.args)).await?;
        let result = self.runtime.execute(self.command.with(&step.args)).await?;
        let mut observed = Observed::default();
        observed.parts.push((Part::Stdout, Seen::Bytes(result.stdout.kept.clone())));
        observed.result = Some(result);
        Ok(observed)
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn close(self: Box<Self>) -> Result<(), ExecutionError> {
        self.runtime.cleanup().await?;
        self.session.close().await
    }
}

#[tokio::test]
async fn an_adapter_of_another_crate_drives_submissions() {
    let place = Place::new("adapter: twice\ncases: [{id: a, expect: {stdout: '2'}}]\n", "echo x >> runs; wc -l < runs");
    let adapters = AdapterRegistry::with_builtins().with(Twice).unwrap();
    let suite = bailiwick::evaluate::open_ambient_suite(&place.path("cases"), &adapters).unwrap();
    assert!(AdapterRegistry::with_builtins().with(Twice).unwrap().with(Twice).is_err(), "a name is taken once");
    assert!(place.suite().is_err(), "a suite may name only what there is");
    let registry = place.registry();
    let builder = Evaluation::builder(&registry, place.environment(&registry), Arc::new(suite)).adapters(adapters);
    let evaluation = builder.submission(place.path("submission")).prepare().await.unwrap();
    let journal = place.journal(&evaluation);
    let results = evaluation.run(RunOptions::jobs(1), journal, Arc::new(()), std::future::pending()).await.unwrap();
    Run { results }.expect(&[("a", Verdict::Ac)]);
    place.is_clean(&registry).await;
}

#[tokio::test]
async fn a_suite_may_be_made_in_code() {
    let place = Place::new("cases: []", "exit 3");
    let registry = place.registry();
    let mut suite = Suite::new("made");
    suite.cases.push(Case::new("a", Step::default()));
    suite.groups.push(bailiwick::evaluate::Group::new("core"));
    let builder = Evaluation::builder(&registry, place.environment(&registry), Arc::new(suite));
    let evaluation = builder.submission(place.path("submission")).prepare().await.unwrap();
    let journal = place.journal(&evaluation);
    let results = evaluation.run(RunOptions::jobs(1), journal, Arc::new(()), std::future::pending()).await.unwrap();
    Run { results }.expect(&[("a", Verdict::Rte)]);
    place.is_clean(&registry).await;
}
