//! The yard in which guests attack: a canary outside of it, and a ledger of what the process holds.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::{
    Command, Host, InputContent, InputFile, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, SubmissionRuntime,
    WorkspacePath, spec,
};
use tokio::sync::{Mutex, MutexGuard};

pub(crate) const SECRET: &str = "nothing of this may be seen or changed";
/// Longer than anything here may take on a loaded machine.
pub(crate) const LONG: Duration = Duration::from_secs(120);

/// One attack at a time: the ledger counts what the whole process holds.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A host with a canary: a file outside of every workspace, a variable, and a socket that listens.
pub(crate) struct Yard {
    temp: tempfile::TempDir,
    host: Host,
    listener: TcpListener,
    before: Ledger,
    alone: Option<MutexGuard<'static, ()>>,
}

/// What a process holds that an attack could make it leak.
#[derive(Debug)]
struct Ledger {
    descriptors: usize,
    threads: usize,
}

impl Ledger {
    fn read(temp: &Path) -> Self {
        // Workspaces that are mounted nowhere read as `/`; the test's own executor has sockets and pipes.
        let links = fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
        let links = links.filter_map(|entry| fs::read_link(entry.path()).ok());
        let descriptors = links.filter(|link| link.as_os_str() == "/" || link.starts_with(temp)).count();
        let names = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
        let names = names.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        // Those of the test's own executor come and go; ours have names.
        Self { descriptors, threads: names.filter(|name| name.starts_with("bailiwick")).count() }
    }
}

impl Ledger {
    fn exceeds(&self, before: &Self) -> bool {
        self.descriptors > before.descriptors || self.threads > before.threads
    }
}

impl Yard {
    /// Opens a yard when no other is open.
    pub(crate) async fn open_alone() -> Self {
        let alone = ALONE.lock().await;
        let mut yard = Self::new();
        yard.alone = Some(alone);
        yard
    }

    fn make(temp: tempfile::TempDir) -> Self {
        for name in ["base", "outside"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        fs::write(temp.path().join("outside/secret"), SECRET).unwrap();
        let mut host = Host::from_env(BTreeMap::from([("CANARY".to_owned(), SECRET.to_owned())]));
        host.dirs.shared_data.clear();
        host.dirs.temp = Some(temp.path().join("base"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let before = Ledger::read(temp.path());
        Self { temp, host, listener, before, alone: None }
    }

    /// Opens a yard beside others, without a ledger.
    pub(crate) fn new() -> Self {
        Self::make(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.temp.path()
    }

    pub(crate) fn registry(&self) -> RuntimeRegistry {
        RuntimeRegistry::builder(self.host.clone()).with_builtins().build().unwrap()
    }

    /// Opens a session over nothing, with more lines of its spec.
    pub(crate) async fn open(registry: &RuntimeRegistry, more: &str) -> (Session, Arc<dyn SubmissionRuntime>) {
        Self::spawn(registry, more, SpawnRequest::default()).await
    }

    pub(crate) async fn spawn(
        registry: &RuntimeRegistry,
        more: &str,
        request: SpawnRequest,
    ) -> (Session, Arc<dyn SubmissionRuntime>) {
        let spec = spec::load(&format!("type: wasi\nname: attack\n{more}"), "test", registry).unwrap().spec;
        let session = Session::builder(registry, spec).open().await.unwrap();
        let runtime = session.spawn(request).await.unwrap();
        (session, runtime)
    }

    /// Runs one guest in a session of its own.
    pub(crate) async fn run(&self, more: &str, guest: &str) -> Arc<RuntimeResult> {
        let registry = self.registry();
        let (session, runtime) = Self::open(&registry, more).await;
        let result = run(&session, &runtime, guest).await;
        session.close().await.unwrap();
        result
    }

    /// Asserts that the canary is as it was, and that the process holds no more than before.
    pub(crate) async fn check(self, registry: RuntimeRegistry) {
        drop(registry);
        assert_eq!(fs::read_to_string(self.temp.path().join("outside/secret")).unwrap(), SECRET);
        assert_eq!(
            fs::read_dir(self.temp.path().join("outside")).unwrap().count(),
            1,
            "something is beside the secret"
        );
        assert!(self.listener.accept().is_err(), "somebody connected to the canary's socket");
        let left: Vec<_> = fs::read_dir(self.temp.path().join("base")).unwrap().map(|entry| entry.unwrap()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        if self.alone.is_none() {
            return;
        }
        // The threads end by themselves once their engine is gone.
        let began = Instant::now();
        while Ledger::read(self.temp.path()).exceeds(&self.before) && began.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let after = Ledger::read(self.temp.path());
        assert!(after.descriptors <= self.before.descriptors, "{after:?}, before {:?}", self.before);
        assert!(after.threads <= self.before.threads, "{after:?}, before {:?}", self.before);
    }
}

/// Puts a file into a workspace.
pub(crate) async fn write(session: &Session, name: &str, bytes: &[u8]) {
    let file = InputFile::new(WorkspacePath::new(name).unwrap(), InputContent::Bytes(bytes.to_vec()));
    session.materialize_input_files(vec![file]).await.unwrap();
}

/// Runs a guest that is text.
pub(crate) async fn run(session: &Session, runtime: &Arc<dyn SubmissionRuntime>, guest: &str) -> Arc<RuntimeResult> {
    write(session, "attack.wat", guest.as_bytes()).await;
    let running = runtime.execute(Command::argv(["./attack.wat"]));
    let result = tokio::time::timeout(LONG, running).await.expect("the guest does not end").unwrap();
    for output in [&result.stdout, &result.stderr] {
        assert!(!String::from_utf8_lossy(&output.kept).contains(SECRET), "the guest has seen the secret");
    }
    result
}

/// Gives what a guest printed, a number a line.
pub(crate) fn said(result: &Arc<RuntimeResult>) -> Vec<i64> {
    let text = result.stdout.text().unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{result}: {text:?}"))).collect()
}
