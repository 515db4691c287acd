//! `--record`: what a solution prints becomes the expected answers.

use std::process::ExitCode;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::app::App;
use crate::cli::json::VERSION;
use crate::cli::scratch::Scratch;
use crate::cli::terminal::printable;
use crate::evaluate::Results;

/// What `eval --record --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct RecordObject {
    /// The version of the form: 1.
    version: u32,
    /// The files that were written.
    written: Vec<String>,
    /// How many files held the answer already.
    same: usize,
    /// What could not be recorded.
    left: Vec<LeftObject>,
}

/// An answer that was not recorded.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct LeftObject {
    /// The case.
    case: String,
    /// Why not.
    why: String,
}

/// Where outputs are whole until they are recorded.
pub(super) struct Outputs {
    dir: Arc<Dir>,
    _scratch: Scratch,
}

impl Outputs {
    pub(super) fn make(app: &App) -> anyhow::Result<Self> {
        let scratch = Scratch::make(app.registry.host())?;
        let dir = Arc::new(Dir::open_ambient_dir(scratch.path(), ambient_authority())?);
        Ok(Self { dir, _scratch: scratch })
    }

    pub(super) fn dir(&self) -> Arc<Dir> {
        Arc::clone(&self.dir)
    }
}

pub(super) fn run(app: &App, results: &Results, outputs: &Outputs) -> anyhow::Result<ExitCode> {
    let recorded = results.record_answers(Some(&outputs.dir))?;
    let left = recorded.left.into_iter().map(|(case, why)| LeftObject { case, why }).collect();
    let object = RecordObject { version: VERSION, written: recorded.written, same: recorded.same, left };
    app.terminal.print_either(&object, draw);
    Ok(ExitCode::from(u8::from(!object.left.is_empty())))
}

fn draw(object: &RecordObject) -> String {
    let mut text = String::new();
    object.written.iter().for_each(|path| text += &format!("wrote {}\n", printable(path)));
    for left in &object.left {
        text += &format!("not recorded: {}: {}\n", printable(&left.case), printable(&left.why));
    }
    text + &format!("{} written, {} the same, {} not recorded\n", object.written.len(), object.same, object.left.len())
}
