//! Receive: protocols become raw events for `ingest`, and its receipts become answers.
//! - A receiver acknowledges only what `ingest` called taken, and pushes back instead of dropping.
//! - Where a protocol has no way to push back, what it loses is counted ([`Counts`]).
//! - What peers can make it hold comes out of one budget.
//! - Absent: what events mean (`normalize`), where they go (`ingest`), listening and TLS (`net`).

mod counts;
mod deadline;
pub mod elastic;
pub mod forward;
pub mod http;
mod inbox;
mod intake;
pub mod lines;
mod logstash;
pub mod lumberjack;
pub mod msgpack;
mod port;
pub mod syslog;

pub use counts::{Counted, Counts};
pub use intake::Intake;
pub use lines::Lines;
pub use lumberjack::Lumberjack;
pub use port::{Broken, Datagram, Port, Protocol};
pub use syslog::Syslog;

use crate::clock::Clock;
use crate::ingest::Ingest;
use crate::net::Budget;
use crate::normalize::Limits;

/// What the receivers with ports of their own stand on.
#[derive(Debug)]
pub struct Parts {
    /// The write path.
    pub ingest: Ingest,
    /// The bounds of an event.
    pub limits: Limits,
    /// Events of one batch at the most.
    pub batch_events_max: usize,
    /// The time.
    pub clock: Clock,
    /// The memory of what is under way, that of HTTP's bodies too.
    pub budget: Budget,
}
