//! A guest's standard streams: what it prints goes to the sinks, what it reads comes from the command.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::runtime::{Control, Sink, StdinReader};

/// How much a guest may print in one host call.
const CHUNK: usize = 64 * 1024;

/// One of the two output streams.
#[derive(Clone)]
pub(super) struct Printer {
    sink: Arc<Sink>,
    control: Arc<Control>,
}

impl Printer {
    pub(super) fn new(sink: &Arc<Sink>, control: &Arc<Control>) -> Self {
        Self { sink: Arc::clone(sink), control: Arc::clone(control) }
    }
}

impl IsTerminal for Printer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printer {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only preview 3 asks for this form, and its linker is not there.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Printer {
    async fn ready(&mut self) {
        self.sink.ready().await;
    }
}

impl OutputStream for Printer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.sink.push(&bytes);
        self.flush()
    }

    fn flush(&mut self) -> StreamResult<()> {
        if self.control.is_stopped() { Err(StreamError::trap("the command must end")) } else { Ok(()) }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.flush()?;
        Ok(if self.sink.is_behind() { 0 } else { CHUNK })
    }
}

/// Where the input of a guest comes from.
#[async_trait::async_trait]
pub(super) trait Input: Send {
    /// Gives the next bytes, never none; `None` is the end.
    ///
    /// Cancel safe: a cancelled call lost nothing.
    async fn next(&mut self) -> Option<Bytes>;
}

#[async_trait::async_trait]
impl Input for StdinReader {
    async fn next(&mut self) -> Option<Bytes> {
        Self::next(self).await
    }
}

/// The input stream. All handles of a guest share one position.
#[derive(Clone)]
pub(super) struct Reader {
    state: Arc<Mutex<ReaderState>>,
    met_end: Arc<AtomicBool>,
}

struct ReaderState {
    source: Box<dyn Input>,
    ready: Bytes,
    ended: bool,
}

impl Reader {
    pub(super) fn new(source: impl Input + 'static) -> Self {
        let state = ReaderState { source: Box::new(source), ready: Bytes::new(), ended: false };
        Self { state: Arc::new(Mutex::new(state)), met_end: Arc::default() }
    }

    /// Gives the flag that says whether the guest has read to the end.
    pub(super) fn met_end(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.met_end)
    }
}

impl IsTerminal for Reader {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Reader {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        // Only preview 3 asks for this form, and its linker is not there.
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        let mut state = self.state.lock().await;
        if state.ready.is_empty() && !state.ended {
            match state.source.next().await {
                Some(chunk) => state.ready = chunk,
                None => state.ended = true,
            }
        }
    }
}

impl InputStream for Reader {
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
