//! What came of an evaluation, written down: records, the journal, scores, and reports for an audience.
//!
//! Never here: printing on a terminal, or deciding a verdict.
//! Read next: `record.rs` for what is kept of a case, `journal.rs` for where it is kept.

mod journal;
mod measure;
mod record;
mod results;
mod score;
mod stream;

pub use journal::{Journal, JournalError, JournalHeader};
pub use measure::Measure;
pub use record::{CaseRecord, Expected, SetupRecord, StepRecord};
pub use results::{Results, RunFacts, SubmissionFacts};
pub use score::{GroupScore, Score};
pub use stream::{MAX_KEPT, StreamRecord};
