//! Modules: told apart by their bytes, compiled once, linked once, kept in memory and on disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use wasmtime::{Engine, ExternType, InstancePre, Linker, Module};

use super::cache::ArtifactCache;
use super::limits::GuestState;
use super::program::{UnknownImports, UnknownPolicy};
use crate::runtime::{NotStarted, SolutionRuntimeError};

/// How many modules stay in memory; the oldest make room.
const MAX_KEPT: usize = 256;

/// The content of a module, by its BLAKE3 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ModuleKey(blake3::Hash);

impl ModuleKey {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes))
    }

    pub(super) fn from_hex(hex: &str) -> Option<Self> {
        blake3::Hash::from_hex(hex).ok().map(Self)
    }

    pub(super) fn hex(&self) -> String {
        self.0.to_hex().to_string()
    }
}

/// Why a module cannot run.
#[derive(Clone, Debug)]
pub(super) enum LoadError {
    /// The module's own doing.
    Refused(NotStarted, String),
    /// The host's.
    Failed(SolutionRuntimeError),
}

type Linked = Arc<InstancePre<GuestState>>;

/// The modules of one engine.
pub(super) struct Modules {
    engine: Engine,
    linker: Linker<GuestState>,
    cache: Option<Arc<ArtifactCache>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    linked: HashMap<(ModuleKey, UnknownKey), Arc<OnceCell<Linked>>>,
    order: std::collections::VecDeque<(ModuleKey, UnknownKey)>,
}

/// The policy for unknown imports, as a key: the same module links differently under another.
type UnknownKey = String;

impl Modules {
    pub(super) fn new(engine: Engine, linker: Linker<GuestState>, cache: Option<Arc<ArtifactCache>>) -> Self {
        Self { engine, linker, cache, kept: Mutex::default() }
    }

    /// Gives a module ready to instantiate. `bytes` are asked for only when nothing is kept.
    ///
    /// Cancel safe: a cancelled compilation ends by itself, and the next caller compiles again.
    pub(super) async fn get(
        self: &Arc<Self>,
        key: ModuleKey,
        unknown: &UnknownImports,
        bytes: impl FnOnce() -> Result<Vec<u8>, LoadError> + Send + 'static,
    ) -> Result<Linked, LoadError> {
        let cell = self.cell((key, format!("{unknown:?}")));
        if let Some(linked) = cell.get() {
            return Ok(Arc::clone(linked));
        }
        let linked = cell.get_or_try_init(|| async {
            let (this, unknown) = (Arc::clone(self), unknown.clone());
            let work = move || this.make(key, &unknown, bytes);
            tokio::task::spawn_blocking(work).await.map_err(|_| LoadError::Failed(SolutionRuntimeError::Cancelled))?
        });
        linked.await.map(Arc::clone)
    }

    fn cell(&self, key: (ModuleKey, UnknownKey)) -> Arc<OnceCell<Linked>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = kept.linked.get(&key) {
            return Arc::clone(cell);
        }
        while kept.order.len() >= MAX_KEPT {
            let Some(oldest) = kept.order.pop_front() else { break };
            kept.linked.remove(&oldest);
        }
        kept.order.push_back(key.clone());
        Arc::clone(kept.linked.entry(key).or_default())
    }

    fn make(
        &self,
        key: ModuleKey,
        unknown: &UnknownImports,
        bytes: impl FnOnce() -> Result<Vec<u8>, LoadError>,
    ) -> Result<Linked, LoadError> {
        let module = match self.cache.as_ref().and_then(|cache| cache.load(&self.engine, &key)) {
            Some(module) => module,
            None => self.compile(key, &bytes()?)?,
        };
        self.link(&module, unknown)
    }

    fn compile(&self, key: ModuleKey, bytes: &[u8]) -> Result<Module, LoadError> {
        let binary = binary(bytes)?;
        let module = Module::new(&self.engine, &binary).map_err(|error| {
            LoadError::Refused(NotStarted::BadModule, format!("not a valid module: {}", error.root_cause()))
        })?;
        if let Some(cache) = &self.cache {
            cache.store(&self.engine, &key, &module);
        }
        Ok(module)
    }

    fn link(&self, module: &Module, unknown: &UnknownImports) -> Result<Linked, LoadError> {
        let failed = |error| LoadError::Failed(super::engine::failed("link the module")(error));
        let mut linker = self.linker.clone();
        let mut refused = Vec::new();
        for import in self.unknown(module) {
            let name = format!("{}.{}", import.0, import.1);
            let ExternType::Func(ty) = import.2 else {
                refused.push(name);
                continue;
            };
            match unknown.policy(&import.0, &import.1) {
                UnknownPolicy::Refuse => refused.push(name),
                UnknownPolicy::Trap => {
                    let stub = move |_: wasmtime::Caller<'_, _>, _: &[wasmtime::Val], _: &mut [wasmtime::Val]| {
                        Err(wasmtime::format_err!("the import `{name}` is not provided"))
                    };
                    linker.func_new(&import.0, &import.1, ty, stub).map_err(failed)?;
                }
                UnknownPolicy::Default => {
                    let results: Option<Vec<_>> = ty.results().map(|ty| ty.default_value()).collect();
                    let Some(zeros) = results else {
                        refused.push(name);
                        continue;
                    };
                    let stub = move |_: wasmtime::Caller<'_, _>, _: &[wasmtime::Val], out: &mut [wasmtime::Val]| {
                        out.clone_from_slice(&zeros);
                        Ok(())
                    };
                    linker.func_new(&import.0, &import.1, ty, stub).map_err(failed)?;
                }
            }
        }
        if !refused.is_empty() {
            let message = format!("nothing here provides what it imports: {}", refused.join(", "));
            return Err(LoadError::Refused(NotStarted::UnknownImport, message));
        }
        let linked = linker
            .instantiate_pre(module)
            .map_err(|error| LoadError::Refused(NotStarted::UnknownImport, error.root_cause().to_string()))?;
        Ok(Arc::new(linked))
    }

    /// Lists the imports that WASI does not provide.
    fn unknown(&self, module: &Module) -> Vec<(String, String, ExternType)> {
        let known: std::collections::HashSet<_> = PREVIEW_1_FUNCTIONS.iter().copied().collect();
        module
            .imports()
            .filter(|import| import.module() != super::linker::PREVIEW_1 || !known.contains(import.name()))
            .map(|import| (import.module().to_owned(), import.name().to_owned(), import.ty()))
            .collect()
    }
}

/// Gives the binary form of a module, or says what the bytes are instead.
fn binary(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, LoadError> {
    let refused = |message: &str| Err(LoadError::Refused(NotStarted::BadModule, message.to_owned()));
    match bytes {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Ok(bytes.into()),
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => {
            refused("it is a component; this version runs preview 1 command modules")
        }
        [0x7f, b'E', b'L', b'F', ..] => refused("it is a program of the host, or a precompiled artifact, not a module"),
        _ => text(bytes),
    }
}

#[cfg(feature = "wat")]
fn text(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, LoadError> {
    let refused = |message: String| LoadError::Refused(NotStarted::BadModule, message);
    let looks_like_text = bytes.trim_ascii_start().starts_with(b"(") || bytes.trim_ascii_start().starts_with(b";;");
    if !looks_like_text {
        return Err(refused("it does not begin as a WebAssembly module does".to_owned()));
    }
    let parsed = wat::parse_bytes(bytes);
    parsed.map_err(|error| refused(format!("not valid WebAssembly text: {error}")))
}

#[cfg(not(feature = "wat"))]
fn text(_: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, LoadError> {
    Err(LoadError::Refused(NotStarted::BadModule, "it does not begin as a WebAssembly module does".to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        match binary(bytes) {
            Err(LoadError::Refused(NotStarted::BadModule, message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_module_is_named() {
        assert!(refusal(b"print('hello')").contains("does not begin"));
        assert!(refusal(b"\0asm\x0d\0\x01\0").contains("component"));
        assert!(refusal(b"\x7fELF\x02\x01").contains("precompiled"));
        assert!(refusal(b"").contains("does not begin"));
    }

    #[cfg(feature = "wat")]
    #[test]
    fn text_is_a_module_too() {
        assert!(binary(b"(module)").is_ok());
        assert!(refusal(b"(module").contains("text"));
    }
}
