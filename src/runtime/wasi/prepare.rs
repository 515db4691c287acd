//! Compiling ahead of time: the programs that a spec may start, so that the first command does not wait.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::catalogue::ProgramEntry;
use super::config::{Containment, WasiConfig};
use super::digests::read_bounded;
use super::engine::{Asked, EngineKey};
use super::find::Source;
use super::key::ModuleKey;
use super::load::load;
use super::load_error::LoadError;
use super::program::UnknownImports;
use super::spawn::Shared;
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{Progress, SolutionRuntimeError};
use crate::spec::{Limits, Mode};

/// A program that is compiled.
struct Wanted {
    key: ModuleKey,
    path: PathBuf,
    unknown: UnknownImports,
}

/// Compiles the programs that a section names; where it names none, those of the catalogue.
pub(super) async fn prepare(
    shared: &Shared,
    config: &WasiConfig,
    progress: &dyn Progress,
) -> Result<(), ExecutionError> {
    for (name, wanted) in wanted(shared, config)? {
        progress.step(&format!("compiling {name}"));
        let made = compile(shared, &wanted, config).await;
        match made {
            Ok(()) => {}
            Err(LoadError::Failed(error)) => return Err(error.into()),
            // Programs have no time: the host trusts them.
            Err(LoadError::TooSlow(_)) => {}
            Err(LoadError::Refused(_, message)) => {
                let error = ExecutionError::new(ErrorKind::Unavailable, format!("the program `{name}` cannot run"));
                return Err(error.with_hint(message));
            }
        }
    }
    Ok(())
}

async fn compile(shared: &Shared, wanted: &Wanted, config: &WasiConfig) -> Result<(), LoadError> {
    // Limits in force at a run choose among engines; the usual ones choose the usual engine.
    let limits = Limits::defaults(Mode::Evaluation);
    let asked = Asked { limits: &limits, deterministic: config.determinism.is_some(), charged: false };
    let source = Source::Host { path: wanted.path.clone(), digest: wanted.key };
    match config.containment {
        Containment::InProcess => {
            load(&shared.engines, (wanted.key, &wanted.unknown, None), source, asked).await.map(drop)
        }
        Containment::Worker => {
            let key = EngineKey::in_worker(asked, config.most_calls().is_some());
            shared.artifacts.get(&shared.crew, (wanted.key, key, None), source).await.map(drop)
        }
    }
}

fn wanted(shared: &Shared, config: &WasiConfig) -> Result<BTreeMap<String, Wanted>, ExecutionError> {
    let mut wanted = BTreeMap::new();
    for (name, program) in &config.programs {
        if let Some(module) = &program.module {
            let path = PathBuf::from(module);
            let failed = SolutionRuntimeError::host("read the program's module");
            let key = shared.digests.of(&path, read_bounded).map_err(failed)?;
            wanted.insert(name.clone(), Wanted { key, path, unknown: program.program.unknown_imports.clone() });
        } else if let Some(entry) = program.installed.as_ref().and_then(|word| shared.catalogue.find(word)) {
            wanted.extend(installed(entry));
        }
    }
    if config.programs.is_empty() {
        let defaults = shared.catalogue.list().into_iter().filter(|entry| entry.is_default);
        wanted.extend(defaults.filter_map(installed));
    }
    Ok(wanted)
}

fn installed(entry: ProgramEntry) -> Option<(String, Wanted)> {
    let (key, path) = (ModuleKey::from_hex(&entry.digest)?, entry.module());
    Some((entry.id(), Wanted { key, path, unknown: entry.program.unknown_imports }))
}
