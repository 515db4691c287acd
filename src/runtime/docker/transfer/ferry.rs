//! One workspace that an engine does not see: carried into its container before commands, and back after them.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use cap_std::fs::Dir;

use super::Owner;
use super::container::{ReadBack, Tree, open_directories, put_tree, read_back};
use super::listing::{Listing, Pending};
use crate::runtime::docker::DockerError;
use crate::runtime::docker::client::{ANSWER, Client, within};
use crate::runtime::docker::exec::{self, Order};
use crate::workspace::{Bounds, StagedAssets, Workspace, WorkspaceError, WorkspacePath};

/// How many paths one command removes, so that its arguments stay short.
const AT_ONCE: usize = 64;

/// Carries a workspace, and the assets once.
#[derive(Debug)]
pub(in crate::runtime::docker) struct Ferry {
    workspace: Arc<Workspace>,
    /// Where the container has it: an absolute path in its only spelling.
    workdir: String,
    /// The staged assets, and where they go; absent where they are mounted.
    assets: Option<(Arc<StagedAssets>, String)>,
    /// How much of a workspace is carried, and how much a command may add to it.
    bounds: Bounds,
    carried: Option<Carried>,
    /// What every container has from the start: it is in their image.
    baked: Option<Listing>,
}

/// What a container has.
#[derive(Debug)]
struct Carried {
    container: String,
    listing: Listing,
}

/// A container on one side of the way.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime::docker) struct Shore<'a> {
    pub(in crate::runtime::docker) client: &'a Client,
    pub(in crate::runtime::docker) container: &'a str,
    pub(in crate::runtime::docker) running: bool,
    /// Whom the files belong to there.
    pub(in crate::runtime::docker) owner: Owner,
}

impl Ferry {
    pub(in crate::runtime::docker) fn new(
        workspace: Arc<Workspace>,
        workdir: &str,
        assets: Option<(Arc<StagedAssets>, String)>,
    ) -> Self {
        let all = Bounds::default();
        let quota = workspace.quota();
        let bounds = Bounds {
            bytes: quota.bytes.unwrap_or(all.bytes).min(all.bytes),
            entries: quota.entries.unwrap_or(all.entries).min(all.entries),
        };
        Self { workspace, workdir: workdir.to_owned(), assets, bounds, carried: None, baked: None }
    }

    /// Says what every container has from the start, the assets included.
    pub(in crate::runtime::docker) fn with_baked(self, baked: Option<Listing>) -> Self {
        Self { baked, ..self }
    }

    /// Says that a container was made.
    pub(in crate::runtime::docker) fn meet(&mut self, container: &str) {
        if let Some(listing) = self.baked.clone() {
            self.carried = Some(Carried { container: container.to_owned(), listing });
        }
    }

    /// Says whether a container has never had the workspace.
    pub(in crate::runtime::docker) fn is_new_to(&self, container: &str) -> bool {
        self.carried.as_ref().is_none_or(|carried| carried.container != container)
    }

    /// Makes the container's copy what the workspace is. Nothing is sent where nothing has changed.
    ///
    /// Into one that runs nothing is put: it stands still meanwhile.
    ///
    /// Cancel safe: it may be called again. A container may be left paused.
    pub(in crate::runtime::docker) async fn carry_in(&mut self, shore: Shore<'_>) -> Result<(), DockerError> {
        let now = self.list().await?;
        let known = self.carried.as_ref().filter(|carried| carried.container == shore.container);
        let is_first = known.is_none();
        let pending = known.map_or_else(|| Listing::default().pending(&now), |carried| carried.listing.pending(&now));
        if is_first || !pending.is_empty() {
            if shore.running && !pending.removed.is_empty() {
                self.remove(shore, &pending).await?;
            }
            let still = Still::hold(shore).await?;
            if is_first {
                self.carry_assets(shore).await?;
            }
            self.put(shore, pending).await?;
            still.release().await?;
        }
        self.carried = Some(Carried { container: shore.container.to_owned(), listing: now });
        Ok(())
    }

    /// Makes the workspace what the container's copy is.
    ///
    /// Cancel safe: the workspace is as it was, or as the container's copy is.
    pub(in crate::runtime::docker) async fn carry_out(&mut self, shore: Shore<'_>) -> Result<ReadBack, DockerError> {
        let had = self.carried.as_ref().filter(|carried| carried.container == shore.container);
        let size = had.map(|carried| carried.listing.size());
        let size = size.unwrap_or(Bounds { bytes: 0, entries: 0 });
        // What was there may stay beside all that the command may add.
        let bounds = Bounds {
            bytes: self.bounds.bytes.saturating_add(size.bytes),
            entries: self.bounds.entries.saturating_add(size.entries),
        };
        let still = Still::hold(shore).await?;
        let from = (shore.container, self.workdir.as_str());
        let back = read_back(shore.client, from, Arc::clone(&self.workspace), bounds).await?;
        still.release().await?;
        // After a refusal the container has more than we know: the next command finds it, as with a mount.
        if let ReadBack::Replaced(_) = back {
            let listing = self.list().await?;
            self.carried = Some(Carried { container: shore.container.to_owned(), listing });
        }
        Ok(back)
    }

    async fn list(&self) -> Result<Listing, DockerError> {
        let workspace = Arc::clone(&self.workspace);
        let listed = tokio::task::spawn_blocking(move || Listing::of(workspace.dir(), Bounds::default())).await;
        let listed = listed.map_err(|_| DockerError::Transfer { why: "its own thread ended".to_owned() })?;
        Ok(listed?)
    }

    async fn put(&self, shore: Shore<'_>, pending: Pending) -> Result<(), DockerError> {
        let changed: BTreeSet<Vec<u8>> = pending.changed.iter().map(|path| path.as_bytes().to_vec()).collect();
        let tree = Tree {
            dir: clone(self.workspace.dir())?,
            to: self.workdir.clone(),
            owner: shore.owner,
            bounds: Bounds::default(),
            takes: move |path: &[u8], _| changed.contains(path),
        };
        put_tree(shore.client, shore.container, tree).await
    }

    async fn carry_assets(&self, shore: Shore<'_>) -> Result<(), DockerError> {
        let Some((assets, to)) = &self.assets else { return Ok(()) };
        let tree = Tree {
            dir: clone(assets.root())?,
            to: to.clone(),
            // The root's, and as read-only as they are staged.
            owner: (0, 0),
            bounds: Bounds::default(),
            takes: |_: &[u8], _| true,
        };
        put_tree(shore.client, shore.container, tree).await
    }

    /// Removes what is gone on our side, as the user whose it is: the engine's API has no other way.
    async fn remove(&self, shore: Shore<'_>, pending: &Pending) -> Result<(), DockerError> {
        if !pending.shut.is_empty() {
            let still = Still::hold(shore).await?;
            open_directories(shore.client, shore.container, (&self.workdir, shore.owner), &pending.shut).await?;
            still.release().await?;
        }
        let api = shore.client.api().await?;
        for some in pending.removed.chunks(AT_ONCE) {
            let mut argv: Vec<String> = ["rm", "-rf", "--"].map(str::to_owned).to_vec();
            for path in some {
                argv.push(self.spelled(path)?);
            }
            let user = format!("{}:{}", shore.owner.0, shore.owner.1);
            let order = Order { argv, env: Vec::new(), cwd: "/".to_owned(), user, stdin: false };
            if exec::run_quietly(api, shore.container, &order).await? != Some(0) {
                let why = "the image's `rm` could not do it";
                return Err(DockerError::Answer { action: "remove files of the workspace", why });
            }
        }
        Ok(())
    }

    fn spelled(&self, path: &WorkspacePath) -> Result<String, DockerError> {
        let why = "its name is not UTF-8, which the engine's commands must be";
        let name = path.as_path().as_os_str().as_bytes();
        let name = std::str::from_utf8(name)
            .map_err(|_| DockerError::Answer { action: "remove a file of the workspace", why })?;
        Ok(format!("{}/{name}", self.workdir))
    }
}

fn clone(dir: &Dir) -> Result<Dir, DockerError> {
    Ok(dir.try_clone().map_err(|error| WorkspaceError::io("open", b"", error))?)
}

/// A container that stands still, so that nothing in it can change names meanwhile.
#[derive(Debug)]
struct Still<'a> {
    shore: Shore<'a>,
}

impl<'a> Still<'a> {
    async fn hold(shore: Shore<'a>) -> Result<Self, DockerError> {
        let mut held = Self { shore };
        if shore.running {
            let api = shore.client.api().await?;
            match within(ANSWER, "pause the container", api.pause_container(shore.container)).await {
                // Whoever paused it was dropped.
                Err(error) if has_words(&error, "already paused") => {}
                // It has ended meanwhile, and stands stiller than any other.
                Err(error) if has_words(&error, "is not running") => held.shore.running = false,
                paused => paused?,
            }
        }
        Ok(held)
    }

    async fn release(self) -> Result<(), DockerError> {
        if self.shore.running {
            let api = self.shore.client.api().await?;
            within(ANSWER, "go on with the container", api.unpause_container(self.shore.container)).await?;
        }
        Ok(())
    }
}

fn has_words(error: &DockerError, words: &str) -> bool {
    error.refusal().is_some_and(|(_, why)| why.contains(words))
}
