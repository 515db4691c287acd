//! The command that stands for the submission: it hands a call to the engine, and gives what came of it.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::wire::{Answer, Call, MOST, length, message};

/// What the shim ends with where the engine cannot be reached, or refuses the call.
const FAILED: u8 = 125;

/// Says which test is running: the variable that pytest sets, or one that any test program may set.
const RUNNING: [&str; 2] = ["BAILIWICK_TEST", "PYTEST_CURRENT_TEST"];

/// Does the part of the shim: reads the arguments, the directory and the standard input of this process, lets the
/// engine behind a socket run the submission with them, prints what it printed, and gives its exit code.
///
/// For the program that [`Host::shim`](crate::Host::shim) names, which the adapter `suite` calls with the path of the
/// socket and the arguments of the test.
pub fn open_ambient_shim(socket: &Path, args: impl IntoIterator<Item = OsString>) -> u8 {
    match shim(socket, args.into_iter().collect()) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bailiwick: the submission cannot be run: {error}");
            FAILED
        }
    }
}

fn shim(socket: &Path, args: Vec<OsString>) -> io::Result<u8> {
    let no_text = |_| io::Error::other("an argument or the directory is no text");
    let args = args.into_iter().map(OsString::into_string).collect::<Result<_, _>>().map_err(no_text)?;
    let cwd = std::env::current_dir()?.into_os_string().into_string().map_err(no_text)?;
    let test = RUNNING.iter().find_map(|name| std::env::var(name).ok());
    let mut stdin = Vec::new();
    io::stdin().take(MOST).read_to_end(&mut stdin)?;
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&message(&Call { args, cwd, test }, &[&stdin])?)?;
    let answer: Answer = serde_json::from_slice(&part(&mut stream)?)?;
    let (stdout, stderr) = (part(&mut stream)?, part(&mut stream)?);
    // A reader that went away is no failure.
    let _ = io::stdout().write_all(&stdout).and_then(|()| io::stdout().flush());
    let _ = io::stderr().write_all(&stderr);
    if let Some(message) = answer.message {
        let _ = writeln!(io::stderr(), "bailiwick: {message}");
    }
    Ok(u8::try_from(answer.code).unwrap_or(FAILED))
}

fn part(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let mut part = vec![0; length(head)?];
    stream.read_exact(&mut part)?;
    Ok(part)
}
