//! Net: what every surface listens with: accepts connections within a bound, wraps them in TLS where a certificate is
//! configured, gives up on a peer that takes nothing, stops in order, and counts the memory that peers can make it hold.
//! - A connection holds a slot from its accept to its end; past the bound accepting pauses, nothing accepted is lost.
//! - Every buffer a peer can fill takes its room from one [`Budget`]; past it the peer is refused, never the process killed.
//! - Absent: what is said over a connection (`http`, `receive`).

mod budget;
mod drops;
mod listen;
mod patience;
mod serve;
mod stream;
mod tls;

pub use budget::{Budget, Full, Share};
pub use drops::Drops;
pub use listen::{listen, listen_datagrams};
pub use patience::Patient;
pub use serve::{Bounds, Connection, Stopping, serve};
pub use stream::Stream;
pub use tls::{Tls, TlsError};
