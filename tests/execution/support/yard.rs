//! A place for one test: a host of its own, a registry with the scripted runtime, a canary, and what must be left.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bailiwick::spec::{self, EnvironmentSpec};
use bailiwick::{
    BaseNeed, Command, Host, RuntimeRegistry, RuntimeResult, Session, SessionBuilder, SpawnRequest, SubmissionRuntime,
};

use super::gates::Gates;
use super::scripted::Scripted;

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(120);

const SECRET: &str = "nothing of this may be seen or changed";

/// Tests run beside each other; one that counts what the process holds runs alone.
static QUIET: RwLock<()> = RwLock::new(());

#[derive(Debug)]
enum Turn {
    Beside { _turn: RwLockReadGuard<'static, ()> },
    Alone { _turn: RwLockWriteGuard<'static, ()> },
}

/// The place of one test. Make it first: when it is dropped, nothing may be left.
#[derive(Debug)]
pub(crate) struct Yard {
    pub(crate) registry: RuntimeRegistry,
    pub(crate) gates: Arc<Gates>,
    pub(crate) temp: tempfile::TempDir,
    others: Mutex<Vec<RuntimeRegistry>>,
    _turn: Turn,
}

impl Yard {
    /// Makes a place whose workspaces are directories.
    pub(crate) fn new() -> Self {
        Self::with(Turn::Beside { _turn: QUIET.read().unwrap_or_else(PoisonError::into_inner) }, |_| {})
    }

    /// Makes a place with a host that differs.
    pub(crate) fn on(change: impl FnOnce(&mut Host)) -> Self {
        Self::with(Turn::Beside { _turn: QUIET.read().unwrap_or_else(PoisonError::into_inner) }, change)
    }

    /// Makes a place while no other test of this program runs.
    pub(crate) fn alone() -> Self {
        Self::with(Turn::Alone { _turn: QUIET.write().unwrap_or_else(PoisonError::into_inner) }, |_| {})
    }

    #[expect(clippy::disallowed_methods, reason = "the canary is a file of the host")]
    fn with(turn: Turn, change: impl FnOnce(&mut Host)) -> Self {
        let temp = tempfile::tempdir().unwrap();
        for name in ["base", "state", "outside"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        fs::write(temp.path().join("outside/canary"), SECRET).unwrap();
        let gates = Arc::new(Gates::default());
        let registry = Self::registry(temp.path(), &gates, change);
        Self { registry, gates, temp, others: Mutex::default(), _turn: turn }
    }

    fn registry(temp: &Path, gates: &Arc<Gates>, change: impl FnOnce(&mut Host)) -> RuntimeRegistry {
        let mut host = Host::default();
        host.env = [("CANARY", SECRET), ("LEVEL", "os"), ("HOME", "/host")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        host.dirs.base = Some(temp.join("base"));
        host.dirs.temp = Some(temp.join("base"));
        host.dirs.state = Some(temp.join("state"));
        host.max_running = Some(64);
        change(&mut host);
        let kind = Scripted { gates: Arc::clone(gates), need: BaseNeed::Detached };
        RuntimeRegistry::builder(host).with(kind).build().unwrap()
    }

    /// Makes another registry over the same directories.
    pub(crate) fn second_registry(&self) -> RuntimeRegistry {
        self.registry_on(|_| {})
    }

    /// Makes another registry over the same directories, with a host that differs.
    pub(crate) fn registry_on(&self, change: impl FnOnce(&mut Host)) -> RuntimeRegistry {
        let other = Self::registry(self.temp.path(), &self.gates, change);
        self.others.lock().unwrap().push(other.clone());
        other
    }

    /// Gives a path outside of every workspace, where a test may put what it likes.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.temp.path().join("outside").join(name)
    }

    /// Loads a spec of the scripted runtime: `more` is the rest of the file.
    pub(crate) fn spec(&self, more: &str) -> EnvironmentSpec {
        let text = format!("type: scripted\nname: test\n{more}\n");
        spec::load(&text, "test", &self.registry).unwrap().spec
    }

    pub(crate) fn builder(&self, more: &str) -> SessionBuilder {
        Session::builder(&self.registry, self.spec(more))
    }

    pub(crate) async fn session(&self, more: &str) -> Session {
        self.builder(more).open().await.unwrap()
    }

    /// Opens a session and spawns a runtime.
    pub(crate) async fn runtime(&self, more: &str) -> (Session, Arc<dyn SubmissionRuntime>) {
        let session = self.session(more).await;
        let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
        (session, runtime)
    }

    /// Runs one command in a session of its own.
    pub(crate) async fn run(&self, more: &str, asked: Command) -> Arc<RuntimeResult> {
        let (session, runtime) = self.runtime(more).await;
        let result = runtime.execute(asked).await.unwrap();
        assert_eq!(self.gates.alive(), 0);
        drop(runtime);
        session.close().await.unwrap();
        result
    }

    /// Lists the workspaces that are there.
    pub(crate) fn workspaces(&self) -> Vec<String> {
        let entries = fs::read_dir(self.temp.path().join("base")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// Asserts that everything that was made is gone.
    pub(crate) fn assert_clean(&self) {
        for registry in self.others.lock().unwrap().iter().chain([&self.registry]) {
            let flushed = registry.reaper().flush(LONG);
            assert_eq!((flushed.unfinished, flushed.omitted), (0, 0));
            assert!(flushed.failures.is_empty(), "{:?}", flushed.failures);
        }
        assert_eq!(self.gates.alive(), 0, "guests are alive");
        assert_eq!(self.workspaces(), Vec::<String>::new());
        assert_eq!(fs::read_to_string(self.outside("canary")).unwrap(), SECRET);
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_clean();
        }
    }
}

/// Asks for words, passed as they are.
pub(crate) fn command(words: &[&str]) -> Command {
    Command::argv(words.iter().copied())
}

/// Fails when a future does not end: what a test waits for must come.
pub(crate) async fn loud<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LONG, future).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not come"),
    }
}

/// Polls a future a number of times, then drops it; gives the result of one that ends before.
///
/// Between polls other tasks and timers get their turn, so that each poll may get further.
pub(crate) async fn poll_then_drop<T>(times: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    for _ in 0..times {
        let poll = std::future::poll_fn(|context: &mut Context<'_>| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(done) = poll {
            return Some(done);
        }
        tokio::task::yield_now().await;
    }
    None
}
