//! The image that containers are made of, there when this returns.

use super::build::build;
use super::pull::get;
use crate::runtime::Progress;
use crate::runtime::docker::client::Client;
use crate::runtime::docker::image::Image;
use crate::runtime::docker::{DockerConfig, DockerError};

/// Gives the image of a section, else of the spawn that names another one: pulled or built where that is to be done.
///
/// # Errors
/// An image that cannot be had or built, with why.
///
/// Cancel safe: the engine stops what it was asked to do.
pub(in crate::runtime::docker) async fn ensure(
    client: &Client,
    config: &DockerConfig,
    named: Option<&str>,
    progress: &dyn Progress,
) -> Result<Image, DockerError> {
    let build_of = config.build.as_ref().filter(|how| how.has_source());
    match (named, build_of, config.image.as_deref()) {
        (None, Some(how), _) => build(client, how, config, progress).await,
        (Some(name), _, _) | (None, None, Some(name)) => get(client, name, config.pull, progress).await,
        (None, None, None) => Err(DockerError::NoImage { image: String::new() }),
    }
}
