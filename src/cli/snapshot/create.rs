//! `snapshot create`: takes a snapshot of a directory and keeps it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::command::{CreateArgs, store};
use super::source::of_archive;
use super::{source, work};
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::cli::json::{CreatedObject, VERSION};
use crate::error::ExecutionError;
use crate::spec::ByteSize;
use crate::workspace::{ArchiveFormat, Capture, Globs, KeptSnapshot, Snapshot, Take, TakeMemory, Taken};

pub(super) async fn run(app: &App, args: CreateArgs) -> anyhow::Result<ExitCode> {
    let store = store(app)?;
    let dir = source::open_dir(&args.dir).map_err(ExecutionError::from)?;
    let named = std::path::absolute(&args.dir).unwrap_or_else(|_| args.dir.clone()).display().to_string();
    let (scope, output) = (scope(&args), args.output.as_deref().map(Output::parse).transpose()?);
    let archive = output.as_ref().map(|output| output.path.display().to_string());
    let (taken, kept) = work::run(app, "taking the snapshot", move |watch| {
        let mut take = Take::default();
        (take.scope, take.bounds, take.watch) = (scope, args.bounds.bounds(), Some(watch));
        take.memory = if args.reread { TakeMemory::None } else { TakeMemory::Store };
        let taken = store.take(&dir, take)?;
        let kept = store.keep(&taken.snapshot, &named, taken.specials)?;
        output.iter().try_for_each(|output| output.save(&taken.snapshot))?;
        Ok((taken, kept))
    })
    .await?;
    tell(app, &taken, &kept, archive);
    Ok(ExitCode::SUCCESS)
}

/// The archive that is written as well.
struct Output {
    path: PathBuf,
    #[cfg_attr(not(feature = "files"), expect(dead_code, reason = "no archive is written in such a build"))]
    format: ArchiveFormat,
}

impl Output {
    fn parse(path: &Path) -> Result<Self, Usage> {
        let format = ArchiveFormat::from_name(path).ok_or_else(|| {
            Usage::new(format!("the name `{}` says no kind of archive", path.display()))
                .with_hint("end it in .tar, .tar.gz, .tar.bz2, .tar.xz or .tar.zst")
        })?;
        Ok(Self { path: path.to_owned(), format })
    }

    fn save(&self, snapshot: &Snapshot) -> Result<(), ExecutionError> {
        #[cfg(feature = "files")]
        let saved = crate::workspace::save_archive(snapshot.manifest(), snapshot, self.format, &self.path);
        #[cfg(not(feature = "files"))]
        let saved: Result<(), _> =
            Err(crate::workspace::ArchiveError::Unsupported).inspect_err(|_| drop(snapshot.id()));
        Ok(saved.map_err(|error| of_archive(&self.path, error))?)
    }
}

fn scope(args: &CreateArgs) -> Capture {
    if args.ignore.is_empty() && args.only.is_empty() {
        return Capture::All;
    }
    let keep = (!args.only.is_empty()).then(|| Globs::new(&args.only));
    Capture::Spec { keep, ignore: Globs::new(&args.ignore) }
}

fn tell(app: &App, taken: &Taken, kept: &KeptSnapshot, archive: Option<String>) {
    let object = CreatedObject {
        version: VERSION,
        id: kept.id.to_string(),
        entries: kept.entries,
        bytes: kept.bytes,
        read: taken.read,
        specials: taken.specials,
        mounts: taken.mounts,
        archive,
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
