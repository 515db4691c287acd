//! `spec check`: every problem of every file, where an editor can jump to it.

use std::process::ExitCode;

use clap::Args;

use crate::cli::app::App;
use crate::cli::failure::USAGE;
use crate::cli::json::{CheckObject, CheckedFile, ProblemObject, VERSION};
use crate::cli::spec_source::{self, SpecText};
use crate::spec::{self, Problem};

/// The arguments of `spec check`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Put a value over every file first, as `run --set` does.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = crate::cli::run::parse_setting)]
    settings: Vec<(String, String)>,
}

pub(super) fn run(app: &App, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let files = args.files.iter().map(|file| check(app, file, &args.settings)).collect::<Vec<_>>();
    let object = CheckObject { version: VERSION, ok: files.iter().all(|file| file.ok), files };
    app.terminal.print_either(&object, |object| object.files.iter().map(draw).collect());
    Ok(if object.ok { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
}

fn check(app: &App, file: &str, settings: &[(String, String)]) -> CheckedFile {
    let SpecText { origin, text } = match spec_source::read(file) {
        Ok(text) => text,
        // The other files are checked all the same.
        Err(error) => return unreadable(file, &error),
    };
    let (problems, warnings) = match spec::load_with(&text, &origin, &app.registry, settings) {
        Ok(loaded) => (Vec::new(), loaded.warnings),
        Err(error) => (error.problems().to_vec(), Vec::new()),
    };
    CheckedFile {
        file: file.to_owned(),
        ok: problems.is_empty(),
        problems: problems.iter().map(ProblemObject::from).collect(),
        warnings: warnings.iter().map(ProblemObject::from).collect(),
    }
}

fn unreadable(file: &str, error: &anyhow::Error) -> CheckedFile {
    let problem = ProblemObject::from(&Problem::new("", error.to_string()));
    CheckedFile { file: file.to_owned(), ok: false, problems: vec![problem], warnings: Vec::new() }
}

fn draw(file: &CheckedFile) -> String {
    let problems = file.problems.iter().map(|problem| draw_problem(&file.file, "", problem));
    let warnings = file.warnings.iter().map(|warning| draw_problem(&file.file, "warning: ", warning));
    let drawn: String = problems.chain(warnings).collect();
    if file.ok { format!("{drawn}{}: ok\n", file.file) } else { drawn }
}

fn draw_problem(file: &str, label: &str, problem: &ProblemObject) -> String {
    let mut text = file.to_owned();
    if let (Some(line), Some(column)) = (problem.line, problem.column) {
        text += &format!(":{line}:{column}");
    }
    text += ": ";
    text += label;
    if !problem.path.is_empty() {
        text += &format!("{}: ", problem.path);
    }
    text += &format!("{}\n", problem.message);
    for hint in problem.hint.iter().flat_map(|hint| hint.lines()) {
        text += &format!("  hint: {hint}\n");
    }
    text
}
