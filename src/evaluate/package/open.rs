//! From a directory to a suite, in one order for every format.

use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::Value;

use super::data::Data;
use super::file::Package;
use super::limits::Ready;
use super::validator::Validators;
use super::{include, legacy, modern, promises};
use crate::error::ExecutionError;
use crate::evaluate::{EvaluateError, Suite};
use crate::spec::{Checked, TextBounds, read_checked};

/// The formats that are read, as packages name them.
const LEGACY: [&str; 2] = ["legacy", "legacy-icpc"];
const DRAFT: [&str; 2] = ["2023-07", "2023-07-draft"];
const MODERN: [&str; 2] = ["2025-09", "2025-09-draft"];

/// A family of formats: how they lay out test data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `testdata.yaml`, groups at any depth, `output_validators/`.
    Legacy,
    /// The states of the draft that became version 2025-09: what either of its neighbours has.
    Draft,
    /// `test_group.yaml`, a file a case, `output_validator/`.
    Modern,
}

impl Format {
    const ALL: [Self; 3] = [Self::Legacy, Self::Draft, Self::Modern];

    /// What packages of the format call it.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Legacy => &LEGACY,
            Self::Draft => &DRAFT,
            Self::Modern => &MODERN,
        }
    }
}

/// Who decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Validation {
    /// The default validator.
    #[default]
    Default,
    /// A program of the package.
    Custom,
}

/// What `problem.yaml` asks for, whatever its format.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) name: Option<String>,
    pub(super) limits: Ready,
    pub(super) validation: Validation,
    /// What every validator is called with first.
    pub(super) flags: Vec<String>,
}

/// Reads the problem package in a directory.
///
/// # Errors
/// Every problem of every file together, each with its file and, in YAML, its line.
pub(in crate::evaluate) fn open_package(path: &Path) -> Result<Suite, ExecutionError> {
    let shown = || path.display().to_string();
    let base = Dir::open_ambient_dir(path, ambient_authority())
        .map_err(|source| EvaluateError::Unreadable { path: shown(), source })?;
    let mut package = Package::new(Arc::new(base));
    let name = std::path::absolute(path).ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let suite = read(&mut package, name.unwrap_or_default());
    let Package { problems, warnings, .. } = package;
    problems.into_result()?;
    let mut suite =
        suite.filter(|suite| !suite.cases.is_empty()).ok_or_else(|| EvaluateError::NoCases { path: shown() })?;
    suite.warnings = warnings;
    Ok(suite)
}

fn read(package: &mut Package, dir_name: String) -> Option<Suite> {
    let format = format(package)?;
    let asked = match format {
        Format::Legacy => legacy::read(package),
        Format::Draft | Format::Modern => modern::read(package, format),
    };
    // What is wrong with the rest is told beside what is wrong with `problem.yaml`.
    let asked = asked.unwrap_or_default();
    include::refuse_parts(package, format);
    let mut validators = Validators::open(package, format, &asked);
    let mut data = Data::new(format, &asked);
    data.read(package, &mut validators);
    let mut suite = Suite::new(asked.name.unwrap_or(dir_name));
    (suite.groups, suite.cases) = (data.groups, data.cases);
    suite.promises = promises::read(package, format);
    Some(suite)
}

/// Finds out which format a package has.
fn format(package: &mut Package) -> Option<Format> {
    let text = package.text("problem.yaml")?;
    let value = match read_checked(&text, Value::Bool(true), TextBounds::SMALL) {
        Ok(Checked { value, .. }) => value,
        Err(problem) => {
            package.problems.add("problem.yaml", &problem);
            return None;
        }
    };
    let version = match &value["problem_format_version"] {
        Value::Null => LEGACY[0].to_owned(),
        version @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            version.as_str().map_or_else(|| version.to_string(), str::to_owned)
        }
    };
    let found = Format::ALL.into_iter().find(|format| format.names().contains(&version.as_str()));
    if found.is_none() {
        let known = Format::ALL.map(|format| format.names().join(", ")).join(", ");
        let message = format!("problem_format_version: `{}` is not known", version.escape_debug());
        package.tell("problem.yaml", message, &format!("known: {known}"));
    }
    found
}
