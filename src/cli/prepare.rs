//! `prepare`: does ahead of time what a spec's runtime needs.

use std::process::ExitCode;

use clap::Args;

use super::app::App;
use super::json::{PrepareObject, VERSION};
use super::progress::Spinner;
use super::signals::Signals;
use super::spec_source;

/// The arguments of `prepare`.
#[derive(Debug, Args)]
pub(super) struct PrepareArgs {
    /// A built-in spec or a file.
    #[arg(long, value_name = "FILE|NAME")]
    spec: String,
    /// Put a value over the spec first, as `run --set` does.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = super::run::parse_setting)]
    settings: Vec<(String, String)>,
}

pub(super) async fn run(app: App, args: PrepareArgs) -> anyhow::Result<ExitCode> {
    let signals = Signals::take()?;
    let spec = spec_source::load(&app.registry, Some(&args.spec), None, &args.settings)?.spec;
    let kind = app.registry.kind_of(&spec)?;
    let spinner = Spinner::new(app.progress);
    signals.or(kind.prepare(&spec.section, &spinner)).await??;
    drop(spinner);
    let spec_id = spec.spec_id();
    let object = PrepareObject { version: VERSION, runtime: spec.ty, name: spec.name, spec_id };
    app.terminal.print_either(&object, |object| format!("{} is ready on {}\n", object.name, object.runtime));
    Ok(ExitCode::SUCCESS)
}
