//! A container that is never started: the way to the files of an image, in and out.

use std::io::Read as _;
use std::sync::Arc;

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use tar::EntryType;

use super::outcomes::MOST;
use crate::error::ExecutionError;
use crate::runtime::docker::asked::Asked;
use crate::runtime::docker::client::{Client, within};
use crate::runtime::docker::commit::{Committed, WORK};
use crate::runtime::docker::transfer::{Record, Records};
use crate::runtime::docker::{DockerError, container, labels};
use crate::workspace::{Owner, Reaper, WorkspaceError};

/// Where an image keeps what its set-up did. Only root may read it, and commands of such an image are never root's.
const RECORD: &str = ".bailiwick-setup";

/// A container that is never started; removed when it is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) name: String,
    /// What it is made of, which an engine removes only after it.
    from: Option<Arc<Committed>>,
    asked: Option<Asked>,
    client: Arc<Client>,
    reaper: Arc<Reaper>,
    owner: Arc<Owner>,
    removed: bool,
}

impl Scratch {
    /// Makes it of an image, which it may hold.
    ///
    /// Cancel safe: what was begun is removed.
    pub(super) async fn make(
        (image, from): (&str, Option<Arc<Committed>>),
        (client, reaper, owner): (&Arc<Client>, &Arc<Reaper>, &Arc<Owner>),
    ) -> Result<Self, DockerError> {
        let name = labels::name(owner.id(), owner.number());
        let (client, reaper, owner) = (Arc::clone(client), Arc::clone(reaper), Arc::clone(owner));
        let mut made = Self { name, from, asked: None, client, reaper, owner, removed: false };
        let host = HostConfig { network_mode: Some("none".to_owned()), ..HostConfig::default() };
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(vec!["/bin/sh".to_owned()]),
            cmd: Some(Vec::new()),
            working_dir: Some("/".to_owned()),
            labels: Some(labels::of_owner(made.owner.id())),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&made.name).build();
        let api = made.client.api().await?.clone();
        let (asked, answer) =
            Asked::begin(
                async move { within(WORK, "make a container", api.create_container(Some(options), body)).await },
            );
        made.asked = Some(asked);
        answer.await?;
        Ok(made)
    }

    /// Puts in what a set-up did.
    ///
    /// Cancel safe.
    pub(super) async fn put_record(&self, text: &[u8]) -> Result<(), DockerError> {
        let failed = |error| DockerError::from(WorkspaceError::io("send", b"", error));
        let mut records = Records::new(Vec::new());
        let (name, sort) = (RECORD.as_bytes(), EntryType::Regular);
        let record = Record { name, sort, mode: 0o600, owner: (0, 0), modified: 0, target: b"" };
        records.write(record, text.len() as u64, &mut &text[..]).map_err(failed)?;
        let body = bollard::body_full(records.finish().map_err(failed)?.into());
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let asked = self.client.api().await?.upload_to_container(&self.name, Some(options), body);
        within(WORK, "take in the files", asked).await
    }

    /// Takes out what a set-up did; nothing where there is no such file, or one that is too long.
    ///
    /// Cancel safe.
    pub(super) async fn record(&self) -> Result<Option<Vec<u8>>, DockerError> {
        let options = DownloadFromContainerOptionsBuilder::new().path(&format!("/{RECORD}")).build();
        let api = self.client.api().await?;
        let mut chunks = std::pin::pin!(api.download_from_container(&self.name, Some(options)));
        let whole = async {
            let mut bytes = Vec::new();
            while let Some(chunk) = chunks.next().await {
                bytes.extend_from_slice(&chunk?);
                // The tar has a head and an end of its own.
                if bytes.len() > MOST + (1 << 20) {
                    break;
                }
            }
            Ok(bytes)
        };
        let bytes = match within(WORK, "give a file of the image", whole).await {
            Err(error) if error.status() == Some(404) => return Ok(None),
            bytes => bytes?,
        };
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entry = archive.entries().ok().and_then(|mut entries| entries.next()?.ok());
        let mut text = Vec::new();
        let read =
            entry.filter(|entry| entry.header().entry_type().is_file()).map(|mut entry| entry.read_to_end(&mut text));
        Ok(matches!(read, Some(Ok(_))).then_some(text))
    }

    /// Removes it.
    ///
    /// Cancel safe: it is removed all the same.
    pub(super) async fn remove(mut self) -> Result<(), DockerError> {
        container::remove(self.client.api().await?, &self.name).await?;
        self.removed = true;
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.removed {
            return;
        }
        let (client, owner, name) = (Arc::clone(&self.client), Arc::clone(&self.owner), std::mem::take(&mut self.name));
        let (from, asked) = (self.from.take(), self.asked.take());
        self.reaper.enqueue_async(async move {
            if let Some(asked) = asked {
                asked.over().await;
            }
            let removed = match client.api().await {
                Ok(api) => container::remove(api, &name).await,
                Err(error) => Err(error),
            };
            drop(from);
            if removed.is_err() {
                owner.leave_lock();
            }
            removed.map_err(ExecutionError::from)
        });
    }
}
