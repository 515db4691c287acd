//! The guests of `guest-fixtures/`: the types of its manifest, and the rules that the manifest must keep.
//!
//! Nothing here runs a guest; what drives them asks [`Fixture::argv`] what to run and [`Fixture::expected`] what to see.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub(crate) use stream::Stream;

mod checks;
mod stream;

/// What a module that was cut off is called in the workspace.
const CUT_NAME: &str = "cut.wasm";

/// The whole of `guest-fixtures/manifest.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) version: u32,
    /// Limits of every fixture that does not write them itself, as a spec writes them.
    #[serde(default)]
    pub(crate) limits: BTreeMap<String, serde_json::Value>,
    pub(crate) fixtures: Vec<Fixture>,
}

/// One behaviour.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    pub(crate) name: String,
    /// What the guest does, as the rest of a sentence that begins with "the guest".
    pub(crate) what: String,
    #[serde(default)]
    pub(crate) wasi: Option<Guest>,
    /// The native form, which Docker runs too.
    #[serde(default)]
    pub(crate) local: Option<Guest>,
    /// Why a runtime has no such guest.
    #[serde(default)]
    pub(crate) absent: BTreeMap<Runtime, String>,
    /// Arguments after the program; placeholders are resolved.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Absent: standard input is not given.
    #[serde(default)]
    pub(crate) stdin: Option<Content>,
    /// Files of the workspace beside the guest.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, Content>,
    /// Static assets by name, saved under that name.
    #[serde(default)]
    pub(crate) assets: BTreeMap<String, Content>,
    #[serde(default)]
    pub(crate) limits: BTreeMap<String, serde_json::Value>,
    /// What every runtime must give.
    pub(crate) expect: Expect,
    /// Where a runtime must give something else, and why.
    #[serde(default)]
    pub(crate) differs: BTreeMap<Runtime, Differs>,
}

/// The runtimes that the manifest speaks of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Runtime {
    Wasi,
    Docker,
    Local,
}

/// Where a guest comes from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Guest {
    /// A file of the folder that has the runtime's name.
    File(String),
    /// A file with this text, not executable.
    Text { name: String, content: String },
    /// The first bytes of a module that is compiled from this text file.
    Cut { of: String, keep: usize },
    /// Nothing: the word is run as it is, and there is no such program.
    Missing(String),
}

/// The bytes of a file or a stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Content {
    Text(String),
    /// Pairs of hex digits; blanks do not count.
    Hex(String),
    Repeat {
        text: String,
        times: usize,
    },
}

/// What stands at a path of the workspace afterwards.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Left {
    Absent,
    Directory,
    Text(String),
    Symlink(String),
}

/// What a command must give. A key that is absent takes the default of [`Expected`]; under `differs`, that of `expect`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    #[serde(default)]
    pub(crate) termination: Option<Ends>,
    #[serde(default)]
    pub(crate) exit_code: Option<i32>,
    #[serde(default)]
    pub(crate) guest_code: Option<i32>,
    #[serde(default)]
    pub(crate) stdout: Option<Stream>,
    #[serde(default)]
    pub(crate) stderr: Option<Stream>,
    #[serde(default)]
    pub(crate) leaves: Option<BTreeMap<String, Left>>,
}

/// A row of `docs/enforcement.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Differs {
    pub(crate) because: String,
    pub(crate) expect: Expect,
}

/// How a command must end; the names are those of the result's JSON.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Ends {
    Exited(i32),
    Signaled(i32),
    Trapped(String),
    LimitExceeded(String),
    NotStarted(String),
}

/// What one runtime must give, with nothing left open.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) termination: Ends,
    pub(crate) exit_code: i32,
    /// `None`: not asserted.
    pub(crate) guest_code: Option<i32>,
    /// Default: empty.
    pub(crate) stdout: Stream,
    /// Default: empty.
    pub(crate) stderr: Stream,
    /// Default: nothing is asked of the workspace.
    pub(crate) leaves: BTreeMap<String, Left>,
}

impl Manifest {
    /// Reads the manifest of this repository.
    pub(crate) fn load() -> Self {
        let text = std::fs::read_to_string(folder().join("manifest.yaml")).expect("the manifest is in the repository");
        serde_saphyr::from_str(&text).expect("the manifest has the shape of these types")
    }

    /// Gives the limits of a fixture: its own over those of the manifest.
    pub(crate) fn limits_of(&self, fixture: &Fixture) -> BTreeMap<String, serde_json::Value> {
        let mut limits = self.limits.clone();
        limits.extend(fixture.limits.clone());
        limits
    }
}

impl Fixture {
    /// Gives the guest that a runtime runs, unless the manifest says why there is none.
    pub(crate) fn guest(&self, runtime: Runtime) -> Option<&Guest> {
        if self.absent.contains_key(&runtime) {
            return None;
        }
        match runtime {
            Runtime::Wasi => self.wasi.as_ref(),
            Runtime::Local | Runtime::Docker => self.local.as_ref(),
        }
    }

    /// Gives the command: the program in the working directory, through its interpreter where it has one, and arguments.
    pub(crate) fn argv(&self, runtime: Runtime) -> Option<Vec<String>> {
        let mut argv = match self.guest(runtime)? {
            Guest::Missing(word) => vec![word.clone()],
            Guest::File(name) | Guest::Text { name, .. } => through_interpreter(name),
            Guest::Cut { .. } => vec![format!("./{CUT_NAME}")],
        };
        argv.extend(self.args.iter().cloned());
        Some(argv)
    }

    /// Gives what a runtime must give.
    pub(crate) fn expected(&self, runtime: Runtime) -> Expected {
        let own = self.differs.get(&runtime).map(|differs| differs.expect.clone()).unwrap_or_default();
        let all = self.expect.clone();
        let nothing = || Stream::Exactly(String::new());
        Expected {
            termination: own.termination.or(all.termination).expect("`expect` names a termination"),
            exit_code: own.exit_code.or(all.exit_code).expect("`expect` names an exit code"),
            guest_code: own.guest_code.or(all.guest_code),
            stdout: own.stdout.or(all.stdout).unwrap_or_else(nothing),
            stderr: own.stderr.or(all.stderr).unwrap_or_else(nothing),
            leaves: own.leaves.or(all.leaves).unwrap_or_default(),
        }
    }
}

impl Guest {
    /// Gives the name of the file that goes into the workspace.
    pub(crate) fn file_name(&self) -> Option<&str> {
        match self {
            Self::File(name) | Self::Text { name, .. } => Some(name),
            Self::Cut { .. } => Some(CUT_NAME),
            Self::Missing(_) => None,
        }
    }

    /// Gives the bytes of that file.
    pub(crate) fn bytes(&self, runtime: Runtime) -> Option<Vec<u8>> {
        match self {
            Self::File(name) => Some(std::fs::read(runtime.folder().join(name)).expect("the guest is in its folder")),
            Self::Text { content, .. } => Some(content.clone().into_bytes()),
            Self::Cut { of, keep } => {
                let mut module = wat::parse_file(runtime.folder().join(of)).expect("the guest is a module");
                assert!(*keep < module.len(), "cutting {of} at {keep} leaves it whole");
                module.truncate(*keep);
                Some(module)
            }
            Self::Missing(_) => None,
        }
    }
}

impl Content {
    /// Gives the bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Hex(digits) => stream::unhex(digits),
            Self::Repeat { text, times } => text.repeat(*times).into_bytes(),
        }
    }
}

impl Runtime {
    const ALL: [Self; 3] = [Self::Wasi, Self::Docker, Self::Local];

    /// Gives the folder of its guests.
    pub(crate) fn folder(self) -> PathBuf {
        folder().join(match self {
            Self::Wasi => "wasi",
            Self::Docker | Self::Local => "local",
        })
    }
}

fn through_interpreter(name: &str) -> Vec<String> {
    let interpreter = match Path::new(name).extension().and_then(|ending| ending.to_str()) {
        Some("sh") => Some("/bin/sh"),
        Some("py") => Some("python3"),
        _ => None,
    };
    interpreter.map(String::from).into_iter().chain([format!("./{name}")]).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-fixtures")
}
