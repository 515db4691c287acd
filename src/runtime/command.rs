//! One command, as it is asked for: words or a line, and what it is given.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::spec::LimitsConfig;

/// One command to run. Starts with nothing granted: no input, no variables beyond the spec's, no terminal.
#[derive(Debug)]
#[non_exhaustive]
pub struct Command {
    /// What to run.
    pub line: CommandLine,
    /// Variables for this command alone; they win over the spec's. Default: none.
    pub env: BTreeMap<String, String>,
    /// The working directory, a path of the guest. Default: the workdir.
    pub cwd: Option<String>,
    /// Whether a pseudo-terminal is wanted. Default: no.
    pub tty: bool,
    /// What stands on standard input. Default: closed.
    pub stdin: Stdin,
    /// Limits that tighten those of the spec; only those that [may differ](crate::spec::LimitName::is_per_command).
    pub limits: LimitsConfig,
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandLine {
    /// Words, passed as they are.
    Argv(Vec<String>),
    /// A line: split into POSIX words, or given to a shell where the runtime has one.
    Line(String),
}

impl Command {
    /// Asks for words, passed as they are.
    pub fn argv<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self::new(CommandLine::Argv(words.into_iter().map(Into::into).collect()))
    }

    /// Asks for a line.
    pub fn line(line: impl Into<String>) -> Self {
        Self::new(CommandLine::Line(line.into()))
    }

    fn new(line: CommandLine) -> Self {
        let (env, limits) = (BTreeMap::new(), LimitsConfig::default());
        Self { line, env, cwd: None, tty: false, stdin: Stdin::Closed, limits }
    }

    /// Grants bytes on standard input.
    #[must_use]
    pub fn grant_stdin(mut self, stdin: impl Into<Stdin>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Grants a variable.
    #[must_use]
    pub fn grant_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Starts the command in a directory of the guest.
    #[must_use]
    pub fn in_dir(mut self, dir: impl Into<String>) -> Self {
        self.cwd = Some(dir.into());
        self
    }

    /// Tightens limits for this command.
    #[must_use]
    pub fn limited_by(mut self, limits: LimitsConfig) -> Self {
        self.limits = limits;
        self
    }
}

/// What a guest finds on standard input.
#[derive(Debug, Default)]
pub enum Stdin {
    /// Nothing: end of file at once.
    #[default]
    Closed,
    /// These bytes, then end of file.
    Bytes(Bytes),
    /// These chunks one after the other, without separators, then end of file.
    Chunks(Vec<Bytes>),
    /// Whatever a [`StdinWriter`] sends, until it is dropped.
    Live(StdinReader),
}

impl Stdin {
    /// Makes a standard input that is written while the guest runs.
    pub fn live() -> (StdinWriter, Self) {
        let (sender, receiver) = mpsc::channel(LIVE_CHUNKS);
        (StdinWriter { sender }, Self::Live(StdinReader { ready: VecDeque::new(), live: Some(receiver), given: true }))
    }

    /// Turns the input into what a runtime reads from.
    pub fn into_reader(self) -> StdinReader {
        let ready = match self {
            Self::Live(reader) => return reader,
            Self::Closed => return StdinReader { ready: VecDeque::new(), live: None, given: false },
            Self::Bytes(bytes) => VecDeque::from([bytes]),
            Self::Chunks(chunks) => chunks.into(),
        };
        StdinReader { ready, live: None, given: true }
    }
}

/// How many chunks a live writer may be ahead of the guest.
const LIVE_CHUNKS: usize = 8;

macro_rules! stdin_from {
    ($($source:ty),*) => {$(
        impl From<$source> for Stdin {
            fn from(bytes: $source) -> Self {
                Self::Bytes(bytes.into())
            }
        }
    )*};
}
stdin_from!(Bytes, Vec<u8>, String, &'static str, &'static [u8]);

/// The end of a live standard input that the caller holds; dropping it is end of file.
#[derive(Clone, Debug)]
pub struct StdinWriter {
    sender: mpsc::Sender<Bytes>,
}

impl StdinWriter {
    /// Sends a chunk, waiting while the guest is far behind. Says whether the guest can still read it.
    ///
    /// Cancel safe: a cancelled call sent nothing.
    pub async fn write(&self, chunk: impl Into<Bytes>) -> bool {
        self.sender.send(chunk.into()).await.is_ok()
    }
}

/// The end of a standard input that a runtime reads from.
#[derive(Debug)]
pub struct StdinReader {
    ready: VecDeque<Bytes>,
    live: Option<mpsc::Receiver<Bytes>>,
    given: bool,
}

impl StdinReader {
    /// Gives the next chunk, never an empty one; `None` is end of file.
    ///
    /// Cancel safe: a cancelled call lost nothing.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let chunk = match self.ready.pop_front() {
                Some(chunk) => chunk,
                None => self.live.as_mut()?.recv().await?,
            };
            if !chunk.is_empty() {
                return Some(chunk);
            }
        }
    }

    /// Says whether the caller gave a standard input at all.
    pub fn was_given(&self) -> bool {
        self.given
    }
}
