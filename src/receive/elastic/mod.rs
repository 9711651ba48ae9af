//! Elasticsearch-compatible ingest, on the HTTP port: what shippers and official clients need to send events as if this were
//! an Elasticsearch.
//! - `index` and `create` add events; nothing is changed, removed, or found here: questions have routes of their own.
//! - An item that is answered 201 or 200 is on disk. `_id` is the event's id where it has none of its own.
//! - Every answer bears `X-Elastic-Product`, refusals too: clients go no further without it.
//! - Where there is no room a sender is held, then pushed back in the way that loses nothing with it (`push_back`).
//! - Absent: keys and rates (`http`), what an event means (`normalize`).

mod asker;
pub mod bulk;
mod documents;
mod errors;
pub mod filter;
mod hold;
mod items;
mod manners;
mod probes;
mod push_back;
mod take;
mod templates;

use super::Counts;
use crate::http::{Manners, Need, Routes};
use axum::http::Method;
use std::sync::Arc;
use std::time::Duration;
use templates::Templates;

/// How long an answer is held where there is no room: several senders give up at 10 s.
pub const HOLD_MAX: Duration = Duration::from_secs(8);

/// What these routes stand on.
pub struct Parts {
    /// What all HTTP receivers share.
    pub http: Arc<super::http::Parts>,
    /// The version that clients are told.
    pub version: String,
    /// How long an answer is held where there is no room, [`HOLD_MAX`] but in tests.
    pub hold_max: Duration,
    /// What is counted of these routes.
    pub counts: Arc<Counts>,
}

/// The surface.
struct Elastic {
    parts: Parts,
    templates: Templates,
}

/// Where what shippers set up is put.
const SET_UP: [&[&str; 1]; 6] = [
    &["/_template/{name}"],
    &["/_index_template/{name}"],
    &["/_component_template/{name}"],
    &["/_ilm/policy/{name}"],
    &["/_data_stream/{name}"],
    &["/_ingest/pipeline/{name}"],
];

/// The routes of this surface.
pub fn routes(parts: Parts) -> Routes {
    let elastic = Arc::new(Elastic { parts, templates: Templates::default() });
    let mut routes = Routes::default()
        .add(Method::GET, &["/"], Need::Open, probes::root, &elastic)
        .add(Method::GET, &["/_license"], Need::Open, probes::license, &elastic)
        .add(Method::GET, &["/_xpack"], Need::Open, probes::features, &elastic)
        .add(Method::GET, &["/_cluster/health"], Need::Open, probes::health, &elastic)
        .add(Method::GET, &["/_cat/health"], Need::Open, probes::line, &elastic)
        .add(Method::GET, &["/_nodes"], Need::Open, probes::nodes, &elastic)
        .add(Method::GET, &["/_nodes/http"], Need::Open, probes::nodes, &elastic)
        .add(Method::GET, &["/_nodes/_all/http"], Need::Open, probes::nodes, &elastic);
    for path in SET_UP {
        routes = routes.add(Method::GET, path, Need::Write, templates::get, &elastic).add(
            Method::PUT,
            path,
            Need::Write,
            templates::put,
            &elastic,
        );
    }
    // The last of them would be taken for a document of this id.
    const TYPED: &[&str] = &["/{index}/{type}/_bulk"];
    for method in [Method::POST, Method::PUT] {
        routes = routes
            .add(method.clone(), &["/_bulk"], Need::Write, documents::bulk, &elastic)
            .add(method.clone(), &["/{index}/_bulk"], Need::Write, documents::bulk, &elastic)
            .add(method.clone(), &["/{index}/{type}/_bulk"], Need::Write, documents::bulk, &elastic)
            .add_described(method.clone(), "/{index}/_doc/_bulk", TYPED, Need::Write, documents::bulk, &elastic)
            .add(method.clone(), &["/{index}/_doc/{id}"], Need::Write, documents::put, &elastic)
            .add(method, &["/{index}/_create/{id}"], Need::Write, documents::create, &elastic);
    }
    let routes = routes.add(Method::POST, &["/{index}/{type}"], Need::Write, documents::add, &elastic);
    routes.with_manners(&(elastic as Arc<dyn Manners>))
}
