//! The whole class: many submissions judged by one suite, all of them sharing the jobs.
//!
//! One hostile or broken submission stops no other: what is wrong with it is what its own cases say.
//!
//! Never here: how one submission is judged, where reports are put.
//! Read next: [`Entrant`] for what is taken as a submission, `run.rs` for the loop.

mod entrant;
mod row;
mod run;

pub use entrant::{Entrant, Entrants, MAX_ENTRANTS, open_ambient_entrants};
pub use row::{ClassReport, ClassResults, ClassRow};
pub use run::{CLASS_BOUNDS, Class, ClassProgress};
