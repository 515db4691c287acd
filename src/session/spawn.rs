//! Spawning runtimes, and the first word about placeholders that goes with it.

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::Session;
use super::session::Inner;
use crate::error::ExecutionError;
use crate::runtime::{Launch, SpawnRequest, SubmissionRuntime};
use crate::spec::{Provenance, SpecError};
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
        inner.state.need_open("spawn")?;
        let launch = inner.launch(request)?;
        let has_setup = !launch.setup_lines().is_empty();
        let runtime = inner.registry.spawn(launch).await?;
        inner.runtimes.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&runtime));
        if has_setup && inner.resettable && !inner.base().chosen {
            self.with_inner(Inner::capture_after_setup).await?;
        }
        Ok(runtime)
    }

    /// Resolves the placeholders of a text, for the runtime of this session.
    ///
    /// # Errors
    /// A name that is no asset's.
    pub fn resolve_static_placeholder(&self, text: &str) -> Result<String, ExecutionError> {
        Ok(self.inner.placeholders.resolve_str(text)?)
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
        // A fork starts from what a set-up has made already.
        request.disable_setup |= self.forked;
        let limits = self
            .limits
            .tighten(Provenance::Spawn, &request.limits)
            .map_err(|problems| ExecutionError::from(SpecError::Invalid { origin: "spawn".to_owned(), problems }))?;
        Ok(Launch {
            workspace: self.workspace()?,
            spec: Arc::clone(&self.spec),
            assets: self.staged.as_ref().map(|staged| Arc::clone(&staged.assets)),
            mode: self.mode,
            request,
            limits,
            best_effort: self.unheld.best_effort.clone(),
            unenforced: self.unheld.unenforced.clone(),
            isolation: self.isolation,
            host: Arc::clone(self.registry.host()),
            admission: self.admission.clone(),
            reaper: Arc::clone(self.registry.reaper()),
        })
    }

    /// Moves the point that a reset goes back to behind the set-up.
    fn capture_after_setup(&self) -> Result<(), ExecutionError> {
        let captured = self.workspace()?.capture(&Capture::All, Bounds::default())?;
        self.base().captured = Some(captured);
        Ok(())
    }
}
