//! Api: the reading half of the wire: questions in a request's words become typed questions, answers become JSON, CSV, SVG.
//! - `openapi.json` at the root of the repository describes every route; tests hold the two together.
//! - Questions run within a bound of their own, so that they never starve writing.
//! - Absent: what numbers mean (`report`), keys and rates (`http`), `POST /explain`, which reads bodies as `/tick` does
//!   (`receive`).

mod ask;
mod csv;
mod description;
mod errors;
mod events;
mod explain;
mod export;
mod flows;
mod format;
mod funnels;
mod holdings;
mod live;
mod metrics;
mod operate;
mod queries;
mod query;
mod questions;
mod recommendations;
mod retention;
mod streams;
mod svg;
mod times;
mod tock;
mod top;
mod watch;
pub mod work;

pub use metrics::{Facts, Metrics, PortFacts, RejectedCount, Scrub};
pub use operate::{Check, Probe};
pub use questions::Questions;
pub use streams::{StreamOptions, Streams};

use crate::clock::Clock;
use crate::http::{Bodies, Need, Routes};
use crate::normalize::Sites;
use crate::query::custom::book::Book;
use crate::query::goal::Goals;
use crate::query::keys::SeenKeys;
use crate::report::funnels::definition::Funnels;
use crate::store::Store;
use axum::http::Method;
use std::sync::Arc;

/// What the routes stand on.
pub struct Parts {
    /// Where events are; it refuses what touches damaged days.
    pub store: Arc<dyn Store>,
    /// The same, answering from what is sound.
    pub sound: Arc<dyn Store>,
    /// The sites' zones and paths.
    pub sites: Arc<Sites>,
    /// The sites' goals.
    pub goals: Goals,
    /// The sites' funnels.
    pub funnels: Funnels,
    /// Custom queries.
    pub queries: Arc<Book>,
    /// Keys that questions may speak of.
    pub keys: SeenKeys,
    /// The time.
    pub clock: Clock,
    /// Runs questions within bounds.
    pub questions: Questions,
    /// Bounds what has no known end.
    pub streams: Streams,
    /// Reads bodies within bounds.
    pub bodies: Bodies,
    /// What `/ready` looks at.
    pub probes: Vec<Probe>,
    /// What `/metrics` tells.
    pub metrics: Metrics,
}

/// The routes of this room.
pub fn routes(parts: &Arc<Parts>) -> Routes {
    const ITEM: &[&str] = &["/tock/{id}.json", "/tock/{id}.csv", "/tock/{id}.svg"];
    const TOGETHER: &[&str] = &["/recommendations/{id}.json", "/recommendations/{id}.csv"];
    const GROUP: &[&str] = &["/errors/{fingerprint}.json"];
    const FUNNEL: &[&str] = &["/funnels/{name}.json", "/funnels/{name}.csv"];
    const CUSTOM: &[&str] = &["/queries/{name}"];
    const CUSTOM_READ: &[&str] = &["/queries/{name}", "/queries/{name}.json", "/queries/{name}.csv"];
    Routes::default()
        .add_described(Method::GET, "/tock/{*item}", ITEM, Need::Read, tock::item, parts)
        .add(Method::GET, &["/tock.json"], Need::Read, tock::whole, parts)
        .add(Method::GET, &["/tock.csv"], Need::Read, tock::whole, parts)
        .add(Method::GET, &["/tock.svg"], Need::Read, tock::whole, parts)
        .add(Method::POST, &["/tocks.json"], Need::Read, tock::many, parts)
        .add(Method::POST, &["/tocks.csv"], Need::Read, tock::many, parts)
        .add(Method::GET, &["/top.json"], Need::Read, top::top, parts)
        .add(Method::GET, &["/top.csv"], Need::Read, top::top, parts)
        .add(Method::GET, &["/flows.json"], Need::Read, flows::flows, parts)
        .add(Method::GET, &["/flows.csv"], Need::Read, flows::flows, parts)
        .add(Method::POST, &["/funnels.json"], Need::Read, funnels::funnel, parts)
        .add(Method::POST, &["/funnels.csv"], Need::Read, funnels::funnel, parts)
        .add_described(Method::GET, "/funnels/{name}", FUNNEL, Need::Read, funnels::named, parts)
        .add(Method::GET, &["/times.json"], Need::Read, times::times, parts)
        .add(Method::GET, &["/times.csv"], Need::Read, times::times, parts)
        .add(Method::GET, &["/retention.json"], Need::Read, retention::retention, parts)
        .add(Method::GET, &["/retention.csv"], Need::Read, retention::retention, parts)
        .add_described(Method::GET, "/recommendations/{*item}", TOGETHER, Need::Read, recommendations::item, parts)
        .add(Method::GET, &["/recommendations.json"], Need::Read, recommendations::asked, parts)
        .add(Method::GET, &["/recommendations.csv"], Need::Read, recommendations::asked, parts)
        .add(Method::GET, &["/errors.json"], Need::Read, errors::errors, parts)
        .add(Method::GET, &["/errors.csv"], Need::Read, errors::errors, parts)
        .add_described(Method::GET, "/errors/{group}", GROUP, Need::Read, errors::group, parts)
        .add(Method::GET, &["/events.json"], Need::Read, events::events, parts)
        .add(Method::GET, &["/events.csv"], Need::Read, events::events, parts)
        .add(Method::GET, &["/events.ndjson"], Need::Read, export::export, parts)
        .add(Method::GET, &["/live.json"], Need::Read, live::once, parts)
        .add(Method::GET, &["/live"], Need::Read, live::stream, parts)
        .add(Method::POST, &["/query"], Need::Read, query::asked_by_body, parts)
        .add(Method::POST, &["/query.csv"], Need::Read, query::asked_by_body, parts)
        .add(Method::GET, &["/query.json"], Need::Read, query::asked_by_address, parts)
        .add(Method::GET, &["/query.csv"], Need::Read, query::asked_by_address, parts)
        .add(Method::GET, &["/queries.json"], Need::Read, queries::list, parts)
        .add_described(Method::GET, "/queries/{query}", CUSTOM_READ, Need::Read, queries::get, parts)
        .add_described(Method::PUT, "/queries/{query}", CUSTOM, Need::Admin, queries::put, parts)
        .add_described(Method::DELETE, "/queries/{query}", CUSTOM, Need::Admin, queries::delete, parts)
        .add(Method::GET, &["/meta.json"], Need::Read, holdings::meta, parts)
        .add(Method::GET, &["/explain"], Need::Read, explain::stored, parts)
        .add(Method::GET, &["/health"], Need::Open, operate::health, parts)
        .add(Method::GET, &["/ready"], Need::Open, operate::ready, parts)
        .add(Method::GET, &["/metrics"], Need::ReadAll, operate::metrics, parts)
        .add(Method::GET, &["/openapi.json"], Need::Open, description::description, parts)
}

#[cfg(test)]
mod tests;
