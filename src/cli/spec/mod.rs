//! `spec`: check, show and list environment specs.

mod check;
mod differences;
mod explain;
mod show;

use std::process::ExitCode;

use clap::Subcommand;

use self::check::CheckArgs;
use self::show::ShowArgs;
use super::app::App;
use super::json::{ListObject, ListedSpec, VERSION};
use super::spec_source;

/// The commands of `spec`.
#[derive(Debug, Subcommand)]
pub(super) enum SpecCommand {
    /// Report every problem of the files, each with its place.
    Check(CheckArgs),
    /// Print a spec to copy, or every limit that it comes to.
    Show(ShowArgs),
    /// List the built-in specs.
    List,
    /// Print the JSON Schema of specs.
    Schema,
}

pub(super) fn run(app: &App, command: SpecCommand) -> anyhow::Result<ExitCode> {
    match command {
        SpecCommand::Check(args) => check::run(app, &args),
        SpecCommand::Show(args) => show::run(app, &args),
        SpecCommand::List => list(app),
        SpecCommand::Schema => {
            app.terminal.print_pretty(&spec_source::schema(&app.registry));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(app: &App) -> anyhow::Result<ExitCode> {
    let listed = app.registry.kinds().flat_map(|kind| {
        let ty = kind.ty();
        kind.builtin_specs().into_iter().map(move |spec| ListedSpec { name: spec.name, ty, about: spec.about })
    });
    let object = ListObject { version: VERSION, specs: listed.collect() };
    app.terminal.print_either(&object, |object| {
        let width = object.specs.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
        object.specs.iter().map(|spec| format!("{:width$}  {}: {}\n", spec.name, spec.ty, spec.about)).collect()
    });
    Ok(ExitCode::SUCCESS)
}
