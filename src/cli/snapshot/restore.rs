//! `snapshot restore`: makes a directory equal to a snapshot.

use std::process::ExitCode;

use super::command::RestoreArgs;
use super::source::{Place, Source};
use super::work;
use crate::cli::app::App;
use crate::cli::json::{RestoredObject, VERSION};
use crate::spec::ByteSize;
use crate::workspace::Restore;

pub(super) async fn run(app: &App, args: RestoreArgs) -> anyhow::Result<ExitCode> {
    let (place, source) = (Place::of(app, args.bounds)?, Source::parse(&args.snapshot)?);
    let how = if args.replace { Restore::Mirror } else { Restore::Empty };
    let (id, report) = work::run(app, "restoring", move |watch| {
        let snapshot = source.open(&place, &mut |progress| watch(progress))?;
        let report = snapshot.restore_ambient(&args.dir, how, Some(watch))?;
        Ok((snapshot.id(), report))
    })
    .await?;
    let object = RestoredObject {
        version: VERSION,
        id: id.to_string(),
        files: report.files,
        directories: report.directories,
        links: report.links,
        bytes: report.bytes,
    };
    app.terminal.print_either(&object, |object| {
        let RestoredObject { files, directories, links, bytes, .. } = object;
        format!("restored {files} files, {directories} directories and {links} links, {}\n", ByteSize(*bytes))
    });
    Ok(ExitCode::SUCCESS)
}
