//! A runtime from outside of the crate whose guests do in this process what trials ask, honestly but for one lie.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick::spec::{LimitName, LimitValue};
use bailiwick::{
    BaseNeed, Capability, CommandLine, Commands, End, Ending, EnforcementTable, ExecutionError, Guest, Job, Launch,
    Level, Machine, NotStarted, RuntimeInfo, RuntimeKind, StaticRoot, SubmissionRuntime, Trial, TrialGuest,
    TrialStream,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the kind claims and does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// It is honest.
    None,
    /// Its guests run on behind the wall limit.
    WallTime,
    /// Its guests get what memory they want.
    Memory,
    /// Its guests get less memory than they may.
    LessMemory,
    /// Its guests read files of the host.
    Reads,
    /// Its guests write files of the host.
    Writes,
    /// Its guests connect to this host.
    Connects,
    /// Its guests see the host's variables.
    Environment,
    /// It mixes the streams up.
    Streams,
    /// It takes every end for success.
    Endings,
    /// It leaves a descriptor open behind each guest that aborts.
    Descriptors,
    /// It claims to have no network and brings no guest that tries.
    NoGuest,
}

/// The kind.
pub(crate) struct Liar {
    lie: Lie,
    asked: Arc<Mutex<Vec<Trial>>>,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Nothing {}

impl Liar {
    pub(crate) fn new(lie: Lie) -> Self {
        Self { lie, asked: Arc::default() }
    }
}

/// Says which trials its guests know.
fn is_known(trial: &Trial) -> bool {
    matches!(
        trial,
        Trial::Exit(_)
            | Trial::Abort
            | Trial::Spin
            | Trial::Sleep(_)
            | Trial::Tick { .. }
            | Trial::TakeMemory(_)
            | Trial::Print(_)
            | Trial::Copy { .. }
            | Trial::ShowEnvironment
            | Trial::ReadPaths(_)
            | Trial::WritePaths(_)
            | Trial::LinkPaths(_)
            | Trial::Connect(_)
    )
}

#[async_trait::async_trait]
impl RuntimeKind for Liar {
    const TYPE: &'static str = "liar";
    type Config = Nothing;
    type Options = Nothing;

    fn enforcement(&self, _: &Nothing) -> EnforcementTable {
        use LimitName as L;
        let held = [L::WallTime, L::IdleTime, L::Memory, L::Output];
        let table = held
            .into_iter()
            .fold(EnforcementTable::default(), |table, name| table.limit(name, Level::Enforced, "it says so"));
        table
            .limit(L::Processes, Level::ByConstruction, "there are none")
            .limit(L::Disk, Level::BestEffort, "it looks sometimes")
            .capability(Capability::Files, Level::Enforced, "it says so")
            .capability(Capability::Network, Level::Enforced, "it says so")
    }

    fn isolation(&self, _: &Nothing) -> &'static str {
        "said"
    }

    fn base_need(&self) -> BaseNeed {
        BaseNeed::Directory
    }

    fn static_root(&self, _: &Nothing) -> StaticRoot {
        StaticRoot::Guest("/static".to_owned())
    }

    fn trial(&self, _: &Nothing, trial: &Trial) -> Option<TrialGuest> {
        let is_missing = self.lie == Lie::NoGuest && matches!(trial, Trial::Connect(_));
        if !is_known(trial) || is_missing {
            return None;
        }
        let mut asked = self.asked.lock().unwrap();
        asked.push(trial.clone());
        Some(TrialGuest::new(["trial".to_owned(), (asked.len() - 1).to_string()]))
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        Ok(RuntimeInfo::new("liar 1.0"))
    }

    async fn spawn(
        &self,
        launch: Launch,
        _: Arc<Nothing>,
        _: Nothing,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let guest = Told { lie: self.lie, asked: Arc::clone(&self.asked) };
        Commands::open(Arc::new(guest), launch).await
    }
}

struct Told {
    lie: Lie,
    asked: Arc<Mutex<Vec<Trial>>>,
}

#[async_trait::async_trait]
impl Guest for Told {
    async fn run(&self, job: Job) -> Ending {
        let CommandLine::Argv(words) = job.line.clone() else { return Ending::new(End::Exited(99)) };
        if words[0] != "trial" {
            return Ending::not_started(NotStarted::Missing, "there is nothing but trials");
        }
        let trial = self.asked.lock().unwrap()[words[1].parse::<usize>().unwrap()].clone();
        job.control.mark_started();
        Ending::new(self.act(job, trial).await)
    }

    fn granted_env(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("LANG".to_owned(), "C.UTF-8".to_owned())])
    }

    fn machine(&self) -> Machine {
        Machine { arch: "said", pointer_bits: 64 }
    }

    async fn resolve(&self, _: &str) -> Result<(), Vec<String>> {
        Ok(())
    }
}

const REFUSED: End = End::Exited(TrialGuest::REFUSED);
const WORKED: End = End::Exited(TrialGuest::WORKED);

impl Told {
    async fn act(&self, mut job: Job, trial: Trial) -> End {
        let lies = |lie: Lie| self.lie == lie;
        match trial {
            Trial::Exit(code) => End::Exited(if lies(Lie::Endings) { 0 } else { code.into() }),
            Trial::Abort => {
                if lies(Lie::Descriptors) {
                    std::mem::forget(std::fs::File::open("/dev/null").unwrap());
                }
                End::Trapped { trap: "abort", message: "it gave up".to_owned(), backtrace: Vec::new() }
            }
            Trial::Sleep(time) => self.sleep(&job, time).await,
            Trial::Spin => self.sleep(&job, Duration::from_secs(30)).await,
            Trial::Tick { every, times } => {
                for _ in 0..times {
                    job.stdout.write(b"tick\n").await;
                    tokio::time::sleep(every).await;
                }
                End::Exited(0)
            }
            Trial::TakeMemory(bytes) => self.take_memory(&job, bytes),
            Trial::Print(bytes) => {
                job.stdout.write(&vec![b'x'; bytes.try_into().unwrap()]).await;
                if job.control.is_stopped() { End::Stopped(None) } else { End::Exited(0) }
            }
            Trial::Copy { to, code } => {
                let sink = match to {
                    TrialStream::Stderr if !lies(Lie::Streams) => Arc::clone(&job.stderr),
                    TrialStream::Stdout | TrialStream::Stderr => Arc::clone(&job.stdout),
                };
                while let Some(chunk) = job.stdin.next().await {
                    sink.write(&chunk).await;
                }
                End::Exited(code.into())
            }
            Trial::ShowEnvironment => {
                let own = job.env.iter().map(|(name, value)| (name.clone(), value.clone()));
                let host: Vec<(String, String)> = std::env::vars().filter(|_| lies(Lie::Environment)).collect();
                for (name, value) in own.chain(host) {
                    job.stdout.write(format!("{name}={value}\n").as_bytes()).await;
                }
                End::Exited(0)
            }
            Trial::ReadPaths(paths) if lies(Lie::Reads) => {
                for text in paths.iter().filter_map(|path| std::fs::read(path).ok()) {
                    job.stdout.write(&text).await;
                }
                // Whatever it says of itself.
                REFUSED
            }
            Trial::WritePaths(paths) if lies(Lie::Writes) => {
                std::fs::write(&paths[0], "overwritten").unwrap();
                REFUSED
            }
            Trial::Connect(address) if lies(Lie::Connects) => {
                drop(std::net::TcpStream::connect(address).unwrap());
                REFUSED
            }
            Trial::ReadPaths(_)
            | Trial::WritePaths(_)
            | Trial::LinkPaths(_)
            | Trial::Connect(_)
            | Trial::SpinMany(_)
            | Trial::WriteFile(_)
            | Trial::MakeFiles(_)
            | Trial::OpenFiles(_)
            | Trial::StartProcesses(_)
            | Trial::UseStack(_)
            | Trial::LeaveProcess { .. }
            | Trial::WatchProcess
            | _ => REFUSED,
        }
    }

    async fn sleep(&self, job: &Job, time: Duration) -> End {
        if self.lie == Lie::WallTime && time > Duration::from_secs(1) {
            // Nobody stops it: it comes back when it likes.
            tokio::time::sleep(Duration::from_secs(5)).await;
            return End::Stopped(None);
        }
        tokio::select! {
            () = tokio::time::sleep(time) => End::Exited(0),
            _ = job.control.stopped() => End::Stopped(None),
        }
    }

    fn take_memory(&self, job: &Job, bytes: u64) -> End {
        let is_refused = match self.lie {
            Lie::Memory => false,
            Lie::LessMemory => true,
            Lie::None
            | Lie::WallTime
            | Lie::Reads
            | Lie::Writes
            | Lie::Connects
            | Lie::Environment
            | Lie::Streams
            | Lie::Endings
            | Lie::Descriptors
            | Lie::NoGuest => job.limits.amount(LimitName::Memory).is_some_and(|allowed| bytes > allowed),
        };
        if is_refused { End::Limit(LimitName::Memory, LimitValue::Bytes(bytes)) } else { WORKED }
    }
}
