//! The report as one page for a browser: no network, no script but its own, all text of guests escaped.
//!
//! Never here: what an audience may see.
//! Read next: `page.rs` for what every page has, `run.rs` for a submission, `class.rs` for a class.

mod case;
mod class;
mod page;
mod plot;
mod run;

pub(super) use class::write as write_class;
pub(super) use run::write;
