//! Runs untrusted submissions truthfully, safely and fast, behind one session, on one of several runtimes.
//!
//! A **spec** is opened as a **session**, a session drives a **runtime**, a runtime returns **results**, and nothing
//! flows back up:
//!
#![cfg_attr(feature = "wasi", doc = "```")]
#![cfg_attr(not(feature = "wasi"), doc = "```text")]
//! use std::sync::Arc;
//!
//! use bailiwick::spec::EnvironmentSpec;
//! use bailiwick::{
//!     Command, Host, InputContent, InputFile, RuntimeRegistry, Session, SpawnRequest, WasiConfig, WorkspacePath,
//! };
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = RuntimeRegistry::builder(Host::default()).with_builtins().build()?;
//! let spec = EnvironmentSpec::new("wasi", "tally", Arc::new(WasiConfig::default()));
//! let session = Session::builder(&registry, spec).submission("guest-fixtures/example/submission").open().await?;
//! let prices = std::fs::read("guest-fixtures/example/data/prices.csv")?;
//! let input = InputFile::new(WorkspacePath::new("prices.csv")?, InputContent::Bytes(prices));
//! session.materialize_input_files(vec![input]).await?;
//! let runtime = session.spawn(SpawnRequest::default()).await?;
//! let command = Command::argv(["./tally.wasm", "prices.csv"]).grant_stdin("1041 EGG-10 1\n");
//! let result = runtime.execute(command).await?;
//! assert_eq!(result.exit_code(), 0);
//! assert!(result.stdout.text().is_some_and(|text| text.ends_with("4.27\n")));
//! session.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! - A submission cannot cause an `Err`: whatever it does is a [`RuntimeResult`] with a [`Termination`].
//!   An [`ExecutionError`] means that the host failed, or was asked for the impossible.
//! - Everything is closed by default, and nothing is weakened in silence: what a runtime cannot hold is refused before
//!   anything runs, or stands in the result.
//! - The library has no ambient state: it reads no environment variable, home or current directory, and starts no
//!   thread or process before the first [`spawn`](Session::spawn). What it may know of the host is a [`Host`].
//!
//! # Where to read next
//!
//! | to do this | begin with |
//! | --- | --- |
//! | run something | [`Session`], then [`SubmissionRuntime`] |
//! | understand what came of it | [`RuntimeResult`], [`Termination`], [`Usage`] |
//! | read or write a spec | [`spec`] |
//! | give files and get them back | [`Session::materialize_input_files`], [`Session::get_file_contents`] |
//! | add a runtime | [`RuntimeKind`], [`Guest`], [`Commands`] |
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `wasi` | yes | the WASI runtime, on wasmtime |
//! | `docker` | yes | the Docker runtime, over the API of an engine |
//! | `local` | yes | the local runtime: plain host processes, no isolation |
//! | `files` | yes | typed files, archives and their compressions |
//! | `evaluate` | yes | cases, checkers, verdicts and reports |
//! | `wat` | yes | WebAssembly text wherever a module is taken |
//! | `cli` | yes | the `bailiwick` command, as a library |
//! | `parquet` | no | typed files in the Parquet format |
//! | `testing` | with `cli` | the self-test: whether what a runtime claims to hold stands on this host |

#[cfg(feature = "cli")]
pub mod cli;
mod error;
#[cfg(feature = "evaluate")]
pub mod evaluate;
mod host;
mod runtime;
#[cfg(feature = "testing")]
pub mod selftest;
mod session;
pub mod spec;
mod workspace;

pub use error::{ErrorKind, ExecutionError};
pub use host::{EngineAccess, Host, HostDirs, HostPolicy, Ruled};
#[cfg(feature = "docker")]
pub use runtime::docker::{
    BuildConfig, Docker, DockerConfig, DockerError, DockerOptions, ExtraMount, MountMode, MountTarget, PullPolicy,
};
#[cfg(feature = "local")]
pub use runtime::local::{Isolation, Local, LocalConfig, LocalOptions};
#[cfg(feature = "wasi")]
pub use runtime::wasi::{
    Catalogue, CatalogueError, Containment, DeterminismConfig, ExitCode, KnownCopy, KnownMeasure, KnownModule,
    KnownProgram, KnownSource, ModuleBounds, Moment, NewProgram, PackageClient, Program, ProgramConfig, ProgramEntry,
    ProgramMount, UnknownImports, UnknownPolicy, Wasi, WasiConfig, WasiOptions, known_program, known_programs,
    worker_main,
};
pub use runtime::{
    Admission, AdmissionGroup, AnyRuntimeKind, BuiltinSpec, Cached, Capability, Command, CommandLine, Commands,
    Connection, Control, Denied, End, Ending, EnforcementRow, EnforcementTable, Guest, Job, Killer, Launch, Level,
    Machine, Measured, Mount, NoProgress, NotStarted, Omitted, Output, ProgramUsed, Progress, RegistryBuilder, Running,
    RuntimeEvent, RuntimeInfo, RuntimeKind, RuntimeRegistry, RuntimeResult, Seed, SetupOutcome, Sink,
    SolutionRuntimeError, SpawnRequest, State, StaticRoot, Stdin, StdinReader, StdinWriter, Stop, Subject,
    SubmissionRuntime, Termination, Trial, TrialGuest, TrialStream, Unheld, Usage, posix_trial,
};
pub use session::{Frozen, Session, SessionBuilder, SessionError, SessionState};
pub use workspace::{
    ApplyError, ArchiveBounds, ArchiveError, ArchiveFormat, ArchiveRules, AssetError, AssetKind, AssetResolver, Base,
    BaseNeed, Bounds, Capture, Captured, Change, ChangeKind, Changes, Content, ContentSource, Contents, ContentsBounds,
    CopyIn, CopyReport, DEFAULT_ENTRIES, DiffBody, DiffBounds, DiffJsonError, DiffStats, DiskUsage, Elsewhere, Entry,
    EntryKind, FileChange, FileDiff, FileOutcome, Flushed, GcMode, GcReport, GcScope, Globs, InputContent, InputFile,
    KeptSnapshot, LinkRule, MAX_COMPONENT, Manifest, Omission, Owner, OwnerId, PathError, PlaceholderError,
    Placeholders, PrivateDir, Quota, Reaper, ResolvedStaticAsset, Restore, Scan, SecretConfig, Snapshot, SnapshotDiff,
    SnapshotId, SnapshotIdError, SnapshotProgress, SnapshotStore, SpecialRule, StagedAsset, StagedAssets, StatCache,
    StaticAssetConfig, StaticAssets, StoreError, StoreGcReport, Take, TakeMemory, Taken, TextDiff, Tree, Watch,
    Workspace, WorkspaceError, WorkspacePath, gc, resolve_static_assets, scan,
};
#[cfg(feature = "files")]
pub use workspace::{
    Archive, FileBounds, FileCompression, FileError, FileSignature, FileType, FileValue, FormatError, InputFileConfig,
    TypedContents, TypedOutcome, archive_snapshot, pack, save_archive,
};

// The documents whose code the tests compile and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/execution/extending.md")]
mod extending {}
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../docs/execution/command-line.md")]
mod command_line {}
#[cfg(all(doctest, feature = "wasi"))]
#[doc = include_str!("../docs/first-hour/embedding.md")]
mod embedding {}
