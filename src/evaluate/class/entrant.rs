//! What a directory of submissions holds: each entry is one submission, whatever it is.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::ExecutionError;
use crate::evaluate::EvaluateError;
use crate::workspace::ArchiveFormat;

/// The most submissions of one directory.
pub const MAX_ENTRANTS: usize = 100_000;

/// One entry of a directory of submissions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entrant {
    /// What reports call it, unique in its directory: the name of its directory or file, an archive's without ending.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Why it cannot be a submission at all, as the end of a sentence: a link, a socket.
    pub problem: Option<String>,
}

/// The entries of a directory, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entrants {
    /// The submissions.
    pub entrants: Vec<Entrant>,
    /// How many entries were left out, because their names begin with a dot.
    pub hidden: usize,
}

/// Lists the submissions of a directory of the host: directories, files and archives.
///
/// Entries that can be no submission, such as links, are entrants with a problem, so that their row says why.
/// Entries whose names begin with a dot are left out, and counted.
///
/// # Errors
/// A directory that cannot be read, holds nothing, or more than [`MAX_ENTRANTS`] entries.
pub fn open_ambient_entrants(dir: &Path) -> Result<Entrants, ExecutionError> {
    let shown = || dir.display().to_string();
    let failed = |source| EvaluateError::NoSubmissions { path: shown(), source: Some(source) };
    let mut found: Vec<(OsString, PathBuf, Option<String>)> = Vec::new();
    let mut hidden = 0;
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if name.as_bytes().starts_with(b".") {
            hidden += 1;
            continue;
        }
        if found.len() == MAX_ENTRANTS {
            return Err(EvaluateError::TooManySubmissions { path: shown(), most: MAX_ENTRANTS }.into());
        }
        // Never followed: a link would be judged as what it leads to, wherever that is.
        let kind = entry.file_type().map_err(failed)?;
        let problem = match (kind.is_dir() || kind.is_file(), kind.is_symlink()) {
            (true, _) => None,
            (false, true) => Some("is a symbolic link".to_owned()),
            (false, false) => Some("is neither a directory nor a file".to_owned()),
        };
        found.push((name, entry.path(), problem));
    }
    if found.is_empty() {
        return Err(EvaluateError::NoSubmissions { path: shown(), source: None }.into());
    }
    found.sort();
    Ok(Entrants { entrants: named(found), hidden })
}

/// Names each entry so that no two have the same name.
fn named(found: Vec<(OsString, PathBuf, Option<String>)>) -> Vec<Entrant> {
    let whole: HashSet<String> = found.iter().map(|(name, ..)| escaped(name)).collect();
    let mut taken = HashSet::new();
    let one = |(name, path, problem): (OsString, PathBuf, Option<String>)| {
        let full = escaped(&name);
        let short = stem(&name, &path).filter(|short| !whole.contains(short) && !taken.contains(short));
        let name = short.unwrap_or(full);
        taken.insert(name.clone());
        Entrant { name, path, problem }
    };
    found.into_iter().map(one).collect()
}

/// Gives an archive's name without its ending.
fn stem(name: &OsStr, path: &Path) -> Option<String> {
    ArchiveFormat::from_name(path)?;
    let text = name.to_str()?;
    let cut = text.rfind('.')?;
    let cut = text[..cut].strip_suffix(".tar").map_or(cut, str::len);
    Some(text[..cut].to_owned()).filter(|stem| !stem.is_empty())
}

/// Gives a name as text; bytes that are none are escaped, so that different names stay different.
fn escaped(name: &OsStr) -> String {
    match name.to_str() {
        Some(text) => text.to_owned(),
        None => name.as_bytes().escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_a_name_of_its_own() {
        let temp = tempfile::tempdir().unwrap();
        let place = |name: &str| temp.path().join(name);
        for dir in ["ada", "bob"] {
            std::fs::create_dir(place(dir)).unwrap();
        }
        for file in ["ada.zip", "carl.tar.gz", "carl.zip", "dora.py", ".DS_Store"] {
            std::fs::File::create(place(file)).unwrap();
        }
        std::os::unix::fs::symlink("/etc", place("eve")).unwrap();
        let Entrants { entrants, hidden } = open_ambient_entrants(temp.path()).unwrap();
        let names: Vec<&str> = entrants.iter().map(|entrant| entrant.name.as_str()).collect();
        assert_eq!(names, ["ada", "ada.zip", "bob", "carl", "carl.zip", "dora.py", "eve"]);
        let broken: Vec<&str> =
            entrants.iter().filter(|one| one.problem.is_some()).map(|one| one.name.as_str()).collect();
        assert_eq!((broken, hidden), (vec!["eve"], 1));
    }

    #[test]
    fn nothing_to_judge_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        assert!(open_ambient_entrants(temp.path()).is_err());
        assert!(open_ambient_entrants(&temp.path().join("missing")).is_err());
    }
}
