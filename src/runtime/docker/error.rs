//! What goes wrong on the way to the engine, in it, and with what was asked of it.

use std::time::Duration;

use bollard::errors::Error as ApiError;

use crate::error::{ErrorKind, ExecutionError};

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
        match self {
            Self::Api { source: ApiError::DockerResponseServerError { status_code, .. }, .. } => Some(*status_code),
            Self::Api { .. } => None,
            Self::Endpoint { .. } | Self::NoEngine { .. } | Self::NoPermission { .. } => None,
            Self::TooOld { .. } | Self::TimedOut { .. } => None,
        }
    }

    /// Gives advice, where there is some.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Endpoint { .. } => Some("write `unix:///path/of.sock` or `tcp://host:port`".to_owned()),
            Self::NoEngine { others, .. } if others.is_empty() => {
                Some("start dockerd, or name another engine by DOCKER_HOST or `docker.host`".to_owned())
            }
            Self::NoEngine { others, .. } => {
                Some(format!("another engine may be at {}: name it by DOCKER_HOST or `docker.host`", others.join(", ")))
            }
            Self::NoPermission { .. } => Some("add this user to the group of the socket, or run as root".to_owned()),
            Self::TooOld { .. } => Some("use Docker 20.10 or newer".to_owned()),
            Self::TimedOut { .. } => Some("look whether the engine is paused or overloaded".to_owned()),
            Self::Api { .. } => None,
        }
    }
}

impl From<DockerError> for ExecutionError {
    fn from(error: DockerError) -> Self {
        let kind = match &error {
            DockerError::Endpoint { .. } => ErrorKind::Spec,
            DockerError::NoEngine { .. } | DockerError::NoPermission { .. } => ErrorKind::Unavailable,
            DockerError::TooOld { .. } => ErrorKind::Unavailable,
            DockerError::TimedOut { .. } | DockerError::Api { .. } => ErrorKind::Runtime,
        };
        let hint = error.hint();
        let wrapped = Self::new(kind, error);
        match hint {
            Some(hint) => wrapped.with_hint(hint),
            None => wrapped,
        }
    }
}
