//! `programs add`: a module of the user's own under a name.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::command::told;
use crate::cli::failure::Usage;
use crate::cli::run::{parse_mount, parse_setting as parse_pair};
use crate::runtime::Mount;
use crate::runtime::wasi::{
    Catalogue, ExitCode as ExitCodeFrom, Program, ProgramEntry, ProgramMount, UnknownImports, UnknownPolicy,
};

/// The arguments of `programs add`.
#[derive(Debug, Args)]
pub(in crate::cli) struct AddArgs {
    /// The name that commands use.
    name: String,
    /// The module: a `.wasm` file, or its text.
    module: PathBuf,
    /// Say which version it is, for people and for results.
    #[arg(long = "program-version", value_name = "VERSION")]
    version: Option<String>,
    /// Call this export [default: _start]
    #[arg(long, value_name = "EXPORT")]
    entry: Option<String>,
    /// Put a word between the program's name and the command's own words.
    #[arg(long = "arg", value_name = "WORD", allow_hyphen_values = true)]
    args: Vec<String>,
    /// Give the program a variable, below those of the spec.
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = parse_pair)]
    env: Vec<(String, String)>,
    /// Let the program read a directory of the host, wherever it runs.
    #[arg(long = "mount", value_name = "HOST:GUEST", value_parser = parse_mount)]
    mounts: Vec<Mount>,
    /// What becomes of imports that nothing provides.
    #[arg(long, value_name = "POLICY", default_value = "refuse")]
    unknown_imports: PolicyArg,
    /// Where the exit code comes from.
    #[arg(long, value_name = "FROM", default_value = "proc-exit")]
    exit_code: ExitCodeArg,
}

/// What becomes of imports that nothing provides, as a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PolicyArg {
    /// The module is not started.
    Refuse,
    /// Calling one is a trap.
    Trap,
    /// Calling one gives zeros.
    Default,
}

/// Where the exit code comes from, as a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExitCodeArg {
    /// From `proc_exit`, or 0 when the entry returns.
    ProcExit,
    /// From the number that the entry returns.
    FromEntry,
}

pub(super) fn add(catalogue: &Catalogue, args: AddArgs) -> anyhow::Result<ProgramEntry> {
    if let Some(mount) = args.mounts.iter().find(|mount| mount.writable) {
        let message = format!("the program would write to `{}`", mount.host.display());
        return Err(Usage::new(message).with_hint("the mounts of a program are read-only: leave `:rw` out").into());
    }
    let policy = match args.unknown_imports {
        PolicyArg::Refuse => UnknownPolicy::Refuse,
        PolicyArg::Trap => UnknownPolicy::Trap,
        PolicyArg::Default => UnknownPolicy::Default,
    };
    let exit_code = match args.exit_code {
        ExitCodeArg::ProcExit => ExitCodeFrom::ProcExit,
        ExitCodeArg::FromEntry => ExitCodeFrom::FromEntry,
    };
    let mount = |Mount { host, guest, .. }| match host.into_os_string().into_string() {
        Ok(host) => Ok(ProgramMount { host, guest }),
        Err(host) => Err(Usage::new(format!("the path `{}` is not UTF-8", host.display()))),
    };
    let program = Program {
        version: args.version,
        entry: args.entry,
        args: args.args,
        env: args.env.into_iter().collect(),
        mounts: args.mounts.into_iter().map(mount).collect::<Result<_, _>>()?,
        unknown_imports: UnknownImports::All(policy),
        exit_code,
    };
    catalogue.add(&args.name, &args.module, program).map_err(told)
}
