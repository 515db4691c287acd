//! The JSON Schema of everything that is read from files or printed with `--json`.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde_json::Value;

use super::{
    CacheObject, CheckObject, CreatedObject, DoctorObject, EffectiveObject, ErrorObject, GcObject, KeptSnapshotsObject,
    ListObject, PrepareObject, ProgramsObject, RemovedSnapshotsObject, RestoredObject, ResultObject, SelftestObject,
    ShownSnapshotObject, ShownSpecObject, VersionObject,
};
use crate::host::HostPolicy;
use crate::workspace::SnapshotDiff;

/// What there is a schema of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SchemaName {
    /// The environment spec, with the sections of every registered runtime.
    Spec,
    /// The host file.
    Host,
    /// Cases: `cases.yaml`.
    #[cfg(feature = "evaluate")]
    Cases,
    /// The report that `eval --json` and `eval --report json=…` write.
    #[cfg(feature = "evaluate")]
    Report,
    /// What `eval --check --json` prints.
    #[cfg(feature = "evaluate")]
    EvalCheck,
    /// What `eval --differential --json` prints.
    #[cfg(feature = "evaluate")]
    EvalDifferential,
    /// What `eval --submissions --json` prints, and the report of a class.
    #[cfg(feature = "evaluate")]
    Class,
    /// What `eval --verify --json` prints.
    #[cfg(feature = "evaluate")]
    EvalVerify,
    /// What `eval --record --json` prints.
    #[cfg(feature = "evaluate")]
    EvalRecord,
    /// What `eval --repeat --json` prints.
    #[cfg(feature = "evaluate")]
    EvalRepeat,
    /// What `init --json` prints.
    #[cfg(feature = "evaluate")]
    Init,
    /// What `run --json` and `run --result` print.
    Result,
    /// What every command prints with `--json` when it fails.
    Error,
    /// What the `cache` commands print with `--json`.
    Cache,
    /// What `doctor --json` prints.
    Doctor,
    /// What `selftest --json` prints.
    Selftest,
    /// What `gc --json` prints.
    Gc,
    /// What `snapshot create --json` prints.
    SnapshotCreate,
    /// What `snapshot show --json` prints.
    SnapshotShow,
    /// What `snapshot restore --json` prints.
    SnapshotRestore,
    /// What `snapshot diff --json` prints.
    SnapshotDiff,
    /// What `snapshot list --json` prints.
    SnapshotList,
    /// What `snapshot remove --json` prints.
    SnapshotRemove,
    /// What `spec check --json` prints.
    SpecCheck,
    /// What `spec list --json` prints.
    SpecList,
    /// What `spec show --json` prints.
    SpecText,
    /// What `spec show --effective --json` prints.
    SpecEffective,
    /// What `prepare --json` prints.
    Prepare,
    /// What the `programs` commands print with `--json`.
    Programs,
    /// What `version --json` prints.
    Version,
}

/// Gives the schema of one printed object; none for the spec, whose schema depends on the registered runtimes.
pub(in crate::cli) fn schema(name: SchemaName) -> Option<Value> {
    fn of<T: JsonSchema>() -> Option<Value> {
        // What is printed is described, not what could be read: a field that is always there is required.
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        Some(settings.into_generator().into_root_schema_for::<T>().to_value())
    }
    match name {
        SchemaName::Spec => None,
        SchemaName::Host => Some(HostPolicy::schema()),
        #[cfg(feature = "evaluate")]
        SchemaName::Cases => Some(crate::evaluate::cases_schema(&crate::evaluate::AdapterRegistry::with_builtins())),
        #[cfg(feature = "evaluate")]
        SchemaName::Report => of::<crate::evaluate::Report>(),
        #[cfg(feature = "evaluate")]
        SchemaName::EvalCheck => of::<crate::cli::eval::CheckedObject>(),
        #[cfg(feature = "evaluate")]
        SchemaName::EvalDifferential => of::<crate::cli::eval::DifferentialObject>(),
        #[cfg(feature = "evaluate")]
        SchemaName::Class => of::<crate::evaluate::ClassReport>(),
        #[cfg(feature = "evaluate")]
        SchemaName::EvalVerify => of::<crate::cli::eval::VerifyObject>(),
        #[cfg(feature = "evaluate")]
        SchemaName::EvalRecord => of::<crate::cli::eval::RecordObject>(),
        #[cfg(feature = "evaluate")]
        SchemaName::EvalRepeat => of::<crate::cli::eval::RepeatObject>(),
        #[cfg(feature = "evaluate")]
        SchemaName::Init => of::<crate::cli::init::InitObject>(),
        SchemaName::Result => of::<ResultObject>(),
        SchemaName::Error => of::<ErrorObject>(),
        SchemaName::Cache => of::<CacheObject>(),
        SchemaName::Doctor => of::<DoctorObject>(),
        SchemaName::Selftest => of::<SelftestObject>(),
        SchemaName::Gc => of::<GcObject>(),
        SchemaName::SnapshotCreate => of::<CreatedObject>(),
        SchemaName::SnapshotShow => of::<ShownSnapshotObject>(),
        SchemaName::SnapshotRestore => of::<RestoredObject>(),
        SchemaName::SnapshotDiff => Some(SnapshotDiff::json_schema()),
        SchemaName::SnapshotList => of::<KeptSnapshotsObject>(),
        SchemaName::SnapshotRemove => of::<RemovedSnapshotsObject>(),
        SchemaName::SpecCheck => of::<CheckObject>(),
        SchemaName::SpecList => of::<ListObject>(),
        SchemaName::SpecText => of::<ShownSpecObject>(),
        SchemaName::SpecEffective => of::<EffectiveObject>(),
        SchemaName::Prepare => of::<PrepareObject>(),
        SchemaName::Programs => of::<ProgramsObject>(),
        SchemaName::Version => of::<VersionObject>(),
    }
}
