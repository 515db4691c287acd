//! One guest in a worker: its code is mapped, its directories are opened, it runs, and what came of it is told.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use cap_std::fs::Dir;
use wasmtime::{Engine, Store};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;

use super::channel::{Channel, Kind};
use super::streams::{Inlet, Outlet};
use super::tape::{Pen, Printed};
use super::wire::{Ended, Report, RunOrder};
use super::{fence, seal};
use crate::runtime::SolutionRuntimeError;
use crate::runtime::wasi::calls::Calls;
use crate::runtime::wasi::code::Code;
use crate::runtime::wasi::engine::{EngineKey, failed};
use crate::runtime::wasi::facts::Facts;
use crate::runtime::wasi::limits;
use crate::runtime::wasi::linker::{Linked, Linkers};
use crate::runtime::wasi::load_error::LoadError;
use crate::runtime::wasi::stdio::Reader;
use crate::runtime::wasi::traps::end_of;
use crate::runtime::wasi::view::{Preopen, template};
use crate::runtime::wasi::world::guest_state;
use crate::spec::{Bound, LimitName, LimitValue, Limits, Mode, Provenance};

/// A worker runs one guest at a time; one with exceptions takes a slot more for its garbage.
const SLOTS: u32 = 2;

/// An engine with its linkers.
pub(super) struct Kit {
    pub(super) engine: Engine,
    linkers: Linkers,
}

impl Kit {
    pub(super) fn make(key: EngineKey) -> wasmtime::Result<Self> {
        let (engine, _) = key.engine(SLOTS)?;
        let linkers = key.linkers(&engine)?;
        Ok(Self { engine, linkers })
    }
}

/// What a worker keeps from guest to guest; all of them are of one runtime.
pub(super) struct Station {
    key: EngineKey,
    channel: Arc<Channel>,
    pen: Arc<Mutex<Pen>>,
    pooled: Kit,
    /// For modules that do not fit into the slot.
    on_demand: Option<Kit>,
    linked: HashMap<String, (Arc<Linked>, Engine)>,
    /// The directories of guests that begin in the workdir.
    at_workdir: Option<WasiFilesystemCtx>,
    is_shut_in: bool,
}

impl Station {
    pub(super) fn new(key: EngineKey, channel: Arc<Channel>, pen: Pen, pooled: Kit) -> Self {
        let pen = Arc::new(Mutex::new(pen));
        Self { key, channel, pen, pooled, on_demand: None, linked: HashMap::new(), at_workdir: None, is_shut_in: false }
    }

    /// Runs a guest.
    pub(super) async fn run(&mut self, order: RunOrder, fds: Vec<OwnedFd>) -> Report {
        match self.try_run(&order, fds).await {
            Ok((Ok(ended), facts)) => Report::Ran(ended, facts),
            Ok((Err(message), _)) => Report::Failed(message),
            Err(error) => Report::of(error),
        }
    }

    async fn try_run(
        &mut self,
        order: &RunOrder,
        fds: Vec<OwnedFd>,
    ) -> Result<(Result<Ended, String>, Facts), LoadError> {
        let mut fds = fds.into_iter();
        let file_system = self.open(order, &mut fds)?;
        let (linked, engine) = self.load(order, fds.next())?;
        linked.check_entry(&order.program)?;
        let limits = limits_of(order);
        let (channel, has_more) = (Arc::clone(&self.channel), order.has_stdin);
        let stdin = Reader::new(Inlet { channel, has_more, asked: false });
        let met_end = stdin.met_end();
        let outlet = |stream| Outlet { channel: Arc::clone(&self.channel), pen: Arc::clone(&self.pen), stream };
        let state = guest_state(
            &order.world,
            file_system,
            (stdin, outlet(Printed::Stdout), outlet(Printed::Stderr)),
            (&limits, Calls::new(&engine, order.host_calls), order.determinism.as_ref(), None),
        );
        let mut store = Store::new(&engine, state);
        limits::apply(&mut store, &limits).map_err(LoadError::Failed)?;
        if self.key.has_epochs() {
            limits::watch_calls(&mut store);
        }
        let outcome = linked.invoke(&mut store, &order.program).await;
        let end = limits::settle_fuel(end_of(outcome, false, order.fuel), &store, order.fuel);
        Ok((Ended::of(end), Facts::of(&store, order.fuel, &met_end)))
    }

    /// Opens the directories of a guest, and shuts the worker in before its first one.
    fn open(
        &mut self,
        order: &RunOrder,
        fds: &mut impl Iterator<Item = OwnedFd>,
    ) -> Result<WasiFilesystemCtx, LoadError> {
        if order.dirs.is_empty() {
            return self.at_workdir.clone().ok_or_else(lost);
        }
        let preopens: Vec<Preopen> = order
            .dirs
            .iter()
            .zip(fds)
            .map(|(dir, fd)| {
                let (guest, writable) = (dir.guest.clone(), dir.writable);
                Preopen { guest, dir: Dir::from_std_file(File::from(fd)), writable }
            })
            .collect();
        if preopens.len() != order.dirs.len() {
            return Err(lost());
        }
        let made = template(&preopens, true).map_err(LoadError::Failed)?;
        if order.is_workdir {
            self.at_workdir = Some(made.clone());
        }
        if !self.is_shut_in {
            seal::bound(order.most_memory, order.most_files);
            let dirs = preopens.iter().map(|preopen| (preopen.dir.as_fd(), preopen.writable));
            if let Some(lack) = fence::shut_in(dirs) {
                let told = serde_json::to_vec(&[lack]).unwrap_or_default();
                let _ = self.channel.send_blocking(Kind::Ready, &told);
            }
            self.is_shut_in = true;
        }
        Ok(made)
    }

    /// Maps and links a module that is new; the others are kept.
    fn load(&mut self, order: &RunOrder, artifact: Option<OwnedFd>) -> Result<(Arc<Linked>, Engine), LoadError> {
        let slot = order.code();
        if let Some((linked, engine)) = self.linked.get(&slot) {
            return Ok((Arc::clone(linked), engine.clone()));
        }
        let file = File::from(artifact.ok_or_else(lost)?);
        let again = file.try_clone().map_err(SolutionRuntimeError::host("keep an artifact"));
        let again = again.map_err(LoadError::Failed)?;
        // A module that no slot takes gets memory on demand.
        let (kit, code) = match map(&self.pooled.engine, order, file) {
            Ok(code) => (&self.pooled, code),
            Err(_) => {
                if self.on_demand.is_none() {
                    let made = Kit::make(self.key.on_demand()).map_err(failed("make the WebAssembly engine"));
                    self.on_demand = Some(made.map_err(LoadError::Failed)?);
                }
                let kit = self.on_demand.as_ref().ok_or_else(lost)?;
                let code = map(&kit.engine, order, again).map_err(failed("map a compiled module"));
                (kit, code.map_err(LoadError::Failed)?)
            }
        };
        let linked = Arc::new(kit.linkers.link(&code, &order.program.unknown_imports)?);
        self.linked.insert(slot, (Arc::clone(&linked), kit.engine.clone()));
        Ok((linked, kit.engine.clone()))
    }
}

fn map(engine: &Engine, order: &RunOrder, file: File) -> wasmtime::Result<Code> {
    // SAFETY: the parent, whose word this process lives by, took the file from its own private cache or from a
    // compiler of its own. What is in it was made for a guest of this worker and can harm nobody beyond the seal.
    #[expect(unsafe_code, reason = "the loader maps native code; who sent it is who started this process")]
    unsafe {
        Code::map_sealed(engine, order.form, file)
    }
}

/// The parent broke its word; there is nobody else to tell.
fn lost() -> LoadError {
    let source = std::io::Error::other("the order is not whole");
    LoadError::Failed(SolutionRuntimeError::host("read the order")(source))
}

/// Gives the limits that the engine itself holds; all others are the parent's.
fn limits_of(order: &RunOrder) -> Limits {
    let mut limits = Limits::defaults(Mode::Evaluation);
    let mut set = |name, value| limits.set(name, Bound { value, from: Provenance::Default });
    set(LimitName::Memory, order.memory.map(LimitValue::Bytes));
    set(LimitName::OpenFiles, order.open_files.map(LimitValue::Count));
    set(LimitName::Fuel, order.fuel.map(LimitValue::Count));
    limits
}
