//! Compiling in a worker: one module, into a file of the parent's, by a process that does nothing else afterwards.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;

use super::wire::{CompileOrder, Report};
use super::{fence, seal};
use crate::runtime::SolutionRuntimeError;
use crate::runtime::wasi::code::{Code, Form};
use crate::runtime::wasi::engine::{EngineKey, failed};
use crate::runtime::wasi::load_error::LoadError;

/// The largest artifact, in bytes.
pub(super) const MAX_ARTIFACT: u64 = 1 << 30;

/// Compiles a module for the workers of a kind.
pub(super) fn compile(key: EngineKey, order: &CompileOrder, fds: Vec<OwnedFd>) -> Report {
    try_compile(key, order, fds).map_or_else(Report::of, Report::Compiled)
}

fn try_compile(key: EngineKey, order: &CompileOrder, fds: Vec<OwnedFd>) -> Result<Form, LoadError> {
    let host = |action| move |error| LoadError::Failed(SolutionRuntimeError::host(action)(error));
    let Ok([module, artifact]) = <[OwnedFd; 2]>::try_from(fds) else {
        return Err(host("read the order")(std::io::Error::other("it is not whole")));
    };
    seal::bound_compiler(order.bounds.and_then(|bounds| bounds.memory), MAX_ARTIFACT);
    // It needs no file but those two, and what it reads may be made to take it over. Where the kernel cannot hold that,
    // every result of such a worker says so.
    let _ = fence::shut_in([]);
    let mut bytes = Vec::new();
    File::from(module).read_to_end(&mut bytes).map_err(host("read the module"))?;
    let engine = key.on_demand().compiler().map_err(failed("make the compiler")).map_err(LoadError::Failed)?;
    let (form, compiled) = Code::precompile(&engine, &bytes, order.bounds.as_ref())?;
    File::from(artifact).write_all(&compiled).map_err(host("keep a compiled module"))?;
    Ok(form)
}
