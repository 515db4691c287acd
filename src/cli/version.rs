//! `version`: which bailiwick this is, and which runtimes it has.

use std::process::ExitCode;

use super::app::App;
use super::json::{VERSION, VersionObject};

pub(super) fn run(app: &App) -> anyhow::Result<ExitCode> {
    let runtimes = app.registry.kinds().map(|kind| kind.ty()).collect();
    let object = VersionObject { version: VERSION, bailiwick: env!("CARGO_PKG_VERSION"), runtimes };
    app.terminal.print_either(&object, |object| {
        format!("bailiwick {}\nruntimes: {}\n", object.bailiwick, object.runtimes.join(", "))
    });
    Ok(ExitCode::SUCCESS)
}
