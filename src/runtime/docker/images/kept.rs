//! What was built before: listed, and removed by name.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bollard::models::ImageSummary;
use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptionsBuilder};

use crate::runtime::Cached;
use crate::runtime::docker::DockerError;
use crate::runtime::docker::client::{ANSWER, Client, within};
use crate::runtime::docker::labels::LABEL_BUILT;

/// The sort of what is kept here.
pub(in crate::runtime::docker) const SORT: &str = "image";

/// How long an engine may take to remove an image.
const REMOVE: Duration = Duration::from_secs(120);

/// Lists the images that were built; none where no engine answers.
///
/// Cancel safe.
pub(in crate::runtime::docker) async fn list(client: &Client) -> Result<Vec<Cached>, DockerError> {
    let api = match client.api().await {
        Ok(api) => api,
        // Who has no engine has nothing in it; a command that needs one says so.
        Err(DockerError::NoEngine { .. } | DockerError::NoPermission { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let filters = HashMap::from([("label".to_owned(), vec![LABEL_BUILT.to_owned()])]);
    let options = ListImagesOptionsBuilder::new().filters(&filters).build();
    let found = within(ANSWER, "list images", api.list_images(Some(options))).await?;
    let mut kept = Vec::new();
    for image in found {
        let Some(tag) = tag_of(&image) else { continue };
        let bytes = u64::try_from(image.size).unwrap_or(0);
        kept.push(Cached::new(SORT, tag, bytes, used(api, &image, tag).await));
    }
    Ok(kept)
}

/// Removes an image that was built. What is gone already is removed.
///
/// # Errors
/// An image that a container uses.
///
/// Cancel safe: it may be called again.
pub(in crate::runtime::docker) async fn evict(client: &Client, name: &str) -> Result<(), DockerError> {
    let api = client.api().await?;
    // Whatever bears this name now, only what was built here is removed.
    let found = within(ANSWER, "describe an image", api.inspect_image(name)).await;
    let is_ours = match found {
        Err(error) if error.status() == Some(404) => return Ok(()),
        found => found?.config.and_then(|config| config.labels).is_some_and(|labels| labels.contains_key(LABEL_BUILT)),
    };
    if !is_ours {
        return Ok(());
    }
    let options = RemoveImageOptionsBuilder::new().force(false).noprune(false).build();
    match within(REMOVE, "remove an image", api.remove_image(name, Some(options), None)).await {
        Err(error) if error.status() == Some(404) => Ok(()),
        Err(error) if error.status() == Some(409) => Err(DockerError::InUse { image: name.to_owned() }),
        removed => removed.map(drop),
    }
}

/// Gives the tag that holds the digest of what it was built from.
fn tag_of(image: &ImageSummary) -> Option<&str> {
    let digest = image.labels.get(LABEL_BUILT)?;
    let is_own = |tag: &&String| tag.starts_with("bailiwick/") && tag.ends_with(digest.as_str());
    image.repo_tags.iter().find(is_own).map(String::as_str)
}

/// Says when it was tagged last, which every use does; else when it was made.
async fn used(api: &bollard::Docker, image: &ImageSummary, tag: &str) -> SystemTime {
    let made = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(image.created).unwrap_or(0));
    let Ok(found) = within(ANSWER, "describe an image", api.inspect_image(tag)).await else { return made };
    let tagged = found.metadata.and_then(|metadata| metadata.last_tag_time);
    tagged.and_then(|text| humantime::parse_rfc3339(&text).ok()).map_or(made, |tagged| tagged.max(made))
}
