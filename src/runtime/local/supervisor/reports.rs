//! The engine's end of the status pipe.

use std::io;
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe::Receiver;

use super::{Report, SIZE};

/// What a supervisor reports, as it comes.
#[derive(Debug)]
pub(in super::super) struct Reports(Receiver);

impl Reports {
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        Receiver::from_owned_fd(pipe).map(Self)
    }

    /// Gives the next report; `None` when the supervisor is gone.
    ///
    /// Cancel safe.
    pub(in super::super) async fn next(&self) -> Option<Report> {
        loop {
            self.0.readable().await.ok()?;
            if let Some(report) = self.take() {
                return report;
            }
        }
    }

    /// Gives a report that is already there. The outer `None`: there is none yet.
    pub(in super::super) fn take(&self) -> Option<Option<Report>> {
        let mut message = [0; SIZE];
        match self.0.try_read(&mut message) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Ok(SIZE) => Some(Report::decode(&message)),
            Ok(_) | Err(_) => Some(None),
        }
    }
}
