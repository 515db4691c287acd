//! `spec check`: every problem of every file, where an editor can jump to it.

use std::process::ExitCode;

use clap::Args;

use super::explain;
use crate::cli::app::App;
use crate::cli::args::ModeArg;
use crate::cli::failure::USAGE;
use crate::cli::json::{CheckObject, CheckedFile, ProblemObject, VERSION};
use crate::cli::spec_source::{self, SpecText};
use crate::spec::{self, Loaded, Mode, Problem};

/// The arguments of `spec check`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Put a value over every file first, as `run --set` does.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = crate::cli::run::parse_setting)]
    settings: Vec<(String, String)>,
    /// The mode: an agent is warned of what it would lack.
    #[arg(long, value_name = "MODE", default_value = "evaluation")]
    mode: ModeArg,
    /// Say of every key what it comes to, where that came from and what it means, and how the reference system differs.
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(app: &App, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let files = args.files.iter().map(|file| check(app, file, args)).collect::<Vec<_>>();
    let object = CheckObject { version: VERSION, ok: files.iter().all(|file| file.ok), files };
    app.terminal.print_either(&object, |object| object.files.iter().map(draw).collect());
    Ok(if object.ok { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
}

fn check(app: &App, file: &str, args: &CheckArgs) -> CheckedFile {
    let SpecText { origin, text } = match spec_source::read(file) {
        Ok(text) => text,
        // The other files are checked all the same.
        Err(error) => return unreadable(file, &error),
    };
    let mode = Mode::from(args.mode);
    let (mut problems, mut warnings, mut explained) = (Vec::new(), Vec::new(), None);
    match spec::load_with(&text, &origin, &app.registry, &args.settings) {
        Ok(mut loaded) => {
            warnings.append(&mut loaded.warnings);
            warnings.append(&mut mode_warnings(app, &loaded, mode));
            if args.explain {
                match explain::explain(app, &loaded, (mode, &args.settings)) {
                    Ok(spec) => explained = Some(spec),
                    Err(mut found) => problems.append(&mut found),
                }
            }
        }
        Err(error) => problems.extend_from_slice(error.problems()),
    }
    CheckedFile {
        file: file.to_owned(),
        ok: problems.is_empty(),
        problems: problems.iter().map(ProblemObject::from).collect(),
        warnings: warnings.iter().map(ProblemObject::from).collect(),
        explained,
    }
}

/// Finds what a spec lacks in a mode, as its runtime knows it.
fn mode_warnings(app: &App, loaded: &Loaded, mode: Mode) -> Vec<Problem> {
    let spec = &loaded.spec;
    let found = app.registry.kind(&spec.ty).map(|kind| kind.warnings(&*spec.section, Some(mode)));
    let place = |problem: Problem| {
        let path = format!("{}.{}", spec.ty, problem.path);
        Problem { position: loaded.positions.of_key(&path), path, ..problem }
    };
    found.unwrap_or_default().into_iter().map(place).collect()
}

fn unreadable(file: &str, error: &anyhow::Error) -> CheckedFile {
    let problem = ProblemObject::from(&Problem::new("", error.to_string()));
    CheckedFile { file: file.to_owned(), ok: false, problems: vec![problem], warnings: Vec::new(), explained: None }
}

fn draw(file: &CheckedFile) -> String {
    let problems = file.problems.iter().map(|problem| draw_problem(&file.file, "", problem));
    let warnings = file.warnings.iter().map(|warning| draw_problem(&file.file, "warning: ", warning));
    let drawn: String = problems.chain(warnings).collect();
    let explained = file.explained.as_ref().map(explain::draw).unwrap_or_default();
    if file.ok { format!("{drawn}{}: ok\n{explained}", file.file) } else { drawn }
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
