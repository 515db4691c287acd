//! One thing that a guest is asked to do, and the guest that does it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

/// Something that a self-test asks a guest to do.
///
/// A guest that tries what a wall may refuse exits with [`TrialGuest::WORKED`] or [`TrialGuest::REFUSED`].
/// Whatever it does it ends by itself after a minute at most, so that a runtime which holds nothing is found out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trial {
    /// Exits with this code.
    Exit(u8),
    /// Ends as a program does that gives up: by a signal or a trap.
    Abort,
    /// Uses the processor, half a minute or more, and exits with 40.
    Spin,
    /// Does the same in so many processes at once.
    SpinMany(u32),
    /// Sleeps, inside one call where the machine has such a thing, and exits with 0.
    Sleep(Duration),
    /// Prints a line, sleeps, and does so again, then exits with 0.
    Tick {
        /// How long it sleeps behind each line.
        every: Duration,
        /// How many lines it prints.
        times: u32,
    },
    /// Has at least a quarter of this and at most all of it in memory at once, and exits with 40 or 41.
    TakeMemory(u64),
    /// Prints exactly so many bytes on standard output and exits with 0.
    Print(u64),
    /// Copies standard input, byte for byte, and exits with this code.
    Copy {
        /// The stream that it prints on.
        to: TrialStream,
        /// The exit code.
        code: u8,
    },
    /// Writes a file of exactly this size to its working directory, stays for a second, and exits with 40 or 41.
    WriteFile(u64),
    /// Makes so many files in its working directory, stays for a second, and exits with 40 or 41.
    MakeFiles(u64),
    /// Has so many files open at once and exits with 40 or 41.
    OpenFiles(u64),
    /// Has so many processes at once, each of which prints a line, and exits with 40 or 41.
    StartProcesses(u64),
    /// Uses up its stack. Where it can tell that its stack is larger than this, it exits with 40.
    UseStack(u64),
    /// Prints its environment, `NAME=VALUE` a line, and exits with 0.
    ShowEnvironment,
    /// Tries to read each of these paths, prints what it reads, and exits with 40 if any could be read, else 41.
    ReadPaths(Vec<String>),
    /// Tries to write to each of these paths, and exits with 40 if any could be written, else 41.
    WritePaths(Vec<String>),
    /// Makes a symlink `out0`, `out1`, … in its working directory to each of these paths, tries to read and to write
    /// through it, prints what it reads, and exits with 40 if anything worked, else 41.
    LinkPaths(Vec<String>),
    /// Connects to this address, prints a line for each way out that it sees, and exits with 40 or 41.
    Connect(SocketAddr),
    /// Leaves processes behind, out of its group where it can, that append to the file `beat` of its working directory.
    LeaveProcess {
        /// An argument by which they are found among all processes.
        token: String,
        /// Whether it stays itself until it is ended; else it exits with 0.
        stays: bool,
    },
    /// Looks whether the file `beat` of its working directory grows, and exits with 40 if so, else 41.
    WatchProcess,
}

/// A stream that a guest prints on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The guest of a trial: a command, and the files that it needs in its workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrialGuest {
    /// The words of the command.
    pub argv: Vec<String>,
    /// Files of the workspace, each by its path.
    pub files: Vec<(String, Bytes)>,
}

impl TrialGuest {
    /// The exit code of a guest for which what it tried worked.
    pub const WORKED: i32 = 40;
    /// The exit code of a guest that was refused what it tried.
    pub const REFUSED: i32 = 41;
    /// The exit code of a guest that has not the means to try.
    pub const UNABLE: i32 = 43;

    /// Makes a guest of the words of its command.
    pub fn new<W: Into<String>>(argv: impl IntoIterator<Item = W>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), files: Vec::new() }
    }

    /// Gives it a file in its workspace.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.files.push((path.into(), content.into()));
        self
    }
}
