//! What dead owners left at an engine: known by label, owner and host, and nothing else is touched.

use std::collections::HashMap;

use bollard::query_parameters::ListContainersOptionsBuilder;

use super::client::{ANSWER, Client, within};
use super::labels::{self, LABEL_HOST, LABEL_OWNER};
use super::{DockerError, container, images};
use crate::workspace::{GcMode, OwnerId};

/// Removes the containers and then the images of an owner of this host, or only looks; gives their names.
///
/// Cancel safe: what is left is found again.
pub(super) async fn release(client: &Client, owner: &OwnerId, mode: GcMode) -> Result<Vec<String>, DockerError> {
    let api = client.api().await?;
    let wanted = [format!("{LABEL_OWNER}={owner}"), format!("{LABEL_HOST}={}", labels::host())];
    let filters = HashMap::from([("label".to_owned(), wanted.to_vec())]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let found = within(ANSWER, "list containers", api.list_containers(Some(options))).await?;
    let mut names = Vec::new();
    for one in found {
        // The engine filters; what it says of each is looked at all the same.
        let has = |label: &str, value: &str| {
            one.labels.as_ref().and_then(|labels| labels.get(label)).is_some_and(|found| found == value)
        };
        let (Some(id), true) = (&one.id, has(LABEL_OWNER, owner.as_str()) && has(LABEL_HOST, &labels::host())) else {
            continue;
        };
        if mode == GcMode::Remove {
            container::remove(api, id).await?;
        }
        let name = one.names.iter().flatten().next().map_or(id.as_str(), |name| name.trim_start_matches('/'));
        names.push(format!("container {name}"));
    }
    names.extend(images::release(api, owner, mode).await?);
    Ok(names)
}
