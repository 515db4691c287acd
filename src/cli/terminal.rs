//! Everything that is printed goes through here: lines, objects, and the three words `error:`, `caused by:`, `hint:`.
//!
//! A reader that went away is no failure: what cannot be printed is dropped.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::failure::Failure;

/// A stream that several may print on.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Box<dyn Write + Send>>>);

/// The two streams that are printed on, and how.
#[derive(Clone)]
pub(super) struct Terminal {
    pub(super) stdout: Shared,
    pub(super) stderr: Shared,
    colour: bool,
    quiet: bool,
    json: bool,
}

/// The colours that are used.
#[derive(Clone, Copy)]
enum Paint {
    Red,
    Yellow,
    Cyan,
}

impl Shared {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    /// Writes bytes and flushes them.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(bytes)?;
        stream.flush()
    }
}

impl Terminal {
    pub(super) fn new(stdout: Shared, stderr: Shared, colour: bool) -> Self {
        Self { stdout, stderr, colour, quiet: false, json: false }
    }

    /// Sets what the flags say: whether explanations are left out, whether objects are wanted.
    #[must_use]
    pub(super) fn with_flags(mut self, quiet: bool, json: bool) -> Self {
        (self.quiet, self.json) = (quiet, json);
        self
    }

    pub(super) fn wants_json(&self) -> bool {
        self.json
    }

    /// Prints text on standard output as it is.
    pub(super) fn print(&self, text: &str) {
        let _ = self.stdout.write(text.as_bytes());
    }

    /// Prints an object on standard output, on one line.
    pub(super) fn print_object(&self, object: &impl Serialize) {
        let mut text = serde_json::to_string(object).unwrap_or_default();
        text.push('\n');
        self.print(&text);
    }

    /// Prints an object on standard output for people to read.
    pub(super) fn print_pretty(&self, object: &impl Serialize) {
        let mut text = serde_json::to_string_pretty(object).unwrap_or_default();
        text.push('\n');
        self.print(&text);
    }

    /// Prints an object if objects are wanted, else the text that stands for it.
    pub(super) fn print_either<T: Serialize>(&self, object: &T, text: impl FnOnce(&T) -> String) {
        match self.json {
            true => self.print_object(object),
            false => self.print(&text(object)),
        }
    }

    /// Explains something on standard error, unless `-q` was given.
    pub(super) fn explain(&self, line: &str) {
        if !self.quiet {
            let text = format!("{} {}\n", self.paint(Paint::Yellow, "bailiwick:"), printable(line));
            let _ = self.stderr.write(text.as_bytes());
        }
    }

    /// Draws a failure: as an object on standard output if objects are wanted, else on standard error.
    pub(super) fn draw(&self, failure: &Failure) {
        if self.json {
            return self.print_object(&failure.object());
        }
        let mut text = format!("{} {}\n", self.paint(Paint::Red, "error:"), failure.message);
        for cause in &failure.causes {
            text += &format!("{} {cause}\n", self.paint(Paint::Red, "caused by:"));
        }
        for hint in failure.hint.iter().flat_map(|hint| hint.lines()) {
            text += &format!("{} {hint}\n", self.paint(Paint::Cyan, "hint:"));
        }
        let _ = self.stderr.write(text.as_bytes());
    }

    fn paint(&self, paint: Paint, word: &str) -> String {
        let code = match paint {
            Paint::Red => 31,
            Paint::Yellow => 33,
            Paint::Cyan => 36,
        };
        if self.colour { format!("\x1b[1;{code}m{word}\x1b[0m") } else { word.to_owned() }
    }
}

/// Makes text of a guest harmless to a terminal, on one line.
pub(super) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => safe.extend(c.escape_default()),
            false => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_cannot_draw_on_the_terminal() {
        assert_eq!(printable("a\x1b[31mb\nc\u{9b}d é"), "a\\u{1b}[31mb\\nc\\u{9b}d é");
    }
}
