//! The socket of a run: every call of the shim is answered while the test program runs.

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use super::call::Calls;
use super::wire::{Call, length, message};
use crate::error::ExecutionError;

/// Answers calls until the work is done. Calls that still run then are dropped: what they started is ended.
pub(super) async fn while_running<T>(
    calls: &Calls<'_>,
    listener: &UnixListener,
    work: impl Future<Output = Result<T, ExecutionError>>,
) -> Result<T, ExecutionError> {
    let mut work = std::pin::pin!(work);
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            done = &mut work => return done,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    running.push(answer(calls, stream));
                }
            }
            Some(()) = running.next() => {}
        }
    }
}

/// Answers one call. A caller that went away ends it.
async fn answer(calls: &Calls<'_>, mut stream: UnixStream) {
    let Ok((call, stdin)) = read(&mut stream).await else { return };
    let (mut reading, mut writing) = stream.split();
    let mut nothing = [0; 1];
    let answered = tokio::select! {
        answered = calls.run(call, stdin) => answered,
        // The shim says nothing more: what comes is its end.
        _ = reading.read(&mut nothing) => return,
    };
    let (answer, stdout, stderr) = answered;
    if let Ok(text) = message(&answer, &[&stdout, &stderr]) {
        let _ = writing.write_all(&text).await;
    }
}

async fn read(stream: &mut UnixStream) -> std::io::Result<(Call, Vec<u8>)> {
    let call = serde_json::from_slice(&part(stream).await?)?;
    Ok((call, part(stream).await?))
}

async fn part(stream: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let mut head = [0; 8];
    stream.read_exact(&mut head).await?;
    let mut part = vec![0; length(head)?];
    stream.read_exact(&mut part).await?;
    Ok(part)
}
