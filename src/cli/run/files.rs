//! The file of `--result`.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

/// Writes a file in one piece: a reader sees the old content or the new, never a part.
///
/// What is there and is no plain file, such as a pipe, is written to as it stands.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let place = || format!("cannot write the result to `{}`", path.display());
    let (parent, name) = path.parent().zip(path.file_name()).with_context(place)?;
    if path.exists() && !path.is_file() {
        let mut file = std::fs::OpenOptions::new().write(true).open(path).with_context(place)?;
        return file.write_all(text.as_bytes()).with_context(place);
    }
    let dir = Dir::open_ambient_dir(parent, ambient_authority()).with_context(place)?;
    let temporary = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
    let written = (|| {
        let mut file = dir.open_with(&temporary, OpenOptions::new().write(true).create_new(true))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        dir.rename(&temporary, &dir, name)
    })();
    written.map_err(|error| {
        // The failure before it is the one to tell.
        let _ = dir.remove_file(&temporary);
        anyhow!(error).context(place())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_content_replaces_the_old_and_nothing_is_left_beside_it() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("result.json");
        for text in ["one", "two"] {
            write(&path, text).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
        assert!(write(&temp.path().join("no/such/dir"), "x").is_err());
    }
}
