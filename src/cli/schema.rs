//! `schema`: the JSON Schemas of what is read and of what is printed.

use std::process::ExitCode;

use clap::Args;

use super::app::App;
use super::json::{self, SchemaName};
use super::spec_source;

/// The arguments of `schema`.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// What to describe.
    #[arg(value_name = "NAME")]
    name: SchemaName,
}

pub(super) fn run(app: &App, args: &SchemaArgs) -> anyhow::Result<ExitCode> {
    let schema = json::schema(args.name).unwrap_or_else(|| spec_source::schema(&app.registry));
    app.terminal.print_pretty(&schema);
    Ok(ExitCode::SUCCESS)
}
