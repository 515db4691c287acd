//! Spawning runtimes, and the first word about placeholders that goes with it.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::Session;
use super::inner::Inner;
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{Capability, InForce, Launch, SpawnRequest, SubmissionRuntime};
use crate::spec::{EnvironmentSpec, Provenance, SpecError};
use crate::workspace::{Bounds, Capture};

impl Session {
    /// Spawns a runtime over the workspace and runs its set-up. Any number may be spawned.
    ///
    /// # Errors
    /// A session that is not open, limits above what is written, options that the runtime does not know, and what the
    /// host failed at. A set-up that fails is no error: it stands in every result.
    ///
    /// Cancel safe: what was spawned is ended.
    pub async fn spawn(&self, request: SpawnRequest) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let inner = &self.inner;
        let _spawning = inner.state.enter("spawn")?;
        let launch = inner.launch(request)?;
        let has_setup = !launch.setup_lines().is_empty();
        let runtime = inner.registry.spawn(launch).await?;
        if let Err(closed) = inner.remember(&runtime) {
            let cleaned = runtime.cleanup().await.err();
            return Err(cleaned.into_iter().fold(closed.into(), ExecutionError::with_cleanup_failure));
        }
        // The first set-up is part of what a reset goes back to; what commands did before a later one is not.
        if has_setup && inner.resettable && !inner.base().moved {
            self.with_inner("spawn", Inner::capture_after_setup).await?;
        }
        tracing::debug!(target: "bailiwick::session", isolation = inner.isolation, has_setup, "a runtime was spawned");
        Ok(runtime)
    }

    /// Resolves the placeholders of a text, for the runtime of this session.
    ///
    /// # Errors
    /// A name that is no asset's.
    pub fn resolve_static_placeholder(&self, text: &str) -> Result<String, ExecutionError> {
        Ok(self.inner.placeholders.resolve_str(text)?)
    }

    /// Resolves the placeholders in bytes, which come back as they are where there are none.
    ///
    /// # Errors
    /// A name that is no asset's.
    pub fn resolve_static_bytes(&self, bytes: Bytes) -> Result<Bytes, ExecutionError> {
        let placeholders = &self.inner.placeholders;
        if !placeholders.stand_in(&bytes) {
            return Ok(bytes);
        }
        Ok(placeholders.resolve_bytes(&bytes)?.into())
    }

    /// Resolves the placeholders in every text of a structure, the keys of maps too.
    ///
    /// # Errors
    /// A name that is no asset's, and two keys that become one.
    pub fn resolve_static_placeholders(&self, data: &Value) -> Result<Value, ExecutionError> {
        Ok(self.inner.placeholders.resolve_value(data)?)
    }
}

impl Inner {
    fn launch(&self, mut request: SpawnRequest) -> Result<Launch, ExecutionError> {
        let spec = self.spec_for(&mut request);
        let limits = self
            .limits
            .tighten(Provenance::Spawn, &request.limits)
            .map_err(|problems| ExecutionError::from(SpecError::Invalid { origin: "spawn".to_owned(), problems }))?;
        self.registry.host().policy.check_level(&limits, Provenance::Spawn)?;
        self.need_capabilities(&request)?;
        let in_force = self.enforcement.admit(limits, &self.spec.ty)?.with_dropped(&self.unenforced);
        let InForce { limits, best_effort, unenforced } = in_force;
        let staged = self.staged();
        Ok(Launch {
            workspace: self.workspace()?,
            spec,
            assets_path: staged.as_ref().and_then(|staged| staged.home.open_ambient_path().map(Into::into)),
            assets: staged.map(|staged| Arc::clone(&staged.assets)),
            mode: self.mode,
            request,
            limits,
            best_effort,
            unenforced,
            enforcement: Arc::clone(&self.enforcement),
            isolation: self.isolation,
            host: Arc::clone(self.registry.host()),
            admission: self.admission.clone(),
            reaper: Arc::clone(&self.reaper),
            owner: self.registry.owner()?,
            seed: self.seed.clone(),
        })
    }

    /// Gives the spec of a spawn. A fork starts from what the spec's set-up has made already: of the set-up only the
    /// spawn's own line is left there.
    fn spec_for(&self, request: &mut SpawnRequest) -> Arc<EnvironmentSpec> {
        if !self.forked || request.disable_setup || request.setup_command.is_none() {
            request.disable_setup |= self.forked;
            return Arc::clone(&self.spec);
        }
        let mut spec = EnvironmentSpec::clone(&self.spec);
        spec.setup.commands.clear();
        spec.setup.eval_commands.clear();
        Arc::new(spec)
    }

    /// Refuses what the runtime cannot grant, before anything runs.
    fn need_capabilities(&self, request: &SpawnRequest) -> Result<(), ExecutionError> {
        let asked = [
            (!request.ports.is_empty(), Capability::Ports, "published ports"),
            (!request.mounts.is_empty(), Capability::Mounts, "mounts"),
        ];
        let asked = asked.into_iter().filter(|(is_asked, ..)| *is_asked);
        for (_, capability, what) in asked {
            if let Some(why) = self.enforcement.lacks(capability) {
                let message = format!("the runtime `{}` has no {what}: {why}", self.spec.ty);
                return Err(ExecutionError::new(ErrorKind::Unenforceable, message)
                    .with_hint("spawn without them, or choose another runtime"));
            }
        }
        Ok(())
    }

    /// Moves the point that a reset goes back to behind the set-up.
    fn capture_after_setup(&self) -> Result<(), ExecutionError> {
        let captured = self.workspace()?.capture(&Capture::All, Bounds::default())?;
        let mut base = self.base();
        (base.captured, base.moved) = (Some(captured), true);
        Ok(())
    }
}
