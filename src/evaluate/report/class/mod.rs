//! Reports of a whole class: a row a submission.
//!
//! Never here: what came of one submission, which has reports of its own.

mod table;
mod text;

pub(super) use table::write as csv;
pub(super) use text::{write as json, write_lines as jsonl, write_page as markdown};
