//! What an image brings along, where that matters to a container made of it.

use std::collections::{BTreeSet, HashMap};

use bollard::models::ImageInspect;

use super::DockerError;
use super::client::{ANSWER, within};

/// An image that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    /// Its id, which no tag can move.
    pub(super) id: String,
    /// As it was asked for.
    pub(super) name: String,
    /// The names of the variables that it sets.
    pub(super) variables: BTreeSet<String>,
    /// Directories for which the engine would make volumes of their own.
    pub(super) volumes: Vec<String>,
    pub(super) labels: HashMap<String, String>,
}

impl Image {
    /// Asks for an image that must be there.
    ///
    /// Cancel safe.
    pub(super) async fn find(api: &bollard::Docker, name: &str) -> Result<Self, DockerError> {
        if !is_reference(name) {
            return Err(DockerError::NoImage { image: name.to_owned() });
        }
        match within(ANSWER, "describe an image", api.inspect_image(name)).await {
            Ok(found) => Self::of(name, found),
            Err(error) if error.status() == Some(404) => Err(DockerError::NoImage { image: name.to_owned() }),
            Err(error) => Err(error),
        }
    }

    fn of(name: &str, found: ImageInspect) -> Result<Self, DockerError> {
        let config = found.config.unwrap_or_default();
        let variables = config.env.unwrap_or_default();
        let action = "describe an image";
        Ok(Self {
            id: found.id.ok_or(DockerError::Answer { action, why: "it has no id" })?,
            name: name.to_owned(),
            variables: variables.iter().filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())).collect(),
            volumes: config.volumes.unwrap_or_default(),
            labels: config.labels.unwrap_or_default(),
        })
    }
}

/// Says whether a text names an image, and can be nothing else in a request: `name`, `name:tag`, `name@sha256:…`, an id.
pub(super) fn is_reference(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        Some(_) | None => (name, None),
    };
    let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if path == "sha256" && digest.is_none() {
        return tag.is_some_and(is_hex);
    }
    let is_tag = |tag: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        !tag.is_empty() && tag.len() <= 128 && tag.chars().all(is_plain) && !tag.starts_with(['.', '-'])
    };
    let is_digest = |digest: &str| digest.strip_prefix("sha256:").is_some_and(is_hex);
    text.len() <= 512
        && path.split('/').enumerate().all(is_part)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

/// Says whether a text can stand between two slashes of a name; only the first may be a host.
fn is_part((index, part): (usize, &str)) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-');
    let is_host = |c: char| c.is_ascii_uppercase() || c == ':';
    let ends = |part: &str| part.starts_with(['_', '.', '-']) || part.ends_with(['_', '.', '-']);
    !part.is_empty()
        && !ends(part)
        && !part.contains("..")
        && part.chars().all(|c| is_plain(c) || index == 0 && is_host(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_everything_else() {
        let digest = "a".repeat(64);
        for good in [
            "python",
            "python:3.12-slim",
            "ghcr.io/astral-sh/uv:python3.12-trixie-slim",
            "localhost:5000/a/b",
            &format!("busybox@sha256:{digest}"),
            &format!("busybox:1@sha256:{digest}"),
            &format!("sha256:{digest}"),
            "bailiwick/python:0123456789ab",
        ] {
            assert!(is_reference(good), "{good}");
        }
        for bad in [
            "",
            "a b",
            "img:tag --privileged",
            "--privileged",
            "img:",
            "img:-x",
            "../../etc",
            "a//b",
            "a/../b",
            "img?x=1",
            "img#x",
            "img%2f",
            "img@sha256:short",
            "img\n",
            "sha256:zz",
            "UPPER/Case",
        ] {
            assert!(!is_reference(bad), "{bad:?}");
        }
    }
}
