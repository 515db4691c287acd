//! Which programs of the host a command names, and whether they are still the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::lookup;
use crate::runtime::CommandLine;
use crate::workspace::Workspace;

/// The most words that are looked at; a line with more is not kept.
const MOST_WORDS: usize = 4096;
/// The largest file that is read; of a larger one size, times and number must do.
const MOST_READ: u64 = 64 << 20;
/// The most of a file in which its interpreter is looked for, as the kernel has it.
const SCRIPT_HEAD: usize = 256;

/// Where the words of a command are looked for.
pub(super) struct Look<'a> {
    pub(super) search: &'a [&'a str],
    pub(super) workspace: &'a Workspace,
}

/// Describes every file of the host that a word of the line or of a variable names, with the interpreters of scripts.
/// None where there are too many words to look at.
///
/// Size, times and number are there beside the content: the launcher of a compiler may stay what it is while a package
/// replaces what stands behind it, and that writes the launcher again. What stands in the workspace is left out.
pub(super) fn of(line: &CommandLine, env: &BTreeMap<String, String>, look: &Look<'_>) -> io::Result<Option<String>> {
    let mut words: VecDeque<String> = VecDeque::new();
    match line {
        CommandLine::Argv(argv) => argv.iter().for_each(|word| split(word, &mut words)),
        CommandLine::Line(line) => split(line, &mut words),
    }
    env.values().for_each(|value| split(value, &mut words));
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    while let Some(word) = words.pop_front() {
        if !seen.insert(word.clone()) {
            continue;
        }
        if seen.len() > MOST_WORDS {
            return Ok(None);
        }
        let Some((path, file)) = open(&word, look) else { continue };
        let (text, interpreter) = describe(&path, file)?;
        found.insert(format!("{} {text}", word.escape_debug()));
        interpreter.iter().for_each(|line| split(line, &mut words));
    }
    Ok(Some(found.into_iter().collect::<Vec<_>>().join("\n")))
}

/// Adds a word, and what of it may be a word for a shell.
fn split(word: &str, to: &mut VecDeque<String>) {
    to.push_back(word.to_owned());
    let is_plain = |sign: char| sign.is_alphanumeric() || "._/+-@%~".contains(sign);
    let parts = word.split(|sign| !is_plain(sign)).filter(|part| !part.is_empty() && *part != word);
    to.extend(parts.map(str::to_owned));
}

/// Opens what a word names: a program on the search path, or a file by its path; nothing that stands in the workspace.
fn open(word: &str, look: &Look<'_>) -> Option<(PathBuf, File)> {
    let cwd: BorrowedFd<'_> = look.workspace.dir().as_fd();
    let candidates = lookup::candidates(word, look.search);
    let is_path = word.contains('/');
    // A path may be read without being a program: a script behind its interpreter.
    let chosen = candidates.iter().find(|path| is_path || lookup::is_found(std::slice::from_ref(path), cwd))?;
    // To open a device is to do something.
    let stat = rustix::fs::statat(cwd, chosen, AtFlags::empty()).ok()?;
    (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then_some(())?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(cwd, chosen, flags, Mode::empty()).ok()?);
    file.metadata().ok()?.is_file().then_some(())?;
    let path = std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file))).ok()?;
    let is_inside = look.workspace.open_ambient_path().is_some_and(|root| is_below(&path, root));
    (!is_inside).then_some((path, file))
}

fn is_below(path: &Path, root: &Path) -> bool {
    root.canonicalize().is_ok_and(|root| path.starts_with(root))
}

/// Gives what tells a file from another one, and the line that names its interpreter.
fn describe(path: &Path, mut file: File) -> io::Result<(String, Option<String>)> {
    let meta = file.metadata()?;
    let mut hasher = blake3::Hasher::new();
    let mut head = Vec::new();
    if meta.len() <= MOST_READ {
        let mut piece = vec![0; 1 << 16];
        let mut left = MOST_READ;
        loop {
            let read = file.read(&mut piece)?;
            head.extend_from_slice(&piece[..read.min(SCRIPT_HEAD.saturating_sub(head.len()))]);
            hasher.update(&piece[..read]);
            left = left.saturating_sub(read as u64);
            if read == 0 || left == 0 {
                break;
            }
        }
    }
    let first = head.split(|byte| *byte == b'\n').next().and_then(|line| line.strip_prefix(b"#!"));
    let interpreter = first.map(|line| String::from_utf8_lossy(line).into_owned());
    let path = path.as_os_str().as_bytes().escape_ascii();
    let (modified, changed) = ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()));
    let (size, number, hash) = (meta.len(), meta.ino(), hasher.finalize().to_hex());
    Ok((format!("{path} {size} {number} {modified:?} {changed:?} {hash}"), interpreter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;
    use crate::workspace::{Base, BaseNeed, Owner, Quota, Reaper};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the programs of the host are the test's own")]
    fn programs_that_a_line_names_are_told_apart_by_what_they_are() {
        let temp = tempfile::tempdir().unwrap();
        let mut host = Host::default();
        std::fs::create_dir(temp.path().join("base")).unwrap();
        host.dirs.base = Some(temp.path().join("base"));
        let base = Base::choose(&host, BaseNeed::Directory).unwrap();
        let workspace = Workspace::open(&base, &Owner::open(&host).unwrap(), Quota::default(), &Reaper::new()).unwrap();
        let tool = temp.path().join("my cc");
        let put = |name: &Path, text: &str| std::fs::write(name, text).unwrap();
        let inner = temp.path().join("inner");
        put(&inner, "one");
        put(&tool, &format!("#!{} -e\n", inner.display()));
        let here = workspace.open_ambient_path().unwrap().join("main.c");
        put(&here, "x");
        let look = Look { search: &["/usr/bin:/bin"], workspace: &workspace };
        let line = |words: &[&str]| CommandLine::Argv(words.iter().map(|word| (*word).to_owned()).collect());
        let env = |value: &str| BTreeMap::from([("CC".to_owned(), value.to_owned())]);
        let tell = |line: &CommandLine, value: &str| of(line, &env(value), &look).unwrap().unwrap();
        let plain = line(&["sh", "-c", "cc main.c", &here.display().to_string()]);
        let first = tell(&plain, &tool.display().to_string());
        assert!(first.contains("bin/") && first.contains("my cc") && first.contains("inner"), "{first}");
        assert!(!first.contains("main.c"), "what stands in the workspace is known by its content: {first}");
        assert_eq!(first, tell(&plain, &tool.display().to_string()));
        // As long as before, and as old.
        let old = std::fs::metadata(&inner).unwrap().modified().unwrap();
        put(&inner, "two");
        File::options().write(true).open(&inner).unwrap().set_modified(old).unwrap();
        assert_ne!(first, tell(&plain, &tool.display().to_string()), "an interpreter changed");
        let line = CommandLine::Line(format!("cd x && {} -c", inner.display()));
        assert!(tell(&line, "").contains("inner"));
        let many: Vec<String> = (0..=MOST_WORDS).map(|number| number.to_string()).collect();
        assert_eq!(of(&CommandLine::Argv(many), &BTreeMap::new(), &look).unwrap(), None);
    }
}
