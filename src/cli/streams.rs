//! The standard streams of the command, as values: the process's own, or whatever a test or an embedder gives.

use std::fmt;
use std::io::{IsTerminal, Read, Write};

use rustix::fs::FileType;

/// Where the command reads and prints.
pub struct Streams {
    /// Standard output: what guests print there, and objects.
    pub stdout: Box<dyn Write + Send>,
    /// Standard error: what guests print there, explanations, errors and progress.
    pub stderr: Box<dyn Write + Send>,
    /// Standard input, read only when a command asks for it.
    pub stdin: Input,
    /// Whether standard error may have colours. Default of [`Streams::open_ambient_process`]: on a terminal, unless
    /// `NO_COLOR` is set.
    pub colour: bool,
    /// Whether progress is drawn on standard error.
    pub progress: bool,
}

/// A standard input.
pub struct Input {
    /// What is read.
    pub reader: Box<dyn Read + Send>,
    /// Whether somebody seems to have put something there: it is a pipe or a file.
    pub is_given: bool,
}

impl Streams {
    /// Takes the standard streams of this process.
    pub fn open_ambient_process() -> Self {
        let stderr = std::io::stderr();
        let colour = anstream::AutoStream::choice(&stderr) != anstream::ColorChoice::Never;
        let progress = stderr.is_terminal();
        let stdin = Input { reader: Box::new(std::io::stdin()), is_given: is_pipe_or_file() };
        Self { stdout: Box::new(std::io::stdout()), stderr: Box::new(stderr), stdin, colour, progress }
    }
}

fn is_pipe_or_file() -> bool {
    let stat = rustix::fs::fstat(std::io::stdin());
    let kind = stat.map(|stat| FileType::from_raw_mode(stat.st_mode));
    matches!(kind, Ok(FileType::Fifo | FileType::RegularFile | FileType::Socket))
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("colour", &self.colour).finish_non_exhaustive()
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("is_given", &self.is_given).finish_non_exhaustive()
    }
}
