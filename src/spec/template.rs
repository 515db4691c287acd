//! The one template of a spec: how an entry's name becomes the file that is started.

use crate::error::{ErrorKind, ExecutionError};

/// A template of an entry file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A brace holds something other than `entry_file`, or is not closed.
    #[error("`{found}` is not something that an entry file template knows")]
    Field {
        /// The text from the brace on.
        found: String,
    },
    /// The template and the name together give nothing.
    #[error("the entry file is empty")]
    Empty,
}

impl TemplateError {
    /// Says what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Field { .. } => "write {entry_file} for the name, and {{ or }} for a brace",
            Self::Empty => "name the file to start",
        }
    }
}

impl From<TemplateError> for ExecutionError {
    fn from(error: TemplateError) -> Self {
        let hint = error.hint();
        Self::new(ErrorKind::Spec, error).with_hint(hint)
    }
}

/// Puts a name where the template says `{entry_file}`; `{{` and `}}` are braces.
pub(super) fn format(template: &str, name: &str) -> Result<String, TemplateError> {
    const FIELD: &str = "{entry_file}";
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix(FIELD) {
            out.push_str(name);
            rest = after;
        } else if rest.starts_with("{{") || rest.starts_with("}}") {
            out.push_str(&rest[..1]);
            rest = &rest[2..];
        } else {
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            return Err(TemplateError::Field { found: rest[..end].to_owned() });
        }
    }
    out.push_str(rest);
    if out.trim().is_empty() { Err(TemplateError::Empty) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_where_the_template_says() {
        for (template, name, file) in [
            ("{entry_file}", "main", "main"),
            ("{entry_file}.py", "main", "main.py"),
            ("{{x}}/{entry_file}/{entry_file}", "a", "{x}/a/a"),
            ("fixed.py", "main", "fixed.py"),
            ("{entry_file}.py", "{x}", "{x}.py"),
        ] {
            assert_eq!(format(template, name).as_deref(), Ok(file), "{template}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for (template, found) in [
            ("{}", "{}"),
            ("a{other}b", "{other}"),
            ("{entry_file.x}", "{entry_file.x}"),
            ("{entry", "{entry"),
            ("a}", "}"),
        ] {
            assert_eq!(format(template, "x"), Err(TemplateError::Field { found: found.into() }), "{template}");
        }
        assert_eq!(format("{entry_file}", " "), Err(TemplateError::Empty));
    }
}
