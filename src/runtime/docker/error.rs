//! What goes wrong on the way to the engine, in it, and with what was asked of it.

use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error as ApiError;

use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::SolutionRuntimeError;

/// Trouble of the Docker runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DockerError {
    /// An endpoint that is none.
    #[error("`{endpoint}` is no endpoint of a container engine")]
    Endpoint {
        /// As it was written.
        endpoint: String,
    },
    /// Nothing answers at the endpoint.
    #[error("no container engine answers at {endpoint}")]
    NoEngine {
        /// Where.
        endpoint: String,
        /// Sockets of other engines that are there.
        others: Vec<String>,
        /// What was seen.
        #[source]
        source: ApiError,
    },
    /// This user may not use the socket.
    #[error("no permission to use the container engine at {endpoint}")]
    NoPermission {
        /// Where.
        endpoint: String,
        /// What was seen.
        #[source]
        source: ApiError,
    },
    /// The engine speaks an API that is too old.
    #[error("the container engine speaks API {version}, and at least {least} is needed")]
    TooOld {
        /// What it speaks.
        version: String,
        /// What is needed.
        least: &'static str,
    },
    /// The engine did not answer in time.
    #[error("the container engine did not {action} within {within:?}")]
    TimedOut {
        /// What it was asked to do.
        action: &'static str,
        /// How long it was waited for.
        within: Duration,
    },
    /// A path of the host that no guest is shown, or that cannot be shown.
    #[error("`{path}` cannot be mounted: {why}")]
    Mount {
        /// The path.
        path: String,
        /// Why not.
        why: &'static str,
    },
    /// The engine does not see the files of this host.
    #[error("the container engine does not see the files of this host")]
    Blind,
    /// A network that this engine cannot give.
    #[error("the container engine cannot give that network: {why}")]
    NoNetwork {
        /// Why not.
        why: &'static str,
    },
    /// A port that something else has.
    #[error("a port that was to be published is taken")]
    PortTaken {
        /// What the engine said.
        #[source]
        source: ApiError,
    },
    /// A user that is none, or that the image does not know.
    #[error("the image has no user `{user}`")]
    User {
        /// As it was written.
        user: String,
    },
    /// An image that is not there.
    #[error("the image `{image}` is not there")]
    NoImage {
        /// As it was written.
        image: String,
    },
    /// An image that could not be pulled.
    #[error("the image `{image}` could not be pulled: {why}")]
    Pull {
        /// As it was written.
        image: String,
        /// What the engine said.
        why: String,
        /// Whether the way to the registry is the trouble.
        is_away: bool,
    },
    /// A build that has nothing to begin with.
    #[error("`{path}` cannot be built from: {why}")]
    Context {
        /// The context, or a path in it.
        path: String,
        /// Why not.
        why: String,
    },
    /// A build that failed.
    #[error("the image could not be built: {why}\n{printed}")]
    Build {
        /// What the engine said.
        why: String,
        /// The end of what the build had printed.
        printed: String,
    },
    /// An image that a container is made of.
    #[error("the image `{image}` is in use")]
    InUse {
        /// Its name.
        image: String,
    },
    /// A submission that is not baked into an image.
    #[error("the submission cannot be baked into an image: {why}")]
    Bake {
        /// Why not.
        why: &'static str,
    },
    /// A baked image that does not hold what was put into it.
    #[error("the image `{image}` does not hold what was put into it")]
    Damaged {
        /// Its name.
        image: String,
    },
    /// An image whose containers end by themselves.
    #[error("containers of the image `{image}` cannot be kept running: {why}")]
    Keeper {
        /// The image.
        image: String,
        /// What was seen.
        why: String,
    },
    /// The engine could not start a command, and the command is not why.
    #[error("the container engine could not start the command: {why}")]
    Start {
        /// What it said.
        why: String,
    },
    /// A container that somebody removed.
    #[error("the container is gone")]
    Gone,
    /// An answer that cannot be one.
    #[error("the container engine did not {action}: {why}")]
    Answer {
        /// What it was asked to do.
        action: &'static str,
        /// What is wrong with what it said.
        why: &'static str,
    },
    /// The workspace could not be prepared for the container.
    #[error("the workspace could not be prepared for the container")]
    Workspace {
        /// Why not.
        #[source]
        source: crate::workspace::WorkspaceError,
    },
    /// Files that did not come back whole, or as nothing that can be read.
    #[error("the files of the container did not come back whole: {why}")]
    Transfer {
        /// What was seen.
        why: String,
    },
    /// The engine refused, or the connection broke.
    #[error("the container engine did not {action}")]
    Api {
        /// What it was asked to do.
        action: &'static str,
        /// What it said.
        #[source]
        source: ApiError,
    },
}

impl DockerError {
    /// Gives the status code with which the engine refused.
    pub(super) fn status(&self) -> Option<u16> {
        self.refusal().map(|(status, _)| status)
    }

    /// Gives the status code and the words with which the engine refused.
    pub(super) fn refusal(&self) -> Option<(u16, &str)> {
        match self {
            Self::Api { source: ApiError::DockerResponseServerError { status_code, message }, .. } => {
                Some((*status_code, message))
            }
            Self::Api { .. } | Self::Endpoint { .. } | Self::NoEngine { .. } | Self::NoPermission { .. } => None,
            Self::TooOld { .. } | Self::TimedOut { .. } | Self::Mount { .. } | Self::Blind => None,
            Self::NoNetwork { .. } | Self::PortTaken { .. } | Self::User { .. } | Self::NoImage { .. } => None,
            Self::Keeper { .. } | Self::Start { .. } | Self::Gone | Self::Answer { .. } => None,
            Self::Workspace { .. } | Self::Transfer { .. } | Self::Pull { .. } | Self::Context { .. } => None,
            Self::Build { .. } | Self::InUse { .. } | Self::Bake { .. } | Self::Damaged { .. } => None,
        }
    }

    /// Says whether the way to the engine broke, rather than that it refused something.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Api { .. } => self.refusal().is_none(),
            Self::NoEngine { .. } | Self::TimedOut { .. } | Self::Gone | Self::Transfer { .. } => true,
            Self::Endpoint { .. } | Self::NoPermission { .. } | Self::TooOld { .. } | Self::Mount { .. } => false,
            Self::Blind | Self::NoNetwork { .. } | Self::PortTaken { .. } | Self::User { .. } => false,
            Self::NoImage { .. } | Self::Keeper { .. } | Self::Start { .. } | Self::Answer { .. } => false,
            Self::Workspace { .. } | Self::Pull { .. } | Self::Context { .. } | Self::Build { .. } => false,
            Self::InUse { .. } | Self::Bake { .. } | Self::Damaged { .. } => false,
        }
    }

    /// Gives advice, where there is some.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoEngine { others, .. } if !others.is_empty() => {
                let others = others.join(", ");
                return Some(format!("another engine may be at {others}: name it by DOCKER_HOST or `docker.host`"));
            }
            Self::Endpoint { .. } => "write `unix:///path/of.sock` or `tcp://host:port`",
            Self::NoEngine { .. } => "start dockerd, or name another engine by DOCKER_HOST or `docker.host`",
            Self::NoPermission { .. } => "add this user to the group of the socket, or run as root",
            Self::TooOld { .. } => "use Docker 20.10 or newer",
            Self::TimedOut { .. } => "look whether the engine is paused or overloaded",
            Self::Mount { .. } => "mount a directory that holds only what the guest may see",
            Self::Blind => "set `docker.mount_workspace: false`, and mount nothing else",
            Self::NoNetwork { .. } => "set `docker.network: bridge`",
            Self::PortTaken { .. } => "choose another port of the host, or end what has this one",
            Self::User { .. } => "write `uid:gid`, or a name of the image's /etc/passwd",
            Self::NoImage { .. } => "load or build it first, or set `docker.pull: missing`",
            Self::Pull { is_away: true, .. } => {
                "the engine cannot reach the registry: load the image by hand, or say under `build` how it is made"
            }
            Self::Pull { .. } => "look whether the name and the tag are right, and whether the registry wants a login",
            Self::Context { .. } => "name an absolute directory under `build.context`, with the Dockerfile in it",
            Self::Build { .. } => "mend what its last step says; `bailiwick prepare` builds it alone",
            Self::InUse { .. } => "end the sessions that use it first; `bailiwick gc` ends those of dead owners",
            Self::Bake { .. } => "leave `docker.build.bake` out, or mend that",
            Self::Damaged { .. } => "remove it, `bailiwick cache prune` does; it is then made again",
            Self::Keeper { .. } => "the image must have `sleep`, and `/bin/sh` for command lines",
            Self::Transfer { .. } => "look into the engine's log; the workspace is as it was before",
            Self::Gone => "somebody removed the container while it was used",
            Self::Api { .. } | Self::Start { .. } | Self::Answer { .. } | Self::Workspace { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

impl From<crate::workspace::WorkspaceError> for DockerError {
    fn from(source: crate::workspace::WorkspaceError) -> Self {
        Self::Workspace { source }
    }
}

impl From<DockerError> for ExecutionError {
    fn from(error: DockerError) -> Self {
        let kind = match &error {
            DockerError::Endpoint { .. } | DockerError::User { .. } | DockerError::Context { .. } => ErrorKind::Spec,
            DockerError::Pull { .. } | DockerError::Build { .. } => ErrorKind::Unavailable,
            DockerError::InUse { .. } => ErrorKind::Busy,
            DockerError::NoEngine { .. } | DockerError::NoPermission { .. } => ErrorKind::Unavailable,
            DockerError::TooOld { .. } | DockerError::NoImage { .. } => ErrorKind::Unavailable,
            DockerError::PortTaken { .. } | DockerError::Keeper { .. } | DockerError::Damaged { .. } => {
                ErrorKind::Unavailable
            }
            DockerError::Mount { .. } => ErrorKind::Forbidden,
            DockerError::Blind | DockerError::NoNetwork { .. } | DockerError::Bake { .. } => ErrorKind::Unenforceable,
            DockerError::Workspace { .. } => ErrorKind::Workspace,
            DockerError::TimedOut { .. } | DockerError::Api { .. } | DockerError::Start { .. } => ErrorKind::Runtime,
            DockerError::Gone | DockerError::Answer { .. } | DockerError::Transfer { .. } => ErrorKind::Runtime,
        };
        let hint = error.hint();
        let wrapped = Self::new(kind, error);
        match hint {
            Some(hint) => wrapped.with_hint(hint),
            None => wrapped,
        }
    }
}

impl From<DockerError> for SolutionRuntimeError {
    fn from(error: DockerError) -> Self {
        if error.is_lost() {
            return Self::Lost { engine: "container engine", source: Some(Arc::new(error)) };
        }
        let Some(hint) = error.hint() else {
            return Self::Engine { action: "the container engine failed", source: Arc::new(error) };
        };
        let message = told(&error);
        let kind = ExecutionError::from(error).kind();
        if kind == ErrorKind::Forbidden {
            Self::Forbidden { message, hint }
        } else if kind == ErrorKind::Unenforceable {
            Self::Unsupported { message, hint }
        } else {
            Self::Unavailable { message, hint }
        }
    }
}

/// Tells an error in one line, with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
