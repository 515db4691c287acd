//! Workspaces that are carried into containers and back, on the machine's engine and on one that sees none of our files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests prepare files by path")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use bailiwick::spec::{self, LimitName};
use bailiwick::{
    Command, ErrorKind, Host, InputContent, InputFile, Mount, RuntimeRegistry, RuntimeResult, Session, SpawnRequest,
    SubmissionRuntime, Termination, WorkspacePath, resolve_static_assets,
};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};

/// The engine of the machine, asked to mount nothing; and one apart, asked for nothing in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Here,
    Apart,
}

const ENGINES: [Engine; 2] = [Engine::Here, Engine::Apart];

impl Engine {
    /// Gives a host with this engine; prints why there is none, which CI never allows.
    fn host(self, base: &Path) -> Option<Host> {
        let mut host = Host::from_env(BTreeMap::new());
        host.dirs.shared_data.clear();
        host.dirs.base = Some(base.to_owned());
        let missing = match self {
            Self::Here => {
                let socket = Path::new("/var/run/docker.sock");
                (!socket.exists()).then_some("start dockerd, then `bash tests/data/docker/images.sh`")
            }
            Self::Apart => {
                match (variable("BAILIWICK_TEST_DOCKER_APART"), variable("BAILIWICK_TEST_DOCKER_APART_BASE")) {
                    (Some(endpoint), Some(base)) => {
                        host.engine.endpoint = Some(endpoint);
                        host.dirs.base = Some(base.into());
                        None
                    }
                    _ => Some("run the tests by `bash tests/data/docker/apart.sh cargo test`"),
                }
            }
        };
        let Some(how) = missing else { return Some(host) };
        assert!(variable("CI").is_none(), "{self:?}: the tests of Docker must run in CI: {how}");
        println!("skipped: there is no engine {self:?}; to have it, {how}");
        None
    }

    fn section(self) -> Value {
        let section = json!({"image": "bailiwick-test/busybox:latest", "pull": "never", "network": "none"});
        match self {
            Self::Here => with(section, "mount_workspace", json!(false)),
            // Whether it sees our files it has to find out.
            Self::Apart => section,
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

/// A session and a runtime on one engine.
struct Place {
    _base: tempfile::TempDir,
    _registry: RuntimeRegistry,
    session: Session,
    runtime: Arc<dyn SubmissionRuntime>,
}

impl Place {
    async fn open(engine: Engine, submission: Option<&Path>, limits: Value) -> Option<Self> {
        let base = tempfile::tempdir().unwrap();
        let registry = RuntimeRegistry::builder(engine.host(base.path())?).with_builtins().build().unwrap();
        let value = json!({"type": "docker", "name": "ferry", "docker": engine.section(), "limits": limits});
        let spec = spec::from_value(value, "test", &registry, &[]).unwrap().spec;
        let mut builder = Session::builder(&registry, spec);
        if let Some(submission) = submission {
            builder = builder.submission(submission);
        }
        let session = builder.open().await.unwrap();
        let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
        Some(Self { _base: base, _registry: registry, session, runtime })
    }

    async fn sh(&self, line: &str) -> Arc<RuntimeResult> {
        self.runtime.execute(Command::line(line)).await.unwrap_or_else(|error| panic!("{line}: {error:?}"))
    }

    /// Runs a line that must exit with 0, and gives what it printed.
    async fn text(&self, line: &str) -> String {
        let result = self.sh(line).await;
        let errors = result.stderr.text();
        assert_eq!(result.termination, Termination::Exited { code: 0 }, "{line}: {errors:?} {:?}", result.notes);
        result.stdout.text().unwrap()
    }

    /// Copies the workspace out, to be looked at.
    async fn kept(&self) -> tempfile::TempDir {
        let kept = tempfile::tempdir().unwrap();
        self.session.keep(kept.path()).await.unwrap();
        kept
    }

    async fn put(&self, name: &str, content: &str) {
        let file = InputFile::new(WorkspacePath::new(name).unwrap(), InputContent::Bytes(content.into()));
        self.session.materialize_input_files(vec![file]).await.unwrap();
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn files_go_in_and_come_back_and_so_do_deletions() {
    for engine in ENGINES {
        let submission = tempfile::tempdir().unwrap();
        std::fs::create_dir(submission.path().join("dir")).unwrap();
        std::fs::write(submission.path().join("dir/old"), "old").unwrap();
        std::fs::write(submission.path().join("run.sh"), "echo ran").unwrap();
        std::fs::set_permissions(submission.path().join("run.sh"), PermissionsExt::from_mode(0o750)).unwrap();
        symlink("dir/old", submission.path().join("link")).unwrap();
        let Some(place) = Place::open(engine, Some(submission.path()), json!({})).await else { continue };
        let long = "n".repeat(180);

        // What went in is the user's, with its permissions; its directory too.
        assert_eq!(
            place.text("./run.sh; cat link; stat -c '%u:%g %a' run.sh . dir").await,
            "ran\nold1000:1000 750\n1000:1000 755\n1000:1000 755\n"
        );
        place.text(&format!("rm -r dir link; mkdir -p a/b; echo new > a/b/{long}; ln run.sh twin; chmod 500 a")).await;
        let kept = place.kept().await;
        assert_eq!(names(kept.path()), ["a", "run.sh", "twin"]);
        assert_eq!(std::fs::read_to_string(kept.path().join("a/b").join(&long)).unwrap(), "new\n");
        let mode = |name: &str| std::fs::metadata(kept.path().join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("run.sh"), mode("twin")), (0o750, 0o750));

        // What changes on our side between two commands is there in the next one, and what went away is not.
        place.put("a/b/input", "from outside").await;
        place.put("run.sh", "echo replaced").await;
        assert_eq!(
            place.text(&format!("cat a/b/input; sh run.sh; cat a/b/{long}; echo kept > mine")).await,
            "from outsidereplaced\nnew\n"
        );
        place.session.reset().await.unwrap();
        assert_eq!(place.text("ls; cat link").await, "dir\nlink\nrun.sh\nold");
        place.session.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_killed_command_gives_back_what_it_wrote() {
    for engine in ENGINES {
        let Some(place) = Place::open(engine, None, json!({"wall_time": "1s"})).await else { continue };
        let result = place.sh("echo before > file; echo written; sleep 100").await;
        assert!(
            matches!(result.termination, Termination::LimitExceeded { limit: LimitName::WallTime, .. }),
            "{result}"
        );
        assert_eq!(std::fs::read_to_string(place.kept().await.path().join("file")).unwrap(), "before\n");
        // Nothing on our side was lost either, and the container has both.
        place.put("input", "in").await;
        assert_eq!(place.text("cat file input").await, "before\nin");
        place.session.close().await.unwrap();
    }
}

/// D6: what a guest puts where we will read it.
#[tokio::test]
async fn d6_nothing_comes_back_through_a_link_and_nothing_but_files() {
    for engine in ENGINES {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("canary"), "canary").unwrap();
        let Some(place) = Place::open(engine, None, json!({"disk": "16MiB"})).await else { continue };
        let target = outside.path().display();
        place
            .text(&format!(
                "ln -s {target} out; ln -s /etc etc; mkfifo pipe; echo 1 > -n; echo 2 > 'a\nb'; ln -s . self"
            ))
            .await;
        let kept = place.kept().await;
        assert_eq!(names(kept.path()), ["-n", "a\nb", "etc", "out", "self"]);
        assert!(std::fs::symlink_metadata(kept.path().join("out")).unwrap().is_symlink());
        place.text(&format!("rm out; mkdir out; echo overwritten > out/canary; touch {}", "x".repeat(255))).await;
        assert_eq!(std::fs::read_to_string(outside.path().join("canary")).unwrap(), "canary");
        assert_eq!(names(outside.path()), ["canary"]);

        // A hole as large as a disk is a limit that it met, and costs nobody anything.
        let result = place.sh("truncate -s 1024G hole && rm -rf out").await;
        let is_disk = matches!(result.termination, Termination::LimitExceeded { limit: LimitName::Disk, .. });
        assert!(is_disk, "{result} {:?}", result.notes);
        assert!(
            names(place.kept().await.path()).contains(&"out".to_owned()),
            "a refusal leaves the workspace as it was"
        );
        place.text("rm hole").await;
        assert!(!names(place.kept().await.path()).contains(&"out".to_owned()));
        place.session.close().await.unwrap();
    }
}

#[tokio::test]
async fn an_engine_that_is_blind_gets_the_assets_too_and_mounts_nothing() {
    let base = tempfile::tempdir().unwrap();
    let Some(host) = Engine::Apart.host(base.path()) else { return };
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("table.csv"), "1,2\n").unwrap();
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let value = json!({"type": "docker", "name": "ferry", "docker": Engine::Apart.section()});
    let spec = spec::from_value(value, "test", &registry, &[]).unwrap().spec;
    let config =
        serde_json::from_value(json!({"table": {"path": "table.csv", "save_path": "data/table.csv"}})).unwrap();
    let dir = Arc::new(Dir::open_ambient_dir(data.path(), ambient_authority()).unwrap());
    let assets = resolve_static_assets(&dir, &config, None).unwrap();
    let session = Session::builder(&registry, spec).grant_assets(assets).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let line = "cat /static/data/table.csv; stat -c '%u %a' /static/data/table.csv; echo x >> /static/data/table.csv; rm -f /static/data/table.csv; ls /static/data";
    let result = runtime.execute(Command::line(line)).await.unwrap();
    assert_eq!(result.stdout.text().unwrap(), "1,2\n0 444\ntable.csv\n", "{:?}", result.stderr.text());
    // A path that the engine would have to see is refused before anything runs.
    let mut request = SpawnRequest::default();
    request.mounts.push(Mount { host: data.path().to_owned(), guest: "/data".to_owned(), writable: false });
    let error = session.spawn(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unenforceable, "{error:?}");
    session.close().await.unwrap();
}
