//! One submission and one suite, from what is asked to what can run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::prepare::{self, Asked, Prepared, Refused, Start};
use super::program::Validators;
use super::select::Selection;
use crate::error::ExecutionError;
use crate::evaluate::adapter::{Adapter, Stage};
use crate::evaluate::report::{JournalHeader, RunFacts, SetupRecord, SubmissionFacts};
use crate::evaluate::{AdapterRegistry, Case, EvaluateError, Evidence, Suite};
use crate::runtime::RuntimeRegistry;
use crate::spec::EnvironmentSpec;

/// An evaluation in the making. Starts with every case of the suite, and a submission without files.
#[derive(Debug)]
pub struct EvaluationBuilder {
    registry: RuntimeRegistry,
    adapters: AdapterRegistry,
    spec: EnvironmentSpec,
    suite: Arc<Suite>,
    submission: Option<PathBuf>,
    name: Option<String>,
    start: Start,
    selection: Selection,
}

/// A submission that is ready to be judged by a suite.
#[derive(Debug)]
pub struct Evaluation {
    pub(super) suite: Arc<Suite>,
    pub(super) cases: Vec<Case>,
    pub(super) ready: Ready,
    pub(super) facts: RunFacts,
}

/// Whether the submission gets to its cases.
pub(super) enum Ready {
    Yes(Box<Ground>),
    /// It does not: the same evidence for every case.
    No(Evidence),
}

/// What the cases share.
pub(super) struct Ground {
    pub(super) stage: Stage,
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) validators: Validators,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Yes(ground) => f.debug_tuple("Yes").field(&ground.stage).finish(),
            Self::No(evidence) => f.debug_tuple("No").field(evidence).finish(),
        }
    }
}

impl Evaluation {
    /// Begins an evaluation of a suite on the runtime of a spec.
    pub fn builder(registry: &RuntimeRegistry, spec: EnvironmentSpec, suite: Arc<Suite>) -> EvaluationBuilder {
        EvaluationBuilder {
            registry: registry.clone(),
            adapters: AdapterRegistry::with_builtins(),
            spec,
            suite,
            submission: None,
            name: None,
            start: Start::default(),
            selection: Selection::default(),
        }
    }

    /// Gives the number of cases that are judged.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Says whether there is no case to judge; never true, since nothing to judge is an error before.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Gives what is known of the run before its first case.
    pub fn facts(&self) -> &RunFacts {
        &self.facts
    }

    /// Gives what a journal of this run begins with, by which a later run knows that it may go on with it.
    pub fn journal_header(&self) -> JournalHeader {
        JournalHeader::new(&self.facts, &self.cases)
    }
}

impl Ground {
    /// Removes what the cases shared.
    pub(super) async fn close(self) -> Option<ExecutionError> {
        let Self { stage, validators, .. } = self;
        let failures = stage.frozen.close().await.err().into_iter().chain(validators.close().await);
        ExecutionError::first_of(failures)
    }
}

impl EvaluationBuilder {
    /// Gives the submission's files: a directory, or one file. Default: none.
    #[must_use]
    pub fn submission(mut self, path: impl AsRef<Path>) -> Self {
        self.submission = Some(prepare::absolute(path.as_ref()));
        self
    }

    /// Names the submission in reports. Default: the name of its file or directory.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Says how the submission is started. Default: by the entry that its only file or `main` is.
    #[must_use]
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Chooses cases. Default: all.
    #[must_use]
    pub fn select(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Brings other adapters along. Default: the built-in ones.
    #[must_use]
    pub fn adapters(mut self, adapters: AdapterRegistry) -> Self {
        self.adapters = adapters;
        self
    }

    /// Compiles and sets up the submission, and sees that all that the cases need of the host is there.
    ///
    /// # Errors
    /// Everything that is not the submission's doing: cases that are not there, limits that cannot be held, programs
    /// and images that the host lacks. A submission that does not compile is no error.
    ///
    /// Cancel safe: what was made is removed.
    pub async fn prepare(self) -> Result<Evaluation, ExecutionError> {
        let Self { registry, adapters, spec, suite, submission, name, start, selection } = self;
        let adapter = Arc::clone(adapters.need(&suite.adapter)?);
        let cases = selection.take(&suite)?;
        let validators = Validators::prepare(&registry, &spec, &cases).await.map_err(prepare::as_usage)?;
        let asked =
            Asked { registry: &registry, spec: &spec, suite: &suite, submission: submission.as_deref(), start: &start };
        let prepared = prepare::prepare(&asked).await.map_err(prepare::as_usage)?;
        let name = name.or_else(|| Some(submission.as_ref()?.file_name()?.to_string_lossy().into_owned()));
        let engine = registry.kind_of(&spec)?.probe().await.ok().map(|info| info.engine);
        let (ready, command, compile, setup, id) = match prepared {
            Ok(Prepared { stage, compile, setup, id }) => {
                adapter.check_stage(&stage).await.map_err(prepare::as_usage)?;
                check(&stage, &cases).await?;
                let command = stage.command.text();
                (Ready::Yes(Box::new(Ground { stage, adapter, validators })), command, compile, setup, id)
            }
            Err(refused) => {
                let Refused { evidence, compile, setup, id } = *refused;
                (Ready::No(evidence), String::new(), compile, setup, id)
            }
        };
        let submission = SubmissionFacts { name: name.unwrap_or_default(), id, command };
        let facts = facts(&registry, &spec, &suite, engine, submission, (compile, setup))?;
        Ok(Evaluation { suite, cases, ready, facts })
    }
}

fn facts(
    registry: &RuntimeRegistry,
    spec: &EnvironmentSpec,
    suite: &Suite,
    engine: Option<String>,
    submission: SubmissionFacts,
    (compile, setup): (Option<SetupRecord>, Vec<SetupRecord>),
) -> Result<RunFacts, ExecutionError> {
    Ok(RunFacts {
        suite: suite.name.clone(),
        adapter: suite.adapter.clone(),
        policy: suite.pass,
        submission,
        runtime: spec.ty.clone(),
        engine,
        isolation: registry.kind_of(spec)?.isolation(&spec.section)?.to_owned(),
        spec_id: spec.spec_id(),
        compile,
        setup,
        warnings: suite.warnings.clone(),
    })
}

/// Sees that the limits of every case can be held, and that every placeholder names an asset.
async fn check(stage: &Stage, cases: &[Case]) -> Result<(), ExecutionError> {
    let of_case = |case: &Case, error: ExecutionError| {
        let message = format!("the case `{}`: {}", case.id, super::case::explain(&error));
        EvaluateError::Invalid { problems: vec![message], hints: error.hint().map(str::to_owned).into_iter().collect() }
    };
    let mut seen: Vec<&crate::spec::LimitsConfig> = Vec::new();
    for case in cases {
        if !seen.contains(&&case.limits) {
            stage.frozen.limits(&case.limits).map_err(|error| of_case(case, error))?;
            // Suites repeat a few limits many times.
            if seen.len() < 64 {
                seen.push(&case.limits);
            }
        }
    }
    let session = stage.session(&crate::spec::LimitsConfig::default()).await?;
    for case in cases {
        crate::evaluate::adapter::check_placeholders(&session, case).map_err(|error| of_case(case, error))?;
    }
    session.close().await
}
