//! What the words of a scripted command do.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use bailiwick::spec::{LimitName, LimitValue};
use bailiwick::{
    CommandLine, Control, Denied, End, Ending, ErrorKind, ExecutionError, Guest, Job, Launch, Machine, Measured,
    NotStarted, Sink, SolutionRuntimeError, StagedAssets, StdinReader, Workspace,
};

use super::gates::Gates;
use super::scripted::{Release, ScriptedConfig, ScriptedOptions};

/// How many bytes a flood prints at once.
const CHUNK: usize = 1000;

pub(super) struct ScriptedGuest {
    workspace: Arc<Workspace>,
    assets: Option<Arc<StagedAssets>>,
    gates: Arc<Gates>,
    config: Arc<ScriptedConfig>,
    options: ScriptedOptions,
}

/// One command while its words are gone through.
struct Run {
    env: BTreeMap<String, String>,
    cwd: Option<String>,
    stdin: StdinReader,
    stdout: Arc<Sink>,
    stderr: Arc<Sink>,
    control: Arc<Control>,
    met_end_of_stdin: bool,
    denied: Vec<Denied>,
}

impl ScriptedGuest {
    pub(super) fn new(
        launch: &Launch,
        gates: Arc<Gates>,
        config: Arc<ScriptedConfig>,
        options: ScriptedOptions,
    ) -> Self {
        let (workspace, assets) = (Arc::clone(&launch.workspace), launch.assets.clone());
        Self { workspace, assets, gates, config, options }
    }
}

#[async_trait]
impl Guest for ScriptedGuest {
    async fn run(&self, job: Job) -> Ending {
        let _alive = self.gates.enter();
        let Job { line, env, cwd, stdin, stdout, stderr, control, .. } = job;
        control.mark_started();
        if let Some(banner) = &self.options.banner {
            stderr.write(banner.as_bytes()).await;
        }
        let words = match line {
            CommandLine::Argv(words) => words,
            CommandLine::Line(line) => vec![format!("out:shell({line})")],
        };
        let (met_end_of_stdin, denied) = (false, Vec::new());
        let mut run = Run { env, cwd, stdin, stdout, stderr, control, met_end_of_stdin, denied };
        let mut end = End::Exited(0);
        for word in &words {
            let (verb, rest) = word.split_once(':').unwrap_or((word, ""));
            if let Some(early) = self.say(&mut run, verb, rest).await {
                end = early;
                break;
            }
            if run.control.is_stopped() {
                end = End::Stopped(None);
                break;
            }
        }
        let mut ending = Ending::new(end);
        ending.met_end_of_stdin = run.met_end_of_stdin;
        ending.denied = run.denied;
        ending.fuel = Measured::known(words.len() as u64, "words");
        ending
    }

    fn granted_env(&self) -> BTreeMap<String, String> {
        [("HOME", "/home"), ("LEVEL", "granted")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn has_shell(&self) -> bool {
        self.config.shell
    }

    fn max_commands(&self) -> Option<usize> {
        self.config.max_commands
    }

    fn machine(&self) -> Machine {
        Machine { arch: "words", pointer_bits: 8 }
    }

    async fn resolve(&self, word: &str) -> Result<(), Vec<String>> {
        let known = ["out", "err", "echo"];
        if known.contains(&word) { Ok(()) } else { Err(known.map(str::to_owned).to_vec()) }
    }

    fn must_release(&self) -> bool {
        self.config.release != Release::Nothing
    }

    async fn release(&self) -> Result<(), ExecutionError> {
        self.gates.open("releasing");
        if self.config.extra.note.as_deref() == Some("slow release") {
            self.gates.reached("release").await;
        }
        self.gates.releases.fetch_add(1, Ordering::SeqCst);
        match self.config.release {
            Release::Nothing | Release::Something => Ok(()),
            Release::Fails => Err(ExecutionError::new(ErrorKind::Runtime, "what was held could not be released")),
        }
    }
}

impl ScriptedGuest {
    /// Does what one word says; gives the end where it is one.
    async fn say(&self, run: &mut Run, verb: &str, rest: &str) -> Option<End> {
        match verb {
            "out" => run.stdout.write(rest.as_bytes()).await,
            "err" => run.stderr.write(rest.as_bytes()).await,
            "hex" => run.stdout.write(&[u8::from_str_radix(rest, 16).unwrap()]).await,
            "flood" => flood(&run.stdout, &run.control, rest).await,
            "flood-err" => flood(&run.stderr, &run.control, rest).await,
            "echo" => run.echo().await,
            "env" => run.print_env(rest).await,
            "cwd" => run.stdout.write(run.cwd.as_deref().unwrap_or("workdir").as_bytes()).await,
            "write" => self.write(rest),
            "mkdir" => self.workspace.dir().create_dir(rest).unwrap(),
            "link" => self.link(rest),
            "mode" => self.mode(rest),
            "inode" => {
                let inode = rustix::fs::fstat(self.workspace.dir()).unwrap().st_ino;
                run.stdout.write(inode.to_string().as_bytes()).await;
            }
            "remove" => self.workspace.dir().remove_file(rest).unwrap(),
            "cat" => self.print(run, self.workspace.dir(), rest).await,
            "asset" => self.print_asset(run, rest).await,
            "log" => self.gates.log.lock().unwrap().push(rest.to_owned()),
            "reach" => self.gates.open(rest),
            "wait" => run.unless_stopped(self.gates.reached(rest)).await,
            "sleep" => run.unless_stopped(tokio::time::sleep(Duration::from_millis(rest.parse().unwrap()))).await,
            "hang" => run.unless_stopped(std::future::pending()).await,
            "spin" => {
                while !run.control.is_stopped() {
                    tokio::task::yield_now().await;
                }
            }
            "end-then-sleep" => {
                run.control.mark_ended();
                tokio::time::sleep(Duration::from_millis(rest.parse().unwrap())).await;
            }
            "block" => std::thread::sleep(Duration::from_millis(rest.parse().unwrap())),
            "stubborn" => self.gates.reached(rest).await,
            "deny-memory" => run.denied.push(Denied { limit: LimitName::Memory, value: LimitValue::Bytes(1 << 40) }),
            "after-stop" => return Some(End::Stopped(Some(rest.parse().unwrap()))),
            verb => return Some(end(verb, rest)),
        }
        None
    }

    fn write(&self, rest: &str) {
        let (path, text) = rest.split_once('=').unwrap();
        self.workspace.dir().create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn link(&self, rest: &str) {
        let (path, target) = rest.split_once('=').unwrap();
        rustix::fs::symlinkat(target, self.workspace.dir(), path).unwrap();
    }

    fn mode(&self, rest: &str) {
        let (path, mode) = rest.split_once('=').unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(u32::from_str_radix(mode, 8).unwrap());
        rustix::fs::chmodat(self.workspace.dir(), path, mode, rustix::fs::AtFlags::empty()).unwrap();
    }

    async fn print(&self, run: &Run, dir: &cap_std::fs::Dir, path: &str) {
        let mut text = String::new();
        dir.open(path).unwrap().read_to_string(&mut text).unwrap();
        run.stdout.write(text.as_bytes()).await;
    }

    /// Prints an asset that is named by the path which its placeholder gave.
    async fn print_asset(&self, run: &Run, path: &str) {
        let root = self.config.static_root.as_deref().unwrap();
        let path = path.strip_prefix(root).unwrap().trim_start_matches('/');
        self.print(run, self.assets.as_ref().unwrap().root(), path).await;
    }
}

impl Run {
    async fn unless_stopped(&self, wait: impl Future<Output = ()>) {
        tokio::select! {
            () = wait => {}
            _ = self.control.stopped() => {}
        }
    }

    async fn echo(&mut self) {
        loop {
            let chunk = tokio::select! {
                chunk = self.stdin.next() => chunk,
                _ = self.control.stopped() => return,
            };
            match chunk {
                Some(chunk) => self.stdout.write(&chunk).await,
                None => {
                    self.met_end_of_stdin = true;
                    return;
                }
            }
        }
    }

    async fn print_env(&self, name: &str) {
        let text = match name {
            "" => self.env.iter().map(|(name, value)| format!("{name}={value}\n")).collect(),
            name => self.env.get(name).cloned().unwrap_or_else(|| "unset".to_owned()),
        };
        self.stdout.write(text.as_bytes()).await;
    }
}

async fn flood(sink: &Sink, control: &Control, bytes: &str) {
    let mut left: usize = bytes.parse().unwrap();
    let mut next = 0_usize;
    while left > 0 && !control.is_stopped() {
        let chunk: Vec<u8> = (next..next + left.min(CHUNK)).map(|at| b'a' + u8::try_from(at % 26).unwrap()).collect();
        sink.write(&chunk).await;
        (left, next) = (left - chunk.len(), next + chunk.len());
    }
}

/// Gives the end that a word stands for; a word that nobody knows is a program that nobody has.
fn end(verb: &str, rest: &str) -> End {
    match verb {
        "exit" => End::Exited(rest.parse().unwrap()),
        "die" => End::Signaled { signal: rest.parse().unwrap(), by: Some("the script") },
        "trap" => End::Trapped { trap: "unreachable", message: "a trap was set".to_owned(), backtrace: Vec::new() },
        "limit" => {
            let limit = LimitName::ALL.into_iter().find(|limit| limit.name() == rest).unwrap();
            End::Limit(limit, LimitValue::Count(7))
        }
        "host-failure" => {
            End::Failed(SolutionRuntimeError::host("start the words")(std::io::ErrorKind::OutOfMemory.into()))
        }
        "lost" => End::Failed(SolutionRuntimeError::Lost { engine: "dictionary", source: None }),
        "break-promise" => End::Stopped(None),
        "panic" => panic!("on purpose"),
        unknown => {
            let reason = if unknown == "bad-module" { NotStarted::BadModule } else { NotStarted::Missing };
            let (message, known) = (format!("no word `{unknown}`"), vec!["out".to_owned(), "err".to_owned()]);
            End::NotStarted { reason, message, known }
        }
    }
}
