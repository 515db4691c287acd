//! What the guest finds on standard input: nothing, a file, or ours, passed on while the guest runs.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::cli::failure::Usage;
use crate::runtime::{Stdin, StdinWriter};

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// Where standard input comes from.
pub(super) enum Source {
    /// Nothing was granted.
    Closed,
    /// The own standard input.
    Own,
    /// An open file.
    File(File),
    /// Something that is opened when it is read: opening a pipe waits for its writer.
    Special(PathBuf),
}

/// A standard input that is being passed on, and what went wrong with it.
pub(super) struct Feed {
    pub(super) stdin: Stdin,
    failure: Arc<OnceLock<io::Error>>,
}

impl Source {
    /// Reads the flags, and opens what can be opened before anything runs.
    pub(super) fn open(flag: Option<&Path>, interactive: bool) -> Result<Self, Usage> {
        let Some(path) = flag else { return Ok(if interactive { Self::Own } else { Self::Closed }) };
        if path == Path::new("-") {
            return Ok(Self::Own);
        }
        let cannot = |error: &dyn std::fmt::Display| {
            Usage::new(format!("cannot read standard input from `{}`: {error}", path.display()))
        };
        let kind = std::fs::metadata(path).map_err(|error| cannot(&error))?.file_type();
        if kind.is_dir() {
            return Err(cannot(&"it is a directory"));
        }
        if !kind.is_file() {
            return Ok(Self::Special(path.to_owned()));
        }
        File::open(path).map(Self::File).map_err(|error| cannot(&error))
    }

    /// Begins to pass the input on, from a thread of its own: a read may wait for ever.
    pub(super) fn feed(self, own: Box<dyn Read + Send>) -> Feed {
        let failure = Arc::new(OnceLock::new());
        if matches!(self, Self::Closed) {
            return Feed { stdin: Stdin::Closed, failure };
        }
        let (writer, stdin) = Stdin::live();
        let (executor, seen) = (tokio::runtime::Handle::current(), Arc::clone(&failure));
        std::thread::spawn(move || {
            let outcome = self.reader(own).and_then(|mut reader| pass_on(&mut reader, &writer, &executor));
            if let Err(error) = outcome {
                let _ = seen.set(error);
            }
        });
        Feed { stdin, failure }
    }

    fn reader(self, own: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Closed => Ok(Box::new(io::empty())),
            Self::Own => Ok(own),
            Self::File(file) => Ok(Box::new(file)),
            Self::Special(path) => Ok(Box::new(File::open(path)?)),
        }
    }
}

impl Feed {
    /// Takes the end that the guest reads; the rest says afterwards what went wrong.
    pub(super) fn take(&mut self) -> Stdin {
        std::mem::take(&mut self.stdin)
    }

    /// Says why the input ended early, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.get().map(|error| format!("standard input could not be read to its end: {error}"))
    }
}

fn pass_on(reader: &mut dyn Read, writer: &StdinWriter, executor: &tokio::runtime::Handle) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = match reader.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        // A guest that does not read any more is no error.
        if !executor.block_on(writer.write(Bytes::copy_from_slice(&chunk[..length]))) {
            return Ok(());
        }
    }
}
