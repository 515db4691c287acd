//! Images that belong to an owner and die with it: by label or by the name that only it uses, and no others.

use std::time::Duration;

use bollard::query_parameters::{ListImagesOptions, RemoveImageOptionsBuilder};

use crate::runtime::docker::DockerError;
use crate::runtime::docker::client::{ANSWER, within};
use crate::runtime::docker::commit::is_held_by;
use crate::runtime::docker::labels::{self, LABEL_HOST, LABEL_OWNER};
use crate::workspace::{GcMode, OwnerId};

/// How long an engine may take to remove an image.
const REMOVE: Duration = Duration::from_secs(120);

/// Removes the images of an owner of this host, or only looks; gives their names.
///
/// What was built to be kept has no owner, and stays.
///
/// Cancel safe: what is left is found again.
pub(in crate::runtime::docker) async fn release(
    api: &bollard::Docker,
    owner: &OwnerId,
    mode: GcMode,
) -> Result<Vec<String>, DockerError> {
    let mut found = within(ANSWER, "list images", api.list_images(None::<ListImagesOptions>)).await?;
    // What was made of another one goes before it.
    found.sort_by_key(|image| std::cmp::Reverse(image.created));
    let mut names = Vec::new();
    for image in found {
        let has = |label: &str, value: &str| image.labels.get(label).is_some_and(|found| found == value);
        if !has(LABEL_HOST, &labels::host()) {
            continue;
        }
        let held = image.repo_tags.iter().find(|name| is_held_by(owner, name));
        let (name, force) = match (held, has(LABEL_OWNER, owner.as_str())) {
            // What has another name, or is part of another image, is kept for that one.
            (Some(held), _) => (held.as_str(), false),
            // By its id and with all its tags: a container of another owner still keeps it.
            (None, true) => (image.id.as_str(), image.repo_tags.len() > 1),
            (None, false) => continue,
        };
        if mode == GcMode::Remove {
            let options = RemoveImageOptionsBuilder::new().force(force).build();
            match within(REMOVE, "remove an image", api.remove_image(name, Some(options), None)).await {
                Err(error) if error.status() == Some(404) => {}
                removed => drop(removed?),
            }
        }
        let shown = image.repo_tags.first().filter(|tag| !tag.starts_with("<none>")).unwrap_or(&image.id);
        names.push(format!("image {}", held.unwrap_or(shown)));
    }
    Ok(names)
}
