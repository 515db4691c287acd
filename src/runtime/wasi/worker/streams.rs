//! A guest's standard streams in a worker: what it prints goes home at once, what it reads is asked for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::channel::{Channel, Kind};
use super::tape::{Pen, Printed, RECORD};

/// One of the two output streams.
#[derive(Clone)]
pub(super) struct Outlet {
    pub(super) channel: Arc<Channel>,
    pub(super) pen: Arc<StdMutex<Pen>>,
    pub(super) stream: Printed,
}

impl Outlet {
    fn print(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        for record in bytes.chunks(RECORD) {
            // A parent that is behind holds the guest here; who must end is killed wherever it is.
            pen.write(self.stream, record)?;
            // A parent that has yet to hear of the last one finds this one too.
            if self.channel.is_received() {
                self.channel.send_blocking(Kind::Printed, &[])?;
            }
        }
        Ok(())
    }
}

impl IsTerminal for Outlet {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Outlet {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only preview 3 asks for this form, and its linker is not there.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Outlet {
    async fn ready(&mut self) {}
}

impl OutputStream for Outlet {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes).map_err(|error| StreamError::Trap(error.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(RECORD)
    }
}

/// The input stream. All handles of a guest share one position.
#[derive(Clone)]
pub(super) struct Inlet {
    channel: Arc<Channel>,
    state: Arc<Mutex<Read>>,
    met_end: Arc<AtomicBool>,
}

struct Read {
    ready: Bytes,
    /// Whether something was asked for that has not come yet: who waited for it may have given up.
    asked: bool,
    ended: bool,
}

impl Inlet {
    pub(super) fn new(channel: Arc<Channel>, has_any: bool) -> Self {
        let state = Read { ready: Bytes::new(), asked: false, ended: !has_any };
        Self { channel, state: Arc::new(Mutex::new(state)), met_end: Arc::default() }
    }

    /// Gives the flag that says whether the guest has read to the end.
    pub(super) fn met_end(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.met_end)
    }
}

impl IsTerminal for Inlet {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Inlet {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        // Only preview 3 asks for this form, and its linker is not there.
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Inlet {
    async fn ready(&mut self) {
        let mut state = self.state.lock().await;
        if !state.ready.is_empty() || state.ended {
            return;
        }
        if !state.asked {
            state.asked = self.channel.send_blocking(Kind::Ask, &[]).is_ok();
        }
        match self.channel.receive().await {
            Ok(Some(frame)) if frame.kind == Kind::Input => {
                (state.asked, state.ended) = (false, frame.bytes.is_empty());
                state.ready = frame.bytes.into();
            }
            // The parent sends nothing else meanwhile; without it the worker ends anyway.
            Ok(_) | Err(_) => state.ended = true,
        }
    }
}

impl InputStream for Inlet {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        // A handle that finds another one waiting has nothing to read yet.
        let Ok(mut state) = self.state.try_lock() else { return Ok(Bytes::new()) };
        if state.ready.is_empty() && state.ended {
            self.met_end.store(true, Ordering::Relaxed);
            return Err(StreamError::Closed);
        }
        let size = size.min(state.ready.len());
        Ok(state.ready.split_to(size))
    }
}
