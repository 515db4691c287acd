//! A runtime from outside the crate whose guests live in this process: the first word names a behaviour.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick::spec::{LimitName, LimitValue};
use bailiwick::{
    BaseNeed, BuiltinSpec, Cached, CommandLine, Commands, End, Ending, EnforcementTable, ExecutionError, Guest, Job,
    Launch, Level, Machine, NotStarted, RuntimeInfo, RuntimeKind, StaticRoot, SubmissionRuntime,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind; `consent` makes it one that isolates nothing.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    pub(crate) consent: bool,
    pub(crate) broken: bool,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Section {
    /// What `say` puts before its words.
    greeting: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// A module of the host.
    program_file: Option<String>,
    /// A number, printed by `options`.
    number: Option<u64>,
    /// A text, printed by `options`.
    text: Option<String>,
}

#[async_trait::async_trait]
impl RuntimeKind for Echo {
    const TYPE: &'static str = "echo";
    type Config = Section;
    type Options = Options;

    fn enforcement(&self, _: &Section) -> EnforcementTable {
        let held = LimitName::ALL.into_iter().filter(|name| *name != LimitName::Fuel);
        held.fold(EnforcementTable::default(), |table, name| table.limit(name, Level::Enforced, "the test says so"))
    }

    fn isolation(&self, _: &Section) -> &'static str {
        "none"
    }

    fn needs_consent(&self) -> bool {
        self.consent
    }

    fn is_default_for_run(&self) -> bool {
        true
    }

    fn base_need(&self) -> BaseNeed {
        BaseNeed::Directory
    }

    fn static_root(&self, _: &Section) -> StaticRoot {
        StaticRoot::Guest("/static".to_owned())
    }

    fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        const TEXT: &str = "type: echo\nname: polite\nlimits: {wall_time: 30s}\necho: {greeting: hello}\n";
        vec![BuiltinSpec { name: "polite", about: "says hello first", text: TEXT }]
    }

    async fn cached(&self) -> Result<Vec<Cached>, ExecutionError> {
        let at = |age: u64| std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000 - age);
        Ok(vec![
            Cached::new("voice", "newest", 100, at(0)),
            Cached::new("voice", "oldest", 100, at(9)),
            Cached::new("voice", "older", 100, at(5)),
        ])
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        if self.broken {
            let error = ExecutionError::new(bailiwick::ErrorKind::Unavailable, "the echo is gone");
            return Err(error.with_hint("shout louder"));
        }
        Ok(RuntimeInfo::new("echo 1.0"))
    }

    async fn spawn(
        &self,
        launch: Launch,
        config: Arc<Section>,
        options: Options,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let guest = Speaker { workspace: Arc::clone(&launch.workspace), config, options };
        Commands::open(Arc::new(guest), launch).await
    }
}

struct Speaker {
    workspace: Arc<bailiwick::Workspace>,
    config: Arc<Section>,
    options: Options,
}

const BEHAVIOURS: [&str; 14] = [
    "bytes", "cat", "env", "exit", "flood", "hungry", "options", "pwd", "read", "say", "signal", "spin", "trap",
    "write",
];

#[async_trait::async_trait]
impl Guest for Speaker {
    async fn run(&self, mut job: Job) -> Ending {
        let CommandLine::Argv(words) = job.line.clone() else { return Ending::new(End::Exited(99)) };
        let (first, rest) = (words[0].as_str(), words[1..].join(" "));
        job.control.mark_started();
        match first {
            "bytes" => job.stdout.write(b"\xff\xfe").await,
            "cat" => {
                while let Some(chunk) = job.stdin.next().await {
                    job.stdout.write(&chunk).await;
                }
            }
            "env" => job.stdout.write(job.env.get(&rest).map_or(&b"unset"[..], |value| value.as_bytes())).await,
            "exit" => return Ending::new(End::Exited(rest.parse().unwrap())),
            "flood" => {
                while !job.control.is_stopped() {
                    job.stdout.write(&[b'x'; 8192]).await;
                }
                return Ending::new(End::Stopped(None));
            }
            "hungry" => return Ending::new(End::Limit(LimitName::Memory, LimitValue::Bytes(1 << 30))),
            "options" => {
                let text = format!("{:?} {:?}", self.options.number, self.options.text);
                job.stdout.write(text.as_bytes()).await;
            }
            "pwd" => job.stdout.write(job.cwd.as_deref().unwrap_or("workdir").as_bytes()).await,
            "read" => {
                let mut ending = Ending::new(End::Exited(1));
                ending.met_end_of_stdin = job.stdin.next().await.is_none();
                return ending;
            }
            "say" => {
                let greeting = self.config.greeting.as_ref().map(|word| format!("{word} ")).unwrap_or_default();
                job.stdout.write(format!("{greeting}{rest}\n").as_bytes()).await;
                job.stderr.write(b"said\n").await;
            }
            "signal" => return Ending::new(End::Signaled { signal: rest.parse().unwrap(), by: None }),
            "spin" => {
                job.stdout.write(b"spinning\n").await;
                job.control.stopped().await;
                return Ending::new(End::Stopped(None));
            }
            "trap" => {
                let message = "it met an \x1b[31munreachable".to_owned();
                return Ending::new(End::Trapped { trap: "unreachable", message, backtrace: vec![] });
            }
            "write" => self.workspace.dir().write(&words[1], &words[2]).unwrap(),
            word => return self.program(word, &job).await,
        }
        Ending::new(End::Exited(0))
    }

    fn granted_env(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn machine(&self) -> Machine {
        Machine { arch: "echo", pointer_bits: 64 }
    }

    async fn resolve(&self, word: &str) -> Result<(), Vec<String>> {
        let is_known = BEHAVIOURS.contains(&word) || self.workspace.dir().exists(word);
        if is_known { Ok(()) } else { Err(BEHAVIOURS.map(str::to_owned).to_vec()) }
    }
}

impl Speaker {
    async fn program(&self, word: &str, job: &Job) -> Ending {
        if self.workspace.dir().exists(word) {
            job.stdout.write(b"own module").await;
            return Ending::new(End::Exited(0));
        }
        if self.options.program_file.as_deref() == Some(word) {
            job.stdout.write(b"module of the host").await;
            return Ending::new(End::Exited(0));
        }
        let message = format!("there is no `{word}`");
        let known = BEHAVIOURS.map(str::to_owned).to_vec();
        Ending::new(End::NotStarted { reason: NotStarted::Missing, message, known })
    }
}
