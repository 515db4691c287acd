//! What came of an evaluation, written down: records, the journal, scores, and reports for an audience.
//!
//! Never here: printing on a terminal, or deciding a verdict.
//! Read next: `record.rs` for what is kept of a case, `journal.rs` for where it is kept.

mod audience;
mod class;
mod csv;
mod html;
mod journal;
mod json;
mod junit;
mod kind;
mod markdown;
mod measure;
mod record;
mod results;
mod score;
mod stream;
mod suite_id;
mod words;

pub use audience::Audience;
pub use journal::{Journal, JournalError, JournalHeader};
pub use json::{Report, ReportHead};
pub use kind::ReportKind;
pub use measure::Measure;
pub use record::{CaseRecord, Expected, SetupRecord, StepRecord};
pub use results::{Results, RunFacts, SubmissionFacts};
pub use score::{GroupScore, Score};
pub use stream::{MAX_KEPT, StreamRecord};
