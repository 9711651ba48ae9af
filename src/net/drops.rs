//! Drops: the datagrams that the kernel took for a socket and found no room for.
//! - Read from the kernel's own table (`/proc/net/udp`, `udp6`), where its documentation says: the last column of the row
//!   with the socket's inode.
//! - Where there is no such table nothing is known, and nothing counted.

use std::fs;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::net::UdpSocket;

const TABLES: [&str; 2] = ["/proc/net/udp", "/proc/net/udp6"];
/// Columns of a row's inode and drops.
const COLUMNS: (usize, usize) = (9, 12);

/// The drops of one socket.
#[derive(Debug)]
pub struct Drops {
    inode: String,
    /// As far as was read: a socket that is closed has none any more.
    seen: AtomicU64,
}

impl Drops {
    /// Those of a socket; `None` where the kernel does not tell which it is.
    pub fn of(socket: &UdpSocket) -> Option<Self> {
        let target = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned();
        Some(Self { inode, seen: AtomicU64::new(0) })
    }

    /// How many there were until now.
    pub fn count(&self) -> u64 {
        let tables = TABLES.iter().filter_map(|table| fs::read_to_string(table).ok());
        let now = tables.into_iter().find_map(|table| find(&table, &self.inode)).unwrap_or_default();
        self.seen.fetch_max(now, Relaxed).max(now)
    }
}

fn find(table: &str, inode: &str) -> Option<u64> {
    table.lines().find_map(|row| {
        let mut columns = row.split_whitespace().skip(COLUMNS.0);
        let is_it = columns.next() == Some(inode);
        is_it.then(|| columns.nth(COLUMNS.1 - COLUMNS.0 - 1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_by_its_inode() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
             \x20 71: 0100007F:1414 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 401 2 00000000 0\n\
             \x20 72: 0100007F:1415 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 402 2 00000000 17\n";
        assert_eq!([find(table, "402"), find(table, "401"), find(table, "40")], [Some(17), Some(0), None]);
    }

    #[tokio::test]
    async fn what_finds_no_room_is_counted() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
        socket2::SockRef::from(&socket).set_recv_buffer_size(4096).expect("a small buffer");
        socket.set_nonblocking(true).expect("nonblocking");
        let socket = UdpSocket::from_std(socket).expect("a socket");
        let drops = Drops::of(&socket).expect("Linux tells");
        assert_eq!(drops.count(), 0);
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
        let address = socket.local_addr().expect("an address");
        for _ in 0..50 {
            sender.send_to(&[0; 1000], address).expect("sent");
        }
        socket.readable().await.expect("some are there");
        let mut received = 0;
        while socket.try_recv(&mut [0; 2000]).is_ok() {
            received += 1;
        }
        assert_eq!(received + drops.count(), 50);
        let seen = drops.count();
        drop(socket);
        assert_eq!(drops.count(), seen, "kept when the socket is closed");
    }
}
