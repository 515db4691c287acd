//! Every public call of a session dropped at each of its awaits, on every runtime: nothing leaks, the session is as
//! usable as before or truly closed, and nothing that was stored is lost.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]
#![expect(clippy::disallowed_methods, reason = "the test lays out the submission")]
#![expect(clippy::print_stdout, reason = "how many awaits there were is said")]

#[cfg(feature = "docker")]
#[path = "../execution/engine/mod.rs"]
mod engine;
#[path = "../execution/support/ledger.rs"]
mod ledger;

use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bailiwick::evaluate::{AdapterRegistry, Evaluation, Journal, RunOptions, Start, open_ambient_suite};
use bailiwick::spec::{self, EnvironmentSpec, Mode};
use bailiwick::{
    Command, Host, InputContent, InputFile, NoProgress, Restore, RuntimeRegistry, Session, SnapshotStore, SpawnRequest,
    WorkspacePath,
};
use ledger::Ledger;
use serde_json::{Value, json};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(120);

/// Polls a future until it has been pending so often, then drops it; gives the result of one that ends before.
///
/// It is polled when it was woken and not before, so that each time it has got further or waits for something else.
async fn drop_after<T>(times: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut pending) = (pin!(future), 0);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if pending == times => Poll::Ready(None),
        Poll::Pending => {
            pending += 1;
            Poll::Pending
        }
    })
    .await
}

/// A runtime under test.
#[derive(Clone, Debug)]
struct Target {
    spec: Value,
    /// A command that prints and takes a moment, and a line for set-ups that does no more.
    command: Vec<&'static str>,
    line: &'static str,
    /// The command as a line.
    start: &'static str,
    /// Whether each of its awaits is tried, or fewer and fewer of them: calls to an engine are slow, and many.
    every: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Open,
    Spawn,
    Execute,
    Stream,
    Fork,
    Reset,
    UpdateSnapshot,
    FinishCheckpoint,
    Restore,
    Inputs,
    Contents,
    Cleanup,
    Close,
    Prepare,
    PrepareEvaluation,
    Evaluate,
}

const CALLS: [Call; 16] = [
    Call::Open,
    Call::Spawn,
    Call::Execute,
    Call::Stream,
    Call::Fork,
    Call::Reset,
    Call::UpdateSnapshot,
    Call::FinishCheckpoint,
    Call::Restore,
    Call::Inputs,
    Call::Contents,
    Call::Cleanup,
    Call::Close,
    Call::Prepare,
    Call::PrepareEvaluation,
    Call::Evaluate,
];

/// A place for one sweep, with a registry that lives through it.
struct Yard {
    temp: tempfile::TempDir,
    target: Target,
    registry: RuntimeRegistry,
}

impl Yard {
    fn new(target: Target) -> Self {
        let temp = tempfile::tempdir().unwrap();
        for name in ["base", "state", "data", "temp", "cache", "submission", "cases", "other"] {
            std::fs::create_dir(temp.path().join(name)).unwrap();
        }
        let write = |name: &str, text: &str| std::fs::write(temp.path().join(name), text).unwrap();
        write("submission/ok.wat", "(module (memory (export \"memory\") 1) (func (export \"_start\")))");
        write("submission/main", "main");
        write("other/ok.wat", "(module (memory (export \"memory\") 1) (func (export \"_start\")))");
        write("other/restored", "restored");
        write(
            "cases/cases.yaml",
            "version: 1\nname: cancel\nadapter: cli\ncases: [{id: one, expect: {stdout: any}}]\n",
        );
        let mut host = Host::default();
        let path = |name: &str| Some(temp.path().join(name));
        host.path = Some("/usr/bin:/bin".to_owned());
        (host.dirs.base, host.dirs.temp, host.dirs.state) = (path("base"), path("temp"), path("state"));
        (host.dirs.data, host.dirs.cache) = (path("data"), path("cache"));
        let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
        Self { temp, target, registry }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn spec(&self) -> EnvironmentSpec {
        spec::from_value(self.target.spec.clone(), "test", &self.registry, &[]).unwrap().spec
    }

    fn command(&self) -> Command {
        Command::argv(self.target.command.iter().copied())
    }

    async fn open(&self) -> Session {
        let builder = Session::builder(&self.registry, self.spec()).mode(Mode::Agent);
        builder.submission(self.path("submission")).open().await.unwrap()
    }

    /// Tries a call in a session of its own; says whether it came to its end.
    async fn attempt(&self, call: Call, times: usize) -> bool {
        match call {
            Call::Open => {
                let builder = Session::builder(&self.registry, self.spec()).mode(Mode::Agent);
                let opened = drop_after(times, builder.submission(self.path("submission")).open()).await;
                let is_done = opened.is_some();
                if let Some(session) = opened {
                    session.unwrap().close().await.unwrap();
                }
                return is_done;
            }
            Call::Prepare => {
                let (spec, kind) = (self.spec(), self.registry.kind_of(&self.spec()).unwrap().clone());
                let prepared = drop_after(times, kind.prepare(&spec.section, &NoProgress)).await;
                return prepared.map(Result::unwrap).is_some();
            }
            Call::PrepareEvaluation | Call::Evaluate => return self.evaluate(call, times).await,
            Call::Spawn | Call::Execute | Call::Stream | Call::Fork | Call::Reset | Call::UpdateSnapshot => {}
            Call::FinishCheckpoint | Call::Restore | Call::Inputs | Call::Contents | Call::Cleanup | Call::Close => {}
        }
        let session = self.open().await;
        let kept = session.update_snapshot().await.unwrap().id();
        let is_done = self.in_session(&session, call, times).await;
        if call == Call::Close {
            let gone = session.spawn(SpawnRequest::default()).await.err();
            assert!(times == 0 || gone.is_some(), "a session whose close was begun is closed");
        } else {
            let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
            let result = runtime.execute(self.command()).await.unwrap();
            assert!(result.termination.is_success(), "{result}");
            runtime.cleanup().await.unwrap();
        }
        session.close().await.unwrap();
        let store = SnapshotStore::open_ambient(&self.path("data/snapshots")).unwrap();
        let to = self.path("restored");
        store.open(kept).unwrap().restore_ambient(&to, Restore::Mirror, None).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("main")).unwrap(), "main");
        is_done
    }

    async fn in_session(&self, session: &Session, call: Call, times: usize) -> bool {
        let has_runtime =
            matches!(call, Call::Execute | Call::Stream | Call::Cleanup | Call::Reset | Call::Fork | Call::Close);
        let runtime = match has_runtime {
            true => Some(session.spawn(SpawnRequest::default()).await.unwrap()),
            false => None,
        };
        let runtime = || runtime.clone().unwrap();
        match call {
            Call::Spawn => {
                let mut request = SpawnRequest::default();
                request.setup_command = Some(self.target.line.to_owned());
                drop_after(times, session.spawn(request)).await.map(Result::unwrap).is_some()
            }
            Call::Execute => {
                let runtime = runtime();
                drop_after(times, runtime.execute(self.command())).await.map(Result::unwrap).is_some()
            }
            Call::Stream => {
                let runtime = runtime();
                let whole = async { runtime.stream(self.command()).await.unwrap().wait().await.unwrap() };
                drop_after(times, whole).await.is_some()
            }
            Call::Fork => match drop_after(times, session.fork()).await {
                Some(fork) => {
                    fork.unwrap().close().await.unwrap();
                    true
                }
                None => false,
            },
            Call::Reset => {
                let is_done = drop_after(times, session.reset()).await.map(Result::unwrap).is_some();
                // It is done to its end, though nobody waits.
                settled(|| session.reset()).await;
                is_done
            }
            Call::UpdateSnapshot => drop_after(times, session.update_snapshot()).await.map(Result::unwrap).is_some(),
            Call::FinishCheckpoint => {
                let to = self.path("checkpoint");
                let done = drop_after(times, session.finish_checkpoint(&to)).await.map(Result::unwrap);
                let is_done = done.is_some();
                session.finish_checkpoint(&to).await.unwrap();
                assert_eq!(std::fs::read_to_string(to.join("main")).unwrap(), "main");
                std::fs::remove_dir_all(to).unwrap();
                is_done
            }
            Call::Restore => {
                let from = self.path("other");
                let restored = drop_after(times, session.restore_from_snapshot_dir(&from)).await;
                let is_done = restored.map(Result::unwrap).is_some();
                settled(|| session.restore_from_snapshot_dir(&from)).await;
                let contents = format!("{:?}", session.get_file_contents(&["restored", "main"]).await.unwrap());
                assert!(contents.contains("restored") && contents.contains("Missing"), "{contents}");
                is_done
            }
            Call::Inputs => {
                let file = || InputFile::new(WorkspacePath::new("in").unwrap(), InputContent::Text("new".to_owned()));
                let written = drop_after(times, session.materialize_input_files(vec![file()])).await;
                let is_done = written.map(Result::unwrap).is_some();
                session.materialize_input_files(vec![file()]).await.unwrap();
                is_done
            }
            Call::Contents => {
                drop_after(times, session.get_file_contents(&["main"])).await.map(Result::unwrap).is_some()
            }
            Call::Cleanup => {
                let runtime = runtime();
                let is_done = drop_after(times, runtime.cleanup()).await.map(Result::unwrap).is_some();
                runtime.cleanup().await.unwrap();
                is_done
            }
            Call::Close => drop_after(times, session.close()).await.map(Result::unwrap).is_some(),
            Call::Open | Call::Prepare | Call::PrepareEvaluation | Call::Evaluate => unreachable!("it has no session"),
        }
    }

    async fn evaluate(&self, call: Call, times: usize) -> bool {
        let suite = Arc::new(open_ambient_suite(&self.path("cases"), &AdapterRegistry::with_builtins()).unwrap());
        let builder = Evaluation::builder(&self.registry, self.spec(), suite).submission(self.path("submission"));
        let prepare = builder.start(Start::Command(self.target.start.to_owned())).prepare();
        if call == Call::PrepareEvaluation {
            return drop_after(times, prepare).await.map(Result::unwrap).is_some();
        }
        let evaluation = prepare.await.unwrap();
        let journal = Journal::open_ambient_temporary(&self.path("temp"), &evaluation.journal_header()).unwrap();
        let run = evaluation.run(RunOptions::jobs(1), journal, Arc::new(()), std::future::pending());
        let Some(results) = drop_after(times, run).await else { return false };
        assert_eq!(results.unwrap().records().count(), 1);
        true
    }

    /// Asserts that nothing is left on this host, nor at an engine; what a thread was at work on is done to its end.
    async fn assert_clean(&self, call: Call, times: usize) {
        let began = Instant::now();
        loop {
            let flushed = self.registry.reaper().flush(LONG);
            assert!(flushed.unfinished == 0 && flushed.failures.is_empty(), "{call:?} {times}: {flushed:?}");
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(began.elapsed() < LONG, "{call:?} dropped after {times}: {left:?}");
            tokio::task::yield_now().await;
        }
    }

    fn left(&self) -> Vec<String> {
        let entries = ["base", "temp"].into_iter().flat_map(|name| std::fs::read_dir(self.path(name)).unwrap());
        let files = entries.map(|entry| entry.unwrap().path().display().to_string());
        files.chain(self.containers()).collect()
    }

    #[cfg(feature = "docker")]
    fn containers(&self) -> Vec<String> {
        if self.target.spec["type"] != "docker" {
            return Vec::new();
        }
        let label = format!("bailiwick.owner={}", self.registry.owner().unwrap().id());
        engine::Raw::containers(&label).iter().map(|one| one["Names"].to_string()).collect()
    }

    #[cfg(not(feature = "docker"))]
    fn containers(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Does a call again until nothing of an earlier one is in its way.
async fn settled<F: Future<Output = Result<(), bailiwick::ExecutionError>>>(call: impl Fn() -> F) {
    let again = async {
        loop {
            match call().await {
                Ok(()) => return,
                Err(error) if error.kind() == bailiwick::ErrorKind::Busy => tokio::task::yield_now().await,
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    tokio::time::timeout(LONG, again).await.unwrap();
}

async fn sweep(target: Target) {
    let yard = Yard::new(target);
    for call in CALLS {
        // Warm: whatever is made once is there.
        assert!(yard.attempt(call, usize::MAX).await, "{call:?}");
        yard.assert_clean(call, usize::MAX).await;
        let ledger = Ledger::take();
        let (mut times, mut tried) = (0, 0);
        while !tokio::time::timeout(LONG, yard.attempt(call, times)).await.unwrap() {
            yard.assert_clean(call, times).await;
            tried += 1;
            times += if yard.target.every { 1 } else { 1 + times / 3 };
        }
        yard.assert_clean(call, times).await;
        ledger.assert_same();
        println!("{call:?}: {tried} drops, the last after {times} waits");
    }
    yard.registry.shutdown(LONG).await.unwrap();
}

#[cfg(feature = "local")]
#[tokio::test(flavor = "multi_thread")]
async fn g19_on_local_every_call_may_be_dropped_at_every_await() {
    let setup = json!({"commands": ["sh -c 'echo set-up'"]});
    let spec = json!({"type": "local", "name": "cancel", "setup": setup});
    sweep(Target {
        spec,
        command: vec!["sh", "-c", "echo out; exec cat"],
        line: "sh -c 'echo own'",
        start: "sh -c 'echo out; exec cat'",
        every: true,
    })
    .await;
}

#[cfg(all(feature = "wasi", feature = "wat"))]
#[tokio::test(flavor = "multi_thread")]
async fn g19_on_wasi_every_call_may_be_dropped_at_every_await() {
    let spec = json!({"type": "wasi", "name": "cancel", "setup": {"commands": ["./ok.wat"]}});
    sweep(Target { spec, command: vec!["./ok.wat"], line: "./ok.wat", start: "./ok.wat", every: true }).await;
}

#[cfg(feature = "docker")]
#[tokio::test(flavor = "multi_thread")]
async fn g19_on_docker_every_call_may_be_dropped_at_its_awaits() {
    if !engine::is_there() {
        return;
    }
    let docker = json!({"image": engine::SMALL, "pull": "never"});
    let spec = json!({"type": "docker", "name": "cancel", "docker": docker, "setup": {"commands": ["echo set-up"]}});
    sweep(Target {
        spec,
        command: vec!["sh", "-c", "echo out; exec cat"],
        line: "echo own",
        start: "echo out; exec cat",
        every: false,
    })
    .await;
}
