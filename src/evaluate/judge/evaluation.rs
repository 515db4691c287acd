//! One submission and one suite, from what is asked to what can run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;

use super::prepare::{self, Asked, Prepared, Refused, Start};
use super::program::Validators;
use super::select::Selection;
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::{Adapter, Collected, Stage};
use crate::evaluate::report::{JournalHeader, RunFacts, SubmissionFacts};
use crate::evaluate::{AdapterRegistry, Case, EvaluateError, Evidence, Group, Step, Suite, Verdict};
use crate::runtime::RuntimeRegistry;
use crate::spec::{EnvironmentSpec, Limits};
use crate::workspace::Bounds;

/// An evaluation in the making. Starts with every case of the suite, and a submission without files.
#[derive(Clone, Debug)]
pub struct EvaluationBuilder {
    registry: RuntimeRegistry,
    adapters: AdapterRegistry,
    spec: EnvironmentSpec,
    suite: Arc<Suite>,
    submission: Option<PathBuf>,
    bounds: Bounds,
    name: Option<String>,
    start: Start,
    selection: Selection,
    outputs: Option<Arc<Dir>>,
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
    /// It does not: the same verdict and evidence for every case.
    No(Verdict, Evidence),
}

/// What the cases share.
pub(super) struct Ground {
    pub(super) stage: Stage,
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) validators: Validators,
    /// Where outputs are kept that are longer than what records keep.
    pub(super) outputs: Option<Arc<Dir>>,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Yes(ground) => f.debug_tuple("Yes").field(&ground.stage).finish(),
            Self::No(verdict, evidence) => f.debug_tuple("No").field(verdict).field(evidence).finish(),
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
            bounds: Bounds::default(),
            name: None,
            start: Start::default(),
            selection: Selection::default(),
            outputs: None,
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

    /// Gives what a case has in force; none where the submission never gets to its cases.
    ///
    /// # Errors
    /// Limits that cannot be held, which preparing has ruled out.
    pub fn limits(&self, index: usize) -> Result<Option<Limits>, ExecutionError> {
        match (&self.ready, self.cases.get(index)) {
            (Ready::Yes(ground), Some(case)) => ground.stage.frozen.limits(&case.limits).map(Some),
            (Ready::Yes(_), None) | (Ready::No(..), _) => Ok(None),
        }
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

    /// Keeps what is longer than [`MAX_KEPT`](crate::evaluate::MAX_KEPT) of a standard stream whole in a directory, in
    /// files named by their BLAKE3 hashes: for [`Results::record_answers`](crate::evaluate::Results::record_answers).
    /// Default: nowhere.
    #[must_use]
    pub fn keep_outputs(mut self, dir: Arc<Dir>) -> Self {
        self.outputs = Some(dir);
        self
    }

    /// Bounds what a submission may hold; one that holds more never gets to its cases. Default: [`Bounds::default`].
    #[must_use]
    pub fn submission_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
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
        let adapter = Arc::clone(self.adapters.need(&self.suite.adapter)?);
        let cases = self.cases(&*adapter)?;
        let validators = Validators::prepare(&self.registry, &self.spec, &cases).await.map_err(prepare::as_usage)?;
        let asked = Asked {
            registry: &self.registry,
            spec: &self.spec,
            suite: &self.suite,
            submission: self.submission.as_deref(),
            bounds: self.bounds,
            start: &self.start,
        };
        let prepared = prepare::prepare(&asked).await.map_err(prepare::as_usage)?;
        let mut facts = self.facts()?;
        facts.engine = self.registry.kind_of(&self.spec)?.probe().await.ok().map(|info| info.engine);
        let ready = match prepared {
            Ok(Prepared { stage, compile, setup, id }) => {
                adapter.check_stage(&stage).await.map_err(prepare::as_usage)?;
                let found = match collect(&*adapter, &stage, &self.suite).await? {
                    Ok(found) => found,
                    Err(trouble) => {
                        stage.frozen.close().await?;
                        return self.prepare_nothing(Verdict::Ie, trouble);
                    }
                };
                if let Some(Collected { cases, adapter }) = found {
                    facts.submission.command = stage.command.text();
                    (facts.compile, facts.setup, facts.submission.id) = (compile, setup, id);
                    let suite = with_cases(&self.suite, cases);
                    let cases = self.selection.take(&suite)?;
                    let ready = Ready::Yes(Box::new(Ground { stage, adapter, validators, outputs: self.outputs }));
                    return Ok(Evaluation { suite, cases, ready, facts });
                }
                check(&stage, &cases).await?;
                facts.submission.command = stage.command.text();
                (facts.compile, facts.setup, facts.submission.id) = (compile, setup, id);
                Ready::Yes(Box::new(Ground { stage, adapter, validators, outputs: self.outputs }))
            }
            Err(refused) => {
                let Refused { evidence, compile, setup, id } = *refused;
                facts.refused = Some(evidence.to_string());
                (facts.compile, facts.setup, facts.submission.id) = (compile, setup, id);
                Ready::No(Verdict::Ce, evidence)
            }
        };
        Ok(Evaluation { suite: self.suite, cases, ready, facts })
    }

    /// Makes the evaluation of a submission that never gets to its cases: each of them has this verdict.
    ///
    /// # Errors
    /// Cases that are not there, and a runtime that is not registered.
    pub(in crate::evaluate) fn prepare_nothing(
        self,
        verdict: Verdict,
        evidence: Evidence,
    ) -> Result<Evaluation, ExecutionError> {
        let cases = self.cases(&**self.adapters.need(&self.suite.adapter)?)?;
        let mut facts = self.facts()?;
        facts.refused = Some(evidence.to_string());
        facts.is_host_failure = verdict == Verdict::Ie;
        Ok(Evaluation { suite: self.suite, cases, ready: Ready::No(verdict, evidence), facts })
    }

    /// Gives the cases that are judged; of a suite whose cases are not known yet, one that stands for all of them.
    fn cases(&self, adapter: &dyn Adapter) -> Result<Vec<Case>, ExecutionError> {
        match adapter.collects() {
            true => Ok(vec![Case::new(&*self.suite.name, Step::default())]),
            false => self.selection.take(&self.suite),
        }
    }

    /// Gives the name of the suite, and that of the runtime.
    pub(in crate::evaluate) fn names(&self) -> (String, String) {
        (self.suite.name.clone(), self.spec.ty.clone())
    }

    /// Gives what is known before anything was prepared.
    fn facts(&self) -> Result<RunFacts, ExecutionError> {
        let Self { registry, spec, suite, submission, name, .. } = self;
        let of_path = || Some(submission.as_ref()?.file_name()?.to_string_lossy().into_owned());
        let name = name.clone().or_else(of_path).unwrap_or_default();
        Ok(RunFacts {
            suite: suite.name.clone(),
            adapter: suite.adapter.clone(),
            policy: suite.pass,
            submission: SubmissionFacts { name, ..SubmissionFacts::default() },
            runtime: spec.ty.clone(),
            isolation: registry.kind_of(spec)?.isolation(&spec.section)?.to_owned(),
            spec_id: spec.spec_id(),
            warnings: suite.warnings.clone(),
            ..RunFacts::default()
        })
    }
}

/// Finds the cases of an adapter that collects them; what it failed at twice is evidence.
async fn collect(
    adapter: &dyn Adapter,
    stage: &Stage,
    suite: &Suite,
) -> Result<Result<Option<Collected>, Evidence>, ExecutionError> {
    const TRIES: u32 = 2;
    let mut message = String::new();
    for _ in 0..TRIES {
        match adapter.collect(stage, suite).await {
            Ok(found) => return Ok(Ok(found)),
            Err(error) if error.kind() == ErrorKind::Spec => return Err(error),
            Err(error) => message = super::case::explain(&error),
        }
    }
    Ok(Err(Evidence::Host { message, tries: TRIES }))
}

/// Makes the suite of cases that were found, with their groups in the order in which they first stand.
fn with_cases(suite: &Suite, cases: Vec<Case>) -> Arc<Suite> {
    let mut suite = suite.clone();
    for case in &cases {
        if suite.group(&case.group).is_none() {
            suite.groups.push(Group::new(case.group.clone()));
        }
    }
    suite.cases = cases;
    Arc::new(suite)
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
