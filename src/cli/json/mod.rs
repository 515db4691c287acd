//! The objects that `--json` prints, one file each, with the JSON Schemas that `bailiwick schema` prints.
//!
//! Never here: printing, or a decision about what runs. Within a version fields are only added, so readers ignore
//! what they do not know; `docs/execution/results.md` has the tables.
//! Read next: `result.rs` for what `run` prints, `schemas.rs` for the list of all objects.

mod amount;
mod cache;
mod doctor;
mod error;
mod gc;
mod output;
mod prepare;
mod programs;
mod result;
mod schemas;
mod selftest;
mod snapshot;
mod spec;
mod termination;
mod version;

pub(super) use amount::{Amount, InForce};
pub(super) use cache::{CacheObject, CachedObject};
pub(super) use doctor::{DoctorObject, DoctorRuntime, EnforcementObject};
pub(super) use error::{ErrorBody, ErrorObject};
pub(super) use gc::{GcFailure, GcObject, GcSnapshots};
pub(super) use prepare::PrepareObject;
pub(super) use programs::ProgramsObject;
#[cfg(feature = "wasi")]
pub(super) use programs::{ListedProgram, Speed, StartTime};
pub(super) use result::{ChangeObject, ResultFacts, ResultObject};
pub(super) use schemas::{SchemaName, schema};
pub(super) use selftest::{SelftestObject, SelftestRuntime};
pub(super) use snapshot::{
    CreatedObject, EntryObject, KeptObject, KeptSnapshotsObject, RemovedSnapshotsObject, RestoredObject,
    ShownSnapshotObject,
};
pub(super) use spec::{
    CheckObject, CheckedFile, DifferenceObject, EffectiveObject, ExplainedKey, ExplainedSpec, ListObject, ListedSpec,
    ProblemObject, ShownSpecObject,
};
pub(super) use version::VersionObject;

/// The version of every object; it changes when a field changes its meaning or goes away.
pub(super) const VERSION: u32 = 1;
