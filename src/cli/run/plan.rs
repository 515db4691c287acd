//! What a run needs, checked before anything runs: everything here can be wrong only because of its flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Map, Value};

use super::args::RunArgs;
use super::assets::AssetFlags;
use super::deterministic;
use super::parse::{self, EnvFlag};
use super::stdin::Source;
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::runtime::{AnyRuntimeKind, SpawnRequest};
use crate::spec::{Loaded, Mode, Problem};

/// A run that can begin.
pub(super) struct Plan {
    pub(super) loaded: Loaded,
    pub(super) kind: Arc<dyn AnyRuntimeKind>,
    pub(super) mode: Mode,
    pub(super) submission: Option<PathBuf>,
    pub(super) assets: AssetFlags,
    /// What the spawn asks for; placeholders in its variables are not resolved yet.
    pub(super) request: SpawnRequest,
    pub(super) stdin: Source,
    pub(super) cwd: Option<String>,
    pub(super) command: Vec<String>,
    pub(super) keep: Option<PathBuf>,
    pub(super) result: Option<PathBuf>,
    pub(super) diff: bool,
}

impl Plan {
    pub(super) fn make(app: &App, args: RunArgs) -> anyhow::Result<Self> {
        let loaded = deterministic::load(app, &args)?;
        let kind = Arc::clone(app.registry.kind_of(&loaded.spec)?);
        if kind.needs_consent() && !args.allow_unsandboxed {
            return Err(unsandboxed(kind.ty()).into());
        }
        let stdin = Source::open(args.stdin.as_deref(), args.interactive)?;
        let request = SpawnRequest {
            ports: ports(&args.ports)?,
            env: env(app, &args.env_files, &args.env)?,
            options: options(&*kind, &args.options)?,
            mounts: args.mounts,
            ..SpawnRequest::default()
        };
        Ok(Self {
            loaded,
            kind,
            request,
            stdin,
            mode: args.mode.into(),
            submission: args.submission.map(check_submission).transpose()?,
            keep: args.keep.map(check_keep).transpose()?,
            result: args.result.map(check_result).transpose()?,
            assets: AssetFlags { one_by_one: args.assets, files: args.asset_files },
            cwd: args.cwd,
            command: args.command,
            diff: args.diff,
        })
    }

    /// Lists what the spec's author should know.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.loaded.warnings.iter()
    }
}

pub(in crate::cli) fn unsandboxed(ty: &str) -> Usage {
    let usage = Usage::new(format!("the runtime `{ty}` puts nothing between the guest and this host"));
    usage.with_hint("--allow-unsandboxed agrees to that; or choose another runtime").forbidden()
}

fn ports(flags: &[(u16, u16)]) -> Result<BTreeMap<u16, u16>, Usage> {
    let mut ports = BTreeMap::new();
    for (host, guest) in flags {
        if ports.insert(*host, *guest).is_some() {
            return Err(Usage::new(format!("the port {host} of the host is published twice")));
        }
    }
    Ok(ports)
}

/// Gives the variables of the files, then those of the flags; later ones win.
fn env(app: &App, files: &[PathBuf], flags: &[EnvFlag]) -> Result<BTreeMap<String, String>, Usage> {
    let mut granted = Vec::new();
    for file in files {
        let name = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Usage::new(format!("cannot read the variables of `{name}`: {error}")))?;
        let lines = parse::env_lines(&text);
        granted.extend(lines.map_err(|(line, message)| Usage::new(format!("{name}:{line}: {message}")))?);
    }
    granted.extend(flags.iter().cloned());
    let host = &app.registry.host().env;
    let value = |flag: EnvFlag| match flag.value.or_else(|| host.get(&flag.name).cloned()) {
        Some(value) => Ok((flag.name, value)),
        None => {
            let usage = Usage::new(format!("the host has no variable `{}`", flag.name));
            Err(usage.with_hint(format!("--env {}=VALUE gives it a value", flag.name)))
        }
    };
    granted.into_iter().map(value).collect()
}

/// Types the options by the schema of the runtime, and refuses those that it does not know.
fn options(kind: &dyn AnyRuntimeKind, flags: &[(String, String)]) -> Result<Map<String, Value>, Usage> {
    let schema = kind.options_schema();
    let known = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut options = Map::new();
    for (name, text) in flags {
        let Some(property) = known.get(name) else {
            let usage = Usage::new(format!("the runtime `{}` has no option `{name}`", kind.ty()));
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(usage.with_hint(format!("its options: {names}")));
        };
        let value = serde_json::from_str(text).ok().filter(|_| !is_text(property));
        options.insert(name.clone(), value.unwrap_or_else(|| text.as_str().into()));
    }
    Ok(options)
}

/// Says whether a property is a text, so that `1` stays one.
fn is_text(property: &Value) -> bool {
    match property.get("type") {
        Some(Value::String(ty)) => ty == "string",
        Some(Value::Array(types)) => types.iter().any(|ty| ty == "string"),
        Some(_) | None => false,
    }
}

fn check_submission(path: PathBuf) -> anyhow::Result<PathBuf> {
    let shown = path.display();
    if !path.exists() {
        return Err(Usage::new(format!("there is no submission `{shown}`")).into());
    }
    absolute(&path)
}

fn check_keep(path: PathBuf) -> anyhow::Result<PathBuf> {
    let path = absolute(&path)?;
    let shown = path.display();
    match std::fs::read_dir(&path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(path),
        Ok(false) => {
            let usage = Usage::new(format!("the directory `{shown}` for the workspace is not empty"));
            Err(usage.with_hint("give --keep a new or an empty directory").into())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && has_parent(&path) => Ok(path),
        Err(error) => Err(Usage::new(format!("the workspace cannot be kept in `{shown}`: {error}")).into()),
    }
}

fn check_result(path: PathBuf) -> anyhow::Result<PathBuf> {
    let path = absolute(&path)?;
    if path.is_dir() || !has_parent(&path) {
        let message = format!("the result cannot be written to `{}`", path.display());
        return Err(Usage::new(message).with_hint("give --result a file in a directory that is there").into());
    }
    Ok(path)
}

fn has_parent(path: &Path) -> bool {
    path.parent().is_some_and(Path::is_dir)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).context("cannot read the current directory")
}
