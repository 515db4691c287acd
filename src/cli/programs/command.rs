//! The commands of `programs`.

use std::process::ExitCode;

use clap::Subcommand;

use super::add::{AddArgs, add};
use super::install::{self, InstallArgs};
use super::list::{draw, object};
use super::measure;
use crate::ExecutionError;
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::runtime::wasi::{Catalogue, CatalogueError};

/// The commands of `programs`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ProgramsCommand {
    /// Copy a module into the catalogue under a name, in place of what had that name and version.
    Add(Box<AddArgs>),
    /// Get known programs with your own pip or npm, by pinned version and digest, and compile them.
    Install(InstallArgs),
    /// List the programs, as commands find them.
    List {
        /// Measure how long each takes to start, and its speed beside the program of this host.
        #[arg(long)]
        measure: bool,
    },
    /// Remove a program from the own catalogue: one version of it, or all.
    Remove {
        /// The program.
        #[arg(value_name = "NAME[@VERSION]")]
        name: String,
    },
}

pub(in crate::cli) async fn run(app: App, command: ProgramsCommand) -> anyhow::Result<ExitCode> {
    let catalogue = Catalogue::open(app.registry.host());
    match command {
        ProgramsCommand::Add(args) => {
            let entry = add(&catalogue, *args)?;
            print_object(&app, &catalogue);
            app.terminal.explain(&format!("added `{}`, {} bytes, blake3 {}", entry.name, entry.size, entry.digest));
        }
        ProgramsCommand::Install(args) => {
            install::run(&app, &catalogue, args).await?;
            print_object(&app, &catalogue);
        }
        ProgramsCommand::List { measure } => {
            let mut listed = object(&catalogue);
            if measure {
                measure::measure(&app, &catalogue, &mut listed).await?;
            }
            app.terminal.print_either(&listed, draw);
        }
        ProgramsCommand::Remove { name } => {
            catalogue.remove(&name).map_err(told)?;
            print_object(&app, &catalogue);
            app.terminal.explain(&format!("removed `{name}`"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what the catalogue holds now, if objects are wanted.
fn print_object(app: &App, catalogue: &Catalogue) {
    if app.terminal.wants_json() {
        app.terminal.print_object(&object(catalogue));
    }
}

/// Tells requests that are wrong from failures of the host.
pub(super) fn told(error: CatalogueError) -> anyhow::Error {
    let is_usage = match &error {
        CatalogueError::BadName { .. }
        | CatalogueError::BadVersion { .. }
        | CatalogueError::Unknown { .. }
        | CatalogueError::NotAModule { .. } => true,
        CatalogueError::NoDirectory | CatalogueError::Io { .. } => false,
    };
    let error = ExecutionError::from(error);
    match error.hint() {
        Some(hint) if is_usage => Usage::new(error.to_string()).with_hint(hint).into(),
        Some(_) | None => error.into(),
    }
}
