//! A template on its way to disk.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use clap::{Args, ValueEnum, ValueHint};
use schemars::JsonSchema;
use serde::Serialize;

use super::templates::{BENCHMARK, File, GRADING};
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::cli::json::VERSION;

/// The arguments of `init`.
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// What to begin with.
    #[arg(value_name = "KIND")]
    kind: Template,
    /// Where to write it: a directory that is new or empty.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
}

/// What there is to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Template {
    /// A task of a course: open and hidden cases, a time limit, solutions that prove it.
    Grading,
    /// A benchmark: a program that grows over two checkpoints.
    Benchmark,
}

/// What `init --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct InitObject {
    /// The version of the form: 1.
    version: u32,
    /// The files that were written, below the directory.
    written: Vec<String>,
}

pub(in crate::cli) fn run(app: &App, args: &InitArgs) -> anyhow::Result<ExitCode> {
    let files: &[File] = match args.kind {
        Template::Grading => &GRADING,
        Template::Benchmark => &BENCHMARK,
    };
    let place = || format!("cannot write to `{}`", args.dir.display());
    Dir::create_ambient_dir_all(&args.dir, ambient_authority()).with_context(place)?;
    let dir = Dir::open_ambient_dir(&args.dir, ambient_authority()).with_context(place)?;
    if dir.entries().with_context(place)?.next().is_some() {
        let usage = Usage::new(format!("`{}` is not empty", args.dir.display()));
        return Err(usage.with_hint("name a directory that is new or empty").into());
    }
    for (path, text) in files {
        if let Some((parent, _)) = path.rsplit_once('/') {
            dir.create_dir_all(parent).with_context(place)?;
        }
        let mut file = dir.open_with(path, OpenOptions::new().write(true).create_new(true)).with_context(place)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).with_context(place)?;
    }
    let written = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    app.terminal.print_either(&InitObject { version: VERSION, written }, |object| {
        object.written.iter().map(|path| format!("{path}\n")).collect()
    });
    Ok(ExitCode::SUCCESS)
}
