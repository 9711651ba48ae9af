//! Listening on an address.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};

/// Connections that may wait to be accepted; the system may allow fewer. A burst beyond it costs others seconds: the first
/// packet of a connection that finds no place is sent again after one.
const WAITING_MAX: u32 = 4096;

/// Bytes of datagrams that may wait to be read; the system may allow fewer.
const DATAGRAMS_BYTES_MAX: usize = 8 << 20;

/// Listens on an address. Synchronous, but within a runtime.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that starts again takes its address back at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// Listens for datagrams on an address, with room for a burst. Synchronous, but within a runtime.
pub fn listen_datagrams(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // As much as the system grants: what finds no room is lost, and counted by the kernel.
    let _ = socket.set_recv_buffer_size(DATAGRAMS_BYTES_MAX);
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}
