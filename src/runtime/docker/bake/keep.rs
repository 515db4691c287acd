//! Making the image: what the set-up left in the container, with the workspace and the assets at their places.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::ContainerConfig;
use bollard::query_parameters::TagImageOptionsBuilder;

use super::Bake;
use super::begin::REPOSITORY;
use super::outcomes::encode;
use super::scratch::Scratch;
use crate::runtime::SetupOutcome;
use crate::runtime::docker::DockerError;
use crate::runtime::docker::client::{ANSWER, within};
use crate::runtime::docker::commit::Committed;
use crate::runtime::docker::image::Image;
use crate::runtime::docker::labels::{
    self, LABEL_BUILT, LABEL_HOST, LABEL_OWNER, LABEL_RUNTIME, LABEL_SESSION, LABEL_SETUP,
};
use crate::runtime::docker::mounts::STATIC_ROOT;
use crate::runtime::docker::spawn::Inner;
use crate::runtime::docker::transfer::{Tree, put_tree};
use crate::workspace::{Bounds, WorkspaceError};

/// Makes the image of a container in which nothing runs, else of the image that it would be made of. A set-up of which
/// a line failed makes none.
///
/// # Errors
/// What the engine refuses, and a user that turned out to be root.
///
/// Cancel safe: what was begun is removed, or bears the name of its owner, by which `gc` finds it.
pub(in crate::runtime::docker) async fn keep(
    inner: &Inner,
    bake: &Bake,
    (container, user): (Option<&str>, Option<(u32, u32)>),
    outcomes: &[SetupOutcome],
) -> Result<(), DockerError> {
    let Some(record) = encode(outcomes) else { return Ok(()) };
    let user = user.ok_or_else(|| DockerError::User { user: inner.user.name.clone() })?;
    if user.0 == 0 {
        return Err(DockerError::Bake { why: "its commands would be root's" });
    }
    // Where an image is made of it the engine keeps it without its name, and removes it together with that one.
    let layer = match container {
        Some(container) => Some(Arc::new(commit(inner, container, ContainerConfig::default()).await?)),
        None => None,
    };
    make(inner, bake, (layer, user), &record).await
}

async fn make(
    inner: &Inner,
    bake: &Bake,
    (layer, user): (Option<Arc<Committed>>, (u32, u32)),
    record: &[u8],
) -> Result<(), DockerError> {
    let api = inner.client.api().await?;
    let from = layer.as_ref().map_or(&inner.plan.image.id, |layer| &layer.image);
    let scratch = Scratch::make((from, layer.clone()), (&inner.client, &inner.reaper, &inner.owner)).await?;
    let image = fill(inner, bake, (&scratch, user), record).await?.holding(layer);
    scratch.remove().await?;
    if Image::find(api, &bake.tag()).await.is_ok() {
        // Another spawn was faster.
        return Ok(());
    }
    let options = TagImageOptionsBuilder::new().repo(REPOSITORY).tag(&bake.digest).build();
    within(ANSWER, "tag an image", api.tag_image(&image.image, Some(options))).await
}

/// Puts the workspace, the assets and the record to their places, and makes the image.
async fn fill(
    inner: &Inner,
    bake: &Bake,
    (scratch, user): (&Scratch, (u32, u32)),
    record: &[u8],
) -> Result<Committed, DockerError> {
    let workdir = (inner.workspace.dir(), inner.config.workdir.as_str(), user);
    let assets = bake.assets.as_ref().map(|assets| (assets.root(), STATIC_ROOT, (0, 0)));
    for (dir, to, owner) in [Some(workdir), assets].into_iter().flatten() {
        let dir = dir.try_clone().map_err(|error| WorkspaceError::io("open", b"", error))?;
        let takes = |_: &[u8], _| true;
        put_tree(
            &inner.client,
            &scratch.name,
            Tree { dir, to: to.to_owned(), owner, bounds: Bounds::default(), takes },
        )
        .await?;
    }
    scratch.put_record(record).await?;
    let config = ContainerConfig {
        user: Some(format!("{}:{}", user.0, user.1)),
        working_dir: Some(inner.config.workdir.clone()),
        // Whoever runs the image by hand finds a shell, and not the keeper of the container that it was made of.
        entrypoint: Some(Vec::new()),
        cmd: Some(vec!["/bin/sh".to_owned()]),
        labels: Some(labels_of(bake, record)),
        ..ContainerConfig::default()
    };
    commit(inner, &scratch.name, config).await
}

/// Lists the labels: it outlives its owner, whose labels are those of what it was made of.
fn labels_of(bake: &Bake, record: &[u8]) -> HashMap<String, String> {
    let own = [
        (LABEL_BUILT, bake.digest.clone()),
        (LABEL_SETUP, blake3::hash(record).to_hex().to_string()),
        (LABEL_HOST, labels::host()),
    ];
    let nobodys = [LABEL_OWNER, LABEL_SESSION, LABEL_RUNTIME].map(|label| (label, String::new()));
    own.into_iter().chain(nobodys).map(|(label, value)| (label.to_owned(), value)).collect()
}

async fn commit(inner: &Inner, container: &str, config: ContainerConfig) -> Result<Committed, DockerError> {
    Committed::of(container, config, (&inner.client, &inner.reaper, &inner.owner)).await
}
