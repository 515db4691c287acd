//! What an engine sends: frames, descriptions, events, figures, archives. Whatever it is, a command ends, and bytes of
//! its output are the guest's or the failure is said.

use std::collections::BTreeMap;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick::{
    Command, ErrorKind, ExecutionError, Host, RuntimeRegistry, RuntimeResult, Session, SolutionRuntimeError,
    SpawnRequest, SubmissionRuntime, Termination, spec,
};
use serde_json::json;
use tokio::runtime::Runtime;

use super::driver::run;
use super::engine::{Engine, Place, Says};
use super::trees::{Node, read};

/// Whether anything panicked, on whatever thread.
static PANICKED: AtomicBool = AtomicBool::new(false);

#[test]
fn frames() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        before(info);
    }));
    let words: [&[u8]; 16] = [
        b"\x01\0\0\0\0\0\0\x02ok",
        b"\x02\0\0\0\0\0\0\x02no",
        b"\x01\0\0\0\xff\xff\xff\xff",
        b"\x03\0\0\0",
        b"\0\0\0\0\0\0\0\x01x",
        b"null",
        b"-1",
        b"18446744073709551616",
        b"{\"message\":\"x\"}",
        b"\"Running\":true,",
        b"\n",
        b"../",
        b"12 path=../x\n",
        b"0000644\0",
        &[0; 512],
        b"\\ud800",
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut host = TestHost::new(&runtime);
    run("frames", &words, |input, chance| {
        let says = Says::read(input, chance);
        if says.place.is_asked_once() {
            host.close(&runtime);
            host = TestHost::new(&runtime);
        }
        let outcome = host.run(&runtime, says.clone());
        assert!(!PANICKED.load(Ordering::SeqCst), "a thread panicked");
        host.look(&says, outcome);
    });
    host.close(&runtime);
}

/// An engine that says what it is told to, and one process of ours that believes it.
struct TestHost {
    engine: Engine,
    registry: RuntimeRegistry,
    base: tempfile::TempDir,
    open: Option<(Session, Arc<dyn SubmissionRuntime>)>,
}

/// What a command came to, and the files that it left.
type Outcome = Result<(RuntimeResult, BTreeMap<PathBuf, Node>), ExecutionError>;

impl TestHost {
    fn new(runtime: &Runtime) -> Self {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join("canary"), "canary").unwrap();
        let mut host = Host::default();
        host.dirs.base = Some(base.path().join("base"));
        std::fs::create_dir(base.path().join("base")).unwrap();
        let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
        Self { engine: Engine::start(runtime), registry, base, open: None }
    }

    /// Runs one command on an engine that says this: in the session that is there where that is asked of commands.
    fn run(&mut self, runtime: &Runtime, says: Says) -> Outcome {
        if !says.place.is_of_commands() {
            self.close(runtime);
        }
        let is_new = self.open.is_none();
        if is_new && says.place.is_of_commands() {
            self.engine.be_sound();
            self.open(runtime)?;
        }
        self.engine.say(says);
        if self.open.is_none() {
            self.open(runtime)?;
        }
        let ran = match &self.open {
            Some((_, guest)) => runtime.block_on(guest.execute(Command::argv(["sh"]))),
            None => return Err(ExecutionError::from(SolutionRuntimeError::Closed)),
        };
        let files = self.files();
        if ran.is_err() {
            self.close(runtime);
        }
        Ok((RuntimeResult::clone(&*ran?), files))
    }

    fn open(&mut self, runtime: &Runtime) -> Result<(), ExecutionError> {
        let docker =
            json!({"image": "x:latest", "pull": "never", "mount_workspace": false, "host": self.engine.endpoint()});
        let limits = json!({"wall_time": "300ms"});
        let spec = json!({"type": "docker", "name": "fuzz", "docker": docker, "limits": limits});
        let spec = spec::from_value(spec, "fuzz", &self.registry, &[]).unwrap().spec;
        let (session, guest) = runtime.block_on(async {
            let session = Session::builder(&self.registry, spec).open().await?;
            let guest = session.spawn(SpawnRequest::default()).await;
            Ok::<_, ExecutionError>((session, guest))
        })?;
        match guest {
            Ok(guest) => self.open = Some((session, guest)),
            Err(error) => {
                end(runtime, &session);
                return Err(error);
            }
        }
        Ok(())
    }

    fn close(&mut self, runtime: &Runtime) {
        if let Some((session, _)) = self.open.take() {
            end(runtime, &session);
        }
    }

    /// Reads what is in the workspace.
    fn files(&self) -> BTreeMap<PathBuf, Node> {
        let base = self.base.path().join("base");
        let mut parents = std::fs::read_dir(base).unwrap().map(|entry| entry.unwrap().path());
        let work = parents.find_map(|parent| Some(parent.join("work")).filter(|work| work.is_dir()));
        work.map(|work| read(&work)).unwrap_or_default()
    }

    /// Holds what came against what a slow reader finds.
    fn look(&self, says: &Says, outcome: Outcome) {
        assert_eq!(std::fs::read_to_string(self.base.path().join("canary")).unwrap(), "canary");
        assert_eq!(std::fs::read_dir(self.base.path()).unwrap().count(), 2);
        match (says.place, outcome) {
            (_, Err(error)) => assert!(error.kind() != ErrorKind::Bug, "{error:?}"),
            (Place::Attach, Ok((result, _))) => {
                let streams = streams(&says.bytes);
                let Some([stdout, stderr]) = streams else { panic!("a broken stream became {result:?}") };
                assert!(matches!(result.termination, Termination::Exited { code: 0, .. }), "{result:?}");
                assert_eq!((&result.stdout.kept[..], &result.stderr.kept[..]), (&stdout[..], &stderr[..]));
            }
            (Place::Archive, Ok((result, files))) => {
                assert!(matches!(result.termination, Termination::Exited { code: 0, .. }), "{result:?}");
                let theirs = library(&says.bytes);
                for (path, node) in files {
                    if let Node::File(content, _) = node {
                        assert_eq!(theirs.get(&path), Some(&content), "{}", path.display());
                    }
                }
            }
            (_, Ok(_)) => {}
        }
    }
}

/// Ends a session; whether the engine says that it removed what it made is its own.
fn end(runtime: &Runtime, session: &Session) {
    if let Err(error) = runtime.block_on(session.close()) {
        assert!(error.kind() != ErrorKind::Bug, "{error:?}");
    }
}

/// Reads frames as slowly as it can be done: the two streams; none where they are not whole.
fn streams(mut bytes: &[u8]) -> Option<[Vec<u8>; 2]> {
    let mut streams = [Vec::new(), Vec::new()];
    while let Some((header, rest)) = bytes.split_at_checked(8) {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let (body, rest) = match rest.split_at_checked(usize::try_from(length).unwrap()) {
            Some(split) => split,
            // The client's library cannot tell this from an end: the stream is cut right behind a header.
            None if rest.is_empty() && header[0] <= 2 => return Some(streams),
            None => return None,
        };
        match header[0] {
            0 => {}
            stream @ 1..=2 => streams[usize::from(stream) - 1].extend_from_slice(body),
            _ => return None,
        }
        bytes = rest;
    }
    bytes.is_empty().then_some(streams)
}

/// Reads the files of an archive by a library, below its first directory; what stands last wins.
fn library(bytes: &[u8]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let kind = entry.header().entry_type();
        let below = |path: &Path| path.strip_prefix("workspace").ok().map(Path::to_owned);
        let content = if kind.is_hard_link() {
            let original = entry.link_name().unwrap().unwrap_or_default().into_owned();
            below(&original).and_then(|original| found.get(&original).cloned())
        } else if kind.is_file() || kind.is_contiguous() {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            Some(content)
        } else {
            None
        };
        if let (Some(path), Some(content)) = (below(&path), content) {
            found.insert(path, content);
        }
    }
    found
}
