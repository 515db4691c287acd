//! What stands at a path: a case file, a directory of cases, a problem package.

use std::path::{Path, PathBuf};

use super::file::Loader;
use crate::error::ExecutionError;
use crate::evaluate::package::open_package;
use crate::evaluate::{AdapterRegistry, EvaluateError, Suite};

/// The names of a file with many cases, and of one with a single case.
const CASES: [&str; 3] = ["cases.yaml", "cases.yml", "cases.json"];
const CASE: [&str; 3] = ["case.yaml", "case.yml", "case.json"];
/// What a problem package begins with.
const PACKAGE: &str = "problem.yaml";
/// How deep directories of cases may be nested.
const DEPTH: usize = 4;
/// The most directories that are looked into.
const MOST: usize = 100_000;

/// What stands at a path.
#[derive(Debug)]
pub(super) enum Found {
    /// A file with many cases.
    Cases(PathBuf),
    /// Directories with a case each.
    Directories(Vec<CaseFile>),
    /// A problem package.
    Package(PathBuf),
}

/// A file with one case.
#[derive(Debug)]
pub(super) struct CaseFile {
    pub(super) path: PathBuf,
    pub(super) shown: String,
    pub(super) id: String,
    pub(super) group: Option<String>,
}

/// Loads the suite at a path: a case file, a directory with `cases.yaml`, directories with a `case.yaml` each, or a
/// problem package.
///
/// This is a door of ambient authority: it opens what the path and the `include` of its files name.
///
/// # Errors
/// Nothing that is a suite, and every problem of every file together.
pub fn open_ambient_suite(path: &Path, adapters: &AdapterRegistry) -> Result<Suite, ExecutionError> {
    let mut loader = Loader::new(adapters, name_of(path));
    match find(path)? {
        Found::Cases(file) => {
            let shown = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            loader.cases_file(&file, &shown, None);
            let absolute = std::path::absolute(&file).ok();
            loader.suite.home = absolute.and_then(|file| Some(file.parent()?.to_owned()));
        }
        Found::Directories(files) => {
            for one in files {
                loader.case_file(&one.path, &one.shown, &one.id, one.group.as_deref());
            }
        }
        Found::Package(dir) => return open_package(&dir),
    }
    loader.check_adapter();
    let Loader { mut suite, problems, .. } = loader;
    problems.into_result()?;
    // Groups that a file weighs and no case is in count nothing.
    let used: std::collections::HashSet<&str> = suite.cases.iter().map(|case| case.group.as_str()).collect();
    let unused = |name: &str| !used.contains(name);
    let warnings = suite.groups.iter().filter(|group| unused(&group.name));
    suite.warnings.extend(warnings.map(|group| format!("no case is in the group `{}`", group.name)));
    suite.groups.retain(|group| used.contains(group.name.as_str()));
    let collects = adapters.get(&suite.adapter).is_some_and(|adapter| adapter.collects());
    if suite.cases.is_empty() && !collects {
        return Err(EvaluateError::NoCases { path: path.display().to_string() }.into());
    }
    Ok(suite)
}

/// Says what stands at a path.
pub(super) fn find(path: &Path) -> Result<Found, EvaluateError> {
    let unreadable = |source| EvaluateError::Unreadable { path: path.display().to_string(), source };
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if meta.is_file() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return Ok(match CASE.contains(&&*name) {
            true => Found::Directories(vec![case_file(path, None)]),
            false => Found::Cases(path.to_owned()),
        });
    }
    if let Some(file) = CASES.iter().map(|name| path.join(name)).find(|file| file.is_file()) {
        return Ok(Found::Cases(file));
    }
    if path.join(PACKAGE).is_file() {
        return Ok(Found::Package(path.to_owned()));
    }
    let mut files = Vec::new();
    collect(path, path, DEPTH, &mut files).map_err(unreadable)?;
    match files.is_empty() {
        true => Err(EvaluateError::NoCases { path: path.display().to_string() }),
        false => Ok(Found::Directories(files)),
    }
}

fn collect(root: &Path, dir: &Path, depth: usize, files: &mut Vec<CaseFile>) -> std::io::Result<()> {
    if let Some(file) = CASE.iter().map(|name| dir.join(name)).find(|file| file.is_file()) {
        files.push(case_file(&file, Some(root)));
        return Ok(());
    }
    let mut below: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            below.push(entry.path());
        }
    }
    below.sort();
    for one in below.into_iter().filter(|_| depth > 0) {
        if files.len() >= MOST {
            break;
        }
        collect(root, &one, depth - 1, files)?;
    }
    Ok(())
}

/// Names a case by its directory, and its group by the directory above, where that is below the root.
fn case_file(path: &Path, root: Option<&Path>) -> CaseFile {
    let dir = path.parent().unwrap_or(Path::new("."));
    let inner = root.and_then(|root| dir.strip_prefix(root).ok());
    let id = inner.filter(|inner| !inner.as_os_str().is_empty()).map_or_else(|| name_of(dir), shown);
    let group = inner.and_then(Path::parent).filter(|above| !above.as_os_str().is_empty()).map(shown);
    let shown = root.and_then(|root| path.strip_prefix(root).ok()).map_or_else(|| name_of(path), shown);
    CaseFile { path: path.to_owned(), shown, id, group }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Names a suite by its file or directory.
fn name_of(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let is_file =
        absolute.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| *known == ending));
    let named = if is_file { absolute.parent().unwrap_or(&absolute) } else { &absolute };
    named.file_name().map_or_else(|| "cases".to_owned(), |name| name.to_string_lossy().into_owned())
}
