//! Http: what every HTTP surface stands on: the server loop, the route table, the gate in front of every route, bodies
//! read within bounds, and errors as RFC 9457 says.
//! - A route is named once, in a [`Routes`] table, with the scope it needs; the gate enforces it, handlers never check.
//! - No answer carries an internal cause: that goes to the log with the request id.
//! - Every wait and every buffer a client can cause is bounded here: headers, bodies, connections, bytes in flight.
//! - Absent: accepting and TLS (`net`), what the routes do (`receive`, `api`, `jobs`), cookies.

mod access;
mod address;
mod body;
mod decode;
mod gate;
mod manners;
mod origins;
mod problem;
pub mod query;
mod rates;
mod request_id;
mod routes;
mod server;

pub use access::{Access, Caller, Need, Pass};
pub use body::{Bodies, Body, BodyLimits, Turn};
pub use gate::{Gate, nothing_here};
pub use manners::Manners;
pub use origins::Origins;
pub use problem::{InputError, Problem, Type, chain};
pub use rates::{Rate, Rates};
pub use request_id::RequestId;
pub use routes::{Route, Routes};
pub use server::{HangUp, Options, Peer, serve};
