//! Compiled code: what the bytes are, compiled, and in the form that the cache keeps.

use std::borrow::Cow;
use std::io::{Read as _, Seek as _};
use std::os::fd::AsRawFd;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::runtime::{NotStarted, SolutionRuntimeError};
use crate::spec::ByteSize;

use super::compile::CompileBounds;
use super::load_error::LoadError;
use super::scan::scan;
use super::words;

/// The longest text of a submission's that is read: text takes many times its size while it is parsed.
const MAX_TEXT: usize = 8 << 20;

/// A module or a component, compiled for one engine.
#[derive(Clone)]
pub(super) enum Code {
    /// A preview 1 module.
    Module(Module),
    /// A WASI 0.2 component.
    Component(Component),
}

/// What kind of WebAssembly some bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    Module,
    Component,
}

impl Form {
    pub(super) const ALL: [Self; 2] = [Self::Module, Self::Component];

    /// Gives the ending of an artifact's name.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Module => "cwasm",
            Self::Component => "component.cwasm",
        }
    }
}

impl Code {
    /// Compiles what the bytes are: a module or a component, binary or text. Never a compiled artifact.
    /// What has bounds is looked through first.
    pub(super) fn compile(engine: &Engine, bytes: &[u8], bounds: Option<&CompileBounds>) -> Result<Self, LoadError> {
        let (form, binary) = look(bytes, bounds)?;
        let compiled = match form {
            Form::Module => Module::new(engine, &binary).map(Self::Module),
            Form::Component => Component::new(engine, &binary).map(Self::Component),
        };
        compiled.map_err(|error| match error.root_cause().downcast_ref::<Errno>() {
            Some(errno) => no_code_memory(*errno),
            None => refused(format!("not valid WebAssembly: {}", error.root_cause())),
        })
    }

    /// Compiles without loading, as [`compile`](Self::compile) does.
    pub(super) fn precompile(
        engine: &Engine,
        bytes: &[u8],
        bounds: Option<&CompileBounds>,
    ) -> Result<(Form, Vec<u8>), LoadError> {
        let (form, binary) = look(bytes, bounds)?;
        let compiled = match form {
            Form::Module => engine.precompile_module(&binary),
            Form::Component => engine.precompile_component(&binary),
        };
        let compiled = compiled.map_err(|error| refused(format!("not valid WebAssembly: {}", error.root_cause())))?;
        Ok((form, compiled))
    }

    pub(super) fn form(&self) -> Form {
        match self {
            Self::Module(_) => Form::Module,
            Self::Component(_) => Form::Component,
        }
    }

    pub(super) fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        match self {
            Self::Module(module) => module.serialize(),
            Self::Component(component) => component.serialize(),
        }
    }

    /// Maps an artifact.
    ///
    /// # Safety
    /// The file holds what [`serialize`](Self::serialize) of this engine's own compiler gave, unchanged, and nobody
    /// writes to it while it is mapped.
    #[expect(unsafe_code, reason = "the loader maps native code; the caller answers for where it came from")]
    pub(super) unsafe fn map(engine: &Engine, form: Form, file: std::fs::File) -> wasmtime::Result<Self> {
        match form {
            // SAFETY: as the caller says.
            Form::Module => unsafe { Module::deserialize_open_file(engine, file) }.map(Self::Module),
            Form::Component => {
                // The library opens components by path only; this one names the descriptor that is held here.
                let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                // SAFETY: as the caller says.
                unsafe { Component::deserialize_file(engine, path) }.map(Self::Component)
            }
        }
    }

    /// Maps an artifact where no path can be opened any more.
    ///
    /// # Safety
    /// As for [`map`](Self::map).
    #[expect(unsafe_code, reason = "the loader maps native code; the caller answers for where it came from")]
    pub(super) unsafe fn map_sealed(engine: &Engine, form: Form, mut file: std::fs::File) -> wasmtime::Result<Self> {
        match form {
            // SAFETY: as the caller says.
            Form::Module => unsafe { Self::map(engine, form, file) },
            Form::Component => {
                let mut bytes = Vec::new();
                file.seek(std::io::SeekFrom::Start(0))?;
                file.read_to_end(&mut bytes)?;
                // SAFETY: as the caller says.
                unsafe { Component::deserialize(engine, bytes) }.map(Self::Component)
            }
        }
    }
}

/// Reads a module and holds it against the bounds.
fn look<'a>(bytes: &'a [u8], bounds: Option<&CompileBounds>) -> Result<(Form, Cow<'a, [u8]>), LoadError> {
    if bounds.is_some() && form_of(bytes).is_none() && bytes.len() > MAX_TEXT {
        return Err(refused(format!("its text is longer than {}", ByteSize(MAX_TEXT as u64))));
    }
    let (form, binary) = read(bytes)?;
    bounds.map_or(Ok(()), |bounds| scan(&binary, bounds))?;
    Ok((form, binary))
}

/// Says that the kernel gave no memory for code: this is the host's doing, whatever the module is.
fn no_code_memory(errno: Errno) -> LoadError {
    LoadError::Failed(match errno {
        Errno::ACCESS | Errno::PERM => SolutionRuntimeError::Unavailable {
            message: "this host refuses memory that is written and then executed (W^X)".to_owned(),
            hint: "compiled code needs it: allow it for this process, for example with `MemoryDenyWriteExecute=no` \
                   in its systemd unit, without `PR_SET_MDWE`, or by SELinux' `execmem`"
                .to_owned(),
        },
        errno => SolutionRuntimeError::host("make memory for compiled code")(errno.into()),
    })
}

fn refused(message: impl Into<String>) -> LoadError {
    LoadError::Refused(NotStarted::BadModule, words::message(&message.into()))
}

/// Gives the binary form, or says what the bytes are instead.
fn read(bytes: &[u8]) -> Result<(Form, Cow<'_, [u8]>), LoadError> {
    if let Some(form) = form_of(bytes) {
        return Ok((form, bytes.into()));
    }
    if bytes.starts_with(b"\x7fELF") {
        return Err(refused("it is a program of the host, or a precompiled artifact, not a module"));
    }
    let binary = text(bytes)?;
    let form = form_of(&binary).ok_or_else(|| refused("its text is not one module or component"))?;
    Ok((form, binary))
}

fn form_of(bytes: &[u8]) -> Option<Form> {
    match bytes {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Some(Form::Module),
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Some(Form::Component),
        _ => None,
    }
}

#[cfg(feature = "wat")]
fn text(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    let start = bytes.trim_ascii_start();
    if !(start.starts_with(b"(") || start.starts_with(b";;")) {
        return Err(refused("it does not begin as WebAssembly does"));
    }
    wat::parse_bytes(bytes).map_err(|error| refused(format!("not valid WebAssembly text: {error}")))
}

#[cfg(not(feature = "wat"))]
fn text(_: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    Err(refused("it does not begin as WebAssembly does"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        match read(bytes) {
            Err(LoadError::Refused(NotStarted::BadModule, message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_webassembly_is_named() {
        assert!(refusal(b"print('hello')").contains("does not begin"));
        assert!(refusal(b"\x7fELF\x02\x01").contains("precompiled"));
        assert!(refusal(b"").contains("does not begin"));
    }

    #[test]
    fn modules_and_components_are_told_apart_by_their_bytes() {
        assert_eq!(read(b"\0asm\x01\0\0\0").unwrap().0, Form::Module);
        assert_eq!(read(b"\0asm\x0d\0\x01\0").unwrap().0, Form::Component);
    }

    #[cfg(feature = "wat")]
    #[test]
    fn text_is_read_as_what_it_describes() {
        assert_eq!(read(b"(module)").unwrap().0, Form::Module);
        assert_eq!(read(b"(component)").unwrap().0, Form::Component);
        assert!(refusal(b"(module").contains("text"));
    }
}
