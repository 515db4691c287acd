//! One command: find its module, compile and link it, and call it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::config::{Containment, TEMP};
use super::engine::Asked;
use super::find::Source;
use super::load::load;
use super::load_error::LoadError;
use super::quota::{charged, refuse_component};
use super::spawn::WasiGuest;
use super::world::Prepared;
use crate::error::ExecutionError;
use crate::runtime::{CommandLine, End, Ending, Guest, Job, Machine, NotStarted};
use crate::spec::Span;

#[async_trait]
impl Guest for WasiGuest {
    async fn run(&self, job: Job) -> Ending {
        match self.start(job).await {
            Ok(ending) | Err(ending) => ending,
        }
    }

    fn granted_env(&self) -> BTreeMap<String, String> {
        let workdir = self.view().workdir().to_owned();
        // A guest starts no programs; `PATH` is there because it is on every runtime.
        let path = "/usr/local/bin:/usr/bin:/bin";
        [("PATH", path), ("HOME", TEMP), ("TMPDIR", TEMP), ("PWD", &workdir), ("LANG", "C.UTF-8")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn machine(&self) -> Machine {
        Machine { arch: "wasm32", pointer_bits: 32 }
    }

    async fn resolve(&self, word: &str) -> Result<(), Vec<String>> {
        let workdir = self.view().workdir().to_owned();
        self.find(word, &workdir).map(drop).map_err(|_| self.known())
    }

    async fn identity(
        &self,
        line: &CommandLine,
        _: &BTreeMap<String, String>,
    ) -> Result<Option<String>, ExecutionError> {
        let CommandLine::Argv(argv) = line else { return Ok(None) };
        let workdir = self.view().workdir().to_owned();
        let Ok(found) = self.find(argv.first().map_or("", String::as_str), &workdir) else { return Ok(None) };
        // What a spec mounts is the caller's to change; what an installed program reads is as old as the program.
        let is_installed = self.config.programs.get(&found.used.name).is_none_or(|program| program.module.is_none());
        if self.has_mounts() || !(is_installed || found.program.mounts.is_empty()) {
            return Ok(None);
        }
        let version = env!("CARGO_PKG_VERSION");
        Ok(Some(format!("{version} {:?} {:?} {:?}", found.used, found.program, self.config)))
    }

    fn after_setup(&self) -> Result<(), ExecutionError> {
        self.look_again()
    }
}

impl WasiGuest {
    /// Runs a command; both sides are endings, the error side of a guest that never ran.
    async fn start(&self, job: Job) -> Result<Ending, Ending> {
        let CommandLine::Argv(argv) = &job.line else {
            return Err(Ending::not_started(NotStarted::Missing, "a line without a shell"));
        };
        let cwd = self.cwd(&job);
        let word = argv.first().map_or("", String::as_str);
        let mut found = self.find(word, &cwd).map_err(|error| self.refused(error))?;
        if self.config.containment == Containment::Worker {
            let argv = argv.clone();
            return self.work(job, Prepared { found, cwd, argv }).await;
        }
        let source = std::mem::replace(&mut found.source, Source::Bytes(Bytes::new()));
        let asked = Asked {
            limits: &job.limits,
            deterministic: self.config.determinism.is_some(),
            charged: charged(&self.workspace, &job.limits).is_some(),
        };
        let load = load(&self.engines, (found.key, found.unknown_imports(), found.bounds), source, asked);
        let (lease, linked) = tokio::select! {
            biased;
            _ = job.control.stopped() => return Err(Ending::new(End::Stopped(None))),
            loaded = load => loaded.map_err(|error| self.refused(error))?,
        };
        linked.check_entry(&found.program).map_err(|error| self.refused(error))?;
        if asked.charged {
            refuse_component(&linked, &job.limits).map_err(|error| self.refused(error))?;
        }
        let guest = Prepared { found, cwd, argv: argv.clone() };
        self.call(job, &lease.sandbox, &linked, guest).await
    }

    fn cwd(&self, job: &Job) -> String {
        let view = self.view();
        let cwd = job.cwd.as_deref().map(|cwd| view.absolute(cwd, view.workdir()));
        let cwd = cwd.unwrap_or_else(|| view.workdir().to_owned());
        if cwd.len() > 1 { cwd.trim_end_matches('/').to_owned() } else { cwd }
    }

    pub(super) fn refused(&self, error: LoadError) -> Ending {
        match error {
            LoadError::Refused(reason, message) => {
                let known = if reason == NotStarted::Missing { self.known() } else { Vec::new() };
                Ending::new(End::NotStarted { reason, message, known })
            }
            LoadError::TooSlow(time) => {
                let message = format!("compiling its module took longer than {}", Span(time));
                Ending::not_started(NotStarted::CompileLimit, message)
            }
            LoadError::Failed(error) => Ending::new(End::Failed(error)),
        }
    }
}
