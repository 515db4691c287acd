//! A program of a package: its files, how it is made runnable, how it is started.
//!
//! Source: the problem package format, "programs". Python 3, C and C++, an executable file, and a directory with
//! `build` and `run`.

use std::collections::BTreeMap;
use std::sync::Arc;

use cap_std::fs::{Dir, PermissionsExt as _};

use super::file::Package;
use crate::evaluate::Data;
use crate::evaluate::check::{ProgramCheck, Protocol, collect_files};

/// What a compiler makes.
const MADE: &str = "made-validator";
const PYTHON: [&str; 2] = ["py", "py3"];
const C: &str = "c";
const CPP: [&str; 5] = ["cc", "cpp", "cxx", "c++", "C"];

/// The language of a source, as far as this host's validators may be written in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Python,
    C,
    Cpp,
}

fn language(name: &str) -> Option<Language> {
    let (_, ending) = name.rsplit_once('.')?;
    match ending {
        _ if PYTHON.contains(&ending) => Some(Language::Python),
        C => Some(Language::C),
        _ if CPP.contains(&ending) => Some(Language::Cpp),
        _ => None,
    }
}

/// Reads the program that a file or a directory is; what is wrong with it is told.
pub(super) fn read(package: &mut Package, path: &str) -> Option<ProgramCheck> {
    match try_read(&package.base, path) {
        Ok(program) => Some(program),
        Err(why) => {
            package.tell(
                path,
                why,
                "a validator is Python 3, C or C++, an executable file, or a directory with `build` and `run`",
            );
            None
        }
    }
}

fn try_read(base: &Arc<Dir>, path: &str) -> Result<ProgramCheck, String> {
    let failed = |error: std::io::Error| format!("cannot be read: {error}");
    let is_dir = base.metadata(path).map_err(failed)?.is_dir();
    let (dir, name) = match path.rsplit_once('/') {
        Some((dir, name)) if !is_dir => (dir, Some(name)),
        Some(_) | None => (path, None),
    };
    // Named from its own directory, so that a program of one file is as one of several.
    let own = Arc::new(base.open_dir(dir).map_err(failed)?);
    let mut files = BTreeMap::new();
    match name {
        Some(name) => collect_files(&own, name, &mut files)?,
        None => {
            let mut names = Vec::new();
            for entry in own.entries().map_err(failed)? {
                names.push(entry.map_err(failed)?.file_name());
            }
            for name in names {
                let name = name.to_str().ok_or_else(|| "holds a name that is not UTF-8".to_owned())?;
                if !name.starts_with('.') {
                    collect_files(&own, name, &mut files)?;
                }
            }
        }
    }
    made_of(&own, files)
}

fn made_of(own: &Dir, files: BTreeMap<String, Data>) -> Result<ProgramCheck, String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let program = |command: Vec<String>| ProgramCheck::new(command, Protocol::Icpc);
    if files.contains_key("build") || files.contains_key("run") {
        let compile = files.contains_key("build").then(|| words(&["./build"]));
        return Ok(ProgramCheck { files, compile, ..program(words(&["./run"])) });
    }
    let sources: Vec<(&String, Language)> = files.keys().filter_map(|name| Some((name, language(name)?))).collect();
    let of = |language: Language| sources.iter().filter(move |(_, other)| *other == language);
    let names = |language: Language| of(language).map(|(name, _)| (*name).clone()).collect::<Vec<_>>();
    let compiled = |compiler: &[&str], names: Vec<String>| {
        let compile =
            words(compiler).into_iter().chain(words(&["-O2", "-o", MADE])).chain(names).chain(words(&["-lm"]));
        (Some(compile.collect()), program(words(&[&format!("./{MADE}")])))
    };
    let (compile, program) = match (names(Language::Python), names(Language::C), names(Language::Cpp)) {
        (python, c, cpp) if !python.is_empty() && c.is_empty() && cpp.is_empty() => {
            let entry = python_entry(own, &python)?;
            let aliases = words(&["python"]);
            (None, ProgramCheck { aliases, ..program(vec!["python3".to_owned(), entry]) })
        }
        (python, c, cpp) if python.is_empty() && !c.is_empty() && cpp.is_empty() => compiled(&["cc"], c),
        (python, c, cpp) if python.is_empty() && c.is_empty() && !cpp.is_empty() => compiled(&["c++"], cpp),
        (python, c, cpp) if python.is_empty() && c.is_empty() && cpp.is_empty() => match files.keys().next() {
            Some(only) if files.len() == 1 && is_executable(own, only) => (None, program(vec![format!("./{only}")])),
            _ => return Err("is in no language that is known here".to_owned()),
        },
        _ => return Err("is in several languages".to_owned()),
    };
    Ok(ProgramCheck { files, compile, ..program })
}

/// Finds the file that Python starts with.
fn python_entry(own: &Dir, sources: &[String]) -> Result<String, String> {
    let top: Vec<&String> = sources.iter().filter(|name| !name.contains('/')).collect();
    let entry = match top.as_slice() {
        [only] => (*only).clone(),
        several if several.iter().any(|name| *name == "__main__.py") => "__main__.py".to_owned(),
        [] | [_, _, ..] => return Err("has several files of Python and no `__main__.py`".to_owned()),
    };
    let text = own.read_to_string(&entry).map_err(|error| format!("cannot be read: {error}"))?;
    match text.lines().next() {
        Some(first) if first.starts_with("#!") && first.contains("python2") => {
            Err("is in Python 2, which is not supported".to_owned())
        }
        Some(_) | None => Ok(entry),
    }
}

fn is_executable(own: &Dir, name: &str) -> bool {
    own.metadata(name).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}
