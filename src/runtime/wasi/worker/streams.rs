//! A guest's standard streams in a worker: what it prints goes home at once, what it reads is asked for.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::channel::{Channel, Kind};
use super::tape::{Pen, Printed, RECORD};
use crate::runtime::wasi::stdio::Input;

/// One of the two output streams.
#[derive(Clone)]
pub(super) struct Outlet {
    pub(super) channel: Arc<Channel>,
    pub(super) pen: Arc<Mutex<Pen>>,
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

/// The parent, as the input of a guest comes from it.
pub(super) struct Inlet {
    pub(super) channel: Arc<Channel>,
    /// Whether there is anything left to ask for.
    pub(super) has_more: bool,
    /// Whether something was asked for that has not come yet: who waited for it may have given up.
    pub(super) asked: bool,
}

#[async_trait::async_trait]
impl Input for Inlet {
    async fn next(&mut self) -> Option<Bytes> {
        if !self.has_more {
            return None;
        }
        if !self.asked {
            self.asked = self.channel.send_blocking(Kind::Ask, &[]).is_ok();
        }
        let received = self.channel.receive().await;
        self.asked = false;
        // The parent sends nothing else meanwhile; without it the worker ends anyway.
        let input = received.ok().flatten().filter(|frame| frame.kind == Kind::Input && !frame.bytes.is_empty());
        self.has_more = input.is_some();
        input.map(|frame| frame.bytes.into())
    }
}
