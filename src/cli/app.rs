//! From words to an exit code: parse, build the registry, run the command, draw the failure.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use clap::error::ErrorKind as ClapErrorKind;

use super::args::{Cli, Cmd};
use super::failure::{Failure, USAGE};
use super::streams::{Input, Streams};
use super::terminal::{Shared, Terminal};
use super::{
    cache, completions, doctor, gc, logging, prepare, run as run_command, schema, selftest, snapshot, spec, version,
};
use crate::error::ExecutionError;
use crate::host::{Host, HostPolicy};
use crate::runtime::RuntimeRegistry;

/// What every command works with.
pub(super) struct App {
    pub(super) terminal: Terminal,
    pub(super) registry: RuntimeRegistry,
    pub(super) stdin: Option<Input>,
    pub(super) progress: bool,
}

/// Runs the `bailiwick` command with the runtimes of a registry, and gives its exit code.
///
/// The registry is made by a function, since flags such as `--base-dir` change the host that it is made for.
/// Reads the environment of the process, prints on its standard streams, and takes over INT, TERM and HUP while
/// something runs. `docs/execution/command-line.md` has the commands, flags and exit codes.
pub fn run<F, A>(registry: F, args: A) -> ExitCode
where
    F: FnOnce(Host) -> Result<RuntimeRegistry, ExecutionError>,
    A: IntoIterator<Item = OsString>,
{
    run_with(Streams::open_ambient_process(), Host::open_ambient_process(), registry, args)
}

/// Does the same as [`run`] on given streams and a given host: for tests, and for programs that embed the command.
pub fn run_with<F, A>(streams: Streams, host: Host, registry: F, args: A) -> ExitCode
where
    F: FnOnce(Host) -> Result<RuntimeRegistry, ExecutionError>,
    A: IntoIterator<Item = OsString>,
{
    let args: Vec<OsString> = args.into_iter().collect();
    let (stdout, stderr) = (Shared::new(streams.stdout), Shared::new(streams.stderr));
    let terminal = Terminal::new(stdout, stderr, streams.colour);
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&terminal, &error, &args, streams.colour),
    };
    let terminal = terminal.with_flags(cli.global.quiet, cli.global.json);
    let _log = logging::install(&cli.global, &terminal);
    let work = || {
        let registry = registry(host_for(host, &cli)?)?;
        let app = App { terminal: terminal.clone(), registry, stdin: Some(streams.stdin), progress: streams.progress };
        dispatch(app, cli.command)
    };
    // The hook of the process has printed the panic by then.
    let outcome = catch_unwind(AssertUnwindSafe(work)).map_err(|_| Failure::bug());
    let failure = match outcome {
        Ok(Ok(code)) => return code,
        Ok(Err(error)) => Failure::new(&error),
        Err(bug) => bug,
    };
    terminal.draw(&failure);
    failure.exit_code()
}

/// Prints help, or what is wrong with the command line.
fn not_parsed(terminal: &Terminal, error: &clap::Error, args: &[OsString], colour: bool) -> ExitCode {
    let styled = error.render();
    if matches!(error.kind(), ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion) {
        terminal.print(&styled.to_string());
        return ExitCode::SUCCESS;
    }
    let before_command = args.iter().take_while(|arg| *arg != "--");
    if before_command.into_iter().any(|arg| arg == "--json") {
        let text = styled.to_string();
        let message = text.trim().trim_start_matches("error: ").to_owned();
        terminal.clone().with_flags(false, true).draw(&Failure::usage(message));
    } else {
        let text = if colour { styled.ansi().to_string() } else { styled.to_string() };
        let _ = terminal.stderr.write(text.as_bytes());
    }
    ExitCode::from(USAGE)
}

fn host_for(mut host: Host, cli: &Cli) -> anyhow::Result<Host> {
    let absolute = |dir: &std::path::Path| std::path::absolute(dir).context("cannot read the current directory");
    if let Some(dir) = &cli.global.cache_dir {
        host.dirs.cache = Some(absolute(dir)?);
    }
    if let Some(dir) = &cli.global.base_dir {
        host.dirs.base = Some(absolute(dir)?);
    }
    if matches!(cli.command, Cmd::Selftest(_)) {
        // A variable of the host's that no guest may see.
        host.env.insert("BAILIWICK_SELFTEST".to_owned(), format!("canary-{}", std::process::id()));
    }
    host.policy = HostPolicy::open_ambient_files(&host.dirs.host_files)?;
    Ok(host)
}

fn dispatch(app: App, command: Cmd) -> anyhow::Result<ExitCode> {
    match command {
        Cmd::Run(args) => block_on(app, |app| run_command::run(app, *args)),
        #[cfg(feature = "evaluate")]
        Cmd::Eval(args) => {
            // Guests run on the tasks of the jobs: each needs a worker, and limits and signals one more.
            let workers = super::eval::jobs(&args) + 1;
            block_on_workers(workers, app, |app| super::eval::run(app, *args))
        }
        #[cfg(feature = "evaluate")]
        Cmd::SuiteShim { socket, args } => Ok(ExitCode::from(crate::evaluate::open_ambient_shim(&socket, args))),
        #[cfg(feature = "evaluate")]
        Cmd::Init(args) => super::init::run(&app, &args),
        Cmd::Prepare(args) => block_on(app, |app| prepare::run(app, args)),
        Cmd::Doctor(args) => block_on(app, |app| doctor::run(app, args)),
        // One worker for guests that give nothing back, one for limits, one for signals.
        Cmd::Selftest(args) => block_on_workers(3, app, |app| selftest::run(app, args)),
        Cmd::Spec { command } => spec::run(&app, command),
        #[cfg(feature = "wasi")]
        Cmd::Programs { command } => block_on(app, |app| super::programs::run(app, command)),
        Cmd::Snapshot { command } => block_on(app, |app| snapshot::run(app, command)),
        Cmd::Schema(args) => schema::run(&app, &args),
        Cmd::Cache { command } => block_on(app, |app| cache::run(app, command)),
        Cmd::Gc(args) => block_on(app, |app| gc::run(app, args)),
        Cmd::Version => version::run(&app),
        Cmd::Completions(args) => completions::run(&app, &args),
    }
}

/// How long the end of the process waits for what is cleaned up behind the scenes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a command that waits. Two workers: one drives the guest, one is free for limits and signals.
fn block_on<W>(app: App, command: impl FnOnce(App) -> W) -> anyhow::Result<ExitCode>
where
    W: Future<Output = anyhow::Result<ExitCode>>,
{
    block_on_workers(2, app, command)
}

fn block_on_workers<W>(workers: usize, app: App, command: impl FnOnce(App) -> W) -> anyhow::Result<ExitCode>
where
    W: Future<Output = anyhow::Result<ExitCode>>,
{
    let (terminal, registry) = (app.terminal.clone(), app.registry.clone());
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(workers).enable_all().build().context("cannot start the executor")?;
    let outcome = runtime.block_on(command(app));
    // What is removed off everybody's path would be cut short by the end of this process.
    if let Err(error) = runtime.block_on(registry.shutdown(PATIENCE)) {
        terminal.explain(&format!("cleaning up failed, `bailiwick gc` mends it: {error}"));
    }
    // A thread may be stuck in a read of a standard input that nobody closes.
    runtime.shutdown_background();
    outcome
}
