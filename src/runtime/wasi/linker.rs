//! Linking WASI: the one place that names the functions a guest can call.
//!
//! Each call site of a linker function costs many seconds of build time, so there is one.

use wasmtime::component::{self, ResourceTable, ResourceTableError};
use wasmtime::{Caller, Engine, Extern, InstancePre, Linker, Memory};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::{self, bindings::CommandPre};
use wasmtime_wasi::{I32Exit, WasiCtxView, WasiView};
use wiggle::GuestMemory;

use super::calls::MAX_RANDOM;
use super::code::Code;
use super::determinism::shadow;
use super::imports::{PREVIEW_1, stub};
use super::limits::GuestState;
use super::load_error::LoadError;
use super::program::UnknownImports;
use super::quota::{self, ERRNO_NOSPC, NEW_ENTRY};
use super::words;
use crate::runtime::NotStarted;

/// What one host call may copy out of a guest, in bytes.
pub(super) const HOSTCALL_FUEL: usize = 128 << 20;
/// `EINVAL` as preview 1 numbers it.
const ERRNO_INVAL: i32 = 28;
/// The flag of `path_open` that makes a file.
const OPEN_CREATE: i32 = 1;
/// `EMFILE` as preview 1 numbers it.
const ERRNO_MFILE: i32 = 33;

/// Something ready to instantiate.
pub(super) enum Linked {
    /// A module, with the exports to start it by.
    Module(InstancePre<GuestState>),
    /// A component that `wasi:cli/run` starts.
    Command(CommandPre<GuestState>),
}

/// The linkers of one engine.
pub(super) struct Linkers {
    modules: Linker<GuestState>,
    components: component::Linker<GuestState>,
    deterministic: bool,
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.calls.count();
        self.wasi.ctx()
    }
}

impl Linkers {
    /// Links preview 1, with our own forms of what the engine's library gets wrong for us, and WASI 0.2.
    pub(super) fn new(engine: &Engine, deterministic: bool, charged: bool) -> wasmtime::Result<Self> {
        let mut modules = Linker::new(engine);
        p1::add_to_linker_async(&mut modules, preview_1)?;
        modules.allow_shadowing(true);
        // The library's own form takes a code of 126 and more for an error.
        modules.func_wrap(PREVIEW_1, "proc_exit", |code: i32| -> wasmtime::Result<()> { Err(I32Exit(code).into()) })?;
        // The library's own form ends the guest when its descriptor table is full.
        modules.func_wrap_async(PREVIEW_1, "path_open", open)?;
        // The library's own form ends a guest that asks for too much.
        modules.func_wrap(PREVIEW_1, "random_get", random)?;
        if deterministic {
            shadow(&mut modules)?;
        }
        if charged {
            quota::shadow(&mut modules)?;
        }
        modules.allow_shadowing(false);
        let mut components = component::Linker::new(engine);
        p2::add_to_linker_async(&mut components)?;
        Ok(Self { modules, components, deterministic })
    }

    /// Links compiled code; what nothing provides is refused by name, or stubbed as `unknown` says.
    pub(super) fn link(&self, code: &Code, unknown: &UnknownImports) -> Result<Linked, LoadError> {
        let refused = |error: wasmtime::Error| LoadError::Refused(NotStarted::UnknownImport, cause(&error));
        match code {
            Code::Module(module) => {
                let mut linker = self.modules.clone();
                stub(&mut linker, module, unknown)?;
                linker.instantiate_pre(module).map(Linked::Module).map_err(refused)
            }
            Code::Component(_) if self.deterministic => {
                let message = "determinism is on, which holds for modules of preview 1 and for no component yet";
                Err(LoadError::Refused(NotStarted::BadModule, message.to_owned()))
            }
            Code::Component(component) => {
                let linked = self.components.instantiate_pre(component).map_err(refused)?;
                let not_a_command = |_| {
                    let message = "the component has no `wasi:cli/run` to start".to_owned();
                    LoadError::Refused(NotStarted::BadModule, message)
                };
                CommandPre::new(linked).map(Linked::Command).map_err(not_a_command)
            }
        }
    }
}

/// Gives the innermost message of an error, which names the import.
fn cause(error: &wasmtime::Error) -> String {
    words::message(&format!("nothing here provides what it imports: {error:#}"))
}

/// Gives what preview 1 works with, once at every call.
fn preview_1(state: &mut GuestState) -> &mut WasiP1Ctx {
    state.calls.count();
    &mut state.wasi
}

type OpenArgs = (i32, i32, i32, i32, i32, i64, i64, i32, i32);

fn open(
    mut caller: Caller<'_, GuestState>,
    (dir, dir_flags, path, path_len, flags, rights, inheriting, fd_flags, out): OpenArgs,
) -> Box<dyn Future<Output = wasmtime::Result<i32>> + Send + '_> {
    Box::new(async move {
        let memory = memory_of(&mut caller)?;
        let (bytes, state) = memory.data_and_store_mut(&mut caller);
        state.calls.count();
        p1::wasi_snapshot_preview1::WasiSnapshotPreview1::set_hostcall_fuel(&mut state.wasi, HOSTCALL_FUEL);
        if flags & OPEN_CREATE != 0 && !state.charge(NEW_ENTRY)? {
            return Ok(ERRNO_NOSPC);
        }
        let mut guest = GuestMemory::Unshared(bytes);
        let opened = p1::wasi_snapshot_preview1::path_open(
            &mut state.wasi,
            &mut guest,
            dir,
            dir_flags,
            path,
            path_len,
            flags,
            rights,
            inheriting,
            fd_flags,
            out,
        )
        .await;
        match opened {
            Err(error) if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) => {
                state.open_files_denied = true;
                Ok(ERRNO_MFILE)
            }
            other => {
                if let (Ok(0), Some(fixed)) = (&other, &mut state.fixed) {
                    fixed.opened(bytes, dir, (path, path_len), out);
                }
                other
            }
        }
    })
}

fn random(mut caller: Caller<'_, GuestState>, buffer: i32, len: i32) -> wasmtime::Result<i32> {
    let memory = memory_of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    let wasi = preview_1(state);
    if len.cast_unsigned() > MAX_RANDOM {
        state.calls.random_denied = true;
        return Ok(ERRNO_INVAL);
    }
    p1::wasi_snapshot_preview1::WasiSnapshotPreview1::set_hostcall_fuel(wasi, HOSTCALL_FUEL);
    p1::wasi_snapshot_preview1::random_get(wasi, &mut GuestMemory::Unshared(bytes), buffer, len)
}

/// Gives the memory that a guest's host calls work on.
pub(super) fn memory_of(caller: &mut Caller<'_, GuestState>) -> wasmtime::Result<Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(wasmtime::format_err!("missing required memory export")),
    }
}

/// Gives the table of a guest's descriptors.
pub(super) fn descriptors(wasi: &mut WasiP1Ctx) -> &mut ResourceTable {
    WasiView::ctx(wasi).table
}
