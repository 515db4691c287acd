//! One command: find its module, build its world, run it, say how it ended.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime::Store;
use wasmtime_wasi::{WasiCtxBuilder, WasiView};

use super::config::TEMP;
use super::engine::{Lease, Sandbox};
use super::find::{Found, Source};
use super::limits::{self, Bounds, GuestState, OWN_DESCRIPTORS};
use super::linker::{Linked, descriptors};
use super::load_error::LoadError;
use super::spawn::WasiGuest;
use super::stdio::{Printer, Reader};
use super::traps::end_of;
use super::usage::{CPU_BY, DISK_BY, FUEL_BY, MEMORY_BY, Meter, Metered};
use super::view::CwdError;
use crate::error::ExecutionError;
use crate::runtime::{CommandLine, Denied, End, Ending, Guest, Job, Machine, Measured, NotStarted};
use crate::spec::{LimitName, LimitValue, Limits};
use crate::workspace::DiskUsage;

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
        let source = std::mem::replace(&mut found.source, Source::Bytes(Bytes::new()));
        let load = self.load(&found, source, &job.limits);
        let (lease, linked) = tokio::select! {
            biased;
            _ = job.control.stopped() => return Err(Ending::new(End::Stopped(None))),
            loaded = load => loaded.map_err(|error| self.refused(error))?,
        };
        linked.check_entry(&found.program).map_err(|error| self.refused(error))?;
        let guest = Prepared { found, cwd, argv: argv.clone() };
        self.call(job, &lease.sandbox, &linked, guest).await
    }

    /// Compiles and links a module, for the pool or, where it is too large for a slot, without.
    async fn load(&self, found: &Found, source: Source, limits: &Limits) -> Result<(Lease, Arc<Linked>), LoadError> {
        let unknown = found.unknown_imports();
        let lease = self.engines.lease(limits).map_err(LoadError::Failed)?;
        let (again, read) = (source.clone(), move || source.read());
        match lease.sandbox.modules.get(found.key, unknown, read).await {
            Err(LoadError::Refused(NotStarted::BadModule, _)) if lease.is_pooled() => {
                let lease = self.engines.lease_on_demand(limits).map_err(LoadError::Failed)?;
                let linked = lease.sandbox.modules.get(found.key, unknown, move || again.read()).await?;
                Ok((lease, linked))
            }
            linked => Ok((lease, linked?)),
        }
    }

    fn cwd(&self, job: &Job) -> String {
        let view = self.view();
        let cwd = job.cwd.as_deref().map(|cwd| view.absolute(cwd, view.workdir()));
        let cwd = cwd.unwrap_or_else(|| view.workdir().to_owned());
        if cwd.len() > 1 { cwd.trim_end_matches('/').to_owned() } else { cwd }
    }

    fn refused(&self, error: LoadError) -> Ending {
        match error {
            LoadError::Refused(reason, message) => {
                let known = if reason == NotStarted::Missing { self.known() } else { Vec::new() };
                Ending::new(End::NotStarted { reason, message, known })
            }
            LoadError::Failed(error) => Ending::new(End::Failed(error)),
        }
    }

    async fn call(&self, job: Job, sandbox: &Sandbox, linked: &Linked, guest: Prepared) -> Result<Ending, Ending> {
        let reader = Reader::new(job.stdin);
        let met_end = reader.met_end();
        let file_system =
            self.view().file_system(&guest.cwd, &guest.found.program.mounts).map_err(|error| match error {
                CwdError::Missing => {
                    let message = format!("there is no directory `{}` in what the guest sees", guest.cwd);
                    Ending::not_started(NotStarted::Missing, message)
                }
                CwdError::Host(error) => Ending::new(End::Failed(error)),
            })?;
        let mut builder = WasiCtxBuilder::new();
        builder.args(&guest.args()).initial_cwd(&guest.cwd).stdin(reader);
        builder.stdout(Printer::new(&job.stdout, &job.control)).stderr(Printer::new(&job.stderr, &job.control));
        guest.env(&job.env, job.cwd.is_some()).iter().for_each(|(name, value)| {
            builder.env(name, value);
        });
        let mut wasi = builder.build_p1();
        *WasiView::ctx(&mut wasi).ctx.filesystem() = file_system;
        if let Some(open) = job.limits.amount(LimitName::OpenFiles) {
            let open = usize::try_from(open).unwrap_or(usize::MAX);
            descriptors(&mut wasi).set_max_capacity(open.saturating_add(OWN_DESCRIPTORS));
        }
        let state = GuestState { wasi, bounds: Bounds::new(&job.limits), open_files_denied: false };
        let mut store = Store::new(&sandbox.engine, state);
        let meter = Meter::new();
        limits::apply(&mut store, &job.limits, &job.control, &meter)
            .map_err(|error| Ending::new(End::Failed(error)))?;
        let engine = sandbox.engine.clone();
        job.control.on_stop(move || engine.increment_epoch());
        let left = self.workspace.quota_left();
        let _ticking = sandbox.ticker.run();
        job.control.mark_started();
        let outcome = {
            let mut call = pin!(linked.invoke(&mut store, &guest.found.program));
            tokio::select! {
                biased;
                outcome = Metered::new(&meter, call.as_mut()) => Some(outcome),
                _ = job.control.stopped() => None,
            }
        };
        let fuel = job.limits.amount(LimitName::Fuel);
        let end = outcome.map_or(End::Stopped(None), |outcome| end_of(outcome, &job.control, fuel));
        let mut ending = Ending::new(end);
        ending.cpu_time = Measured::known(meter.cpu(), CPU_BY);
        ending.met_end_of_stdin = met_end.load(Ordering::Relaxed);
        ending.notes = self.notes(&guest.found.program);
        ending.program = Some(guest.found.used);
        self.account(&mut ending, &store, fuel, left);
        Ok(ending)
    }

    /// Adds what the store and the workspace know of the run.
    fn account(&self, ending: &mut Ending, store: &Store<GuestState>, fuel: Option<u64>, before: Option<DiskUsage>) {
        let state = store.data();
        ending.peak_memory = Measured::known(state.bounds.peak, MEMORY_BY);
        ending.fuel = match fuel.zip(store.get_fuel().ok()) {
            Some((given, left)) => Measured::known(given.saturating_sub(left), FUEL_BY),
            None => Measured::not_measured("fuel off"),
        };
        if state.open_files_denied {
            ending.notes.push("the open_files limit refused the guest a file".to_owned());
        }
        ending.denied.extend(state.bounds.refusal());
        ending.disk_written = Measured::not_measured("the workspace is a plain directory");
        let Some((before, after)) = before.zip(self.workspace.quota_left()) else { return };
        let written = before.bytes.saturating_sub(after.bytes);
        ending.disk_written = Measured::known(written, DISK_BY);
        if after.bytes == 0 {
            ending.denied.push(Denied { limit: LimitName::Disk, value: LimitValue::Bytes(written) });
        }
        if after.entries == 0 {
            let made = before.entries.saturating_sub(after.entries);
            ending.denied.push(Denied { limit: LimitName::Entries, value: LimitValue::Count(made) });
        }
    }
}

/// A command whose module was found.
struct Prepared {
    found: Found,
    cwd: String,
    argv: Vec<String>,
}

impl Prepared {
    fn args(&self) -> Vec<String> {
        let (name, rest) = self.argv.split_at(1.min(self.argv.len()));
        [name, &self.found.program.args, rest].concat()
    }

    /// Gives the environment: the program's own below the command's, with `PWD` where the command starts.
    fn env(&self, env: &BTreeMap<String, String>, moved: bool) -> BTreeMap<String, String> {
        let mut all = self.found.program.env.clone();
        all.extend(env.iter().map(|(name, value)| (name.clone(), value.clone())));
        if moved {
            all.insert("PWD".to_owned(), self.cwd.clone());
        }
        all
    }
}
