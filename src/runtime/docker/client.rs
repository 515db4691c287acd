//! The way to an engine: one client an endpoint and process, connected when it is first used.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::{API_DEFAULT_VERSION, ClientVersion};
use tokio::sync::OnceCell;

use super::DockerError;
use super::facts::Facts;
use super::transfer::Sight;
use crate::host::EngineAccess;
use crate::workspace::Workspace;

/// Where an engine listens unless it was told otherwise.
const USUAL: &str = "unix:///var/run/docker.sock";

/// The oldest API that has everything that is asked of an engine.
const LEAST: ClientVersion = ClientVersion { major_version: 1, minor_version: 41 };
const LEAST_TEXT: &str = "1.41";

/// How long an engine may take for an answer that costs it no work.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

/// The longest that any call may take for its first word: each has a time of its own, and this is above all of them.
const LONGEST: Duration = Duration::from_secs(600);

/// The engines of a process, each with one client.
#[derive(Debug)]
pub(super) struct Clients {
    access: EngineAccess,
    open: Mutex<BTreeMap<String, Arc<Client>>>,
}

/// An engine that is, or will be, connected.
pub(super) struct Client {
    endpoint: String,
    access: EngineAccess,
    api: OnceCell<bollard::Docker>,
    facts: OnceCell<Facts>,
    sight: Sight,
}

impl Clients {
    /// Contacts nobody.
    pub(super) fn new(access: EngineAccess) -> Self {
        Self { access, open: Mutex::default() }
    }

    /// Gives the client of an endpoint, else of the host's; contacts nobody.
    pub(super) fn client(&self, endpoint: Option<&str>) -> Arc<Client> {
        let endpoint = endpoint.or(self.access.endpoint.as_deref()).unwrap_or(USUAL);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let client = open.entry(endpoint.to_owned()).or_insert_with(|| {
            let (endpoint, access) = (endpoint.to_owned(), self.access.clone());
            Arc::new(Client::new(endpoint, access))
        });
        Arc::clone(client)
    }
}

impl Client {
    fn new(endpoint: String, access: EngineAccess) -> Self {
        Self { endpoint, access, api: OnceCell::new(), facts: OnceCell::new(), sight: Sight::default() }
    }

    /// Gives the endpoint, for messages.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Gives the socket of the engine, where it is one.
    pub(super) fn socket(&self) -> Option<PathBuf> {
        self.endpoint.strip_prefix("unix://").map(PathBuf::from)
    }

    /// Gives the engine's API, connected and with a version that both speak.
    ///
    /// Cancel safe.
    pub(super) async fn api(&self) -> Result<&bollard::Docker, DockerError> {
        self.api.get_or_try_init(|| self.connect()).await
    }

    /// Gives what the engine says of itself.
    ///
    /// Cancel safe.
    pub(super) async fn facts(&self) -> Result<&Facts, DockerError> {
        self.facts.get_or_try_init(|| Facts::ask(self)).await
    }

    /// Gives what the engine said of itself, if it was asked.
    pub(super) fn known_facts(&self) -> Option<&Facts> {
        self.facts.get()
    }

    /// Says whether the engine sees the files of a workspace.
    ///
    /// Not cancel safe: a container with the labels may be left, which `gc` finds.
    pub(super) async fn sees(
        &self,
        workspace: &Workspace,
        image: (&str, &HashMap<String, String>),
    ) -> Result<bool, DockerError> {
        self.sight.sees(self, workspace, image).await
    }

    async fn connect(&self) -> Result<bollard::Docker, DockerError> {
        let api = self.dial().map_err(|error| self.refused(error))?;
        let negotiated = tokio::time::timeout(ANSWER, api.negotiate_version()).await;
        let api = match negotiated {
            Ok(Ok(api)) => api,
            Ok(Err(error)) => return Err(self.refused(error)),
            Err(_) => return Err(DockerError::TimedOut { action: "say its version", within: ANSWER }),
        };
        let version = api.client_version();
        if version < LEAST {
            return Err(DockerError::TooOld { version: version.to_string(), least: LEAST_TEXT });
        }
        Ok(api)
    }

    fn dial(&self) -> Result<bollard::Docker, ApiError> {
        let endpoint = self.endpoint.as_str();
        let seconds = LONGEST.as_secs();
        let certificate = |name: &str| self.access.certificates.clone().unwrap_or_default().join(name);
        if endpoint.starts_with("unix://") {
            return bollard::Docker::connect_with_unix(endpoint, seconds, API_DEFAULT_VERSION);
        }
        let is_tcp = endpoint.starts_with("tcp://");
        if endpoint.starts_with("https://") || is_tcp && self.access.tls {
            let (key, cert, ca) = (certificate("key.pem"), certificate("cert.pem"), certificate("ca.pem"));
            return bollard::Docker::connect_with_ssl(endpoint, &key, &cert, &ca, seconds, API_DEFAULT_VERSION);
        }
        if endpoint.starts_with("http://") || is_tcp {
            return bollard::Docker::connect_with_http(endpoint, seconds, API_DEFAULT_VERSION);
        }
        Err(ApiError::UnsupportedURISchemeError { uri: endpoint.to_owned() })
    }

    /// Tells apart why an engine cannot be talked to.
    fn refused(&self, source: ApiError) -> DockerError {
        let endpoint = self.endpoint.clone();
        if let ApiError::UnsupportedURISchemeError { .. } = source {
            return DockerError::Endpoint { endpoint };
        }
        if causes(&source).any(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            return DockerError::NoPermission { endpoint, source };
        }
        let there = self.access.other_sockets.iter().filter(|path| Path::exists(path));
        let others = there.map(|path| format!("unix://{}", path.display())).filter(|other| *other != endpoint);
        DockerError::NoEngine { others: others.collect(), endpoint, source }
    }
}

/// Lists the errors of the operating system behind an error.
fn causes(error: &ApiError) -> impl Iterator<Item = &io::Error> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source()).filter_map(|error| error.downcast_ref())
}

/// Waits for an answer, at most for a time, and names what was asked.
///
/// Cancel safe where the request is.
pub(super) async fn within<T>(
    within: Duration,
    action: &'static str,
    request: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, DockerError> {
    match tokio::time::timeout(within, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(ApiError::RequestTimeoutError)) | Err(_) => Err(DockerError::TimedOut { action, within }),
        Ok(Err(source)) => Err(DockerError::Api { action, source }),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
