//! The runtimes of this build, each with its hostile guests, behind one way to run them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bailiwick::spec;
use bailiwick::{
    Command, ExecutionError, Host, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, Stdin, SubmissionRuntime,
    Termination,
};
use serde_json::{Value, json};

use super::guests::{self, Caller, End, Guest};

/// How long a caller is away: much longer than any limit here.
const AWAY: Duration = Duration::from_secs(1);

/// One runtime of this build.
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    section: Value,
    submission: Option<PathBuf>,
    pub(crate) guests: Vec<Guest>,
    pub(crate) registry: RuntimeRegistry,
    /// Where what it leaves behind would be.
    base: tempfile::TempDir,
}

/// A session with one runtime.
pub(crate) struct Place {
    pub(crate) session: Session,
    pub(crate) runtime: Arc<dyn SubmissionRuntime>,
}

impl Machine {
    fn new(name: &'static str, section: Value, submission: Option<PathBuf>, guests: Vec<Guest>) -> Self {
        let base = tempfile::tempdir().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut host = Host::from_env(BTreeMap::from([("PATH".to_owned(), path)]));
        host.dirs.shared_data.clear();
        host.dirs.base = Some(base.path().to_owned());
        let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
        Self { name, section, submission, guests, registry, base }
    }

    /// Gives the runtime of plain processes.
    #[cfg(feature = "local")]
    pub(crate) fn local() -> Self {
        Self::new("local", json!({}), None, guests::of_a_shell("bash"))
    }

    /// Gives the runtime of containers, of this image; none where there is no engine.
    #[cfg(feature = "docker")]
    pub(crate) fn docker(image: &str) -> Option<Self> {
        let section = json!({"image": image, "pull": "never"});
        super::engine::is_there().then(|| Self::new("docker", section, None, guests::of_a_shell("sh")))
    }

    /// Gives the runtime of modules; the guests are in a directory of their own.
    #[cfg(all(feature = "wasi", feature = "wat"))]
    #[expect(clippy::disallowed_methods, reason = "the directory is the test's own")]
    pub(crate) fn wasi(submission: &std::path::Path) -> Self {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-fixtures/wasi");
        for (name, text) in guests::MODULES {
            std::fs::write(submission.join(name), text).unwrap();
        }
        for entry in std::fs::read_dir(fixtures).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), submission.join(entry.file_name())).unwrap();
        }
        Self::new("wasi", json!({}), Some(submission.to_owned()), guests::of_wasi())
    }

    /// Opens a session under limits.
    pub(crate) async fn open(&self, limits: &Value) -> Result<Place, ExecutionError> {
        let spec = json!({"type": self.name, "name": "hostile", self.name: self.section, "limits": limits});
        let spec = spec::from_value(spec, "hostile", &self.registry, &[]).map_err(ExecutionError::from)?.spec;
        let builder = Session::builder(&self.registry, spec);
        let builder = match &self.submission {
            Some(path) => builder.submission(path),
            None => builder,
        };
        let session = builder.open().await?;
        let runtime = session.spawn(SpawnRequest::default()).await?;
        Ok(Place { session, runtime })
    }

    /// Says how many directories of sessions there are.
    pub(crate) fn left(&self) -> usize {
        std::fs::read_dir(self.base.path()).unwrap().count()
    }
}

impl Place {
    /// Runs a guest, as its caller does.
    pub(crate) async fn run(&self, guest: &Guest) -> Arc<RuntimeResult> {
        let command = Command::argv(guest.words.clone());
        match guest.caller {
            Caller::Reads => self.runtime.execute(command).await.unwrap(),
            Caller::KeepsInputOpen => {
                let (writer, stdin) = Stdin::live();
                let result = self.runtime.execute(command.grant_stdin(stdin)).await.unwrap();
                drop(writer);
                result
            }
            Caller::IsAway => {
                let running = self.runtime.stream(command).await.unwrap();
                tokio::time::sleep(AWAY).await;
                running.wait().await.unwrap()
            }
        }
    }

    pub(crate) async fn close(self) {
        drop(self.runtime);
        self.session.close().await.unwrap();
    }
}

impl Guest {
    /// Says whether a guest ended as it must.
    pub(crate) fn ended_well(&self, termination: &Termination) -> bool {
        match (self.ends, termination) {
            (End::Limit(wanted), Termination::LimitExceeded { limit, .. }) => wanted == *limit,
            (End::Fault, Termination::Signaled { .. } | Termination::Trapped { .. }) => true,
            (_, _) => false,
        }
    }
}
