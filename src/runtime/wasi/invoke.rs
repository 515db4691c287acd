//! Starting what is linked: a module's entry, or a component's `run`.

use wasmtime::{ExternType, InstancePre, Store, Val};

use super::limits::GuestState;
use super::linker::Linked;
use super::load_error::LoadError;
use super::program::{ExitCode, Program};
use crate::runtime::NotStarted;

impl Linked {
    /// Says whether there is something to start, before anything runs.
    pub(super) fn check_entry(&self, program: &Program) -> Result<(), LoadError> {
        let Self::Module(linked) = self else { return Ok(()) };
        let entry = program.entry();
        let message = match linked.module().get_export(entry) {
            Some(ExternType::Func(ty)) if ty.params().len() == 0 => return Ok(()),
            Some(ExternType::Func(_)) => {
                format!("the module's function `{entry}` wants arguments, so nothing can start it")
            }
            _ => format!("the module has no function `{entry}` to start"),
        };
        Err(LoadError::Refused(NotStarted::BadModule, message))
    }

    /// Instantiates and runs to the end; gives the exit code of a guest that returned.
    pub(super) async fn invoke(&self, store: &mut Store<GuestState>, program: &Program) -> wasmtime::Result<i32> {
        match self {
            Self::Module(linked) => module(linked, store, program).await,
            Self::Command(linked) => {
                let command = linked.instantiate_async(&mut *store).await?;
                let ended = command.wasi_cli_run().call_run(&mut *store).await?;
                Ok(i32::from(ended.is_err()))
            }
        }
    }
}

async fn module(
    linked: &InstancePre<GuestState>,
    store: &mut Store<GuestState>,
    program: &Program,
) -> wasmtime::Result<i32> {
    let instance = linked.instantiate_async(&mut *store).await?;
    // A reactor is initialised before any of its functions; a command has no such export.
    if program.entry.is_some()
        && let Some(initialize) = instance.get_func(&mut *store, "_initialize")
    {
        initialize.call_async(&mut *store, &[], &mut []).await?;
    }
    let entry = instance.get_func(&mut *store, program.entry());
    let entry = entry.ok_or_else(|| wasmtime::format_err!("the entry is gone"))?;
    let mut results = vec![Val::I32(0); entry.ty(&*store).results().len()];
    entry.call_async(&mut *store, &[], &mut results).await?;
    Ok(match (program.exit_code, results.first()) {
        (ExitCode::FromEntry, Some(Val::I32(code))) => *code,
        (ExitCode::ProcExit | ExitCode::FromEntry, _) => 0,
    })
}
