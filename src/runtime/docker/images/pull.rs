//! Getting an image that somebody else made.

use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;

use crate::runtime::Progress;
use crate::runtime::docker::client::Client;
use crate::runtime::docker::image::{Image, is_reference};
use crate::runtime::docker::{DockerError, PullPolicy};

/// How long an engine may be silent while it pulls.
const SILENCE: Duration = Duration::from_secs(300);

/// What an engine says where the way to a registry is the trouble, and not the image.
const NO_WAY: [&str; 9] = [
    "dial tcp",
    "no such host",
    "lookup ",
    "i/o timeout",
    "connection refused",
    "network is unreachable",
    "TLS handshake",
    "Client.Timeout",
    "proxyconnect",
];

/// Gives an image, pulled where the policy says so.
///
/// # Errors
/// A text that names no image, an image that is not there, and a pull that failed.
///
/// Cancel safe: the engine stops pulling.
pub(super) async fn get(
    client: &Client,
    name: &str,
    policy: PullPolicy,
    progress: &dyn Progress,
) -> Result<Image, DockerError> {
    let api = client.api().await?;
    // An id is of this engine alone.
    let can_be_pulled = is_reference(name) && !name.starts_with("sha256:");
    match policy {
        PullPolicy::Never => Image::find(api, name).await,
        PullPolicy::Missing => match Image::find(api, name).await {
            Err(DockerError::NoImage { .. }) if can_be_pulled => pull(api, name, progress).await,
            found => found,
        },
        PullPolicy::Always if can_be_pulled => pull(api, name, progress).await,
        PullPolicy::Always => Image::find(api, name).await,
    }
}

async fn pull(api: &bollard::Docker, name: &str, progress: &dyn Progress) -> Result<Image, DockerError> {
    progress.step(&format!("pulling {name}"));
    let (image, tag) = parts(name);
    let options = CreateImageOptionsBuilder::new().from_image(image).tag(tag).build();
    let api_of_pull = api.clone().with_timeout(SILENCE);
    let mut answers = std::pin::pin!(api_of_pull.create_image(Some(options), None, None));
    let mut said = String::new();
    loop {
        let silent = DockerError::TimedOut { action: "go on pulling the image", within: SILENCE };
        match tokio::time::timeout(SILENCE, answers.next()).await.map_err(|_| silent)? {
            None => return Image::find(api, name).await,
            Some(Err(error)) => return Err(refused(name, error)),
            Some(Ok(answer)) => {
                let step = format!("{} {}", answer.status.unwrap_or_default(), answer.id.unwrap_or_default());
                // How many bytes of a layer have come is said again and again, and is no step.
                if step != said {
                    progress.step(&format!("pulling {name}: {}", step.trim()));
                    said = step;
                }
            }
        }
    }
}

/// Takes a reference apart as the engine wants it: without a tag it would pull every one.
fn parts(name: &str) -> (&str, &str) {
    if name.contains('@') {
        return (name, "");
    }
    match name.rsplit_once(':') {
        Some((image, tag)) if !tag.contains('/') => (image, tag),
        Some(_) | None => (name, "latest"),
    }
}

/// Tells apart why an image could not be pulled.
fn refused(name: &str, error: ApiError) -> DockerError {
    let why = if let ApiError::DockerStreamError { error } = error {
        error
    } else {
        let error = DockerError::Api { action: "pull the image", source: error };
        let Some((_, why)) = error.refusal() else { return error };
        why.to_owned()
    };
    let is_away = NO_WAY.iter().any(|words| why.contains(words));
    DockerError::Pull { image: name.to_owned(), why, is_away }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        assert_eq!(parts("python"), ("python", "latest"));
        assert_eq!(parts("python:3.12-slim"), ("python", "3.12-slim"));
        assert_eq!(parts("localhost:5000/a/b"), ("localhost:5000/a/b", "latest"));
        assert_eq!(parts("localhost:5000/a:1"), ("localhost:5000/a", "1"));
        let digest = format!("a@sha256:{}", "0".repeat(64));
        assert_eq!(parts(&digest), (digest.as_str(), ""));
    }

    #[test]
    fn a_registry_that_is_away_is_told_from_an_image_that_is_not_there() {
        let of = |why: &str| {
            let error = refused("a", ApiError::DockerStreamError { error: why.to_owned() });
            let DockerError::Pull { is_away, .. } = error else { panic!("{error:?}") };
            is_away
        };
        assert!(of("Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host"));
        assert!(!of("pull access denied for nothing, repository does not exist or may require 'docker login'"));
        assert!(!of("manifest for busybox:nothing not found: manifest unknown"));
    }
}
