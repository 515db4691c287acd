//! The life of a worker: make an engine, give up everything else, and work until the parent is gone.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use super::channel::{Channel, Kind};
use super::compile::compile;
use super::guest::{Kit, Station};
use super::seal;
use super::tape::Pen;
use super::wire::Report;
use crate::runtime::wasi::engine::EngineKey;

/// The word by which this program is started as a worker.
pub(super) const WORD: &str = "wasi-worker";

/// Whether this program has said that it can be started as a worker.
static IS_OFFERED: AtomicBool = AtomicBool::new(false);

/// Says whether this program can be started as a worker.
pub(super) fn is_offered() -> bool {
    IS_OFFERED.load(Ordering::Relaxed)
}

/// Serves as a worker process if this program was started as one, and then never returns; else returns at once.
///
/// A program that embeds the library calls it as the first thing in its `main`, before it reads arguments or starts
/// threads. That call is what lets `wasi.containment: worker` start the program again as a worker; without it a worker
/// program has to be [named](crate::Host::worker).
pub fn worker_main() {
    IS_OFFERED.store(true, Ordering::Relaxed);
    let mut args = std::env::args_os().skip(1);
    if args.next().as_deref() != Some(OsStr::new(WORD)) {
        return;
    }
    let text = |word: Option<std::ffi::OsString>| word.and_then(|word| word.into_string().ok()).unwrap_or_default();
    let (key, parent) = (text(args.next()), text(args.next()));
    let Err(error) = serve(&key, &parent);
    // Nobody reads it but a developer: the standard error of a worker leads nowhere otherwise.
    tracing::debug!(%error, "a worker ended");
    #[expect(clippy::disallowed_methods, clippy::exit, reason = "this is all of `main` in a worker")]
    std::process::exit(1);
}

fn serve(key: &str, parent: &str) -> io::Result<Infallible> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid().map(Pid::as_raw_nonzero).map(|pid| pid.to_string()).as_deref() != Some(parent) {
        return Err(io::Error::other("the parent is gone"));
    }
    close_others()?;
    // A panic may be a guest's doing: the parent sees that this process died, and of what.
    std::panic::set_hook(Box::new(|_| std::process::abort()));
    let key: EngineKey = serde_json::from_str(key)?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let pen = Pen::new(File::from(io::stdout().as_fd().try_clone_to_owned()?));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let channel = Arc::new(Channel::new(socket)?);
        let kit = Kit::make(key).map_err(io::Error::other)?;
        let lacks = seal::seal();
        channel.send(Kind::Ready, &serde_json::to_vec(&lacks)?, &[]).await?;
        work(Station::new(key, Arc::clone(&channel), pen, kit), key, &channel).await
    })
}

async fn work(mut station: Station, key: EngineKey, channel: &Channel) -> io::Result<Infallible> {
    loop {
        let Some(frame) = channel.receive().await? else { return Err(io::Error::other("the parent is gone")) };
        let report = match frame.kind {
            Kind::Run => station.run(serde_json::from_slice(&frame.bytes)?, frame.fds).await,
            Kind::Compile => compile(key, &serde_json::from_slice(&frame.bytes)?, frame.fds),
            // Asked for by a guest that has ended meanwhile.
            Kind::Input => continue,
            Kind::Ready | Kind::Part | Kind::Printed | Kind::Ask | Kind::Report => {
                Report::Failed("the order is of no known kind".to_owned())
            }
        };
        channel.send(Kind::Report, &serde_json::to_vec(&report)?, &[]).await?;
    }
}

/// Closes what the program that started this one left open for whomever it starts.
fn close_others() -> io::Result<()> {
    // SAFETY: nothing of this process has a descriptor beyond the three streams yet; it owns none that it could miss.
    #[expect(unsafe_code, reason = "closing a range of descriptors has no safe form")]
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if closed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
