//! Facts in words, and texts of guests made harmless.

use crate::evaluate::{Evidence, Fact, Figure};

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Seconds(seconds) => write!(f, "{seconds:.3} s"),
            Self::Bytes(bytes) => crate::spec::ByteSize(bytes).fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Cores(cores) => cores.fmt(f),
        }
    }
}

impl std::fmt::Display for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(step) = self.step {
            write!(f, "step {step}: ")?;
        }
        self.evidence.fmt(f)
    }
}

/// Says what was found, without anything of what was expected but codes.
impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mismatch { what, message, difference, .. } => {
                let at = difference.as_ref().map(|difference| difference.at.as_str()).unwrap_or_default();
                let place = if at.is_empty() { String::new() } else { format!(" ({at})") };
                write!(f, "{} {message}{place}", harmless(what))
            }
            Self::ExitCode { code, expected: Some(codes) } => {
                let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
                write!(f, "exit code {code}, not {}", codes.join(" or "))
            }
            Self::ExitCode { code, expected: None } => write!(f, "exit code {code}"),
            Self::Status { status, expected: Some(codes) } => {
                let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
                write!(f, "status {status}, not {}", codes.join(" or "))
            }
            Self::Status { status, expected: None } => write!(f, "status {status}"),
            Self::NoAnswer { message } | Self::Trap { message, .. } => f.write_str(&harmless(message)),
            Self::Limit { limit, value, allowed } => write!(f, "{limit}: {value} against {allowed} allowed"),
            Self::Signal { signal } => write!(f, "ended by signal {signal}"),
            Self::NotStarted { message, known, .. } if known.is_empty() => f.write_str(&harmless(message)),
            Self::NotStarted { message, known, .. } => {
                write!(f, "{}; there are: {}", harmless(message), harmless(&known.join(", ")))
            }
            Self::Host { message, tries } => write!(f, "the host failed {tries} times: {}", harmless(message)),
            Self::Skipped { why } => f.write_str(why),
        }
    }
}

/// Makes text of a guest harmless, on one line: control characters are escaped, and those that turn text around.
pub(super) fn harmless(text: &str) -> String {
    escape(text, false)
}

/// Makes text of a guest harmless, line by line.
pub(super) fn harmless_lines(text: &str) -> String {
    escape(text, true)
}

fn escape(text: &str, keeps_lines: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        let is_kept = keeps_lines && matches!(sign, '\n' | '\t');
        let turns = matches!(sign, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match (sign.is_control() || turns) && !is_kept {
            true => safe.extend(sign.escape_default()),
            false => safe.push(sign),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_cannot_draw() {
        assert_eq!(harmless("a\x1b[2Jb\nc\u{202e}d é"), "a\\u{1b}[2Jb\\nc\\u{202e}d é");
        assert_eq!(harmless_lines("a\r\n\tb\x07"), "a\\r\n\tb\\u{7}");
    }
}
