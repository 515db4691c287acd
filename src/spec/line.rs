//! Command lines without a shell: split as POSIX words, and refused where a shell would do more than split.

use super::Problem;
use crate::error::{ErrorKind, ExecutionError};

/// A command line that only a shell could run, or that no one could.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Something of the shell's own stands in the line, unquoted.
    #[error("`{operator}` at column {column} needs a shell, and this runtime has none")]
    Operator {
        /// What stands there.
        operator: String,
        /// Where it stands, in characters from 1.
        column: usize,
    },
    /// The first word sets a variable.
    #[error("`{assignment}` sets a variable, which needs a shell, and this runtime has none")]
    Assignment {
        /// The word up to its `=`.
        assignment: String,
    },
    /// A quote is opened and never closed.
    #[error("the quote at column {column} is never closed")]
    Quote {
        /// Where it is opened, in characters from 1.
        column: usize,
    },
    /// There is no word.
    #[error("the command line is empty")]
    Empty,
}

impl LineError {
    /// Says what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Operator { .. } => {
                "quote it with '…' if the program is to see it, or give the command as a list of words"
            }
            Self::Assignment { .. } => "set the variable in the environment of the command",
            Self::Quote { .. } => "close the quote, or write \\' or \\\" for the character",
            Self::Empty => "name a program",
        }
    }
}

impl From<LineError> for ExecutionError {
    fn from(error: LineError) -> Self {
        let hint = error.hint();
        Self::new(ErrorKind::Spec, error).with_hint(hint)
    }
}

impl From<LineError> for Problem {
    fn from(error: LineError) -> Self {
        Self::new("", error.to_string()).with_hint(error.hint())
    }
}

/// Splits a line into words as a POSIX shell would, without being one.
///
/// A line means the same here as in a shell, or it is refused: operators, globs, expansions,
/// comments and line breaks must be quoted. In double quotes `$` and backtick still expand in a
/// shell, so there they must be escaped. Words that come as a list are never inspected.
///
/// # Errors
/// The first thing that needs a shell, with its column; an open quote; a line without words.
pub fn split_line(line: &str) -> Result<Vec<String>, LineError> {
    inspect(line)?;
    // `inspect` has seen every quote closed, the only thing that `split` refuses.
    let words = shell_words::split(line).map_err(|_| LineError::Quote { column: 1 })?;
    if words.is_empty() { Err(LineError::Empty) } else { Ok(words) }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Between,
    Word,
    Single,
    Double,
}

fn inspect(line: &str) -> Result<(), LineError> {
    let chars: Vec<char> = line.chars().collect();
    let (mut state, mut opened, mut at) = (State::Between, 0, 0);
    let mut first_word: Option<usize> = None;
    while at < chars.len() {
        let c = chars[at];
        let fails = match (state, c) {
            (State::Single, _) => false,
            (State::Double, '$' | '`') => true,
            (State::Double, _) => false,
            (State::Between, '#' | '~') => true,
            (State::Between | State::Word, c) => "|&;<>()$`*?[\n".contains(c),
        };
        if fails {
            return Err(LineError::Operator { operator: operator(&chars[at..]), column: at + 1 });
        }
        if state == State::Between && !matches!(c, ' ' | '\t') && first_word.is_none() {
            first_word = Some(at);
        }
        state = match (state, c) {
            (State::Single, '\'') | (State::Double, '"') => State::Word,
            (State::Single, _) => State::Single,
            (State::Double, '\\') => {
                at += 1;
                State::Double
            }
            (State::Double, _) => State::Double,
            (State::Between | State::Word, '\'') => State::Single,
            (State::Between | State::Word, '"') => State::Double,
            (State::Between | State::Word, '\\') => {
                at += 1;
                // An escaped line break joins lines and is no part of a word.
                if chars.get(at) == Some(&'\n') { state } else { State::Word }
            }
            (State::Between | State::Word, ' ' | '\t') => State::Between,
            (State::Between | State::Word, _) => State::Word,
        };
        if matches!(state, State::Single | State::Double) && opened == 0 {
            opened = at + 1;
        } else if matches!(state, State::Between | State::Word) {
            opened = 0;
        }
        at += 1;
    }
    if opened != 0 {
        return Err(LineError::Quote { column: opened });
    }
    assignment(&chars[first_word.unwrap_or(chars.len())..])
}

fn operator(rest: &[char]) -> String {
    match rest {
        ['\n', ..] => "\\n".into(),
        [a @ ('|' | '&' | ';' | '<' | '>'), b, ..] if a == b => [*a, *b].iter().collect(),
        ['$', '(', ..] => "$(".into(),
        [c, ..] => c.to_string(),
        [] => String::new(),
    }
}

/// Refuses `NAME=` at the head of a line: a shell would set it and run the next word.
fn assignment(words: &[char]) -> Result<(), LineError> {
    let name: String = words.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if is_name && words.get(name.len()) == Some(&'=') {
        return Err(LineError::Assignment { assignment: format!("{name}=") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_split_as_a_shell_would() {
        for (line, words) in [
            ("python main.py", vec!["python", "main.py"]),
            ("  a\t'b c'  \"d e\" ", vec!["a", "b c", "d e"]),
            (r"a \| b '>' \$HOME '$(x)' \*", vec!["a", "|", "b", ">", "$HOME", "$(x)", "*"]),
            (r#"a "\$x" "\`" "a|b&c;*?[""#, vec!["a", "$x", "`", "a|b&c;*?["]),
            ("a x~ x#y --k=v", vec!["a", "x~", "x#y", "--k=v"]),
            ("a\\\n b", vec!["a", "b"]),
            ("a ''", vec!["a", ""]),
            (r"\~ '#'", vec!["~", "#"]),
            ("'A=1' b", vec!["A=1", "b"]),
        ] {
            assert_eq!(split_line(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn what_needs_a_shell_is_named_with_its_column() {
        for (line, operator, column) in [
            ("a | b", "|", 3),
            ("a || b", "||", 3),
            ("a > b", ">", 3),
            ("a >> b", ">>", 3),
            ("a < b", "<", 3),
            ("a << b", "<<", 3),
            ("a && b", "&&", 3),
            ("a & b", "&", 3),
            ("a; b", ";", 2),
            ("é $HOME", "$", 3),
            ("a $(b)", "$(", 3),
            ("(a)", "(", 1),
            ("a)", ")", 2),
            ("a `b`", "`", 3),
            ("a *.py", "*", 3),
            ("a b?", "?", 4),
            ("a [x]", "[", 3),
            ("a # b", "#", 3),
            ("a\nb", "\\n", 2),
            ("~/a", "~", 1),
            ("a \"$x\"", "$", 4),
            ("a \"`x`\"", "`", 4),
            ("a 'b'|c", "|", 6),
        ] {
            let expected = LineError::Operator { operator: operator.into(), column };
            assert_eq!(split_line(line), Err(expected), "{line}");
        }
    }

    #[test]
    fn lines_that_no_one_could_run_are_refused() {
        assert_eq!(split_line("a 'b"), Err(LineError::Quote { column: 3 }));
        assert_eq!(split_line("a 'b' \"c"), Err(LineError::Quote { column: 7 }));
        assert_eq!(split_line("a \"b\\"), Err(LineError::Quote { column: 3 }));
        assert_eq!(split_line(" \t"), Err(LineError::Empty));
        assert_eq!(split_line("A_1=x b"), Err(LineError::Assignment { assignment: "A_1=".into() }));
    }

    proptest! {
        #[test]
        fn quoting_any_words_round_trips(words in proptest::collection::vec(any::<String>(), 1..6)) {
            prop_assert_eq!(split_line(&shell_words::join(&words)).unwrap(), words);
        }

        #[test]
        fn what_is_accepted_is_what_shell_words_gives(line in "[ -~\n]{0,30}") {
            if let Ok(words) = split_line(&line) {
                prop_assert_eq!(words, shell_words::split(&line).unwrap());
            }
        }
    }
}
