//! A session whose guests are written as WebAssembly text, one command each.

#![expect(unreachable_pub, reason = "a module of a test has no outside")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bailiwick::{
    Command, Host, InputContent, InputFile, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, SubmissionRuntime,
    WorkspacePath, spec,
};

/// A session with one runtime.
pub struct Bench {
    pub session: Session,
    pub runtime: Arc<dyn SubmissionRuntime>,
    next: AtomicUsize,
}

impl Bench {
    /// Opens a session on WASI with more lines of spec.
    pub async fn open(more: &str) -> Self {
        let mut host = Host::from_env(BTreeMap::new());
        host.dirs.shared_data.clear();
        Self::open_on(host, more).await
    }

    /// Does the same on a given host.
    pub async fn open_on(host: Host, more: &str) -> Self {
        let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
        let spec = spec::load(&format!("type: wasi\nname: test\n{more}"), "test", &registry).unwrap().spec;
        let session = Session::builder(&registry, spec).without_reset().open().await.unwrap();
        let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
        Self { session, runtime, next: AtomicUsize::new(0) }
    }

    /// Puts a guest into the workspace, and gives the command that runs it.
    pub async fn command(&self, guest: impl Into<Vec<u8>>) -> Command {
        let name = format!("guest-{}.wasm", self.next.fetch_add(1, Ordering::Relaxed));
        let content = InputContent::Bytes(guest.into());
        let file = InputFile::new(WorkspacePath::new(&name).unwrap(), content);
        self.session.materialize_input_files(vec![file]).await.unwrap();
        Command::argv([format!("./{name}")])
    }

    /// Runs a guest.
    pub async fn run(&self, guest: impl AsRef<[u8]>) -> Arc<RuntimeResult> {
        let command = self.command(guest.as_ref().to_vec()).await;
        self.runtime.execute(command).await.unwrap()
    }

    pub async fn close(&self) {
        self.session.close().await.unwrap();
    }
}
