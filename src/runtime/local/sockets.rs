//! Whose process is at the other end of a connection: the kernel's tables of sockets against the trees of commands.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::tree;
use crate::runtime::Connection;

/// How a socket that listens is called in the tables.
const LISTEN: &str = "0A";

/// One socket of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    local: SocketAddr,
    remote: SocketAddr,
    listens: bool,
    /// 0 while nobody has accepted it.
    number: u64,
}

/// Says whether the other end of a connection is held by a process below one of these.
///
/// What was not accepted yet belongs to who listens; where several listen at one port, all of them must be below.
pub(super) fn is_held_below(connection: Connection, roots: &[i32]) -> bool {
    /// A process may fork, and pass on a socket, between two looks.
    const LOOKS: usize = 5;
    const PAUSE: Duration = Duration::from_millis(2);
    (0..LOOKS).any(|look| {
        if look > 0 {
            std::thread::sleep(PAUSE);
        }
        let holders = holders(connection, &rows());
        !holders.is_empty() && holders.is_subset(&sockets_below(roots))
    })
}

/// Gives the sockets that the other end of a connection may be.
fn holders(Connection { from, to }: Connection, rows: &[Row]) -> BTreeSet<u64> {
    let accepted = rows.iter().find(|row| !row.listens && (row.local, row.remote) == (to, from) && row.number != 0);
    if let Some(row) = accepted {
        return BTreeSet::from([row.number]);
    }
    let is_there = |row: &&Row| {
        let at = row.local;
        row.listens && at.port() == to.port() && (at.ip() == to.ip() || at.ip().is_unspecified())
    };
    rows.iter().filter(is_there).map(|row| row.number).collect()
}

fn rows() -> Vec<Row> {
    let table = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (four, six) = (table("/proc/self/net/tcp"), table("/proc/self/net/tcp6"));
    four.lines().chain(six.lines()).filter_map(parse).collect()
}

/// Reads a line of `/proc/net/tcp`: number, both ends, state, and in the tenth column the number of the socket.
fn parse(line: &str) -> Option<Row> {
    let columns: Vec<&str> = line.split_ascii_whitespace().collect();
    let column = |index: usize| columns.get(index).copied();
    Some(Row {
        local: end(column(1)?)?,
        remote: end(column(2)?)?,
        listens: column(3)? == LISTEN,
        number: column(9)?.parse().ok()?,
    })
}

/// Reads one end: the words of the address as the machine has them in memory, in hex, and the port.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match address.len() {
        8 => IpAddr::from(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(index * 8)?);
            }
            // A server for both kinds sees an address of the old kind within one of the new.
            IpAddr::from(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Gives the sockets of every process below these.
fn sockets_below(roots: &[i32]) -> BTreeSet<u64> {
    let processes = roots.iter().flat_map(|root| tree::below(*root));
    let descriptors = processes.filter_map(|member| fs::read_dir(format!("/proc/{}/fd", member.pid)).ok()).flatten();
    let links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn rows_are_read_for_both_kinds_of_address() {
        let row = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 4242 1 ff 100 0";
        let four = parse(row).unwrap();
        assert_eq!((four.local, four.listens, four.number), ("127.0.0.1:8080".parse().unwrap(), true, 4242));
        let row = "1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:C350 01 0:0 00:0 0 0 0 7";
        let six = parse(row).unwrap();
        assert_eq!((six.local, six.remote), ("127.0.0.1:8080".parse().unwrap(), "127.0.0.1:50000".parse().unwrap()));
        assert_eq!((six.listens, six.number), (false, 7));
        assert_eq!(parse("sl  local_address rem_address   st tx_queue"), None);
        assert_eq!(end("é100007F:1F90"), None);
    }

    #[test]
    fn all_who_listen_count_until_somebody_has_accepted() {
        let at = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let row = |local, remote, listens, number| Row { local: at(local), remote: at(remote), listens, number };
        let connection = Connection { from: at("127.0.0.1:5"), to: at("127.0.0.1:80") };
        let mut rows = vec![
            row("127.0.0.1:80", "0.0.0.0:0", true, 1),
            row("[::]:80", "[::]:0", true, 2),
            row("10.0.0.1:80", "0.0.0.0:0", true, 3),
            row("127.0.0.1:81", "0.0.0.0:0", true, 4),
            row("127.0.0.1:80", "127.0.0.1:5", false, 0),
            row("127.0.0.1:5", "127.0.0.1:80", false, 9),
        ];
        assert_eq!(holders(connection, &rows), BTreeSet::from([1, 2]));
        rows[4].number = 7;
        assert_eq!(holders(connection, &rows), BTreeSet::from([7]));
        assert!(holders(Connection { from: at("127.0.0.1:6"), to: at("127.0.0.1:99") }, &rows).is_empty());
    }

    #[test]
    fn a_socket_of_this_process_is_held_by_no_command() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let connection = Connection { from: stream.local_addr().unwrap(), to: stream.peer_addr().unwrap() };
        assert_eq!(holders(connection, &rows()).len(), 1);
        assert!(!is_held_below(connection, &[]));
    }
}
