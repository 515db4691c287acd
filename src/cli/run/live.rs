//! One command while it runs: its output passed on as it comes, its end on a signal or when nobody reads any more.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::cli::signals::Signals;
use crate::cli::terminal::Terminal;
use crate::runtime::{Command, Killer, RuntimeEvent, RuntimeResult, SubmissionRuntime};

/// How many chunks may wait for a slow reader.
const AHEAD: usize = 16;
/// How long an interrupted command waits for a reader that is stuck.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What came of a command.
pub(super) struct Ran {
    pub(super) result: Arc<RuntimeResult>,
    /// Why output could not be passed on to its end.
    pub(super) unwritten: Option<io::Error>,
}

/// A chunk on its way out.
enum Chunk {
    Stdout(Bytes),
    Stderr(Bytes),
}

/// The thread that writes: a reader that is slow or stuck holds up nothing else.
struct Writer {
    chunks: mpsc::Sender<Chunk>,
    /// Standard output failed; the thread goes on with standard error.
    failed: oneshot::Receiver<io::Error>,
    done: oneshot::Receiver<()>,
}

impl Writer {
    fn start(terminal: Terminal) -> Self {
        let (chunks, mut waiting) = mpsc::channel(AHEAD);
        let (failed_sender, failed) = oneshot::channel();
        let (done_sender, done) = oneshot::channel();
        std::thread::spawn(move || {
            let mut failed = Some(failed_sender);
            while let Some(chunk) = waiting.blocking_recv() {
                match chunk {
                    Chunk::Stdout(bytes) if failed.is_some() => {
                        if let Err(error) = terminal.stdout.write(&bytes)
                            && let Some(failed) = failed.take()
                        {
                            let _ = failed.send(error);
                        }
                    }
                    Chunk::Stdout(_) => {}
                    // A standard error that nobody reads is no reason to end a command.
                    Chunk::Stderr(bytes) => drop(terminal.stderr.write(&bytes)),
                }
            }
            let _ = done_sender.send(());
        });
        Self { chunks, failed, done }
    }
}

/// Runs a command to its end, passing its output on as it comes unless an object is wanted.
///
/// A signal, or a standard output that fails, ends the command; its result is given all the same.
pub(super) async fn run(
    terminal: &Terminal,
    runtime: &Arc<dyn SubmissionRuntime>,
    command: Command,
    signals: &Signals,
) -> anyhow::Result<Ran> {
    let mut running = runtime.stream(command).await?;
    let Writer { chunks, mut failed, done } = Writer::start(terminal.clone());
    let mut waiting: Option<Chunk> = None;
    let (mut interrupted, mut unwritten, mut is_watched) = (false, None, true);
    let mut endings = Vec::new();
    let finished = loop {
        tokio::select! {
            biased;
            _ = signals.first(), if !interrupted => {
                interrupted = true;
                waiting = None;
                endings.push(end(runtime, Killer::Interrupt));
            }
            error = &mut failed, if is_watched => {
                is_watched = false;
                if let Ok(error) = error {
                    unwritten = Some(error);
                    endings.push(end(runtime, Killer::Caller));
                }
            }
            permit = chunks.reserve(), if waiting.is_some() => {
                if let (Ok(permit), Some(chunk)) = (permit, waiting.take()) {
                    permit.send(chunk);
                }
            }
            event = running.next(), if waiting.is_none() => match event.map(|event| event.map(sort)) {
                Some(Ok(Ok(chunk))) => waiting = (!interrupted && !terminal.wants_json()).then_some(chunk),
                Some(Ok(Err(result))) => break Ok(result),
                Some(Err(error)) => break Err(error),
                None => anyhow::bail!("the command ended without a result"),
            }
        }
    };
    // Whoever ends the command holds its runtime, and with that the workspace.
    for ending in endings {
        let _ = signals.or_again(ending).await?;
    }
    drop(chunks);
    drain(done, signals, interrupted).await;
    if let Ok(error) = failed.try_recv() {
        unwritten = Some(error);
    }
    Ok(Ran { result: finished?, unwritten })
}

/// Tells what is printed from the end.
fn sort(event: RuntimeEvent) -> Result<Chunk, Arc<RuntimeResult>> {
    match event {
        RuntimeEvent::Stdout(bytes) => Ok(Chunk::Stdout(bytes)),
        RuntimeEvent::Stderr(bytes) => Ok(Chunk::Stderr(bytes)),
        RuntimeEvent::Finished(result) => Err(result),
    }
}

/// Asks everything that runs to end; the result comes through the events.
fn end(runtime: &Arc<dyn SubmissionRuntime>, by: Killer) -> JoinHandle<()> {
    let runtime = Arc::clone(runtime);
    // What could not be ended is what `cleanup` fails at, where it is told.
    tokio::spawn(async move { drop(runtime.kill_as(by).await) })
}

/// Waits until everything is written; a signal cuts that short.
async fn drain(done: oneshot::Receiver<()>, signals: &Signals, interrupted: bool) {
    let deadline = async {
        if !interrupted {
            signals.first().await;
        }
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        biased;
        _ = done => {}
        () = deadline => {}
    }
}
