//! Imports that WASI does not provide: refused by name, or stubbed as the program says.

use wasmtime::{Caller, ExternType, FuncType, ImportType, Linker, Module, Val};

use super::limits::GuestState;
use super::load_error::LoadError;
use super::program::{UnknownImports, UnknownPolicy};
use super::words;
use crate::runtime::NotStarted;

/// The module of every import of preview 1.
pub(super) const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// Puts stubs into a linker for every import of a module that nothing provides.
pub(super) fn stub(
    linker: &mut Linker<GuestState>,
    module: &Module,
    unknown: &UnknownImports,
) -> Result<(), LoadError> {
    let mut refused = Vec::new();
    for import in module.imports().filter(|import| !is_known(import)) {
        let name = format!("{}.{}", import.module(), import.name());
        let policy = unknown.policy(import.module(), import.name());
        let stubbed = match (policy, import.ty()) {
            (UnknownPolicy::Trap, ExternType::Func(ty)) => trap(linker, &import, ty, &name),
            (UnknownPolicy::Default, ExternType::Func(ty)) => zeros(linker, &import, ty),
            _ => None,
        };
        if stubbed.is_none() {
            refused.push(name);
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let message = format!("nothing here provides what it imports: {}", words::list(&refused));
    Err(LoadError::Refused(NotStarted::UnknownImport, message))
}

/// Says whether preview 1 has the import.
fn is_known(import: &ImportType<'_>) -> bool {
    import.module() == PREVIEW_1 && PREVIEW_1_FUNCTIONS.contains(&import.name())
}

fn trap(linker: &mut Linker<GuestState>, import: &ImportType<'_>, ty: FuncType, name: &str) -> Option<()> {
    let message = format!("the import `{name}` is not provided");
    let stub = move |_: Caller<'_, GuestState>, _: &[Val], _: &mut [Val]| Err(wasmtime::Error::msg(message.clone()));
    linker.func_new(import.module(), import.name(), ty, stub).ok().map(drop)
}

fn zeros(linker: &mut Linker<GuestState>, import: &ImportType<'_>, ty: FuncType) -> Option<()> {
    let zeros: Vec<Val> = ty.results().map(|ty| ty.default_value()).collect::<Option<_>>()?;
    let stub = move |_: Caller<'_, GuestState>, _: &[Val], out: &mut [Val]| {
        out.clone_from_slice(&zeros);
        Ok(())
    };
    linker.func_new(import.module(), import.name(), ty, stub).ok().map(drop)
}

/// The functions of preview 1, as its interface description lists them.
const PREVIEW_1_FUNCTIONS: [&str; 46] = [
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_advise",
    "fd_allocate",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "fd_read",
    "fd_readdir",
    "fd_renumber",
    "fd_seek",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "poll_oneoff",
    "proc_exit",
    "proc_raise",
    "random_get",
    "sched_yield",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];
