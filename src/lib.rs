//! Runs untrusted submissions truthfully, safely and fast, behind one session, on one of several runtimes.

#[cfg(feature = "cli")]
pub mod cli;
mod error;
mod host;
mod runtime;
mod session;
pub mod spec;
mod workspace;

pub use error::{ErrorKind, ExecutionError};
pub use host::{Host, HostDirs};
#[cfg(feature = "local")]
pub use runtime::local::{Isolation, Local, LocalConfig, LocalOptions};
#[cfg(feature = "wasi")]
pub use runtime::wasi::{
    Catalogue, CatalogueError, ExitCode, Program, ProgramConfig, ProgramEntry, ProgramMount, UnknownImports,
    UnknownPolicy, Wasi, WasiConfig, WasiOptions,
};
pub use runtime::{
    Admission, AdmissionGroup, AnyRuntimeKind, BuiltinSpec, Capability, Command, CommandLine, Commands, Control,
    Denied, End, Ending, EnforcementRow, EnforcementTable, Guest, Job, Killer, Launch, Level, Machine, Measured, Mount,
    NoProgress, NotStarted, Omitted, Output, ProgramUsed, Progress, RegistryBuilder, Running, RuntimeEvent,
    RuntimeInfo, RuntimeKind, RuntimeRegistry, RuntimeResult, SetupOutcome, Sink, SolutionRuntimeError, SpawnRequest,
    State, StaticRoot, Stdin, StdinReader, StdinWriter, Stop, Subject, SubmissionRuntime, Termination, Unheld, Usage,
};
pub use session::{Session, SessionBuilder, SessionError, SessionState};
pub use workspace::{
    AssetError, AssetKind, Base, BaseNeed, Bounds, Capture, Captured, Change, ChangeKind, Changes, Content, Contents,
    ContentsBounds, CopyIn, CopyReport, DEFAULT_ENTRIES, DiskUsage, Entry, EntryKind, FileOutcome, Flushed, GcMode,
    GcReport, GcScope, Globs, InputContent, InputFile, MAX_COMPONENT, Manifest, Owner, OwnerId, PathError,
    PlaceholderError, Placeholders, PrivateDir, Quota, Reaper, ResolvedStaticAsset, Scan, SnapshotId, SnapshotIdError,
    StagedAsset, StagedAssets, StatCache, StaticAssetConfig, StaticAssets, Workspace, WorkspaceError, WorkspacePath,
    gc, resolve_static_assets, scan,
};

/// The documents whose code the tests compile and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/execution/extending.md")]
mod extending {}
