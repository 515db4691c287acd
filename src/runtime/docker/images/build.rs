//! An image that the spec says how to build: built once, known again by what went into it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::models::BuildInfo;
use bollard::query_parameters::{BuildImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::StreamExt as _;

use super::context::Context;
use super::dockerfile::bases;
use super::pull::get;
use crate::runtime::Progress;
use crate::runtime::docker::client::{ANSWER, Client, within};
use crate::runtime::docker::image::Image;
use crate::runtime::docker::labels::{self, LABEL_BUILT, LABEL_HOST};
use crate::runtime::docker::transfer::{Records, Times, ToEngine};
use crate::runtime::docker::{BuildConfig, DockerConfig, DockerError};
use crate::workspace::WorkspaceError;

/// How long an engine may be silent while it builds.
const SILENCE: Duration = Duration::from_secs(1800);

/// How much of what a failing build printed is told.
const TOLD: usize = 4096;

/// Gives the image that a section says how to build; one that was built from the same before is taken.
///
/// # Errors
/// A context that cannot be read, an image to begin from that cannot be had, and a build that failed, with the end of
/// what it printed.
///
/// Cancel safe: the engine ends the build.
pub(super) async fn build(
    client: &Client,
    how: &BuildConfig,
    config: &DockerConfig,
    progress: &dyn Progress,
) -> Result<Image, DockerError> {
    let context = Arc::new(
        blocking({
            let how = how.clone();
            move || Context::open(&how)
        })
        .await?,
    );
    let mut begins_from = Vec::new();
    for base in bases(&context.text) {
        begins_from.push(get(client, &base, config.pull, progress).await?.id);
    }
    let digest = blocking({
        let (context, how) = (Arc::clone(&context), how.clone());
        move || Ok(context.digest(&how, &begins_from)?)
    })
    .await?;
    let (api, repository) = (client.api().await?, format!("bailiwick/{}", name_of(how)));
    let tag = format!("{repository}:{digest}");
    match Image::find(api, &tag).await {
        Err(DockerError::NoImage { .. }) => {}
        found => {
            // Tagged again, it is the one that was used last.
            let options = TagImageOptionsBuilder::new().repo(&repository).tag(&digest).build();
            within(ANSWER, "tag an image", api.tag_image(&tag, Some(options))).await?;
            return found;
        }
    }
    progress.step(&format!("building {tag}"));
    run(client, context, (how, config, &tag, &digest), progress).await?;
    Image::find(api, &tag).await
}

/// Names what is built after its context.
fn name_of(how: &BuildConfig) -> String {
    let name = how.context.as_deref().and_then(|context| Path::new(context).file_name()?.to_str()).unwrap_or_default();
    let plain = name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(64).collect();
    let name = name.trim_end_matches('-');
    if name.is_empty() { "image".to_owned() } else { name.to_owned() }
}

async fn run(
    client: &Client,
    context: Arc<Context>,
    (how, config, tag, digest): (&BuildConfig, &DockerConfig, &str, &str),
    progress: &dyn Progress,
) -> Result<(), DockerError> {
    let labels = HashMap::from([(LABEL_BUILT, digest.to_owned()), (LABEL_HOST, labels::host())]);
    let args: HashMap<&str, &str> = how.args.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let options = BuildImageOptionsBuilder::new().dockerfile(&context.dockerfile).t(tag).rm(true).forcerm(true);
    let options = options.buildargs(&args).labels(&labels);
    let options = config.network.iter().fold(options, |options, network| options.networkmode(network)).build();
    let (mut to, pieces) = ToEngine::new();
    let sent = tokio::task::spawn_blocking(move || {
        let mut records = Records::new(&mut to);
        let written = context.write(&mut records, Times::Kept);
        let finished =
            written.and_then(|()| records.finish().map(drop).map_err(|error| WorkspaceError::io("send", b"", error)));
        if finished.is_err() {
            to.fail();
        }
        finished
    });
    let api = client.api().await?.clone().with_timeout(SILENCE);
    let mut answers = Box::pin(api.build_image(options, None, Some(bollard::body_try_stream(pieces))));
    let mut printed = String::new();
    let failure = loop {
        let silent = DockerError::TimedOut { action: "go on building the image", within: SILENCE };
        match tokio::time::timeout(SILENCE, answers.next()).await.map_err(|_| silent)? {
            None => break None,
            Some(Err(error)) => break Some(error),
            Some(Ok(answer)) => tell(&answer, &mut printed, progress),
        }
    };
    // Nobody waits for the rest of the context any more.
    drop(answers);
    let sent = sent.await.map_err(|_| DockerError::Transfer { why: "its own thread ended".to_owned() })?;
    match (failure, sent) {
        (None, sent) => Ok(sent?),
        // A context that could not be read is why, unless the engine said no before it had all of it.
        (Some(error), sent) => Err(failed(error, printed, sent)),
    }
}

/// Passes on a line of the build, and keeps the end of all of them.
fn tell(answer: &BuildInfo, printed: &mut String, progress: &dyn Progress) {
    let Some(text) = answer.stream.as_deref().or(answer.status.as_deref()) else { return };
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        progress.step(line);
        printed.push_str(line);
        printed.push('\n');
    }
    if printed.len() > 2 * TOLD {
        let mut cut = printed.len() - TOLD;
        while !printed.is_char_boundary(cut) {
            cut += 1;
        }
        printed.drain(..cut);
    }
}

/// Tells apart whether the build failed, or the engine.
fn failed(error: ApiError, printed: String, sent: Result<(), WorkspaceError>) -> DockerError {
    if let ApiError::DockerStreamError { error } = error {
        return DockerError::Build { why: error, printed };
    }
    if let Err(error) = sent {
        return error.into();
    }
    let error = DockerError::Api { action: "build the image", source: error };
    // A Dockerfile that is none is refused before anything runs.
    match error.refusal() {
        Some((400 | 500, why)) => DockerError::Build { why: why.to_owned(), printed },
        Some(_) | None => error,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DockerError> + Send + 'static,
) -> Result<T, DockerError> {
    let ended = |_| DockerError::Transfer { why: "its own thread ended".to_owned() };
    tokio::task::spawn_blocking(work).await.map_err(ended)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_after_their_context() {
        let of = |context: &str| name_of(&BuildConfig { context: Some(context.to_owned()), ..BuildConfig::default() });
        assert_eq!((of("/srv/My App_2"), of("/"), of("/a/__")), ("my-app-2".into(), "image".into(), "image".into()));
        assert_eq!(name_of(&BuildConfig::default()), "image");
    }

    #[test]
    fn the_end_of_what_was_printed_is_kept() {
        let mut printed = String::new();
        for number in 0..2000 {
            let stream = Some(format!("line ü {number}\n"));
            tell(&BuildInfo { stream, ..BuildInfo::default() }, &mut printed, &crate::runtime::NoProgress);
        }
        assert!(printed.len() <= 2 * TOLD + 20 && printed.ends_with("line ü 1999\n"));
    }
}
