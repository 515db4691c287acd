//! Whether an engine sees our files: looked at, never guessed from its address.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType};
use bollard::query_parameters::CreateContainerOptions;
use tokio::sync::Mutex;

use crate::runtime::docker::client::{ANSWER, Client, within};
use crate::runtime::docker::{DockerError, container};
use crate::workspace::Workspace;

/// An image that no engine has: of it no container is ever made, and most engines look at its mounts first.
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
    /// It found nothing wrong with the path, or has not looked.
    Fine,
}

impl Sight {
    /// Says whether the engine sees the workspace. Asked once for each directory in which workspaces lie.
    ///
    /// A workspace's path has a random part that no other machine has. An engine that says of a path that is nowhere
    /// what it says of this one has not looked: then it is asked with an image that it has, for a container that is never
    /// started. One that does not look even then counts as blind.
    ///
    /// Not cancel safe: a container with the labels may be left, which `gc` finds.
    pub(in crate::runtime::docker) async fn sees(
        &self,
        client: &Client,
        workspace: &Workspace,
        (image, labels): (&str, &HashMap<String, String>),
    ) -> Result<bool, DockerError> {
        let Some(path) = workspace.open_ambient_path() else { return Ok(false) };
        let base = path.ancestors().nth(2).unwrap_or(path).to_owned();
        let mut known = self.known.lock().await;
        if let Some(known) = known.get(&base) {
            return Ok(*known);
        }
        let nowhere = path.with_file_name("nothing-is-here");
        let mut seen = false;
        for image in [NO_IMAGE, image] {
            if ask(client, &nowhere, (image, labels)).await? == Answer::NoSuchPath {
                seen = ask(client, path, (image, labels)).await? == Answer::Fine;
                break;
            }
        }
        known.insert(base, seen);
        Ok(seen)
    }
}

async fn ask(
    client: &Client,
    path: &Path,
    (image, labels): (&str, &HashMap<String, String>),
) -> Result<Answer, DockerError> {
    const ACTION: &str = "say whether it sees the files of this host";
    let mount = Mount {
        target: Some("/seen".to_owned()),
        source: Some(path.to_string_lossy().into_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(true),
        ..Mount::default()
    };
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        labels: Some(labels.clone()),
        host_config: Some(HostConfig { mounts: Some(vec![mount]), ..HostConfig::default() }),
        ..ContainerCreateBody::default()
    };
    let api = client.api().await?;
    match within(ANSWER, ACTION, api.create_container(None::<CreateContainerOptions>, body)).await {
        Ok(made) => container::remove(api, &made.id).await.map(|()| Answer::Fine),
        Err(error) => match error.refusal() {
            Some((404, _)) => Ok(Answer::Fine),
            Some((400 | 500, why)) if why.contains("does not exist") || why.contains("no such file") => {
                Ok(Answer::NoSuchPath)
            }
            Some(_) | None => Err(error),
        },
    }
}
