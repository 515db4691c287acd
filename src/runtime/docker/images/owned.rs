//! Images that belong to an owner and die with it: by label, and no others.

use std::collections::HashMap;
use std::time::Duration;

use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptionsBuilder};

use crate::runtime::docker::DockerError;
use crate::runtime::docker::client::{ANSWER, within};
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
    let wanted = [format!("{LABEL_OWNER}={owner}"), format!("{LABEL_HOST}={}", labels::host())];
    let filters = HashMap::from([("label".to_owned(), wanted.to_vec())]);
    let options = ListImagesOptionsBuilder::new().filters(&filters).build();
    let found = within(ANSWER, "list images", api.list_images(Some(options))).await?;
    let mut names = Vec::new();
    for image in found {
        // The engine filters; what it says of each is looked at all the same.
        let has = |label: &str, value: &str| image.labels.get(label).is_some_and(|found| found == value);
        if !has(LABEL_OWNER, owner.as_str()) || !has(LABEL_HOST, &labels::host()) {
            continue;
        }
        if mode == GcMode::Remove {
            // By its id and with all its tags: a container of another owner still keeps it.
            let options = RemoveImageOptionsBuilder::new().force(image.repo_tags.len() > 1).build();
            match within(REMOVE, "remove an image", api.remove_image(&image.id, Some(options), None)).await {
                Err(error) if error.status() == Some(404) => {}
                removed => drop(removed?),
            }
        }
        let name = image.repo_tags.first().filter(|tag| !tag.starts_with("<none>")).unwrap_or(&image.id);
        names.push(format!("image {name}"));
    }
    Ok(names)
}
