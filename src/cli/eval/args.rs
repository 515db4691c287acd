//! The flags of `eval`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::target::{self, Target};

/// The arguments of `eval`.
#[derive(Debug, Args)]
pub(in crate::cli) struct EvalArgs {
    /// The cases: a cases.yaml, a directory with one, directories with a case.yaml each, or a problem package.
    #[arg(value_name = "CASES", value_hint = ValueHint::AnyPath)]
    pub(super) cases: PathBuf,
    /// Run in this environment: a built-in spec or a file [default: every default of the runtime]
    #[arg(long, value_name = "FILE|NAME")]
    pub(super) spec: Option<String>,
    /// Run on this runtime [default: the spec's, else the registry's default]
    #[arg(long, value_name = "TYPE")]
    pub(super) runtime: Option<String>,
    /// Judge these files, or what this archive holds, without what the spec ignores.
    #[arg(long, value_name = "DIR|FILE|ARCHIVE", value_hint = ValueHint::AnyPath)]
    pub(super) submission: Option<PathBuf>,
    /// Judge a whole class: each entry of this directory is one submission, and all share the jobs.
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        conflicts_with_all = ["submission", "differential"]
    )]
    pub(super) submissions: Option<PathBuf>,
    /// Start the submission by this entry, or by the only one that a pattern names, through the spec's commands
    /// [default: its only such file, else `main`]
    #[arg(long, value_name = "NAME|GLOB", conflicts_with = "command")]
    pub(super) entry: Option<String>,
    /// Start the submission by this command line.
    #[arg(long, value_name = "LINE", value_hint = ValueHint::CommandString)]
    pub(super) command: Option<String>,
    /// Judge the cases with this id; `*` stands for anything; again for more.
    #[arg(long = "case", value_name = "GLOB")]
    pub(super) ids: Vec<String>,
    /// Judge the cases of this group; again for more.
    #[arg(long = "group", value_name = "GROUP")]
    pub(super) groups: Vec<String>,
    /// Judge so many cases at once [default: the number of processors]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// Leave out what comes behind the first case that is not accepted.
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Put a value over the spec: any key, typed by its schema.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = crate::cli::run::parse_setting)]
    pub(super) settings: Vec<(String, String)>,
    /// Write a report: `json`, `jsonl`, `junit`, `markdown`, `csv` or `html`, for `staff` or `student`; again for more. Of a
    /// class, `{submission}` in PATH makes one a submission, and a path without it has a row a submission.
    #[arg(long = "report", value_name = "KIND[@AUDIENCE]=PATH", value_parser = target::parse, value_delimiter = ',')]
    pub(super) reports: Vec<Target>,
    /// Write each verdict to this file as it comes; it must be new or empty. Of a class, PATH has `{submission}`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "resume")]
    pub(super) journal: Option<PathBuf>,
    /// Go on with a journal: judge what has no verdict in it.
    #[arg(long, value_name = "JOURNAL", value_hint = ValueHint::FilePath)]
    pub(super) resume: Option<PathBuf>,
    /// Judge on each of these runtimes or specs, and report every divergence.
    #[arg(
        long,
        value_name = "TYPE|SPEC,…",
        value_delimiter = ',',
        num_args = 1..,
        conflicts_with_all = ["journal", "resume", "spec", "runtime", "reports"]
    )]
    pub(super) differential: Vec<String>,
    /// Judge the solutions in `submissions/` beside the cases: each must get the verdict of its directory, and the
    /// slowest accepted one leave half of every time limit.
    #[arg(long, conflicts_with_all = ["submission", "submissions", "differential", "reports", "journal", "resume"])]
    pub(super) verify: bool,
    /// Write what the submission prints into the files that hold the expected answers.
    #[arg(long, conflicts_with_all = ["submissions", "differential", "verify", "reports", "journal", "resume"])]
    pub(super) record: bool,
    /// Judge so many times, and report what differs: verdicts that flip, times that spread.
    #[arg(
        long,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u16).range(2..),
        conflicts_with_all = ["submissions", "differential", "reports", "journal", "resume", "verify", "record"]
    )]
    pub(super) repeat: Option<u16>,
    /// Load the cases and list them; nothing runs.
    #[arg(long)]
    pub(super) check: bool,
    /// Agree to a runtime that puts nothing between the submission and this host.
    #[arg(long)]
    pub(super) allow_unsandboxed: bool,
}
