//! Linking WASI: the one place that names the functions a guest can call.
//!
//! Each call site of a linker function costs many seconds of build time, so there is one.

use wasmtime::component::{ResourceTable, ResourceTableError};
use wasmtime::{Caller, Engine, Extern, Linker, Memory};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{I32Exit, WasiView};
use wiggle::GuestMemory;

use super::limits::GuestState;

pub(super) const PREVIEW_1: &str = "wasi_snapshot_preview1";
/// What one host call may copy out of a guest, in bytes.
const HOSTCALL_FUEL: usize = 128 << 20;
/// `EMFILE` as preview 1 numbers it.
const ERRNO_MFILE: i32 = 33;

/// Links preview 1 with our own forms of what the engine's library gets wrong for us.
pub(super) fn link(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_async(&mut linker, |state: &mut GuestState| &mut state.wasi)?;
    linker.allow_shadowing(true);
    // The library's own form takes a code of 126 and more for an error.
    linker.func_wrap(PREVIEW_1, "proc_exit", |code: i32| -> wasmtime::Result<()> { Err(I32Exit(code).into()) })?;
    // The library's own form ends the guest when its descriptor table is full.
    linker.func_wrap_async(PREVIEW_1, "path_open", open)?;
    linker.allow_shadowing(false);
    Ok(linker)
}

type OpenArgs = (i32, i32, i32, i32, i32, i64, i64, i32, i32);

fn open(
    mut caller: Caller<'_, GuestState>,
    (dir, dir_flags, path, path_len, flags, rights, inheriting, fd_flags, out): OpenArgs,
) -> Box<dyn Future<Output = wasmtime::Result<i32>> + Send + '_> {
    Box::new(async move {
        let memory = memory_of(&mut caller)?;
        let (bytes, state) = memory.data_and_store_mut(&mut caller);
        p1::wasi_snapshot_preview1::WasiSnapshotPreview1::set_hostcall_fuel(&mut state.wasi, HOSTCALL_FUEL);
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
            other => other,
        }
    })
}

fn memory_of(caller: &mut Caller<'_, GuestState>) -> wasmtime::Result<Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(wasmtime::format_err!("missing required memory export")),
    }
}

/// Gives the table of a guest's descriptors.
pub(super) fn descriptors(wasi: &mut WasiP1Ctx) -> &mut ResourceTable {
    WasiView::ctx(wasi).table
}
