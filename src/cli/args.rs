//! The tree of commands, and the flags that all of them take.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::cache::CacheCommand;
use super::completions::CompletionsArgs;
use super::doctor::DoctorArgs;
#[cfg(feature = "evaluate")]
use super::eval::EvalArgs;
use super::gc::GcArgs;
#[cfg(feature = "evaluate")]
use super::init::InitArgs;
use super::prepare::PrepareArgs;
#[cfg(feature = "wasi")]
use super::programs::ProgramsCommand;
use super::run::RunArgs;
use super::schema::SchemaArgs;
use super::selftest::SelftestArgs;
use super::snapshot::SnapshotCommand;
use super::spec::SpecCommand;
use crate::spec::Mode;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default());

/// Runs untrusted submissions truthfully, safely and fast.
#[derive(Debug, Parser)]
#[command(name = "bailiwick", version, styles = STYLES, max_term_width = 100)]
#[command(propagate_version = false, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: GlobalArgs,
    #[command(subcommand)]
    pub(super) command: Cmd,
}

/// The flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct GlobalArgs {
    /// Print one JSON object on standard output instead of text.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Keep compiled modules and downloads in this directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,
    /// Make workspaces under this directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) base_dir: Option<PathBuf>,
    /// Leave explanations out; errors are still printed.
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Log on standard error; again for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Write the log as text or as one JSON object a line.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Cmd {
    /// Run one command in a sandbox.
    Run(Box<RunArgs>),
    /// Judge a submission by cases.
    #[cfg(feature = "evaluate")]
    Eval(Box<EvalArgs>),
    /// Write a suite to begin with, with solutions that `eval --verify` accepts.
    #[cfg(feature = "evaluate")]
    Init(InitArgs),
    /// Stand for the submission where a test program calls it.
    #[cfg(feature = "evaluate")]
    #[command(hide = true, disable_help_flag = true)]
    SuiteShim {
        /// The socket of the engine.
        socket: PathBuf,
        /// The arguments of the test.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
    /// Do ahead of time what a spec's runtime needs: compile programs, get images.
    Prepare(PrepareArgs),
    /// Check, show and list environment specs.
    Spec {
        #[command(subcommand)]
        command: SpecCommand,
    },
    /// Install, add, list and remove the programs of this host.
    #[cfg(feature = "wasi")]
    Programs {
        #[command(subcommand)]
        command: ProgramsCommand,
    },
    /// Take, show, compare, restore, list and remove snapshots of directories.
    Snapshot {
        #[command(subcommand)]
        command: SnapshotCommand,
    },
    /// Print the JSON Schema of a file or of what `--json` prints.
    Schema(SchemaArgs),
    /// Say what each runtime can do on this host.
    Doctor(DoctorArgs),
    /// Try on this host whether what each runtime claims to hold stands.
    Selftest(SelftestArgs),
    /// List and remove what is kept to be faster next time: compiled modules, images.
    Cache {
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// Remove what engines that are dead left behind.
    Gc(GcArgs),
    /// Print the version and the runtimes.
    Version,
    /// Print completions for a shell.
    Completions(CompletionsArgs),
}

/// Who the session serves, as a flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeArg {
    /// A submission is judged.
    #[default]
    Evaluation,
    /// An agent works.
    Agent,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Evaluation => Self::Evaluation,
            ModeArg::Agent => Self::Agent,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_sound() {
        Cli::command().debug_assert();
    }
}
