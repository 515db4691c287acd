//! What it means: cases, adapters, checkers, verdicts, scores and reports.
//!
//! A **suite** of **cases** judges a submission. An **adapter** turns a case into commands of a session, what they did
//! becomes **facts**, facts become a **verdict** in a fixed order, verdicts become a **report** for an audience.
//!
//! Never here: a runtime by name, printing, and anything of a case in a place that a submission can read.
//! Read next: `case/mod.rs` for what is asked, [`Verdict`] for what may come of it.

mod adapter;
mod answers;
mod case;
pub mod check;
mod class;
mod error;
mod judge;
mod load;
mod package;
mod report;
mod verdict;

pub use adapter::{
    Adapter, AdapterRegistry, CliAdapter, Collected, Driver, HttpAdapter, Observed, Part, Scope, Seen, Stage,
    SubmissionCommand, SuiteAdapter, open_ambient_shim,
};
pub use answers::Recorded;
pub use case::{
    Case, Data, DataError, DataFile, ExitCodes, Expect, Expectation, Group, GroupScoring, MAX_DATA, Origin, PassPolicy,
    PathGlob, Promise, Request, StatusCodes, Step, Suite, TimeBound, Visibility,
};
pub use class::{
    CLASS_BOUNDS, Class, ClassProgress, ClassReport, ClassResults, ClassRow, Entrant, Entrants, MAX_ENTRANTS,
    open_ambient_entrants,
};
pub use error::EvaluateError;
#[cfg(feature = "cli")]
pub(crate) use judge::COMPILED_SUBMISSIONS;
pub(crate) use judge::skipped;
pub use judge::{Evaluation, EvaluationBuilder, Progress, RunOptions, Selection, Start};
use judge::{explain as judge_explain, of_ending as facts_of_ending};
pub use load::{cases_schema, open_ambient_suite};
pub use report::{
    Audience, CaseRecord, Expected, GroupScore, Journal, JournalError, JournalHeader, MAX_KEPT, Measure, Report,
    ReportHead, ReportKind, Results, RunFacts, Score, SetupRecord, StepRecord, StreamRecord, SubmissionFacts,
};
pub use verdict::{Difference, Evidence, Fact, Figure, Judgement, Verdict};
