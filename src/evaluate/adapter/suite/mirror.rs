//! A directory of the tests, made equal to what a call left in its workspace.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::error::{ErrorKind, ExecutionError};
use crate::session::Session;
use crate::workspace::FileOutcome;

/// The deepest directory that is looked into.
const DEEPEST: usize = 64;

/// Writes what a call left behind into the directory that it was made from.
///
/// Regular files alone: a link that a guest made would lead a test out of its directory. Files that are gone are
/// removed, directories stay.
pub(super) async fn out(session: &Session, directory: &Path) -> Result<(), ExecutionError> {
    let names = session.names().await?;
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    let contents = if asked.is_empty() { Default::default() } else { session.get_file_contents(&asked).await? };
    let failed = |error: io::Error| {
        ExecutionError::new(ErrorKind::Workspace, format!("what a call wrote cannot be given to its test: {error}"))
    };
    let dir = Dir::open_ambient_dir(directory, ambient_authority()).map_err(failed)?;
    let mut kept = BTreeSet::new();
    for (name, outcome) in &contents.files {
        match outcome {
            FileOutcome::Content(content) => {
                write(&dir, name, content.as_bytes()).map_err(failed)?;
                kept.insert(name.clone());
            }
            // Too large to carry: what the test has there stays.
            FileOutcome::TooLarge { .. } => {
                kept.insert(name.clone());
            }
            FileOutcome::Missing | FileOutcome::NotRegular | FileOutcome::Outside => {}
        }
    }
    remove_others(&dir, "", &kept, DEEPEST).map_err(failed)
}

fn write(dir: &Dir, name: &str, bytes: &[u8]) -> io::Result<()> {
    let known = dir.symlink_metadata(name).ok();
    let is_same = known.as_ref().is_some_and(|meta| meta.is_file() && meta.len() == bytes.len() as u64)
        && dir.read(name).is_ok_and(|old| old == bytes);
    if is_same {
        return Ok(());
    }
    match known {
        Some(meta) if meta.is_dir() => dir.remove_dir_all(name)?,
        Some(meta) if !meta.is_file() => dir.remove_file(name)?,
        Some(_) | None => {}
    }
    if let Some((parent, _)) = name.rsplit_once('/') {
        dir.create_dir_all(parent)?;
    }
    let mut file = dir.open_with(name, OpenOptions::new().write(true).create(true).truncate(true))?;
    io::Write::write_all(&mut file, bytes)
}

fn remove_others(dir: &Dir, below: &str, kept: &BTreeSet<String>, depth: usize) -> io::Result<()> {
    for entry in dir.entries()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 {
            remove_others(&entry.open_dir()?, &path, kept, depth - 1)?;
        } else if kind.is_file() && !kept.contains(&path) {
            dir.remove_file(&name)?;
        }
    }
    Ok(())
}
