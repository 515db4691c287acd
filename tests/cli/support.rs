//! Running the command in this process, on streams that are kept.

use std::ffi::OsString;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use bailiwick::cli::{Input, Streams};
use bailiwick::{Host, RuntimeRegistry};
use serde_json::Value;

use crate::echo::Echo;

/// A stream that keeps what is printed; `broken` ones fail as a pipe does that nobody reads.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    bytes: Arc<Mutex<Vec<u8>>>,
    broken: bool,
}

impl Kept {
    #[cfg(feature = "wasi")]
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a command printed and gave.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: ExitCode,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Gives the one object that was printed.
    #[track_caller]
    pub(crate) fn object(&self) -> Value {
        let text = self.text();
        assert_eq!(text.lines().count(), 1, "{text}\n{}", self.stderr);
        serde_json::from_str(text).unwrap()
    }

    #[track_caller]
    pub(crate) fn expect(self, code: u8) -> Self {
        assert_eq!(self.code, ExitCode::from(code), "stdout: {:?}\nstderr: {}", self.text(), self.stderr);
        self
    }
}

/// A command to be run: its directory, input and kind of runtime.
pub(crate) struct Bench {
    pub(crate) home: tempfile::TempDir,
    pub(crate) stdin: Vec<u8>,
    pub(crate) stdin_is_given: bool,
    pub(crate) broken_stdout: bool,
    pub(crate) consent: bool,
    pub(crate) broken_runtime: bool,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("base")).unwrap();
        let (consent, broken_runtime, broken_stdout) = (false, false, false);
        Self { home, stdin: Vec::new(), stdin_is_given: false, broken_stdout, consent, broken_runtime }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// Runs the command and asserts that no workspace is left.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let (stdout, stderr) = (Kept { broken: self.broken_stdout, ..Kept::default() }, Kept::default());
        let streams = Streams {
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            stdin: Input { reader: self.reader(), is_given: self.stdin_is_given },
            colour: false,
            progress: false,
        };
        let words = ["bailiwick"].iter().chain(args).map(OsString::from);
        let echo = Echo { consent: self.consent, broken: self.broken_runtime };
        let registry = |host| RuntimeRegistry::builder(host).with(echo).build();
        let code = bailiwick::cli::run_with(streams, host(self.home.path()), registry, words);
        let left = std::fs::read_dir(self.path("base")).unwrap().count();
        assert_eq!(left, 0, "a workspace was left behind");
        let stdout = stdout.bytes.lock().unwrap().clone();
        let stderr = String::from_utf8(stderr.bytes.lock().unwrap().clone()).unwrap();
        Said { code, stdout, stderr }
    }

    fn reader(&self) -> Box<dyn Read + Send> {
        Box::new(Cursor::new(self.stdin.clone()))
    }
}

/// Gives a host that keeps everything below a directory.
pub(crate) fn host(home: &Path) -> Host {
    let dir = |name: &str| home.join(name).into_os_string().into_string().unwrap();
    let env = [
        ("BAILIWICK_BASE_DIR", dir("base")),
        ("BAILIWICK_STATE_DIR", dir("state")),
        ("BAILIWICK_DATA_DIR", dir("data")),
        ("BAILIWICK_CACHE_DIR", dir("cache")),
        ("XDG_CONFIG_HOME", dir("config")),
        ("TMPDIR", dir("temp")),
        ("FROM_HOST", "the host's own".to_owned()),
    ];
    Host::from_env(env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
