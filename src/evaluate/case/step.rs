//! One step of a case: what the submission is given, and what is expected of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Data, Expect, Request};

/// One command, or one request, of a case. Starts with nothing: no arguments, no input, exit code 0.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Step {
    /// Words after the submission's own command.
    pub args: Vec<String>,
    /// Variables for this step alone.
    pub env: BTreeMap<String, String>,
    /// The working directory, a path of the guest. Default: the workdir.
    pub cwd: Option<String>,
    /// What stands on standard input. Default: closed.
    pub stdin: Option<Data>,
    /// Files put into the workspace before the step, by path.
    pub files: BTreeMap<String, Data>,
    /// Which of these files can be executed.
    pub executables: BTreeSet<String>,
    /// What is asked of a server; only for adapters that ask one.
    pub request: Option<Request>,
    /// What is expected.
    pub expect: Expect,
}
