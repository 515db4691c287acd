//! The functions of preview 1 that are shadowed: the library's own are called, and what is the host's is replaced.
//!
//! They are made by their names from a table, so that there is one call site of the linker's function.

use wasmtime::{Caller, FuncType, Linker, Val, ValType};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as preview_1;
use wiggle::GuestMemory;

use super::super::imports::PREVIEW_1;
use super::super::limits::GuestState;
use super::super::linker::{HOSTCALL_FUEL, memory_of};
use super::listing::Refused;
use super::paths::{inode, join};
use super::{poll, stat};

/// `ENOMEM` as preview 1 numbers it.
const ERRNO_NOMEM: i32 = 48;
const SUCCESS: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;

/// A function that is shadowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    ClockRes,
    ClockTime,
    Close,
    FileStat,
    PathStat,
    Poll,
    ReadDir,
    Renumber,
}

/// Every shadowed function with its name and its parameters: `i` and `I` for 32 and 64 bits.
const CALLS: [(Call, &str, &str); 8] = [
    (Call::ClockRes, "clock_res_get", "ii"),
    (Call::ClockTime, "clock_time_get", "iIi"),
    (Call::Close, "fd_close", "i"),
    (Call::FileStat, "fd_filestat_get", "ii"),
    (Call::PathStat, "path_filestat_get", "iiiii"),
    (Call::Poll, "poll_oneoff", "iiii"),
    (Call::ReadDir, "fd_readdir", "iiiIi"),
    (Call::Renumber, "fd_renumber", "ii"),
];

/// Puts the deterministic forms over the library's; the linker allows shadowing.
pub(in crate::runtime::wasi) fn shadow(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    for (call, name, params) in CALLS {
        let params = params.chars().map(|param| if param == 'I' { ValType::I64 } else { ValType::I32 });
        let ty = FuncType::new(linker.engine(), params, [ValType::I32]);
        linker.func_new_async(PREVIEW_1, name, ty, move |caller, args, results| {
            Box::new(async move {
                let errno = answer(call, caller, &Args(args)).await?;
                results[0] = Val::I32(errno);
                Ok(())
            })
        })?;
    }
    Ok(())
}

/// The arguments of a call, which the engine has checked against its type.
struct Args<'a>(&'a [Val]);

impl Args<'_> {
    fn int(&self, at: usize) -> i32 {
        self.0.get(at).and_then(Val::i32).unwrap_or_default()
    }

    fn long(&self, at: usize) -> i64 {
        self.0.get(at).and_then(Val::i64).unwrap_or_default()
    }
}

async fn answer(call: Call, mut caller: Caller<'_, GuestState>, args: &Args<'_>) -> wasmtime::Result<i32> {
    let memory = memory_of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    state.calls.count();
    preview_1::WasiSnapshotPreview1::set_hostcall_fuel(&mut state.wasi, HOSTCALL_FUEL);
    let (one, two) = (args.int(0), args.int(1));
    match call {
        Call::ClockRes => {
            preview_1::clock_res_get(&mut state.wasi, &mut GuestMemory::Unshared(bytes), clock_of(one), two)
        }
        Call::ClockTime => {
            let mut guest = GuestMemory::Unshared(bytes);
            preview_1::clock_time_get(&mut state.wasi, &mut guest, clock_of(one), args.long(1), args.int(2))
        }
        Call::Close => {
            let errno = preview_1::fd_close(&mut state.wasi, &mut GuestMemory::Unshared(bytes), one).await?;
            if let (SUCCESS, Some(fixed)) = (errno, &mut state.fixed) {
                fixed.listings.forget(one);
                fixed.paths.closed(one);
            }
            Ok(errno)
        }
        Call::Renumber => {
            let mut guest = GuestMemory::Unshared(bytes);
            let errno = preview_1::fd_renumber(&mut state.wasi, &mut guest, one, two).await?;
            if let (SUCCESS, Some(fixed)) = (errno, &mut state.fixed) {
                fixed.listings.forget(one);
                fixed.listings.forget(two);
                fixed.paths.renumbered(one, two);
            }
            Ok(errno)
        }
        Call::FileStat | Call::PathStat => attributes(call, bytes, state, args).await,
        Call::ReadDir => list(bytes, state, args).await,
        Call::Poll => wait(bytes, state, args).await,
    }
}

/// The clocks of processor time are the monotonic clock.
fn clock_of(id: i32) -> i32 {
    if matches!(id, 2 | 3) { CLOCK_MONOTONIC } else { id }
}

async fn attributes(call: Call, bytes: &mut [u8], state: &mut GuestState, args: &Args<'_>) -> wasmtime::Result<i32> {
    let (fd, wasi) = (args.int(0), &mut state.wasi);
    let (errno, out) = if call == Call::FileStat {
        let errno = preview_1::fd_filestat_get(wasi, &mut GuestMemory::Unshared(bytes), fd, args.int(1)).await?;
        (errno, args.int(1))
    } else {
        let (flags, path, len, out) = (args.int(1), args.int(2), args.int(3), args.int(4));
        // The answer may be written over the path.
        let name = String::from_utf8_lossy(slice(bytes, path, place(len))?).into_owned();
        let mut guest = GuestMemory::Unshared(bytes);
        let errno = preview_1::path_filestat_get(wasi, &mut guest, fd, flags, path, len, out).await?;
        return fix(errno, bytes, state, out, |dir| join(dir, &name), fd);
    };
    fix(errno, bytes, state, out, str::to_owned, fd)
}

fn fix(
    errno: i32,
    bytes: &mut [u8],
    state: &GuestState,
    out: i32,
    path: impl FnOnce(&str) -> String,
    fd: i32,
) -> wasmtime::Result<i32> {
    if let (SUCCESS, Some(fixed)) = (errno, &state.fixed)
        && let Some(answer) = slice(bytes, out, stat::SIZE)?.first_chunk_mut()
    {
        stat::fix(answer, inode(&path(fixed.paths.get(fd))), fixed.clock.start());
    }
    Ok(errno)
}

async fn list(bytes: &mut [u8], state: &mut GuestState, args: &Args<'_>) -> wasmtime::Result<i32> {
    let Some(fixed) = &mut state.fixed else { return Err(not_fixed()) };
    let (fd, cookie, out) = (args.int(0), args.long(3).cast_unsigned(), args.int(4));
    let buffer = slice(bytes, args.int(1), place(args.int(2)))?;
    let path = fixed.paths.get(fd).to_owned();
    let written = match fixed.listings.read(&mut state.wasi, (fd, &path), cookie, buffer).await {
        Ok(written) => u32::try_from(written)?,
        Err(Refused::Errno(errno)) => return Ok(errno),
        Err(Refused::Trap(error)) => return Err(error),
    };
    slice(bytes, out, 4)?.copy_from_slice(&written.to_le_bytes());
    Ok(SUCCESS)
}

async fn wait(bytes: &mut [u8], state: &mut GuestState, args: &Args<'_>) -> wasmtime::Result<i32> {
    let Some(fixed) = &mut state.fixed else { return Err(not_fixed()) };
    let (count, out) = (place(args.int(2)), args.int(3));
    if count.saturating_mul(poll::SUBSCRIPTION + poll::EVENT) > HOSTCALL_FUEL {
        return Ok(ERRNO_NOMEM);
    }
    let subscriptions = slice(bytes, args.int(0), count * poll::SUBSCRIPTION)?;
    let events = match poll::wait(&mut state.wasi, &fixed.clock, subscriptions).await? {
        Ok(events) => events,
        Err(errno) => return Ok(errno),
    };
    slice(bytes, args.int(1), events.len() * poll::EVENT)?.copy_from_slice(events.as_flattened());
    slice(bytes, out, 4)?.copy_from_slice(&u32::try_from(events.len())?.to_le_bytes());
    Ok(SUCCESS)
}

fn place(number: i32) -> usize {
    usize::try_from(number.cast_unsigned()).unwrap_or(usize::MAX)
}

/// Gives a piece of the guest's memory; outside of it the guest traps, as in the library's own functions.
fn slice(bytes: &mut [u8], at: i32, len: usize) -> wasmtime::Result<&mut [u8]> {
    let at = place(at);
    let piece = bytes.get_mut(at..at.saturating_add(len));
    piece.ok_or_else(|| wasmtime::format_err!("pointer out of bounds: {len} bytes at {at}"))
}

fn not_fixed() -> wasmtime::Error {
    wasmtime::format_err!("the guest has no fixed world")
}
