//! The private directory of one run of a test program: its temp directory, its report, and the command that stands for
//! the submission.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{OpenOptions, OpenOptionsExt as _};

use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::{Stage, SubmissionCommand};
use crate::runtime::{Mount, SpawnRequest, StaticRoot};
use crate::workspace::{BaseNeed, Quota, Workspace};

/// Where a guest finds the submission, where guests have a view of their own.
const SUBMISSION: &str = "/submission";

/// The directory, and what a call needs to know of it. Gone with this value.
pub(super) struct Room {
    workspace: Workspace,
    root: PathBuf,
    /// The words of the submission's command, with its own files where they are for the guest.
    pub(super) words: Vec<String>,
    mounts: Vec<Mount>,
}

impl Room {
    /// Makes the directory, puts the submission into it, and the command that stands for it.
    pub(super) async fn open(stage: &Stage) -> Result<Self, ExecutionError> {
        let registry = stage.frozen.registry();
        let failed = |error: std::io::Error| ExecutionError::new(ErrorKind::Workspace, error);
        let base = registry.base(BaseNeed::Directory)?;
        let workspace = Workspace::open(&base, &registry.owner()?, Quota::default(), registry.reaper())?;
        let root = workspace.open_ambient_path().map(Path::canonicalize);
        let no_path = || ExecutionError::new(ErrorKind::Unavailable, "the base directory has no path of the host");
        let root = root.ok_or_else(no_path)?.map_err(failed)?;
        for name in ["tmp", "bin", "out"] {
            workspace.dir().create_dir(name).map_err(failed)?;
        }
        let session = stage.session(&crate::spec::LimitsConfig::default()).await?;
        let names = session.names().await?;
        session.keep(&root.join("submission")).await?;
        session.close().await?;
        let spec = stage.frozen.spec();
        let host = root.join("submission");
        let (guest, mounts) = match registry.kind_of(spec)?.static_root(&spec.section)? {
            StaticRoot::Guest(_) => {
                let mount = Mount { host, guest: SUBMISSION.to_owned(), writable: false };
                (SUBMISSION.to_owned(), vec![mount])
            }
            StaticRoot::Host => (host.to_string_lossy().into_owned(), Vec::new()),
        };
        let words = words(&stage.command, &names, &guest)?;
        let room = Self { workspace, root, words, mounts };
        room.put_entrypoint(registry.host().shim.as_deref()).map_err(failed)?;
        Ok(room)
    }

    fn put_entrypoint(&self, shim: Option<&Path>) -> std::io::Result<()> {
        let missing = || std::io::Error::other("this host names no program that stands for submissions");
        let quoted = |path: &Path| shell_words::quote(&path.to_string_lossy()).into_owned();
        let script = format!(
            "#!/bin/sh\nexec {} suite-shim {} -- \"$@\"\n",
            quoted(shim.ok_or_else(missing)?),
            quoted(&self.socket())
        );
        let mut options = OpenOptions::new();
        let file = self.workspace.dir().open_with("bin/submission", options.write(true).create_new(true).mode(0o755));
        std::io::Write::write_all(&mut file?, script.as_bytes())
    }

    pub(super) fn entrypoint(&self) -> PathBuf {
        self.root.join("bin/submission")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.root.join("s")
    }

    pub(super) fn report(&self) -> PathBuf {
        self.root.join("out/report")
    }

    /// Reads the report, as far as it is not longer than this.
    pub(super) fn read_report(&self, most: u64) -> Option<String> {
        let meta =
            self.workspace.dir().metadata("out/report").ok().filter(|meta| meta.is_file() && meta.len() <= most)?;
        let _ = meta;
        self.workspace.dir().read_to_string("out/report").ok()
    }

    /// Gives a file for what the test program prints.
    pub(super) fn log(&self, name: &str) -> std::io::Result<std::fs::File> {
        let mut options = OpenOptions::new();
        let file = self.workspace.dir().open_with(format!("out/{name}"), options.write(true).create(true));
        file.map(cap_std::fs::File::into_std)
    }

    /// Gives the end of what the test program printed.
    pub(super) fn tail(&self, name: &str) -> String {
        let text = self.workspace.dir().read(format!("out/{name}")).unwrap_or_default();
        let cut = text.len().saturating_sub(2_000);
        String::from_utf8_lossy(&text[cut..]).trim().to_owned()
    }

    pub(super) fn temp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Says whether a directory of a call is one that the tests made for it: strictly below the temp directory that
    /// they were given. Nothing else is shown to the submission, the tests' own directory least of all.
    pub(super) fn is_shown(&self, cwd: &Path) -> bool {
        let temp = self.temp();
        cwd != temp && cwd.starts_with(&temp) && !cwd.components().any(|part| part.as_os_str() == "..")
    }

    /// Gives what every spawn asks for.
    pub(super) fn request(&self, stage: &Stage) -> SpawnRequest {
        SpawnRequest { mounts: self.mounts.clone(), disable_setup: true, ..stage.request() }
    }
}

/// Puts the submission's own files, where its command names them, to where the guest finds them.
fn words(command: &SubmissionCommand, names: &[String], guest: &str) -> Result<Vec<String>, ExecutionError> {
    let SubmissionCommand::Words(words) = command else {
        let error = ExecutionError::new(ErrorKind::Spec, "the adapter `suite` starts submissions without a shell");
        return Err(error.with_hint("write the command as plain words"));
    };
    let placed = |word: &String| {
        let name = word.trim_start_matches("./");
        if names.iter().any(|known| known == name) { format!("{guest}/{name}") } else { word.clone() }
    };
    Ok(words.iter().map(placed).collect())
}

/// What a run of a test program shares.
pub(super) type SharedRoom = Arc<Room>;
