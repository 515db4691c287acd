//! `snapshot create`: takes a snapshot of a directory and keeps it.

use std::process::ExitCode;

use super::command::{CreateArgs, store};
use super::{source, work};
use crate::cli::app::App;
use crate::cli::json::{CreatedObject, VERSION};
use crate::spec::ByteSize;
use crate::workspace::{Capture, Globs, KeptSnapshot, Take, TakeMemory, Taken};

pub(super) async fn run(app: &App, args: CreateArgs) -> anyhow::Result<ExitCode> {
    let store = store(app)?;
    let dir = source::open_dir(&args.dir).map_err(crate::ExecutionError::from)?;
    let named = std::path::absolute(&args.dir).unwrap_or_else(|_| args.dir.clone()).display().to_string();
    let scope = scope(&args);
    let (taken, kept) = work::run(app, "taking the snapshot", move |watch| {
        let mut take = Take::default();
        (take.scope, take.watch) = (scope, Some(watch));
        take.memory = if args.reread { TakeMemory::None } else { TakeMemory::Store };
        let taken = store.take(&dir, take)?;
        let kept = store.keep(&taken.snapshot, &named, taken.specials)?;
        Ok((taken, kept))
    })
    .await?;
    tell(app, &taken, &kept);
    Ok(ExitCode::SUCCESS)
}

fn scope(args: &CreateArgs) -> Capture {
    if args.ignore.is_empty() && args.only.is_empty() {
        return Capture::All;
    }
    let keep = (!args.only.is_empty()).then(|| Globs::new(&args.only));
    Capture::Spec { keep, ignore: Globs::new(&args.ignore) }
}

fn tell(app: &App, taken: &Taken, kept: &KeptSnapshot) {
    let object = CreatedObject {
        version: VERSION,
        id: kept.id.to_string(),
        entries: kept.entries,
        bytes: kept.bytes,
        read: taken.read,
        specials: taken.specials,
        mounts: taken.mounts,
        unsettled: taken.unsettled.iter().map(ToString::to_string).collect(),
    };
    app.terminal.print_either(&object, |object| format!("{}\n", object.id));
    if app.terminal.wants_json() {
        return;
    }
    let (entries, read) = (object.entries, object.read);
    app.terminal.explain(&format!("{entries} entries, {}, {read} files read", ByteSize(object.bytes)));
    if object.specials > 0 {
        app.terminal.explain(&format!("{} FIFOs, sockets and devices are no part of it", object.specials));
    }
    if object.mounts > 0 {
        app.terminal.explain(&format!("{} directories with another file system are no part of it", object.mounts));
    }
    for path in &object.unsettled {
        app.terminal.explain(&format!("warning: `{path}` kept changing while it was read"));
    }
}
