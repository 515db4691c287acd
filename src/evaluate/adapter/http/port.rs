//! Ports of this host that no other server of ours has.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

use crate::error::ExecutionError;
use crate::runtime::SolutionRuntimeError;

static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// The first port that is given: below there are many which some service is known by.
const FIRST: u16 = 10_000;

/// A port that this process gives to nobody else while it lives.
///
/// Between the look at the port and the server's own bind another program may take it: whoever starts the server looks
/// who it is that answers, and takes another port.
#[derive(Debug)]
pub(super) struct Port(pub(super) u16);

impl Port {
    pub(super) fn take() -> Result<Self, ExecutionError> {
        const TRIES: u64 = 64;
        let first_given_out = first_given_out();
        let (random, mut last) = (RandomState::new(), io::Error::from(io::ErrorKind::AddrInUse));
        for number in 0..TRIES {
            // Where the kernel gives out no ports, nobody gets one by chance.
            let quiet = u64::from(first_given_out.saturating_sub(FIRST));
            let wanted = (random.hash_one(number).checked_rem(quiet)).and_then(|at| u16::try_from(at).ok());
            match free(wanted.filter(|_| number < TRIES / 2).map_or(0, |at| FIRST + at)) {
                Ok(port) if taken().insert(port) => return Ok(Self(port)),
                Ok(_) => {}
                Err(error) => last = error,
            }
        }
        Err(SolutionRuntimeError::host("find a free port")(last).into())
    }

    /// Says whether a socket of this host has the port just now.
    pub(super) fn is_taken(&self) -> bool {
        free(self.0).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
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

/// Gives a port that is free at every address, as a server finds it that sets no option; 0 stands for any.
fn free(port: u16) -> io::Result<u16> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))?;
    Ok(SocketAddrV4::try_from(getsockname(&socket)?)?.port())
}

/// Gives the first of the ports that the kernel gives to whoever asks for any.
fn first_given_out() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_ascii_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_taken_by_who_binds_it() {
        let ports: Vec<Port> = (0..20).map(|_| Port::take().unwrap()).collect();
        let distinct: BTreeSet<u16> = ports.iter().map(|port| port.0).collect();
        assert_eq!(distinct.len(), ports.len());
        assert!(distinct.iter().all(|port| *port >= FIRST));
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0].0)).unwrap();
        assert!(ports[0].is_taken() && !ports[1].is_taken());
        drop(listener);
        assert!(!ports[0].is_taken());
    }
}
