//! Reading files out of a workspace as what they mean: one outcome each, all bounds in one place.

use std::ffi::CString;
use std::os::fd::AsFd as _;

use super::bounds::Meter;
use super::{FileBounds, FileSignature, FileType, FileValue, FormatError};
use crate::workspace::contents::{Content, ContentsBounds, FileOutcome};
use crate::workspace::{Workspace, WorkspaceError, WorkspacePath, at, tree};

/// What became of one path that was read as a typed file. Whatever a submission did is one of these.
#[derive(Clone, Debug, PartialEq)]
pub enum TypedOutcome {
    /// It is what its name says.
    Parsed {
        /// What that is.
        signature: FileSignature,
        /// What is in it.
        value: FileValue,
    },
    /// It is not what its name says, or more than the bounds allow to be read.
    Malformed {
        /// What its name says.
        signature: FileSignature,
        /// Why it is not that.
        problem: FormatError,
    },
    /// Nothing is there.
    Missing,
    /// A link, a FIFO, a socket or a device is there; it was not opened.
    NotRegular,
    /// The path leaves the workspace: by its own text, or through a link. Nothing was looked up there.
    Outside,
    /// It is larger than one file, or all of them, may be.
    TooLarge {
        /// Its size in bytes, as it stands.
        size: u64,
    },
}

/// What was read, in the order of the patterns, and within one pattern by name.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TypedContents {
    /// A path inside the workspace (or what was asked for, when it is none), and its outcome; each path once.
    pub files: Vec<(String, TypedOutcome)>,
    /// How many matching files were left out because there were too many.
    pub omitted: u64,
    /// Whether the walk ended early because the workspace has too many entries.
    pub truncated: bool,
}

impl TypedContents {
    /// Finds the outcome of a path.
    pub fn get(&self, path: &str) -> Option<&TypedOutcome> {
        self.files.iter().find(|(name, _)| name == path).map(|(_, outcome)| outcome)
    }
}

/// What SQLite puts beside a database that was not closed.
const LOGS: [&str; 2] = ["-wal", "-journal"];

impl Workspace {
    /// Reads files as [`Self::get_file_contents`] does, and each as what its name says.
    ///
    /// Takes time that grows with what is there: call it where blocking is allowed.
    ///
    /// # Errors
    ///
    /// When the host cannot read what is there: a submission cannot cause that.
    pub fn get_typed_contents(
        &self,
        patterns: &[&str],
        bounds: ContentsBounds,
        file_bounds: &FileBounds,
    ) -> Result<TypedContents, WorkspaceError> {
        let contents = self.get_file_contents(patterns, bounds)?;
        let meter = Meter::new(*file_bounds);
        let files = contents.files.into_iter().map(|(path, outcome)| {
            let outcome = self.type_one(&path, outcome, &meter);
            (path, outcome)
        });
        Ok(TypedContents { files: files.collect(), omitted: contents.omitted, truncated: contents.truncated })
    }

    fn type_one(&self, path: &str, outcome: FileOutcome, meter: &Meter) -> TypedOutcome {
        match outcome {
            FileOutcome::Missing => TypedOutcome::Missing,
            FileOutcome::NotRegular => TypedOutcome::NotRegular,
            FileOutcome::Outside => TypedOutcome::Outside,
            FileOutcome::TooLarge { size } => TypedOutcome::TooLarge { size },
            FileOutcome::Content(content) => {
                let signature = FileSignature::detect(path);
                let log = if signature.file_type == FileType::Sqlite { self.log_beside(path) } else { None };
                let read = match log {
                    Some(log) => Err(FormatError::malformed(FileType::Sqlite, &format!("it was not closed: {log}"))),
                    None => parse(signature, content, meter),
                };
                match read {
                    Ok(value) => TypedOutcome::Parsed { signature, value },
                    Err(problem) => TypedOutcome::Malformed { signature, problem },
                }
            }
        }
    }

    /// Finds a log that holds what the database itself does not.
    fn log_beside(&self, path: &str) -> Option<String> {
        LOGS.iter().find_map(|ending| {
            let name = WorkspacePath::new(format!("{path}{ending}")).ok()?;
            let parent = tree::parent_of(self.dir().as_fd(), &name).ok()?;
            let last: CString = tree::c_name(&name);
            let found = at::meta_at(parent.as_fd(), &last).ok()?;
            (found.kind == at::Kind::File && found.size > 0).then(|| format!("`{path}{ending}` lies beside it"))
        })
    }
}

fn parse(signature: FileSignature, content: Content, meter: &Meter) -> Result<FileValue, FormatError> {
    let bytes = match content {
        Content::Text(text) => text.into_bytes(),
        Content::Bytes(bytes) => bytes,
    };
    signature.read_metered(&bytes, meter)
}
