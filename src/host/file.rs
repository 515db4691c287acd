//! Host files: the machine's, then the user's, which may only tighten.

use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind as IoKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{HostPolicy, Ruled};
use crate::error::{ErrorKind, ExecutionError};
use crate::spec::{ByteSize, Limit, LimitName, LimitsConfig, Positions, Problem, SpecError, is_above, read_strict};

/// The version of host files that this release reads.
const VERSION: u32 = 1;

/// A host file: what the owner of a machine allows on it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "bailiwick host file")]
struct HostFile {
    /// The version of the file. Default: 1.
    version: Option<u32>,
    /// Which runtimes may be used.
    runtimes: Runtimes,
    /// The most that the limits of a spec, a flag, a spawn or a command may allow. Default: no ceilings.
    ceilings: LimitsConfig,
    /// How many commands one process may run at once. Default: no bound.
    max_running: Option<NonZeroUsize>,
    /// What is kept to be faster next time.
    cache: Cache,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
struct Runtimes {
    /// The `type` of each that may be used. Default: all.
    allow: Option<BTreeSet<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
struct Cache {
    /// What compiled modules may take. Default: 4 GiB.
    max_size: Option<ByteSize>,
}

/// What is wrong with host files.
#[derive(Debug, thiserror::Error)]
#[error("{}", List(.problems))]
struct HostFileError {
    problems: Vec<String>,
}

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [one] => f.write_str(one),
            many => {
                write!(f, "{} problems", many.len())?;
                many.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl HostPolicy {
    /// Reads host files in order, each of which may only tighten what those before it say. One that is not there says
    /// nothing.
    ///
    /// # Errors
    /// Every problem of every file, with its line: what cannot be read, and of kind `Forbidden` what would loosen.
    pub fn open_ambient_files(paths: &[PathBuf]) -> Result<Self, ExecutionError> {
        let (mut policy, mut wrong, mut loose) = (Self::default(), Vec::new(), Vec::new());
        for path in paths {
            let text = match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if matches!(error.kind(), IoKind::NotFound | IoKind::NotADirectory) => continue,
                Err(error) => {
                    wrong.push(format!("{}: cannot be read: {error}", path.display()));
                    continue;
                }
            };
            match read_strict::<HostFile>(&text, &path.display().to_string()) {
                Ok((file, positions)) => {
                    let mut reader = Reader { path, positions, wrong: Vec::new(), loose: Vec::new() };
                    reader.tighten(&mut policy, file);
                    wrong.extend(reader.wrong);
                    loose.extend(reader.loose);
                }
                Err(SpecError::Invalid { origin, problems }) => {
                    wrong.extend(problems.into_iter().map(|problem| format!("{origin}:{problem}")));
                }
            }
        }
        let kind = if wrong.is_empty() { ErrorKind::Forbidden } else { ErrorKind::Spec };
        let problems = [wrong, loose].concat();
        if problems.is_empty() {
            return Ok(policy);
        }
        Err(ExecutionError::new(kind, HostFileError { problems })
            .with_hint("`bailiwick schema host` says what a host file holds"))
    }

    /// Gives the JSON Schema of host files.
    pub fn schema() -> Value {
        schemars::schema_for!(HostFile).to_value()
    }
}

/// One file on its way into the policy.
struct Reader<'a> {
    path: &'a Path,
    positions: Positions,
    wrong: Vec<String>,
    loose: Vec<String>,
}

impl Reader<'_> {
    fn tighten(&mut self, policy: &mut HostPolicy, file: HostFile) {
        if let Some(version) = file.version.filter(|version| *version != VERSION) {
            let message = format!("{version} is not a version that this release reads, which is {VERSION}");
            self.wrong.push(self.problem("version", message));
        }
        if let Some(allow) = file.runtimes.allow {
            self.allow(policy, allow);
        }
        if file.ceilings.output_overflow.is_some() || file.ceilings.on_unsupported.is_some() {
            let message = "a policy is no ceiling: only limits may stand here".to_owned();
            self.wrong.push(self.problem("ceilings", message));
        }
        for name in LimitName::ALL {
            let Limit::Set(value) = file.ceilings.get(name) else { continue };
            let at = format!("ceilings.{name}");
            match policy.ceilings.get(&name) {
                Some(before) if is_above(Some(value), Some(before.value)) => {
                    self.loosens(&at, &value.to_string(), &before.value.to_string(), &before.by);
                }
                Some(_) | None => {
                    policy.ceilings.insert(name, Ruled::new(value, self.place(&at)));
                }
            }
        }
        let most = file.max_running.map(NonZeroUsize::get);
        self.lower(&mut policy.max_running, most, "max_running");
        self.lower(&mut policy.cache_size, file.cache.max_size, "cache.max_size");
    }

    fn allow(&mut self, policy: &mut HostPolicy, allow: BTreeSet<String>) {
        let at = "runtimes.allow";
        if let Some(before) = &policy.runtimes {
            for ty in allow.difference(&before.value) {
                self.loose.push(self.problem(at, format!("{} does not allow the runtime `{ty}`", before.by)));
            }
        }
        let before = policy.runtimes.take();
        let value = before.map_or_else(|| allow.clone(), |before| &before.value & &allow);
        policy.runtimes = Some(Ruled::new(value, self.place(at)));
    }

    fn lower<T: PartialOrd + fmt::Display>(&mut self, slot: &mut Option<Ruled<T>>, value: Option<T>, at: &str) {
        let Some(value) = value else { return };
        match slot {
            Some(before) if value > before.value => {
                self.loosens(at, &value.to_string(), &before.value.to_string(), &before.by);
            }
            Some(_) | None => *slot = Some(Ruled::new(value, self.place(at))),
        }
    }

    fn loosens(&mut self, at: &str, asked: &str, most: &str, by: &str) {
        self.loose.push(self.problem(at, format!("{asked} is above the {most} that {by} allows")));
    }

    fn problem(&self, at: &str, message: String) -> String {
        let mut problem = Problem::new(at, message);
        problem.position = self.positions.of(at);
        format!("{}:{problem}", self.path.display())
    }

    fn place(&self, at: &str) -> String {
        let path = self.path.display();
        self.positions.of(at).map_or_else(|| path.to_string(), |position| format!("{path}:{}", position.line))
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
