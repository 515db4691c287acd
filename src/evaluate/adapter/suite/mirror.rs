//! A directory of the tests, made equal to what a call left in its workspace.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, Permissions, PermissionsExt as _};

use crate::error::{ErrorKind, ExecutionError};
use crate::session::Session;
use crate::workspace::{Contents, EntryKind, FileOutcome};

/// The deepest directory that is looked into.
const DEEPEST: usize = 64;
/// What the tests can always do with a file, and with a directory: what a call took away it took from the submission,
/// and a directory that cannot be read could not be given to the next call.
const OWN_FILE: u32 = 0o600;
const OWN_DIRECTORY: u32 = 0o700;

/// An entry of the workspace that is given to the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File { mode: u32 },
    Directory { mode: u32 },
}

/// Writes what a call left behind into the directory that it was made from: regular files and directories, empty ones
/// too, with their permission bits.
///
/// A link that a guest made would lead a test out of its directory. What is gone is removed; what was never mirrored,
/// such as a socket of the test, stays.
pub(super) async fn out(session: &Session, directory: &Path) -> Result<(), ExecutionError> {
    let manifest = session.manifest().await?;
    let kind = |path: &str, kind: &EntryKind, mode: u32| match kind {
        EntryKind::File { .. } => Some((path.to_owned(), Kind::File { mode: mode | OWN_FILE })),
        EntryKind::Directory => Some((path.to_owned(), Kind::Directory { mode: mode | OWN_DIRECTORY })),
        EntryKind::Symlink { .. } | EntryKind::Special => None,
    };
    let entries = manifest.iter().filter_map(|(path, entry)| kind(&path.to_string(), &entry.kind, entry.mode));
    let entries: BTreeMap<String, Kind> = entries.collect();
    let files = entries.iter().filter(|(_, kind)| matches!(kind, Kind::File { .. }));
    let asked: Vec<&str> = files.map(|(name, _)| name.as_str()).collect();
    let contents = if asked.is_empty() { Contents::default() } else { session.get_file_contents(&asked).await? };
    let failed = |error: io::Error| {
        ExecutionError::new(ErrorKind::Workspace, format!("what a call wrote cannot be given to its test: {error}"))
    };
    let dir = Dir::open_ambient_dir(directory, ambient_authority()).map_err(failed)?;
    remove_others(&dir, "", &entries, DEEPEST).map_err(failed)?;
    put(&dir, &entries, contents).map_err(failed)
}

/// Puts what the workspace holds into the directory; directories come before what is in them.
fn put(dir: &Dir, entries: &BTreeMap<String, Kind>, contents: Contents) -> io::Result<()> {
    for (name, kind) in entries {
        if let Kind::Directory { mode } = kind {
            make_directory(dir, name, *mode)?;
        }
    }
    for (name, outcome) in contents.files {
        // Too large to carry, or gone since: what the test has there stays.
        let FileOutcome::Content(content) = outcome else { continue };
        let Some(Kind::File { mode }) = entries.get(&name) else { continue };
        write(dir, &name, content.as_bytes(), *mode)?;
    }
    Ok(())
}

fn make_directory(dir: &Dir, name: &str, mode: u32) -> io::Result<()> {
    match dir.symlink_metadata(name) {
        Ok(meta) if meta.is_dir() && meta.permissions().mode() & 0o777 == mode => return Ok(()),
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => {
            dir.remove_file(name)?;
            dir.create_dir(name)?;
        }
        Err(_) => dir.create_dir(name)?,
    }
    dir.set_permissions(name, Permissions::from_mode(mode))
}

fn write(dir: &Dir, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let known = dir.symlink_metadata(name).ok();
    match &known {
        Some(meta) if meta.is_dir() => dir.remove_dir_all(name)?,
        Some(meta) if !meta.is_file() => dir.remove_file(name)?,
        Some(_) | None => {}
    }
    let known = known.filter(|meta| meta.is_file());
    let is_same = known.as_ref().is_some_and(|meta| meta.len() == bytes.len() as u64)
        && dir.read(name).is_ok_and(|old| old == bytes);
    if !is_same {
        let mut file = dir.open_with(name, OpenOptions::new().write(true).create(true).truncate(true))?;
        io::Write::write_all(&mut file, bytes)?;
    }
    if known.is_some_and(|meta| meta.permissions().mode() & 0o777 == mode) {
        return Ok(());
    }
    dir.set_permissions(name, Permissions::from_mode(mode))
}

/// Removes files and directories that the workspace does not have any more, and of a kind that it has otherwise.
fn remove_others(dir: &Dir, below: &str, entries: &BTreeMap<String, Kind>, depth: usize) -> io::Result<()> {
    for entry in dir.entries()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let (kind, known) = (entry.file_type()?, entries.get(&path));
        if kind.is_dir() && depth > 0 {
            let inner = entry.open_dir()?;
            remove_others(&inner, &path, entries, depth - 1)?;
            drop(inner);
            if !matches!(known, Some(Kind::Directory { .. })) {
                // What is not mirrored may stand in it, and keeps it.
                let _ = dir.remove_dir(&name);
            }
        } else if kind.is_file() && !matches!(known, Some(Kind::File { .. })) {
            dir.remove_file(&name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Content;

    fn given(entries: &[(&str, Kind)], files: &[(&str, &str)]) -> (BTreeMap<String, Kind>, Contents) {
        let entries = entries.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        let content = |text: &str| FileOutcome::Content(Content::Text(text.to_owned()));
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), content(text))).collect();
        (entries, Contents { files, ..Contents::default() })
    }

    fn mirror(dir: &Dir, entries: &[(&str, Kind)], files: &[(&str, &str)]) {
        let (entries, contents) = given(entries, files);
        remove_others(dir, "", &entries, DEEPEST).unwrap();
        put(dir, &entries, contents).unwrap();
    }

    #[test]
    fn files_directories_and_their_modes_are_made_equal() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        for name in ["gone/deep", "stays", "was-dir"] {
            dir.create_dir_all(name).unwrap();
        }
        dir.write("gone/deep/file", "x").unwrap();
        dir.write("was-file", "x").unwrap();
        dir.write("tool", "old").unwrap();
        dir.symlink("tool", "link").unwrap();
        let (file, directory) = (Kind::File { mode: 0o640 }, Kind::Directory { mode: 0o750 });
        let entries = [
            ("empty", directory),
            ("stays", directory),
            ("tool", Kind::File { mode: 0o755 }),
            ("was-dir", file),
            ("was-file", directory),
            ("was-file/inner", file),
        ];
        mirror(&dir, &entries, &[("tool", "new"), ("was-dir", "now"), ("was-file/inner", "in")]);
        assert!(!dir.exists("gone") && dir.is_dir("empty") && dir.exists("link"));
        for (path, text) in [("tool", "new"), ("was-dir", "now"), ("was-file/inner", "in")] {
            assert_eq!(dir.read_to_string(path).unwrap(), text);
        }
        let mode = |path: &str| dir.metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode("tool"), mode("was-dir"), mode("stays"), mode("empty")], [0o755, 0o640, 0o750, 0o750]);
        // What has the same bytes gets its bits all the same.
        mirror(&dir, &[("tool", file)], &[("tool", "new")]);
        assert_eq!((mode("tool"), dir.exists("empty")), (0o640, false));
    }

    #[test]
    fn what_is_not_carried_is_not_removed() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        dir.write("large", "mine").unwrap();
        let (entries, _) = given(&[("large", Kind::File { mode: 0o644 })], &[]);
        let contents = Contents { files: vec![("large".to_owned(), FileOutcome::Missing)], ..Contents::default() };
        remove_others(&dir, "", &entries, DEEPEST).unwrap();
        put(&dir, &entries, contents).unwrap();
        assert_eq!(dir.read_to_string("large").unwrap(), "mine");
    }
}
