//! Whole lives of a session on Docker, each step of which either is what it must be or an error.

use std::path::Path;
use std::time::Duration;

use bailiwick::spec::{Limit, LimitName, LimitsConfig, Span};
use bailiwick::{
    Command, ErrorKind, ExecutionError, RuntimeRegistry, RuntimeResult, Session, SnapshotId, SpawnRequest,
    SubmissionRuntime, Termination,
};
use serde_json::{Value, json};

use crate::engine::place::{Wish, show};

/// The wall limit of the one command that is to meet it; the others may wait for a busy machine.
const SHORT: Duration = Duration::from_millis(400);

/// What a session goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// The workspace is mounted: set-up, commands, limits, a snapshot, a fork.
    Mounted,
    /// The workspace is carried in and out.
    Carried,
    /// The set-up becomes an image, which the next session begins with.
    Baked,
}

/// What a life came to, where it went on to its end in spite of everything.
#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) errors: Vec<(&'static str, ExecutionError)>,
    /// A snapshot that was taken, and is kept.
    pub(crate) stored: Option<SnapshotId>,
}

impl Course {
    /// Takes note of an error, which must say something.
    fn note(&mut self, step: &'static str, error: impl Into<ExecutionError>) {
        let error = error.into();
        assert!(!error.to_string().is_empty() && error.kind() != ErrorKind::Bug, "{step}: {error:?}");
        self.errors.push((step, error));
    }

    fn keep<T>(&mut self, step: &'static str, done: Result<T, impl Into<ExecutionError>>) -> Option<T> {
        done.map_err(|error| self.note(step, error)).ok()
    }

    /// Runs a line; what comes back is all of what it prints, or an error.
    async fn says(&mut self, runtime: &dyn SubmissionRuntime, line: &str, says: &str) -> Option<()> {
        let command = Command::line(line).grant_stdin("in\n");
        let result = runtime.execute(command).await;
        let result = self.keep("execute", result)?;
        assert_eq!(result.termination, Termination::Exited { code: 0 }, "`{line}`: {result}\n{}", show(&result));
        assert_eq!(result.stdout.text().as_deref(), Some(says), "`{line}`");
        Some(())
    }

    /// Runs what never ends; what comes back says so, or is an error.
    async fn outlasts(&mut self, runtime: &dyn SubmissionRuntime) -> Option<()> {
        let mut limits = LimitsConfig::default();
        limits.wall_time = Limit::Set(Span(SHORT));
        let line = "echo up; sleep 1000 & sleep 1000";
        let result = runtime.execute(Command::line(line).limited_by(limits)).await;
        let result = self.keep("timeout", result)?;
        let is_wall = matches!(result.termination, Termination::LimitExceeded { limit: LimitName::WallTime, .. });
        assert!(is_wall, "{result}\n{}", show(&result));
        Some(())
    }

    async fn streams(&mut self, runtime: &dyn SubmissionRuntime) -> Option<()> {
        let running = runtime.stream(Command::line("cat; exit 3").grant_stdin("streamed\n")).await;
        let result = self.keep("stream", running)?.wait().await;
        let result: std::sync::Arc<RuntimeResult> = self.keep("stream", result)?;
        assert_eq!(result.termination, Termination::Exited { code: 3 }, "{result}");
        assert_eq!(result.stdout.text().as_deref(), Some("streamed\n"));
        Some(())
    }

    async fn spawn(&mut self, session: &Session) -> Option<std::sync::Arc<dyn SubmissionRuntime>> {
        let runtime = session.spawn(SpawnRequest::default()).await;
        let runtime = self.keep("spawn", runtime)?;
        for outcome in &*runtime.setup() {
            assert!(outcome.termination.is_success(), "{outcome:?}");
        }
        Some(runtime)
    }
}

impl Life {
    pub(crate) fn wish(self, endpoint: &Value, image: &str) -> Wish {
        let section = match self {
            Self::Mounted => json!({"host": endpoint, "user": "0:0"}),
            Self::Carried => json!({"host": endpoint, "user": "0:0", "mount_workspace": false}),
            Self::Baked => json!({"host": endpoint, "image": image, "build": {"bake": true}}),
        };
        let setup = match self {
            Self::Mounted | Self::Carried => json!({"commands": ["echo made >/made; echo inside >in"]}),
            Self::Baked => json!({"commands": ["echo made >/kit/made; echo inside >in"]}),
        };
        Wish::new(section).with("setup", setup).with("limits", json!({"wall_time": "8s"}))
    }

    /// Lives it, as far as it goes.
    pub(crate) async fn live(self, registry: &RuntimeRegistry, wish: &Wish) -> Course {
        let mut course = Course::default();
        match self {
            Self::Mounted => mounted(&mut course, registry, wish).await,
            Self::Carried => carried(&mut course, registry, wish).await,
            Self::Baked => {
                // The second finds what the first has made, or makes it.
                for _ in 0..2 {
                    baked(&mut course, registry, wish).await;
                }
            }
        }
        course
    }
}

async fn open(course: &mut Course, registry: &RuntimeRegistry, wish: &Wish) -> Option<Session> {
    let opened = Session::builder(registry, wish.spec(registry)).mode(wish.mode).open().await;
    course.keep("open", opened)
}

async fn mounted(course: &mut Course, registry: &RuntimeRegistry, wish: &Wish) {
    let Some(session) = open(course, registry, wish).await else { return };
    let _ = in_mounted(course, &session).await;
    close(course, session).await;
}

async fn in_mounted(course: &mut Course, session: &Session) -> Option<()> {
    let runtime = course.spawn(session).await?;
    // Each step is made though one before it failed: an error ends a command and no runtime.
    course.says(&*runtime, "cat /made in; echo one >a; cat", "made\ninside\nin\n").await;
    course.streams(&*runtime).await;
    course.outlasts(&*runtime).await;
    course.says(&*runtime, "cat /made; echo two >b", "made\n").await;
    if let Some(snapshot) = course.keep("update_snapshot", session.update_snapshot().await) {
        course.stored = Some(snapshot.id());
    }
    let fork = course.keep("fork", session.fork().await)?;
    if let Some(forked) = course.spawn(&fork).await {
        course.says(&*forked, "cat /made in; rm in /made", "made\ninside\n").await;
    }
    close(course, fork).await;
    course.says(&*runtime, "cat /made in", "made\ninside\n").await
}

async fn carried(course: &mut Course, registry: &RuntimeRegistry, wish: &Wish) {
    let Some(session) = open(course, registry, wish).await else { return };
    if let Some(runtime) = course.spawn(&session).await {
        if course.says(&*runtime, "cat /made in; echo one >a", "made\ninside\n").await.is_some() {
            // What was told to have succeeded has come back.
            let contents = session.get_file_contents(&["a"]).await;
            let contents = course.keep("get_file_contents", contents).map(|contents| format!("{contents:?}"));
            assert!(contents.is_none_or(|contents| contents.contains("one")));
        }
        course.outlasts(&*runtime).await;
        course.says(&*runtime, "cat in", "inside\n").await;
    }
    close(course, session).await;
}

async fn baked(course: &mut Course, registry: &RuntimeRegistry, wish: &Wish) {
    let Some(session) = open(course, registry, wish).await else { return };
    if let Some(runtime) = course.spawn(&session).await {
        course.says(&*runtime, "cat /kit/made in", "made\ninside\n").await;
    }
    close(course, session).await;
}

async fn close(course: &mut Course, session: Session) {
    let closed = session.close().await;
    course.keep("close", closed);
}

/// Ends a life for good.
pub(crate) async fn end(course: &mut Course, registry: RuntimeRegistry) {
    let ended = registry.shutdown(Duration::from_secs(300)).await;
    course.keep("shutdown", ended);
}

/// Says whether a file is in a directory.
pub(crate) fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).map_or(true, |mut entries| entries.next().is_none())
}
