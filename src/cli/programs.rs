//! `programs`: the modules that command names stand for, in the catalogue of this host.
//!
//! The one place of `cli/` that names a runtime: only WASI has programs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use super::app::App;
use super::failure::Usage;
use super::json::{ListedProgram, ProgramsObject, VERSION};
use super::run::{parse_mount, parse_setting as parse_pair};
use crate::ExecutionError;
use crate::runtime::Mount;
use crate::runtime::wasi::{
    Catalogue, CatalogueError, ExitCode as ExitCodeFrom, Program, ProgramEntry, ProgramMount, UnknownImports,
    UnknownPolicy,
};

/// The commands of `programs`.
#[derive(Debug, Subcommand)]
pub(super) enum ProgramsCommand {
    /// Copy a module into the catalogue under a name, in place of what had that name.
    Add(Box<AddArgs>),
    /// List the programs, as commands find them.
    List,
    /// Remove a program from the own catalogue.
    Remove {
        /// The program.
        name: String,
    },
}

/// The arguments of `programs add`.
#[derive(Debug, Args)]
pub(super) struct AddArgs {
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

pub(super) fn run(app: &App, command: ProgramsCommand) -> anyhow::Result<ExitCode> {
    let catalogue = Catalogue::open(app.registry.host());
    match command {
        ProgramsCommand::Add(args) => {
            let entry = add(&catalogue, *args)?;
            print_object(app, &catalogue);
            app.terminal.explain(&format!("added `{}`, {} bytes, blake3 {}", entry.name, entry.size, entry.digest));
        }
        ProgramsCommand::List => app.terminal.print_either(&object(&catalogue), draw),
        ProgramsCommand::Remove { name } => {
            catalogue.remove(&name).map_err(told)?;
            print_object(app, &catalogue);
            app.terminal.explain(&format!("removed `{name}`"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn add(catalogue: &Catalogue, args: AddArgs) -> anyhow::Result<ProgramEntry> {
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

/// Prints what the catalogue holds now, if objects are wanted.
fn print_object(app: &App, catalogue: &Catalogue) {
    if app.terminal.wants_json() {
        app.terminal.print_object(&object(catalogue));
    }
}

/// Tells requests that are wrong from failures of the host.
fn told(error: CatalogueError) -> anyhow::Error {
    let is_usage = match &error {
        CatalogueError::BadName { .. } | CatalogueError::Unknown { .. } | CatalogueError::NotAModule { .. } => true,
        CatalogueError::NoDirectory | CatalogueError::Io { .. } => false,
    };
    let error = ExecutionError::from(error);
    match error.hint() {
        Some(hint) if is_usage => Usage::new(error.to_string()).with_hint(hint).into(),
        Some(_) | None => error.into(),
    }
}

fn object(catalogue: &Catalogue) -> ProgramsObject {
    let listed = catalogue.list().into_iter().map(|entry| ListedProgram {
        module: entry.module().display().to_string(),
        name: entry.name,
        program_version: entry.program.version,
        digest: entry.digest,
        size: entry.size,
    });
    ProgramsObject { version: VERSION, programs: listed.collect() }
}

fn draw(object: &ProgramsObject) -> String {
    let width = object.programs.iter().map(|program| program.name.len()).max().unwrap_or(0);
    let row = |program: &ListedProgram| {
        let version = program.program_version.as_deref().unwrap_or("-");
        let ListedProgram { name, digest, size, .. } = program;
        format!("{name:width$}  {version:<10}  {size:>10}  {}\n", digest.get(..16).unwrap_or(digest))
    };
    object.programs.iter().map(row).collect()
}
