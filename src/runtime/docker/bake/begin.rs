//! What a spawn finds: whether it bakes, and the image that an earlier one has made of the same.

use std::sync::Arc;

use bollard::query_parameters::TagImageOptionsBuilder;

use super::digest::digest;
use super::outcomes::decode;
use super::scratch::Scratch;
use crate::runtime::docker::client::{ANSWER, Client, within};
use crate::runtime::docker::image::Image;
use crate::runtime::docker::labels::LABEL_SETUP;
use crate::runtime::docker::mounts::{STATIC_ROOT, is_at_or_below};
use crate::runtime::docker::transfer::{Listing, ReadBack, read_back};
use crate::runtime::docker::users::User;
use crate::runtime::docker::{DockerConfig, DockerError, DockerOptions};
use crate::runtime::{Launch, SetupOutcome};
use crate::spec::Mode;
use crate::workspace::{Bounds, StagedAssets};

/// The name before the tag of every baked image.
pub(super) const REPOSITORY: &str = "bailiwick/submission";

/// A spawn whose set-up becomes part of an image, or did.
#[derive(Debug)]
pub(in crate::runtime::docker) struct Bake {
    /// What everything that decides over the image is called.
    pub(super) digest: String,
    pub(super) assets: Option<Arc<StagedAssets>>,
    /// What an earlier spawn has made.
    pub(in crate::runtime::docker) found: Option<Found>,
}

/// An image that was made of the same.
#[derive(Debug)]
pub(in crate::runtime::docker) struct Found {
    pub(in crate::runtime::docker) image: Image,
    /// What its set-up did.
    pub(in crate::runtime::docker) setup: Arc<[SetupOutcome]>,
    /// The workspace as it is in the image, and now on our side too.
    pub(in crate::runtime::docker) workspace: Listing,
}

impl Bake {
    pub(super) fn tag(&self) -> String {
        format!("{REPOSITORY}:{}", self.digest)
    }
}

/// Looks whether this spawn bakes, and for an image that was made of the same; the workspace then becomes what the
/// set-up had made of it. Only evaluations bake, and no spawn that wants no set-up.
///
/// # Errors
/// A user or an image of which nothing is baked, and an image that does not hold what was put into it.
///
/// Cancel safe: the workspace is as it was, or as it is in the image.
pub(in crate::runtime::docker) async fn begin(
    client: &Arc<Client>,
    launch: &Launch,
    (config, options): (&DockerConfig, &DockerOptions),
    base: &Image,
) -> Result<Option<Bake>, DockerError> {
    let is_asked = config.build.as_ref().is_some_and(|build| build.bake);
    if !is_asked || launch.mode == Mode::Agent || launch.request.disable_setup {
        return Ok(None);
    }
    let user = User::choose(options.user.as_deref().or(config.user.as_deref()), launch)?;
    if user.is_root() {
        return Err(DockerError::Bake { why: "its commands would be root's" });
    }
    let hides = |volume: &String| {
        let meets = |path: &str| is_at_or_below(path, volume) || is_at_or_below(volume, path);
        meets(&config.workdir) || meets(STATIC_ROOT)
    };
    if base.volumes.iter().any(hides) {
        return Err(DockerError::Bake { why: "the image has a volume where the workspace or the assets go" });
    }
    let digest = digest(launch, (config, &user), base).await?;
    let mut bake = Bake { digest, assets: launch.assets.clone(), found: None };
    match Image::find(client.api().await?, &bake.tag()).await {
        Err(DockerError::NoImage { .. }) => {}
        image => bake.found = Some(take_out(client, launch, (config, &bake.digest), image?).await?),
    }
    Ok(Some(bake))
}

async fn take_out(
    client: &Arc<Client>,
    launch: &Launch,
    (config, digest): (&DockerConfig, &str),
    image: Image,
) -> Result<Found, DockerError> {
    // Before anything is made: whoever finds this owner dead knows where to look.
    launch.owner.note("docker", client.endpoint())?;
    let api = client.api().await?;
    // Tagged again, it is the one that was used last.
    let options = TagImageOptionsBuilder::new().repo(REPOSITORY).tag(digest).build();
    within(ANSWER, "tag an image", api.tag_image(&image.id, Some(options))).await?;
    let scratch = Scratch::make((&image.id, None), (client, &launch.reaper, &launch.owner)).await?;
    let text = scratch.record().await?.unwrap_or_default();
    // The label is the engine's, and no guest has ever been near it.
    let is_whole = image.labels.get(LABEL_SETUP).is_some_and(|hash| *hash == blake3::hash(&text).to_hex().as_str());
    let damaged = || DockerError::Damaged { image: image.name.clone() };
    let setup = decode(&text).filter(|_| is_whole).ok_or_else(damaged)?;
    let from = (scratch.name.as_str(), config.workdir.as_str());
    match read_back(client, from, Arc::clone(&launch.workspace), Bounds::default()).await? {
        ReadBack::Replaced(_) => {}
        ReadBack::Refused(_) => return Err(damaged()),
    }
    scratch.remove().await?;
    let workspace = Arc::clone(&launch.workspace);
    let listed = tokio::task::spawn_blocking(move || Listing::of(workspace.dir(), Bounds::default())).await;
    let lost = |_| DockerError::Transfer { why: "its own thread ended".to_owned() };
    Ok(Found { image, setup: setup.into(), workspace: listed.map_err(lost)?? })
}
