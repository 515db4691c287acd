//! A container as an image that somebody holds, and that goes when nobody does: what a set-up made outside of the
//! workspace, for the forks of a session, and what an image is baked of.

use std::sync::Arc;
use std::time::Duration;

use bollard::models::ContainerConfig;
use bollard::query_parameters::{CommitContainerOptionsBuilder, RemoveImageOptionsBuilder};

use super::DockerError;
use super::asked::Asked;
use super::client::{Client, within};
use crate::error::ExecutionError;
use crate::workspace::{Owner, OwnerId, Reaper};

/// How long an engine may take to make an image of a container, or to remove it.
pub(super) const WORK: Duration = Duration::from_secs(300);
/// The name before the tag of every such image; the tag begins with its owner, so that `gc` knows it whatever it holds.
const REPOSITORY: &str = "bailiwick/fork";

/// An image of a container, removed when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Committed {
    /// Its name.
    pub(super) image: String,
    /// What it was made of, which an engine removes only after it.
    from: Option<Arc<Committed>>,
    asked: Option<Asked>,
    client: Arc<Client>,
    reaper: Arc<Reaper>,
    owner: Arc<Owner>,
}

impl Committed {
    /// Makes an image of a container, which stands still meanwhile, with these settings over the container's.
    ///
    /// Cancel safe: an image that is made all the same is removed, or found by its name when its owner is dead.
    pub(super) async fn of(
        container: &str,
        config: ContainerConfig,
        (client, reaper, owner): (&Arc<Client>, &Arc<Reaper>, &Arc<Owner>),
    ) -> Result<Self, DockerError> {
        let tag = format!("{}-{}", owner.id(), owner.number());
        let (image, reaper) = (format!("{REPOSITORY}:{tag}"), Arc::clone(reaper));
        let mut made =
            Self { image, from: None, asked: None, client: Arc::clone(client), reaper, owner: Arc::clone(owner) };
        let options = CommitContainerOptionsBuilder::new().container(container).repo(REPOSITORY).tag(&tag).pause(true);
        let (api, options) = (client.api().await?.clone(), options.build());
        let (asked, answer) = Asked::begin(async move {
            within(WORK, "make an image of the container", api.commit_container(options, config)).await
        });
        made.asked = Some(asked);
        answer.await?;
        Ok(made)
    }

    /// Holds what it was made of for as long as it is there itself.
    pub(super) fn holding(mut self, from: Option<Arc<Committed>>) -> Self {
        self.from = from;
        self
    }
}

/// Says whether a name of an image is one that only its owner uses.
pub(super) fn is_held_by(owner: &OwnerId, name: &str) -> bool {
    name.strip_prefix(REPOSITORY)
        .and_then(|tag| tag.strip_prefix(':')?.strip_prefix(owner.as_str()))
        .is_some_and(|number| number.starts_with('-'))
}

impl Drop for Committed {
    fn drop(&mut self) {
        let (client, owner) = (Arc::clone(&self.client), Arc::clone(&self.owner));
        let (image, from) = (std::mem::take(&mut self.image), self.from.take());
        let asked = self.asked.take();
        self.reaper.enqueue_async(async move {
            if let Some(asked) = asked {
                asked.over().await;
            }
            let removed = remove(&client, &image).await;
            drop(from);
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
