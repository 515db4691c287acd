//! Whose turn the container is: one command's at a time, and never left running with something unwanted alive.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bollard::models::ContainerConfig;
use tokio::sync::OwnedMutexGuard;

use super::DockerError;
use super::asked::Asked;
use super::bake;
use super::commit::Committed;
use super::container::{self, Container};
use super::spawn::Inner;
use super::transfer::{Ferry, ReadBack, Refusal, Shore};
use super::users::{self, User};
use crate::error::ExecutionError;
use crate::runtime::SetupOutcome;

/// What a runtime has at the engine.
#[derive(Debug, Default)]
pub(super) struct Held {
    container: Option<Container>,
    /// What the engine was asked for as a container, though it may not have answered.
    asked: Option<Asked>,
    /// The container as an image, while nothing ran in it since.
    committed: Option<Arc<Committed>>,
    /// Whether nothing is made any more.
    closed: bool,
    /// Who carries the workspace, where it is not mounted.
    ferry: Option<Ferry>,
}

impl Held {
    pub(super) fn new(ferry: Option<Ferry>) -> Self {
        Self { ferry, ..Self::default() }
    }
}

/// The right to use the container. Dropped before [`leave`](Self::leave), everything in it is killed, which the next
/// one to enter waits for.
#[derive(Debug)]
pub(super) struct Cell {
    inner: Arc<Inner>,
    held: Option<OwnedMutexGuard<Held>>,
}

impl Cell {
    /// Waits for the right.
    ///
    /// Cancel safe.
    pub(super) async fn enter(inner: &Arc<Inner>) -> Self {
        let held = Arc::clone(&inner.held).lock_owned().await;
        Self { inner: Arc::clone(inner), held: Some(held) }
    }

    fn held(&mut self) -> &mut Held {
        self.held.as_mut().expect("it is given back only by `leave` and by drop")
    }

    /// Gives the container, which [`ensure`](Self::ensure) has made.
    pub(super) fn container(&mut self) -> Result<&mut Container, DockerError> {
        self.held().container.as_mut().ok_or(DockerError::Gone)
    }

    /// Makes and starts the container where that is still to be done.
    ///
    /// Not cancel safe: dropped halfway, what was begun is killed, and removed with the runtime.
    pub(super) async fn ensure(&mut self, api: &bollard::Docker) -> Result<(), DockerError> {
        let inner = Arc::clone(&self.inner);
        if self.held().closed {
            return Err(DockerError::Gone);
        }
        if self.held().container.is_none() {
            self.make(api, &inner).await?;
        }
        self.carry_in(Moment::Making).await?;
        let container = self.container()?;
        if !container.is_running() {
            container.start(api, &inner.plan, &inner.workspace).await?;
            inner.set_address(container.address);
        }
        self.carry_in(Moment::Running).await?;
        // Asked last: what said so waits for no turn.
        if inner.setup_over.load(Ordering::Acquire) {
            self.container()?.end_setup(api).await?;
        }
        Ok(())
    }

    /// Brings the container's copy of the workspace up to date, where it has one.
    async fn carry_in(&mut self, moment: Moment) -> Result<(), DockerError> {
        let inner = Arc::clone(&self.inner);
        let owner = self.user().ids;
        let Held { container: Some(container), ferry: Some(ferry), .. } = self.held() else { return Ok(()) };
        // A container that has never had it gets it before anything runs in it; another one may have to remove files.
        if (moment == Moment::Making) != ferry.is_new_to(&container.id) {
            return Ok(());
        }
        ferry.carry_in(shore(&inner, container, owner)?).await
    }

    /// Takes the container's copy of the workspace over, where it has one; says why it could not be.
    ///
    /// Cancel safe: the workspace is as it was, or as the container's copy is.
    pub(super) async fn carry_out(&mut self) -> Result<Option<Refusal>, DockerError> {
        let inner = Arc::clone(&self.inner);
        let owner = self.user().ids;
        let Held { container: Some(container), ferry: Some(ferry), .. } = self.held() else { return Ok(None) };
        match ferry.carry_out(shore(&inner, container, owner)?).await? {
            ReadBack::Replaced(_) => Ok(None),
            ReadBack::Refused(refusal) => Ok(Some(refusal)),
        }
    }

    async fn make(&mut self, api: &bollard::Docker, inner: &Arc<Inner>) -> Result<(), DockerError> {
        if let Some(asked) = self.held().asked.clone() {
            // Whoever asked before was dropped before the engine had answered.
            asked.over().await;
            container::remove(api, &inner.plan.name).await?;
        }
        let (its_api, its_inner) = (api.clone(), Arc::clone(inner));
        let (asked, made) = Asked::begin(async move {
            let Inner { plan, config, facts, workspace, .. } = &*its_inner;
            Container::make(&its_api, plan, config, (facts, workspace)).await
        });
        self.held().asked = Some(asked);
        let made = made.await?;
        let user = users::known(api, &made.id, &inner.user).await;
        if let Some(ferry) = &mut self.held().ferry {
            ferry.meet(&made.id);
        }
        self.held().container = Some(made);
        let _ = inner.known_user.set(user?);
        Ok(())
    }

    /// Gives the container as an image; the same as long as nothing ran in it.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn seed(&mut self) -> Result<Option<Arc<Committed>>, DockerError> {
        let inner = Arc::clone(&self.inner);
        if self.held().container.is_none() && inner.found().is_some() {
            // What the set-up made is in the image, and nothing has run yet.
            self.make(inner.client.api().await?, &inner).await?;
        }
        let held = self.held();
        if held.committed.is_none()
            && let Some(container) = &held.container
        {
            let about = (&inner.client, &inner.reaper, &inner.owner);
            held.committed = Some(Arc::new(Committed::of(&container.id, ContainerConfig::default(), about).await?));
        }
        Ok(held.committed.clone())
    }

    /// Makes an image of what a set-up did, where one is wanted and there is none.
    ///
    /// Nothing runs in the container afterwards and its `/tmp` is empty, as in those that are made of the image.
    ///
    /// Cancel safe: what is left dies with its owner.
    pub(super) async fn bake(&mut self, setup: &[SetupOutcome]) -> Result<(), DockerError> {
        let inner = Arc::clone(&self.inner);
        let Some(bake) = inner.bake.as_ref().filter(|bake| bake.found.is_none()) else { return Ok(()) };
        if self.held().container.is_none() && inner.user.ids.is_none() {
            // Only a container says whose files they are.
            self.make(inner.client.api().await?, &inner).await?;
        }
        self.kill().await?;
        let user = self.user().ids;
        let container = self.held().container.as_ref().map(|container| container.id.clone());
        bake::keep(&inner, bake, (container.as_deref(), user), setup).await
    }

    /// Says that something runs in the container from now on.
    pub(super) fn forget_seed(&mut self) {
        self.held().committed = None;
    }

    /// Takes the container off what only the set-up may use. Idempotent.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn end_setup(&mut self) -> Result<(), DockerError> {
        let inner = Arc::clone(&self.inner);
        match &mut self.held().container {
            Some(container) => container.end_setup(inner.client.api().await?).await,
            None => Ok(()),
        }
    }

    /// Kills everything in the container. Idempotent.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn kill(&mut self) -> Result<(), DockerError> {
        let inner = Arc::clone(&self.inner);
        match &mut self.held().container {
            Some(container) => container.kill(inner.client.api().await?).await,
            None => Ok(()),
        }
    }

    /// Removes the container, or stops it where the spec wants it kept. Idempotent; nothing is made afterwards.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn release(&mut self) -> Result<(), DockerError> {
        self.held().closed = true;
        let Some(asked) = self.held().asked.clone() else { return Ok(()) };
        asked.over().await;
        if self.inner.config.keep_container_after_clean {
            return self.kill().await;
        }
        container::remove(self.inner.client.api().await?, &self.inner.plan.name).await?;
        let held = self.held();
        (held.container, held.asked, held.committed) = (None, None, None);
        Ok(())
    }

    /// Gives the right back: nothing is alive in the container that may not be.
    pub(super) fn leave(mut self) {
        self.held = None;
    }

    /// Gives the numbers of the user.
    pub(super) fn user(&self) -> &User {
        self.inner.known_user.get().unwrap_or(&self.inner.user)
    }
}

/// When a workspace is carried in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The container may not have been started yet.
    Making,
    Running,
}

fn shore<'a>(inner: &'a Inner, container: &'a Container, owner: Option<(u32, u32)>) -> Result<Shore<'a>, DockerError> {
    let owner = owner.ok_or_else(|| DockerError::User { user: inner.user.name.clone() })?;
    Ok(Shore { client: &inner.client, container: &container.id, running: container.is_running(), owner })
}

impl Drop for Cell {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        if held.container.is_none() {
            return;
        }
        let (inner, reaper) = (Arc::clone(&self.inner), Arc::clone(&self.inner.reaper));
        // The right goes along: nobody uses the container before everything in it is dead.
        reaper.enqueue_async(async move {
            let mut cell = Self { inner, held: Some(held) };
            let killed = cell.kill().await;
            if killed.is_err() {
                // Whether something lives is unknown, so the container is not used again.
                cell.held().closed = true;
            }
            cell.leave();
            killed.map_err(ExecutionError::from)
        });
    }
}
