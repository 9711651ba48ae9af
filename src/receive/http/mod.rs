//! HTTP receivers: `POST /tick`, `GET /tick.gif`, and `POST /explain`, which reads as `/tick` does and stores nothing;
//! `POST /` for shippers of logs.
//! - 202 means synced. Some rejected: 202 with their places; all rejected: 400, but 200 on `POST /`, as 200 is all that
//!   Logstash's HTTP input says. Left out as configured is no fault.
//! - Query parameters of `/tick` are keys of every event of the body that lacks them; `key` is never one.
//! - Absent: keys, rates and origins (`http`), the surfaces of other products.

mod body;
mod explain;
mod logs;
mod pixel;
mod tick;

use crate::clock::Clock;
use crate::error::Kind;
use crate::http::query::pairs;
use crate::http::{Bodies, Caller, Need, Problem, Routes, Type};
use crate::ingest::{Ingest, IngestError};
use crate::normalize::{Limits, Receiver, Sender};
use axum::http::{HeaderMap, Method, header};
use std::sync::Arc;

/// What the routes stand on.
pub struct Parts {
    /// The write path.
    pub ingest: Ingest,
    /// Reads bodies within bounds.
    pub bodies: Bodies,
    /// The bounds of an event.
    pub limits: Limits,
    /// Events of one body at the most.
    pub batch_events_max: usize,
    /// The time.
    pub clock: Clock,
}

/// The routes of this receiver.
pub fn routes(parts: &Arc<Parts>) -> Routes {
    Routes::default()
        .add(Method::POST, &["/tick"], Need::Write, tick::tick, parts)
        .add(Method::GET, &["/tick.gif"], Need::Write, pixel::pixel, parts)
        .add(Method::POST, &["/"], Need::Write, logs::logs, parts)
        .add(Method::POST, &["/explain"], Need::Read, explain::explain, parts)
}

/// The pairs of a request's query string, without its key.
fn parameters(query: Option<&str>) -> Result<Vec<(String, String)>, Problem> {
    let Some(query) = query else { return Ok(Vec::new()) };
    let mut pairs = pairs(query).map_err(|message| Problem::invalid("query", message))?;
    pairs.retain(|(name, _)| name != "key");
    Ok(pairs)
}

/// Who sends a request.
fn sender<'a>(
    receiver: Receiver,
    parts: &Parts,
    caller: &'a Caller,
    headers: &'a HeaderMap,
    defaults: &'a [(String, String)],
) -> Sender<'a> {
    let is_one = |name: &str| headers.get(name).is_some_and(|value| value == "1");
    Sender {
        ip: Some(caller.address),
        user_agent: headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()),
        origin: headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()),
        privacy_signal: is_one("sec-gpc") || is_one("dnt"),
        site: caller.bound(),
        site_forced: caller.bound().is_some(),
        defaults,
        ..Sender::unknown(receiver, parts.clock.now())
    }
}

/// Why a batch was not taken, in the wire's words.
fn refused(error: &IngestError) -> Problem {
    match error {
        IngestError::TooMany { .. } => Problem::new(Type::TooLarge, error.to_string()),
        _ if error.kind() == Kind::Invalid => Problem::failed(Kind::Internal, error),
        _ => Problem::failed(error.kind(), error),
    }
}
