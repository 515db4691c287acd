//! A job as the kernel wants it: words, variables and paths without NUL, the directory open.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags};

use super::lookup;
use crate::runtime::{CommandLine, Ending, NotStarted};
use crate::workspace::Workspace;

/// What to execute, where, with what.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) word: String,
    pub(super) candidates: Vec<CString>,
    pub(super) argv: Vec<CString>,
    pub(super) env: Vec<CString>,
    pub(super) cwd: OwnedFd,
}

/// What an order is made of.
pub(super) struct Request<'a> {
    pub(super) line: CommandLine,
    pub(super) shell: Option<&'a str>,
    pub(super) env: &'a BTreeMap<String, String>,
    pub(super) cwd: Option<&'a str>,
    pub(super) workspace: &'a Workspace,
    pub(super) host_path: Option<&'a str>,
}

impl Order {
    /// Makes an order, or says why there is nothing that could be started.
    pub(super) fn of(request: Request<'_>) -> Result<Self, Box<Ending>> {
        let words = match (request.line, request.shell) {
            (CommandLine::Argv(words), _) => words,
            (CommandLine::Line(line), Some(shell)) => vec![shell.to_owned(), "-c".to_owned(), line],
            (CommandLine::Line(line), None) => vec![line],
        };
        let word = words.first().filter(|word| !word.is_empty()).cloned();
        let word = word.ok_or_else(|| refused(NotStarted::Missing, "the command has no first word".to_owned()))?;
        let argv: Vec<CString> = words.into_iter().map(c_string).collect::<Result<_, _>>()?;
        let search = [request.env.get("PATH").map(String::as_str), request.host_path];
        let search: Vec<&str> = search.into_iter().flatten().collect();
        let candidates = lookup::candidates(&word, &search);
        let env = request.env.iter().map(variable).collect::<Result<_, _>>()?;
        let cwd = open_directory(request.workspace, request.cwd)?;
        Ok(Self { word, candidates, argv, env, cwd })
    }
}

fn refused(reason: NotStarted, message: String) -> Box<Ending> {
    Box::new(Ending::not_started(reason, message))
}

fn c_string(word: String) -> Result<CString, Box<Ending>> {
    CString::new(word).map_err(|_| {
        refused(NotStarted::NotExecutable, "a word of the command or a variable holds a zero byte".to_owned())
    })
}

fn variable((name, value): (&String, &String)) -> Result<CString, Box<Ending>> {
    if name.is_empty() || name.contains('=') {
        let message = format!("`{}` cannot be the name of a variable", name.escape_debug());
        return Err(refused(NotStarted::NotExecutable, message));
    }
    c_string(format!("{name}={value}"))
}

/// Opens the working directory: a path within the workspace, or an absolute one of the host.
///
/// An absolute path below the workspace's own is taken as one within it, so that links in it cannot lead out.
fn open_directory(workspace: &Workspace, cwd: Option<&str>) -> Result<OwnedFd, Box<Ending>> {
    let wanted = Path::new(cwd.unwrap_or("."));
    let inner = match workspace.open_ambient_path() {
        Some(root) => wanted.strip_prefix(root).unwrap_or(wanted),
        None => wanted,
    };
    let missing = |why: std::io::Error| {
        let message = format!("the working directory `{}` cannot be entered: {why}", wanted.display());
        refused(NotStarted::Missing, message)
    };
    if inner.is_absolute() {
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        return rustix::fs::open(inner, flags, Mode::empty()).map_err(|error| missing(error.into()));
    }
    let here = inner.components().all(|part| part == Component::CurDir);
    let dir = if here { workspace.dir().try_clone() } else { workspace.dir().open_dir(inner) };
    dir.map(|dir| OwnedFd::from(dir.into_std_file())).map_err(missing)
}
