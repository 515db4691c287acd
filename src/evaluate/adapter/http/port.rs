//! Ports of this host that no other server of ours has.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::ExecutionError;
use crate::runtime::SolutionRuntimeError;

static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that this process gives to nobody else while it lives.
///
/// Between the look at the port and the server's own bind another program may take it: the server then ends, and the
/// case is tried with another port.
#[derive(Debug)]
pub(super) struct Port(pub(super) u16);

impl Port {
    pub(super) fn take() -> Result<Self, ExecutionError> {
        const TRIES: usize = 64;
        let failed = SolutionRuntimeError::host("find a free port");
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            match bound {
                Ok(address) if taken().insert(address.port()) => return Ok(Self(address.port())),
                Ok(_) => {}
                Err(error) => last = error,
            }
        }
        Err(failed(last).into())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        taken().remove(&self.0);
    }
}

fn taken() -> MutexGuard<'static, BTreeSet<u16>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}
