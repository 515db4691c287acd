//! The two directions: a directory of ours into a container, and one of a container into the workspace.

use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::query_parameters::{DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder};
use cap_std::fs::Dir;
use futures_util::StreamExt as _;
use tar::EntryType;

use super::Owner;
use super::channel::{FromEngine, ToEngine};
use super::pack::Times;
use super::pack::{Packing, pack};
use super::record::{Record, Records};
use super::unpack::{Refusal, Unfit, unpack};
use crate::runtime::docker::DockerError;
use crate::runtime::docker::client::{ANSWER, Client, within};
use crate::workspace::{Bounds, CopyReport, Kind, Workspace, WorkspaceError, WorkspacePath};

/// How long an engine may take to take in a tree.
const UPLOAD: Duration = Duration::from_secs(600);

/// How long an engine may be silent while it sends one.
const SILENCE: Duration = Duration::from_secs(60);

/// A directory of ours on its way into a container.
#[derive(Debug)]
pub(in crate::runtime::docker) struct Tree<T> {
    pub(in crate::runtime::docker) dir: Dir,
    /// Where it goes: an absolute path in its only spelling. Parents that are missing are made.
    pub(in crate::runtime::docker) to: String,
    pub(in crate::runtime::docker) owner: Owner,
    pub(in crate::runtime::docker) bounds: Bounds,
    /// Says of a path whether it goes along.
    pub(in crate::runtime::docker) takes: T,
}

/// What came back of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime::docker) enum ReadBack {
    /// The workspace is now what the container has.
    Replaced(CopyReport),
    /// The guest made it unfit, and the workspace is as it was.
    Refused(Refusal),
}

/// Puts a directory into a container that is not running, or is paused.
///
/// Cancel safe: the engine may have some of it then, and putting it again mends that.
pub(in crate::runtime::docker) async fn put_tree<T>(
    client: &Client,
    container: &str,
    tree: Tree<T>,
) -> Result<(), DockerError>
where
    T: Fn(&[u8], Kind) -> bool + Send + 'static,
{
    let api = client.api().await?.clone().with_timeout(UPLOAD);
    let (mut to, pieces) = ToEngine::new();
    let packed = tokio::task::spawn_blocking(move || {
        let mut records = Records::new(&mut to);
        let packing = Packing {
            root: tree.to.trim_start_matches('/').as_bytes(),
            owner: tree.owner,
            times: Times::Kept,
            bounds: tree.bounds,
            takes: &tree.takes,
            enters: &|_| true,
        };
        let packed = pack(&tree.dir, &mut records, &packing);
        let packed =
            packed.and_then(|()| records.finish().map(drop).map_err(|error| WorkspaceError::io("send", b"", error)));
        if packed.is_err() {
            to.fail();
        }
        packed
    });
    let options = UploadToContainerOptionsBuilder::new().path("/").build();
    let sent = api.upload_to_container(container, Some(options), bollard::body_try_stream(pieces));
    let (sent, packed) = tokio::join!(sent, packed);
    let packed = packed.map_err(|_| DockerError::Transfer { why: "its own thread ended".to_owned() })?;
    match (sent, packed) {
        (Ok(()), Ok(())) => Ok(()),
        // What could not be read is why it could not be sent, unless the engine hung up first.
        (_, Err(error)) if !is_hung_up(&error) => Err(error.into()),
        (Err(source), _) => Err(DockerError::Api { action: "take in the files", source }),
        (Ok(()), Err(error)) => Err(error.into()),
    }
}

/// Lets the owner of directories in a container write to them.
///
/// Cancel safe: it may be called again.
pub(super) async fn open_directories(
    client: &Client,
    container: &str,
    (root, owner): (&str, Owner),
    directories: &[WorkspacePath],
) -> Result<(), DockerError> {
    const ACTION: &str = "open the directories";
    let failed = |error| DockerError::from(WorkspaceError::io("send", b"", error));
    let mut records = Records::new(Vec::new());
    for directory in directories {
        let name = [root.trim_start_matches('/').as_bytes(), directory.as_bytes(), b""].join(&b'/');
        let sort = EntryType::Directory;
        let record = Record { name: &name, sort, mode: 0o700, owner, modified: 0, target: b"" };
        records.write(record, 0, &mut std::io::empty()).map_err(failed)?;
    }
    let body = bollard::body_full(records.finish().map_err(failed)?.into());
    let options = UploadToContainerOptionsBuilder::new().path("/").build();
    let sent = client.api().await?.upload_to_container(container, Some(options), body);
    within(ANSWER, ACTION, sent).await
}

fn is_hung_up(error: &WorkspaceError) -> bool {
    matches!(error, WorkspaceError::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Makes the workspace what the directory of a container is: what is gone there is gone here too.
///
/// Nothing of the workspace changes before everything has come and is fit.
///
/// Cancel safe: the workspace is as it was, or, where everything had come, as it is in the container.
pub(in crate::runtime::docker) async fn read_back(
    client: &Client,
    (container, from): (&str, &str),
    workspace: Arc<Workspace>,
    bounds: Bounds,
) -> Result<ReadBack, DockerError> {
    const ACTION: &str = "give back the files";
    let api = client.api().await?;
    let options = DownloadFromContainerOptionsBuilder::new().path(from).build();
    let mut pieces = Box::pin(api.download_from_container(container, Some(options)));
    let first = match next(&mut pieces).await? {
        Some(Err(error)) if is_no_directory(&error) => return Ok(ReadBack::Refused(Refusal::NoDirectory)),
        Some(Err(source)) => return Err(DockerError::Api { action: ACTION, source }),
        Some(Ok(first)) => first,
        None => return Err(DockerError::Transfer { why: "it is empty".to_owned() }),
    };
    let root = from.rsplit('/').next().unwrap_or_default().as_bytes().to_vec();
    let (sender, receiver) = FromEngine::new();
    let unpacked = tokio::task::spawn_blocking(move || {
        let incoming = unpack(receiver, &root, workspace, bounds)?;
        incoming.replace().map_err(|error| Unfit::Failed(error.into()))
    });
    let mut piece = Some(Ok(first));
    while let Some(received) = piece {
        // Nobody listens any more: what came was enough to say no.
        if sender.send(received.map_err(broken)).await.is_err() {
            break;
        }
        piece = next(&mut pieces).await?;
    }
    drop((sender, pieces));
    match unpacked.await {
        Ok(Ok(report)) => Ok(ReadBack::Replaced(report)),
        Ok(Err(Unfit::Refused(refusal))) => Ok(ReadBack::Refused(refusal)),
        Ok(Err(Unfit::Failed(error))) => Err(error),
        Err(_) => Err(DockerError::Transfer { why: "its own thread ended".to_owned() }),
    }
}

/// Marks what broke on the way, so that it is not taken for trouble with a file.
fn broken(error: ApiError) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, error)
}

async fn next<S>(pieces: &mut S) -> Result<Option<S::Item>, DockerError>
where
    S: futures_util::Stream + Unpin,
{
    let silent = DockerError::TimedOut { action: "go on giving back the files", within: SILENCE };
    tokio::time::timeout(SILENCE, pieces.next()).await.map_err(|_| silent)
}

/// Says whether the engine found the container, and not the directory in it.
fn is_no_directory(error: &ApiError) -> bool {
    matches!(error, ApiError::DockerResponseServerError { status_code: 400 | 404, message }
        if !message.contains("No such container"))
}
