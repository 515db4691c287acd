//! What can be wrong with an asset.

use std::io;

use crate::workspace::ArchiveError;
use crate::workspace::error::WorkspaceError;

use crate::error::{ErrorKind, ExecutionError};

/// An asset that cannot be used, or staged. Paths are as the config writes them, never the host's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssetError {
    /// Several assets cannot be used.
    #[error("{} assets cannot be used{}", problems.len(), list(problems))]
    Several {
        /// What is wrong with each. At least two.
        problems: Vec<AssetError>,
    },
    /// The keys of the config do not fit each other.
    #[error("the asset `{name}` {problem}")]
    Keys {
        /// The asset.
        name: String,
        /// What is wrong, as the end of a sentence.
        problem: &'static str,
    },
    /// The variable of a secret cannot be had. Its value never stands in an error.
    #[error("the asset `{name}` cannot have the secret `{}`: {problem}", variable.escape_debug())]
    Secret {
        /// The asset.
        name: String,
        /// The variable.
        variable: String,
        /// Why not.
        problem: &'static str,
    },
    /// The url cannot be used. The url itself never stands in an error.
    #[error("the url of the asset `{name}` {problem}")]
    Url {
        /// The asset.
        name: String,
        /// What is wrong, as the end of a sentence.
        problem: &'static str,
    },
    /// The name cannot stand in a placeholder.
    #[error("an asset cannot be called `{}`", name.escape_debug())]
    Name {
        /// The name.
        name: String,
    },
    /// The path is absolute, empty or holds a NUL.
    #[error("the path of the asset `{name}` {problem}")]
    Path {
        /// The asset.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The path leads out of the base directory, by `..` or by a symlink.
    #[error("the path `{path}` of the asset `{name}` leaves the base directory")]
    Outside {
        /// The asset.
        name: String,
        /// The path as written.
        path: String,
    },
    /// There is nothing at the path.
    #[error("the asset `{name}` is not at `{path}`")]
    Missing {
        /// The asset.
        name: String,
        /// The path as written.
        path: String,
    },
    /// What is there is neither a file nor a directory.
    #[error("`{path}` of the asset `{name}` is neither a file nor a directory")]
    Special {
        /// The asset.
        name: String,
        /// The path of the thing.
        path: String,
    },
    /// A symlink inside a directory asset could lead out of it.
    #[error("the symlink `{path}` of the asset `{name}` may lead out of it, to `{target}`")]
    Link {
        /// The asset.
        name: String,
        /// The path of the link.
        path: String,
        /// Where it points.
        target: String,
    },
    /// A name inside a directory asset is not UTF-8.
    #[error("the name `{path}` of the asset `{name}` is not UTF-8")]
    NotText {
        /// The asset.
        name: String,
        /// The path inside the asset, escaped.
        path: String,
    },
    /// Another file system is mounted inside a directory asset.
    #[error("the asset `{name}` holds a mounted file system, which is not copied")]
    Mounts {
        /// The asset.
        name: String,
    },
    /// A directory asset is nested deeper than 128 directories.
    #[error("the asset `{name}` is nested too deep at `{path}`")]
    Depth {
        /// The asset.
        name: String,
        /// Where.
        path: String,
    },
    /// The save path cannot be one.
    #[error("the save path `{}` of the asset `{name}` {problem}", save_path.escape_debug())]
    SavePath {
        /// The asset.
        name: String,
        /// The save path.
        save_path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two assets would stand at one place.
    #[error("the assets `{first}` and `{second}` clash at the save path `{save_path}`")]
    Clash {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// The longer of the two save paths.
        save_path: String,
    },
    /// The content is not what the config says.
    #[error("the asset `{name}` has the sha256 {actual}, not {expected}")]
    Digest {
        /// The asset.
        name: String,
        /// What the config says.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// A digest that is none, or of a directory.
    #[error("the sha256 of the asset `{name}` {problem}")]
    BadDigest {
        /// The asset.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Groups without an order.
    #[error("the assets are grouped, but nothing says in which order the groups apply")]
    NoOrdering,
    /// An order without groups.
    #[error("the assets are not grouped, so an order of groups has no meaning")]
    NoGroups,
    /// What stands at a save path of an agent's workspace cannot be removed.
    #[error("could not make room for the asset `{name}`")]
    Replace {
        /// The asset.
        name: String,
        /// Why not.
        #[source]
        source: Box<WorkspaceError>,
    },
    /// The archive cannot be unpacked.
    #[error("could not extract the asset `{name}`")]
    Archive {
        /// The asset.
        name: String,
        /// Why not.
        #[source]
        source: Box<ArchiveError>,
    },
    /// The content could not be copied.
    #[error("could not copy the asset `{name}`")]
    Copy {
        /// The asset.
        name: String,
        /// Why not.
        #[source]
        source: Box<WorkspaceError>,
    },
    /// A step on the host's files failed.
    #[error("could not {operation} `{path}` of the asset `{name}`")]
    Io {
        /// The step.
        operation: &'static str,
        /// The asset.
        name: String,
        /// The path as written.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

fn list(problems: &[AssetError]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

impl AssetError {
    /// Says what to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Several { .. } => "every asset has to be right before anything runs",
            Self::Keys { .. } => "write one of `path`, `url` and `secret`, and a `save_path` with the last two",
            Self::Secret { .. } => "set the variable for bailiwick itself",
            Self::Url { .. } => "put the file below the directory of the file that names it, and write its `path`",
            Self::NotText { .. } => "rename the file, or pack the directory into an archive",
            Self::Mounts { .. } => "copy the directory to one file system first",
            Self::Name { .. } => "use a name without `}`, `{` and control characters",
            Self::Path { .. } => "write a path relative to the directory of the file that names the asset",
            Self::Outside { .. } => "move the file below the directory of the file that names the asset",
            Self::Missing { .. } => "paths are relative to the directory of the file that names the asset",
            Self::Special { .. } => "only regular files and directories can be assets",
            Self::Link { .. } => "make it relative, with `..` only at its beginning, or replace it by a copy",
            Self::Depth { .. } => "flatten the directory, or pack it into an archive",
            Self::SavePath { .. } => "write a relative path below the workspace, without `..`",
            Self::Clash { .. } => "give one of them another `save_path`",
            Self::Digest { .. } => "the file changed: check it, then update `sha256`",
            Self::BadDigest { .. } => "write the 64 hex digits of a single file",
            Self::NoOrdering => "name the order of the groups, the last of which wins",
            Self::NoGroups => "drop the order, or put the assets into groups",
            Self::Archive { source, .. } => return source.hint(),
            Self::Replace { .. } | Self::Copy { .. } | Self::Io { .. } => return None,
        })
    }

    /// Makes one error of several problems, if there are some.
    pub(super) fn all(mut problems: Vec<Self>) -> Option<Self> {
        match problems.len() {
            0 | 1 => problems.pop(),
            _ => Some(Self::Several { problems }),
        }
    }

    pub(super) fn copy(name: &str, source: WorkspaceError) -> Self {
        Self::Copy { name: name.to_owned(), source: Box::new(source) }
    }

    pub(super) fn io(operation: &'static str, name: &str, path: &str, source: impl Into<io::Error>) -> Self {
        Self::Io { operation, name: name.to_owned(), path: path.to_owned(), source: source.into() }
    }
}

impl From<AssetError> for ExecutionError {
    fn from(error: AssetError) -> Self {
        let hint = error.hint();
        let wrapped = Self::new(ErrorKind::Asset, error);
        match hint {
            Some(hint) => wrapped.with_hint(hint),
            None => wrapped,
        }
    }
}
