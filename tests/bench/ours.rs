//! Ours: sessions over the WASI runtime, as an embedding program opens them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick::spec::{self, EnvironmentSpec};
use bailiwick::{Command, Host, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, SubmissionRuntime};
use tokio::runtime::Runtime;

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn registry(change: impl FnOnce(&mut Host)) -> RuntimeRegistry {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    change(&mut host);
    RuntimeRegistry::builder(host).with_builtins().build().unwrap()
}

pub(crate) fn wasi(registry: &RuntimeRegistry, more: &str) -> EnvironmentSpec {
    spec::load(&format!("type: wasi\nname: bench\n{more}"), "bench", registry).unwrap().spec
}

/// A live runtime over a workspace that holds the guests.
pub(crate) struct Live<'a> {
    executor: &'a Runtime,
    pub(crate) session: Session,
    pub(crate) runtime: Arc<dyn SubmissionRuntime>,
}

impl<'a> Live<'a> {
    pub(crate) fn open(executor: &'a Runtime, registry: &RuntimeRegistry, more: &str, submission: &Path) -> Self {
        let spec = wasi(registry, more);
        executor.block_on(async {
            let builder = Session::builder(registry, spec).submission(submission).without_reset();
            let session = builder.open().await.unwrap();
            let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
            Self { executor, session, runtime }
        })
    }

    pub(crate) fn run(&self, words: &[&str]) -> Arc<RuntimeResult> {
        self.executor.block_on(self.runtime.execute(Command::argv(words.iter().copied()))).unwrap()
    }
}
