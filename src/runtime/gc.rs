//! What dead owners left: through the runtimes first, where only they know the place, then on this host.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::AnyRuntimeKind;
use crate::error::ExecutionError;
use crate::host::Host;
use crate::workspace::{Elsewhere, GcMode, GcReport, GcScope, OwnerId, gc, gc_after};

/// Finds what dead owners left and removes it, or only looks.
pub(super) async fn collect(
    host: &Host,
    kind: impl Fn(&str) -> Result<Arc<dyn AnyRuntimeKind>, ExecutionError>,
    (mode, scope): (GcMode, GcScope),
) -> GcReport {
    // The dead stay dead: who is found here can only be gone when it is looked again.
    let found = gc(host, GcMode::DryRun, scope);
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    let mut done: BTreeSet<OwnerId> = found.dead_owners.iter().cloned().collect();
    for Elsewhere { owner, runtime, place } in &found.elsewhere {
        let released = match kind(runtime) {
            Ok(kind) => kind.release(owner, place, mode).await,
            Err(unknown) => Err(unknown),
        };
        match released {
            Ok(names) => removed.extend(names),
            Err(error) => {
                done.remove(owner);
                failed.push((place.clone(), error));
            }
        }
    }
    let mut report = gc_after(host, mode, scope, &done);
    (report.removed_elsewhere, report.failed_elsewhere) = (removed, failed);
    report
}
