//! The local runtime from above, driven through `Commands`: what it runs, holds, ends and leaves behind.

mod attacks;
mod ends;
mod holds;
mod runs;

use std::sync::Arc;
use std::time::Duration;

use super::Local;
use crate::host::Host;
use crate::runtime::{AnyRuntimeKind, Command, Launch, Output, RuntimeRegistry, RuntimeResult, SubmissionRuntime};
use crate::spec::{Mode, load};
use crate::workspace::{Base, BaseNeed, Quota, Reaper, Workspace};

/// Long enough for any machine: a bound on hanging, never a measure of speed.
const LONG: Duration = Duration::from_secs(30);

/// A place to run commands in, removed with everything in it.
struct Place {
    runtime: Arc<dyn SubmissionRuntime>,
    workspace: Arc<Workspace>,
    reaper: Arc<Reaper>,
    base: tempfile::TempDir,
}

/// Opens a place with the rest of a spec: everything after `type` and `name`.
async fn open(spec: &str) -> Place {
    open_on(Local::default(), spec, Mode::Evaluation).await
}

async fn open_on(local: Local, spec: &str, mode: Mode) -> Place {
    let base = tempfile::tempdir().unwrap();
    let mut host = Host::default();
    host.dirs.base = Some(base.path().to_owned());
    host.max_running = Some(64);
    let registry = RuntimeRegistry::builder(host).with(local).build().unwrap();
    let spec = load(&format!("type: local\nname: test\n{spec}"), "test", &registry).unwrap().spec;
    let kind = registry.kind("local").unwrap();
    let limits = spec.resolve_limits(mode, &[]).unwrap();
    let enforcement = Arc::new(kind.enforcement(&spec.section).unwrap());
    let in_force = enforcement.admit(limits, "local").unwrap();
    let workspace_base = Base::choose(registry.host(), BaseNeed::Directory).unwrap();
    let owner = registry.owner().unwrap();
    let reaper = Arc::clone(registry.reaper());
    let workspace = Arc::new(Workspace::open(&workspace_base, &owner, Quota::default(), &reaper).unwrap());
    let launch = Launch {
        workspace: Arc::clone(&workspace),
        isolation: kind.isolation(&spec.section).unwrap(),
        spec: Arc::new(spec),
        assets: None,
        assets_path: None,
        mode,
        request: crate::runtime::SpawnRequest::default(),
        limits: in_force.limits,
        best_effort: in_force.best_effort,
        unenforced: in_force.unenforced,
        enforcement,
        host: Arc::clone(registry.host()),
        admission: registry.admission().group(None),
        reaper: Arc::clone(&reaper),
        owner,
        seed: None,
    };
    let runtime = AnyRuntimeKind::spawn(&**kind, launch).await.unwrap();
    Place { runtime, workspace, reaper, base }
}

impl Place {
    async fn run(&self, command: Command) -> Arc<RuntimeResult> {
        tokio::time::timeout(LONG, self.runtime.execute(command)).await.expect("a result in time").unwrap()
    }

    async fn sh(&self, script: &str) -> Arc<RuntimeResult> {
        self.run(sh(script)).await
    }

    /// Puts a file into the workspace.
    fn put(&self, name: &str, content: &[u8], mode: u32) {
        use cap_std::fs::PermissionsExt;
        self.workspace.dir().write(name, content).unwrap();
        self.workspace.dir().set_permissions(name, cap_std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Counts the processes whose working directory is in this place: nothing else of the machine is.
    fn alive(&self) -> usize {
        self.pids().len()
    }

    fn pids(&self) -> Vec<i32> {
        let base = self.base.path();
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(base)))
            .collect()
    }

    /// Waits until so many processes of this place are alive.
    async fn until(&self, enough: impl Fn(usize) -> bool) {
        let reached = async {
            while !enough(self.alive()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(LONG, reached).await.unwrap_or_else(|_| panic!("{:?} are alive", self.pids()));
    }
}

fn sh(script: &str) -> Command {
    Command::argv(["sh", "-c", script])
}

fn text(output: &Output) -> String {
    output.text().unwrap_or_else(|| format!("{:?}", output.kept))
}

fn stdout(result: &Arc<RuntimeResult>) -> String {
    text(&result.stdout)
}
