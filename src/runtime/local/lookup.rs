//! Which file a command's first word means, and what it means that none could be executed.

use std::ffi::CString;
use std::os::fd::BorrowedFd;

use rustix::fs::{Access, AtFlags, FileType, accessat, statat};

use crate::runtime::{Ending, NotStarted};

/// Lists the paths that a word may mean: itself with a slash in it, else one in each directory of the search paths.
///
/// An empty directory in a search path is the working directory, as POSIX has it. The word holds no NUL.
pub(super) fn candidates(word: &str, search: &[&str]) -> Vec<CString> {
    if word.contains('/') {
        return CString::new(word).into_iter().collect();
    }
    let mut found: Vec<CString> = Vec::new();
    for dir in search.iter().flat_map(|path| path.split(':')) {
        let path = if dir.is_empty() { format!("./{word}") } else { format!("{}/{word}", dir.trim_end_matches('/')) };
        if let Ok(path) = CString::new(path)
            && !found.contains(&path)
        {
            found.push(path);
        }
    }
    found
}

/// Says whether one of the paths, relative ones below a directory, is a file that may be executed.
pub(super) fn is_found(candidates: &[CString], cwd: BorrowedFd<'_>) -> bool {
    candidates.iter().any(|path| what_stands_at(path, cwd) == Some(Standing::Program))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Program,
    Directory,
    NotExecutable,
}

fn what_stands_at(path: &CString, cwd: BorrowedFd<'_>) -> Option<Standing> {
    let stat = statat(cwd, path, AtFlags::empty()).ok()?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let may_run = kind == FileType::RegularFile && accessat(cwd, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok();
    Some(match (kind == FileType::Directory, may_run) {
        (true, _) => Standing::Directory,
        (false, true) => Standing::Program,
        (false, false) => Standing::NotExecutable,
    })
}

/// Explains why no candidate could be executed. Names the word, never a path of the host.
pub(super) fn explain(errno: i32, word: &str, candidates: &[CString], cwd: BorrowedFd<'_>) -> Ending {
    let word = word.escape_debug();
    let standing = candidates.iter().find_map(|path| what_stands_at(path, cwd));
    let why = match (errno, standing) {
        (libc::ENOENT | libc::ENOTDIR, None) if word.clone().any(|letter| letter == '/') => {
            return Ending::not_started(NotStarted::Missing, format!("there is no file `{word}`"));
        }
        (libc::ENOENT | libc::ENOTDIR, None) => {
            return Ending::not_started(NotStarted::Missing, format!("`{word}` is in no directory of the search path"));
        }
        (libc::ENOENT, Some(Standing::Program)) => "names an interpreter that is not there".to_owned(),
        (_, Some(Standing::Directory)) => "is a directory".to_owned(),
        (libc::EACCES, Some(Standing::NotExecutable)) => "may not be executed".to_owned(),
        (libc::ENOEXEC, _) => "is neither a program for this machine nor a script with a `#!` line".to_owned(),
        (libc::E2BIG, _) => "was given more words and variables than the kernel takes".to_owned(),
        (libc::ETXTBSY, _) => "is still being written".to_owned(),
        (errno, _) => std::io::Error::from_raw_os_error(errno).to_string(),
    };
    Ending::not_started(NotStarted::NotExecutable, format!("`{word}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_searched_for_and_a_path_is_not() {
        let found = |word, search: &[&str]| -> Vec<String> {
            candidates(word, search).into_iter().map(|path| path.into_string().unwrap()).collect()
        };
        assert_eq!(found("./a b", &["/bin"]), ["./a b"]);
        assert_eq!(found("-x", &["/bin:/usr/bin/", ":/bin"]), ["/bin/-x", "/usr/bin/-x", "./-x"]);
        assert!(found("x", &[]).is_empty());
    }
}
