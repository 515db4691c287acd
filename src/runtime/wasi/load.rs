//! From a module that was found to one that can be instantiated.

use std::sync::Arc;

use super::compile::CompileBounds;
use super::engine::{Asked, Engines, Lease};
use super::find::Source;
use super::key::ModuleKey;
use super::linker::Linked;
use super::load_error::LoadError;
use super::program::UnknownImports;
use crate::runtime::NotStarted;

/// Compiles and links a module, for the pool or, where it is too large for a slot, without.
pub(super) async fn load(
    engines: &Engines,
    (key, unknown, bounds): (ModuleKey, &UnknownImports, Option<CompileBounds>),
    source: Source,
    asked: Asked<'_>,
) -> Result<(Lease, Arc<Linked>), LoadError> {
    let lease = engines.lease(asked).map_err(LoadError::Failed)?;
    let (again, read) = (source.clone(), move || source.read());
    match lease.sandbox.modules.get(key, unknown, bounds, read).await {
        Err(LoadError::Refused(NotStarted::BadModule, _)) if lease.is_pooled() => {
            let lease = engines.lease_on_demand(asked).map_err(LoadError::Failed)?;
            let linked = lease.sandbox.modules.get(key, unknown, bounds, move || again.read()).await?;
            Ok((lease, linked))
        }
        linked => Ok((lease, linked?)),
    }
}
