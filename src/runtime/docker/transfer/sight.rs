//! Whether an engine sees our files: looked at, never guessed from its address.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType};
use bollard::query_parameters::CreateContainerOptions;
use tokio::sync::Mutex;

use crate::runtime::docker::DockerError;
use crate::runtime::docker::client::{ANSWER, Client, within};
use crate::workspace::Workspace;

/// An image that no engine has: a container of it is never made, and its mounts are looked at first.
const NO_IMAGE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// What an engine was found to see, by the directory in which workspaces lie.
#[derive(Debug, Default)]
pub(in crate::runtime::docker) struct Sight {
    known: Mutex<HashMap<PathBuf, bool>>,
}

/// How an engine answers to a container that would show a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    NoSuchPath,
    NoSuchImage,
}

impl Sight {
    /// Says whether the engine sees the workspace. Asked once for each directory in which workspaces lie.
    ///
    /// A workspace's path has a random part that no other machine has. An engine that says of a path that is nowhere
    /// what it says of this one has not looked, and counts as blind.
    ///
    /// Cancel safe.
    pub(in crate::runtime::docker) async fn sees(
        &self,
        client: &Client,
        workspace: &Workspace,
    ) -> Result<bool, DockerError> {
        let Some(path) = workspace.open_ambient_path() else { return Ok(false) };
        let base = path.ancestors().nth(2).unwrap_or(path).to_owned();
        let mut known = self.known.lock().await;
        if let Some(known) = known.get(&base) {
            return Ok(*known);
        }
        let nowhere = path.with_file_name("nothing-is-here");
        let seen =
            ask(client, path).await? == Answer::NoSuchImage && ask(client, &nowhere).await? == Answer::NoSuchPath;
        known.insert(base, seen);
        Ok(seen)
    }
}

async fn ask(client: &Client, path: &Path) -> Result<Answer, DockerError> {
    const ACTION: &str = "say whether it sees the files of this host";
    let mount = Mount {
        target: Some("/seen".to_owned()),
        source: Some(path.to_string_lossy().into_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(true),
        ..Mount::default()
    };
    let body = ContainerCreateBody {
        image: Some(NO_IMAGE.to_owned()),
        host_config: Some(HostConfig { mounts: Some(vec![mount]), ..HostConfig::default() }),
        ..ContainerCreateBody::default()
    };
    let asked = client.api().await?.create_container(None::<CreateContainerOptions>, body);
    match within(ANSWER, ACTION, asked).await {
        Ok(_) => Err(DockerError::Answer { action: ACTION, why: "it made a container of an image that is not there" }),
        Err(error) => match error.refusal() {
            Some((404, _)) => Ok(Answer::NoSuchImage),
            Some((400 | 500, why)) if why.contains("does not exist") || why.contains("no such file") => {
                Ok(Answer::NoSuchPath)
            }
            Some(_) | None => Err(error),
        },
    }
}
