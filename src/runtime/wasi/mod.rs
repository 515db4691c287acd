//! The WASI runtime: guests compiled to WebAssembly, run by wasmtime in this process.
//!
//! A command's first word names a module, found in the guest's own view or among the programs; it is compiled once
//! and kept. A guest sees the workspace, the staged assets, a private `/tmp`, granted mounts, and nothing else.
//! Never here: Docker's or the local runtime's words, host processes, a precompiled artifact of a submission.
//! Read next: `run.rs` and `call.rs` for one command, `modules.rs` for compiling, `view.rs` for what a guest sees.

mod cache;
mod cache_room;
mod call;
mod calls;
mod catalogue;
mod code;
mod compile;
mod config;
mod determinism;
mod digests;
mod engine;
mod facts;
mod find;
mod imports;
mod installed;
mod invoke;
mod kept;
mod key;
mod kind;
mod known;
mod limits;
mod linker;
mod load;
mod load_error;
mod modules;
mod pool;
mod prepare;
mod program;
mod quota;
mod run;
mod scan;
mod spawn;
mod stdio;
mod ticker;
mod traps;
mod trials;
mod usage;
mod view;
mod words;
mod worker;
mod world;

pub use catalogue::{Catalogue, CatalogueError, NewProgram, ProgramEntry};
pub use compile::ModuleBounds;
pub use config::{Containment, WasiConfig, WasiOptions};
pub use determinism::{DeterminismConfig, Moment};
pub use kind::Wasi;
pub use known::{
    KnownCopy, KnownMeasure, KnownModule, KnownProgram, KnownSource, PackageClient, known_program, known_programs,
};
pub use program::{ExitCode, Program, ProgramConfig, ProgramMount, UnknownImports, UnknownPolicy};
pub use worker::worker_main;
