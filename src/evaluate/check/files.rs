//! The files that a program is made of: those of the cases' author, listed below a directory that was opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use cap_std::fs::Dir;

use crate::evaluate::{Data, DataFile};

/// The most files that one program may be made of.
const MAX_FILES: usize = 1_000;
/// The deepest nesting of its directories.
const MAX_DEPTH: usize = 16;

/// Lists a file, or every file below a directory, each under its path below `base`. Links and specials are passed over.
pub(in crate::evaluate) fn collect_files(
    base: &Arc<Dir>,
    path: &str,
    files: &mut BTreeMap<String, Data>,
) -> Result<(), String> {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let meta = base.symlink_metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if meta.is_dir() {
        return collect_dir(base, path, files, MAX_DEPTH);
    }
    if !meta.is_file() {
        return Err("is neither a regular file nor a directory".to_owned());
    }
    files.insert(path.to_owned(), Data::File(DataFile::new(Arc::clone(base), path)));
    Ok(())
}

fn collect_dir(base: &Arc<Dir>, path: &str, files: &mut BTreeMap<String, Data>, depth: usize) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot be read: {error}");
    for entry in base.read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| "holds a name that is not UTF-8".to_owned())?;
        let (path, kind) = (format!("{path}/{name}"), entry.file_type().map_err(failed)?);
        if kind.is_dir() {
            let depth = depth.checked_sub(1).ok_or_else(|| format!("is nested more than {MAX_DEPTH} deep"))?;
            collect_dir(base, &path, files, depth)?;
        } else if kind.is_file() {
            files.insert(path.clone(), Data::File(DataFile::new(Arc::clone(base), path)));
        }
        if files.len() > MAX_FILES {
            return Err(format!("holds more than {MAX_FILES} files"));
        }
    }
    Ok(())
}
