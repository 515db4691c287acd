//! What keeps a suite from being judged: never what a submission does.

use crate::error::{ErrorKind, ExecutionError};

/// A suite or a request that cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// Nothing at the path is a suite.
    #[error("`{path}` holds no cases")]
    NoCases {
        /// The path.
        path: String,
    },
    /// The path cannot be read.
    #[error("the cases at `{path}` cannot be read")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The files of a suite have problems.
    #[error("{}", list(.problems))]
    Invalid {
        /// What is wrong, each as `file:line:column: path: message`. Never empty.
        problems: Vec<String>,
        /// What to do about them.
        hints: Vec<String>,
    },
    /// No adapter has the name.
    #[error("there is no adapter `{name}`")]
    UnknownAdapter {
        /// The name.
        name: String,
        /// The adapters that there are.
        known: Vec<String>,
    },
    /// Something of the host that the cases need is not there.
    #[error("`{word}` is not there, and {needed_by} needs it")]
    Missing {
        /// What is missing.
        word: String,
        /// Who needs it.
        needed_by: String,
        /// The command that gets it, or the names that are known.
        hint: String,
    },
    /// No case is left to judge.
    #[error("no case is chosen")]
    NothingChosen {
        /// What was asked for.
        asked: String,
    },
    /// A directory holds no submissions, or cannot be read.
    #[error("there are no submissions in `{path}`")]
    NoSubmissions {
        /// The directory.
        path: String,
        /// Why it cannot be read; absent where it is empty.
        #[source]
        source: Option<std::io::Error>,
    },
    /// A directory holds more submissions than are judged at once.
    #[error("there are more than {most} submissions in `{path}`")]
    TooManySubmissions {
        /// The directory.
        path: String,
        /// The most.
        most: usize,
    },
    /// A journal does not belong to this run.
    #[error("the journal does not belong to this run: {why}")]
    Journal {
        /// What differs.
        why: String,
    },
}

fn list(problems: &[String]) -> String {
    match problems {
        [one] => one.clone(),
        many => format!("{} problems\n  {}", many.len(), many.join("\n  ")),
    }
}

impl From<EvaluateError> for ExecutionError {
    fn from(error: EvaluateError) -> Self {
        let (kind, hint) = match &error {
            EvaluateError::NoCases { .. } => {
                let hint =
                    "give a cases.yaml, a directory with one, directories with a case.yaml, or a problem package";
                (ErrorKind::Spec, hint.to_owned())
            }
            EvaluateError::Unreadable { .. } => (ErrorKind::Spec, String::new()),
            EvaluateError::Invalid { hints, .. } => (ErrorKind::Spec, hints.join("\n")),
            EvaluateError::UnknownAdapter { known, .. } => (ErrorKind::Spec, format!("known: {}", known.join(", "))),
            EvaluateError::Missing { hint, .. } => (ErrorKind::Spec, hint.clone()),
            EvaluateError::NothingChosen { asked } => (ErrorKind::Spec, asked.clone()),
            EvaluateError::NoSubmissions { .. } => (
                ErrorKind::Spec,
                "each entry of the directory is one submission: a directory, a file, an archive".into(),
            ),
            EvaluateError::TooManySubmissions { .. } => (ErrorKind::Spec, "judge them in several parts".to_owned()),
            EvaluateError::Journal { .. } => {
                (ErrorKind::Spec, "begin a new one, or give the cases, spec and submission of this one".to_owned())
            }
        };
        let wrapped = Self::new(kind, error);
        if hint.is_empty() { wrapped } else { wrapped.with_hint(hint) }
    }
}
