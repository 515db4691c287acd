//! What a set-up made outside of the workspace, for the forks of a session: the container as an image that they share.

use std::sync::Arc;
use std::time::Duration;

use bollard::models::ContainerConfig;
use bollard::query_parameters::{CommitContainerOptionsBuilder, RemoveImageOptionsBuilder};

use super::DockerError;
use super::client::{Client, within};
use crate::error::ExecutionError;
use crate::workspace::{Owner, Reaper};

/// How long an engine may take to make an image of a container, or to remove it.
pub(super) const WORK: Duration = Duration::from_secs(300);
/// The name before the tag of every such image.
const REPOSITORY: &str = "bailiwick/fork";

/// An image of a container, removed when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Committed {
    /// Its name.
    pub(super) image: String,
    client: Arc<Client>,
    reaper: Arc<Reaper>,
    owner: Arc<Owner>,
}

impl Committed {
    /// Makes an image of a container, which stands still meanwhile. It bears the container's labels, so that `gc` knows it.
    ///
    /// Cancel safe: an image that is left is removed with its owner.
    pub(super) async fn of(
        container: &str,
        (client, reaper, owner): (&Arc<Client>, &Arc<Reaper>, &Arc<Owner>),
    ) -> Result<Self, DockerError> {
        let tag = format!("{}-{}", owner.id(), owner.number());
        let (image, reaper) = (format!("{REPOSITORY}:{tag}"), Arc::clone(reaper));
        let made = Self { image, client: Arc::clone(client), reaper, owner: Arc::clone(owner) };
        let options = CommitContainerOptionsBuilder::new().container(container).repo(REPOSITORY).tag(&tag).pause(true);
        let asked = client.api().await?.commit_container(options.build(), ContainerConfig::default());
        within(WORK, "make an image of the container", asked).await?;
        Ok(made)
    }
}

impl Drop for Committed {
    fn drop(&mut self) {
        let (client, owner) = (Arc::clone(&self.client), Arc::clone(&self.owner));
        let image = std::mem::take(&mut self.image);
        self.reaper.enqueue_async(async move {
            let removed = remove(&client, &image).await;
            if removed.is_err() {
                owner.leave_lock();
            }
            removed.map_err(ExecutionError::from)
        });
    }
}

async fn remove(client: &Client, image: &str) -> Result<(), DockerError> {
    let options = RemoveImageOptionsBuilder::new().force(true).build();
    match within(WORK, "remove an image", client.api().await?.remove_image(image, Some(options), None)).await {
        Ok(_) => Ok(()),
        Err(error) if error.status() == Some(404) => Ok(()),
        Err(error) => Err(error),
    }
}
