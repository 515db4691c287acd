//! The flags of `run`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::parse::{self, AssetFlag, EnvFlag};
use crate::cli::args::ModeArg;
use crate::runtime::Mount;

/// The arguments of `run`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RunArgs {
    /// Run in this environment: a built-in spec or a file [default: every default of the runtime]
    #[arg(long, value_name = "FILE|NAME")]
    pub(super) spec: Option<String>,
    /// Run on this runtime [default: the spec's, else the registry's default]
    #[arg(long, value_name = "TYPE")]
    pub(super) runtime: Option<String>,
    /// Copy these files, or what this archive holds, into the workspace first, without what the spec ignores.
    #[arg(long, value_name = "DIR|FILE|ARCHIVE", value_hint = ValueHint::AnyPath)]
    pub(super) submission: Option<PathBuf>,
    /// Grant a file or directory of the host as an asset, named in `{{static:NAME}}`.
    #[arg(long = "asset", value_name = "NAME=PATH[:SAVE_PATH]", value_parser = parse::asset)]
    pub(super) assets: Vec<AssetFlag>,
    /// Grant the assets of a file: a map `assets`, and `order` where they are in groups.
    #[arg(long = "assets", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) asset_files: Vec<PathBuf>,
    /// Grant a file or directory of the host at a path of the guest, read-only unless `rw`.
    #[arg(long = "mount", value_name = "HOST:GUEST[:ro|rw]", value_parser = parse::mount)]
    pub(super) mounts: Vec<Mount>,
    /// Publish a port of the guest on the host.
    #[arg(long = "port", value_name = "HOST:GUEST", value_parser = parse::port)]
    pub(super) ports: Vec<(u16, u16)>,
    /// Pass an option to the runtime.
    #[arg(long = "option", value_name = "KEY=VALUE", value_parser = parse::pair)]
    pub(super) options: Vec<(String, String)>,
    /// Grant a variable; without a value, the host's.
    #[arg(long = "env", value_name = "KEY[=VALUE]", value_parser = parse::env)]
    pub(super) env: Vec<EnvFlag>,
    /// Grant the variables of a file, one `KEY=VALUE` or `KEY` a line.
    #[arg(long = "env-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) env_files: Vec<PathBuf>,
    /// Grant a file as standard input, `-` for the own one [default: closed]
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath, conflicts_with = "interactive")]
    pub(super) stdin: Option<PathBuf>,
    /// Grant the own standard input; the same as `--stdin -`.
    #[arg(short, long)]
    pub(super) interactive: bool,
    /// Start in this directory of the guest [default: the workdir]
    #[arg(long, value_name = "GUEST_DIR")]
    pub(super) cwd: Option<String>,
    /// Put a value over the spec: any key, typed by its schema.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse::pair)]
    pub(super) settings: Vec<(String, String)>,
    /// Give the command the same clock, random bytes and order of files in every run [default of SEED: 0]
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true)]
    pub(super) deterministic: Option<Option<u64>>,
    /// Judge a submission, or let an agent work.
    #[arg(long, value_name = "MODE", default_value = "evaluation")]
    pub(super) mode: ModeArg,
    /// Copy the workspace to this new or empty directory afterwards, whatever the ending.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) keep: Option<PathBuf>,
    /// List on standard error what changed in the workspace.
    #[arg(long)]
    pub(super) diff: bool,
    /// Write the JSON object to this file, while output passes live.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) result: Option<PathBuf>,
    /// Agree to a runtime that puts nothing between the guest and this host.
    #[arg(long)]
    pub(super) allow_unsandboxed: bool,
    /// The command: words, passed as they are.
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, value_hint = ValueHint::CommandWithArguments)]
    pub(super) command: Vec<String>,
    // Last: its heading would hold for what follows.
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// The short forms of `--set limits.…`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// End the command after this time: `10s`, `250ms`; `null` for no limit.
    #[arg(long, value_name = "TIME")]
    wall_time: Option<String>,
    /// End the command after this much processor time.
    #[arg(long, value_name = "TIME")]
    cpu_time: Option<String>,
    /// Bound the memory of the command: `512MiB`.
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Bound what is printed, on stdout and on stderr each.
    #[arg(long, value_name = "SIZE")]
    output_limit: Option<String>,
    /// Bound what is added to the workspace.
    #[arg(long, value_name = "SIZE")]
    disk: Option<String>,
    /// End the command after this many instructions, on every machine the same.
    #[arg(long, value_name = "COUNT")]
    fuel: Option<String>,
}

impl RunArgs {
    /// Gives what is put over the spec: `--set`, then the short forms.
    pub(super) fn all_settings(&self) -> Vec<(String, String)> {
        let LimitArgs { wall_time, cpu_time, memory, output_limit, disk, fuel } = &self.limits;
        let short = [
            ("limits.wall_time", wall_time),
            ("limits.cpu_time", cpu_time),
            ("limits.memory", memory),
            ("limits.output", output_limit),
            ("limits.disk", disk),
            ("limits.fuel", fuel),
        ];
        let short = short.into_iter().filter_map(|(path, value)| Some((path.to_owned(), value.clone()?)));
        self.settings.iter().cloned().chain(short).collect()
    }
}
