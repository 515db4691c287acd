//! The disk limit at the calls, for workspaces that no file system holds it for: what a write may need is charged first.

use std::sync::Arc;

use wasmtime::{Caller, FuncType, Linker, Val, ValType};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as preview_1;
use wiggle::GuestMemory;

use super::imports::PREVIEW_1;
use super::limits::GuestState;
use super::linker::{HOSTCALL_FUEL, Linked, memory_of};
use super::load_error::LoadError;
use crate::runtime::{Denied, NotStarted};
use crate::spec::{Bound, LimitName, LimitValue, Limits, OnUnsupported, Provenance};
use crate::workspace::{DiskUsage, Workspace};

/// `ENOSPC` as preview 1 numbers it, and as a full file system would answer.
pub(super) const ERRNO_NOSPC: i32 = 51;
/// What a new entry takes at most.
pub(super) const NEW_ENTRY: DiskUsage = DiskUsage { bytes: 4096, entries: 1 };
/// A piece of a guest's memory that a call reads or writes: address and length, 32 bits each.
const VECTOR: usize = 8;
/// What `fd_fdstat_get` answers with, its first byte being the type of file.
const FDSTAT: usize = 24;
const REGULAR_FILE: u8 = 4;

/// The account of one guest's writes.
pub(super) struct Charged {
    workspace: Arc<Workspace>,
    /// The refusal that names the end of a guest that then fails.
    pub(super) denied: Option<Denied>,
}

impl Charged {
    pub(super) fn new(workspace: Arc<Workspace>) -> Self {
        Self { workspace, denied: None }
    }

    fn charge(&mut self, more: DiskUsage) -> wasmtime::Result<bool> {
        let is_free = self.workspace.charge(more)?;
        if !is_free {
            let quota = self.workspace.quota();
            let bytes = quota.bytes.map(|bytes| (LimitName::Disk, LimitValue::Bytes(bytes)));
            let entries = quota.entries.map(|entries| (LimitName::Entries, LimitValue::Count(entries)));
            // Which of the two it was the file system would not say either.
            let named = if more.entries > 0 { entries.or(bytes) } else { bytes.or(entries) };
            self.denied = named.map(|(limit, value)| Denied { limit, value });
        }
        Ok(is_free)
    }
}

impl GuestState {
    /// Charges a write before it is made; `false`: it is refused.
    pub(super) fn charge(&mut self, more: DiskUsage) -> wasmtime::Result<bool> {
        self.charged.as_mut().map_or(Ok(true), |charged| charged.charge(more))
    }
}

/// Gives the workspace whose guests are charged: one with a quota that no file system holds.
pub(super) fn charged(workspace: &Arc<Workspace>, limits: &Limits) -> Option<Arc<Workspace>> {
    let is_limited = [LimitName::Disk, LimitName::Entries].into_iter().any(|name| limits.amount(name).is_some());
    (is_limited && workspace.quota_held_by().is_none()).then(|| Arc::clone(workspace))
}

/// Refuses a component whose writes somebody asked to limit: nothing counts them here.
pub(super) fn refuse_component(linked: &Linked, limits: &Limits) -> Result<(), LoadError> {
    let is_written = |name| matches!(limits.get(name), Bound { value: Some(_), from } if from != Provenance::Default);
    match (linked, [LimitName::Disk, LimitName::Entries].into_iter().find(|name| is_written(*name))) {
        (Linked::Command(_), Some(name)) if limits.on_unsupported == OnUnsupported::Refuse => {
            let message = format!("the {name} limit holds for no component where the workspace is a plain directory");
            Err(LoadError::Refused(NotStarted::BadModule, message))
        }
        (Linked::Command(_) | Linked::Module(_), _) => Ok(()),
    }
}

/// Says in a note that a component ran whose writes nothing counted.
pub(super) fn not_held(linked: &Linked, state: &GuestState) -> Option<String> {
    match linked {
        Linked::Command(_) => {
            state.charged.as_ref().map(|_| "nothing held the disk limit for this component".to_owned())
        }
        Linked::Module(_) => None,
    }
}

/// A function that is shadowed.
#[derive(Clone, Copy, Debug)]
enum Call {
    Write,
    WriteAt,
    MakeDir,
    Link,
    Symlink,
}

/// Every shadowed function with its name and its parameters: `i` and `I` for 32 and 64 bits. `path_open` is elsewhere.
const CALLS: [(Call, &str, &str); 5] = [
    (Call::Write, "fd_write", "iiii"),
    (Call::WriteAt, "fd_pwrite", "iiiIi"),
    (Call::MakeDir, "path_create_directory", "iii"),
    (Call::Link, "path_link", "iiiiiii"),
    (Call::Symlink, "path_symlink", "iiiii"),
];

/// Puts the charging forms over the library's; the linker allows shadowing.
pub(super) fn shadow(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    for (call, name, params) in CALLS {
        let params = params.chars().map(|param| if param == 'I' { ValType::I64 } else { ValType::I32 });
        let ty = FuncType::new(linker.engine(), params, [ValType::I32]);
        linker.func_new_async(PREVIEW_1, name, ty, move |caller, args, results| {
            Box::new(async move {
                results[0] = Val::I32(answer(call, caller, args).await?);
                Ok(())
            })
        })?;
    }
    Ok(())
}

async fn answer(call: Call, mut caller: Caller<'_, GuestState>, args: &[Val]) -> wasmtime::Result<i32> {
    let int = |at: usize| args.get(at).and_then(Val::i32).unwrap_or_default();
    let memory = memory_of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    state.calls.count();
    preview_1::WasiSnapshotPreview1::set_hostcall_fuel(&mut state.wasi, HOSTCALL_FUEL);
    let (fd, two, three) = (int(0), int(1), int(2));
    let is_free = match call {
        Call::Write | Call::WriteAt => {
            !is_file(state, fd).await? || state.charge(DiskUsage { bytes: asked(bytes, two, three), entries: 0 })?
        }
        Call::MakeDir | Call::Link | Call::Symlink => state.charge(NEW_ENTRY)?,
    };
    if !is_free {
        return Ok(ERRNO_NOSPC);
    }
    let (guest, wasi) = (&mut GuestMemory::Unshared(bytes), &mut state.wasi);
    match call {
        Call::Write => preview_1::fd_write(wasi, guest, fd, two, three, int(3)).await,
        Call::WriteAt => {
            let offset = args.get(3).and_then(Val::i64).unwrap_or_default();
            preview_1::fd_pwrite(wasi, guest, fd, two, three, offset, int(4)).await
        }
        Call::MakeDir => preview_1::path_create_directory(wasi, guest, fd, two, three).await,
        Call::Link => preview_1::path_link(wasi, guest, fd, two, three, int(3), int(4), int(5), int(6)).await,
        Call::Symlink => preview_1::path_symlink(wasi, guest, fd, two, three, int(3), int(4)).await,
    }
}

/// Says whether a descriptor is a file of the workspace: what goes to a stream takes no room.
async fn is_file(state: &mut GuestState, fd: i32) -> wasmtime::Result<bool> {
    let mut found = [0; FDSTAT];
    let errno = preview_1::fd_fdstat_get(&mut state.wasi, &mut GuestMemory::Unshared(&mut found), fd, 0).await?;
    Ok(errno == 0 && found[0] == REGULAR_FILE)
}

/// Adds up what a write asks for; what lies outside of the guest's memory the call itself refuses.
fn asked(bytes: &[u8], vectors: i32, count: i32) -> u64 {
    let start = usize::try_from(vectors.cast_unsigned()).unwrap_or(usize::MAX);
    let count = usize::try_from(count.cast_unsigned()).unwrap_or(usize::MAX);
    let list = bytes.get(start..start.saturating_add(count.saturating_mul(VECTOR))).unwrap_or_default();
    let (vectors, _) = list.as_chunks::<VECTOR>();
    let lengths = vectors.iter().map(|[_, _, _, _, length @ ..]| u64::from(u32::from_le_bytes(*length)));
    lengths.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_write_asks_for_is_the_sum_of_its_vectors() {
        let mut memory = vec![0; 64];
        memory[4..8].copy_from_slice(&10_u32.to_le_bytes());
        memory[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(asked(&memory, 0, 2), 10 + u64::from(u32::MAX));
        assert_eq!(asked(&memory, 60, 1), 0, "outside of the memory");
        assert_eq!(asked(&memory, -1, -1), 0);
    }
}
