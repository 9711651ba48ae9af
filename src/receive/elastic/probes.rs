//! Probes: what clients ask before they send: which product this is, which version, whether it is well.
//! - One node, always green: whether this server is ready is told by `/ready`.
//! - Nothing of the data is told; no key is needed.

use super::Elastic;
use super::documents::{answer, parameter};
use crate::http::nothing_here;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// The name of the node and of its cluster.
const NAME: &str = "metronome";
/// Made up once and for all: there is one cluster a server, and no two of them meet.
const UUID: &str = "bWV0cm9ub21lLWNsdXN0ZQ";
/// When this answer was written; clients only look that there is one.
const DATE: &str = "2025-01-01T00:00:00.000Z";

/// `GET /`: which product and version this is. A browser is told how to begin.
pub(super) async fn root(State(elastic): State<Arc<Elastic>>, request: Request) -> Response {
    if accepts(request.headers(), "text/html") {
        return nothing_here(&request).into_response();
    }
    let root = json!({
        "name": NAME,
        "cluster_name": NAME,
        "cluster_uuid": UUID,
        "version": {
            "number": elastic.parts.version,
            "build_flavor": "default",
            "build_type": "tar",
            "build_hash": env!("CARGO_PKG_VERSION"),
            "build_date": DATE,
            "build_snapshot": false,
            "lucene_version": "9.12.2",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    });
    said(&request, &root)
}

/// `GET /_license`.
pub(super) async fn license(request: Request) -> Response {
    let license = json!({"license": {
        "status": "active", "uid": UUID, "type": "basic", "issue_date": DATE, "issue_date_in_millis": 1_735_689_600_000_u64,
        "max_nodes": 1000, "issued_to": NAME, "issuer": NAME, "start_date_in_millis": -1,
    }});
    said(&request, &license)
}

/// `GET /_xpack`.
pub(super) async fn features(request: Request) -> Response {
    let xpack = json!({
        "build": {"hash": env!("CARGO_PKG_VERSION"), "date": DATE},
        "license": {"uid": UUID, "type": "basic", "mode": "basic", "status": "active"},
        "features": {"ilm": {"available": true, "enabled": true}},
        "tagline": "You know, for X",
    });
    said(&request, &xpack)
}

/// `GET /_cluster/health`.
pub(super) async fn health(request: Request) -> Response {
    let health = json!({
        "cluster_name": NAME, "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
        "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0, "initializing_shards": 0,
        "unassigned_shards": 0, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 100.0,
    });
    said(&request, &health)
}

/// `GET /_cat/health`: a line for people, or JSON.
pub(super) async fn line(State(elastic): State<Arc<Elastic>>, request: Request) -> Response {
    let seconds = elastic.parts.http.clock.now() / 1000;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let fields = [
        ("epoch", seconds.to_string()),
        ("timestamp", clock),
        ("cluster", NAME.to_owned()),
        ("status", "green".to_owned()),
        ("node.total", "1".to_owned()),
        ("node.data", "1".to_owned()),
        ("shards", "1".to_owned()),
        ("pri", "1".to_owned()),
        ("relo", "0".to_owned()),
        ("init", "0".to_owned()),
        ("unassign", "0".to_owned()),
        ("pending_tasks", "0".to_owned()),
        ("max_task_wait_time", "-".to_owned()),
        ("active_shards_percent", "100.0%".to_owned()),
    ];
    let headers = request.headers();
    let wants_json = accepts(headers, "json") && !accepts(headers, "text/plain");
    if wants_json || parameter(request.uri(), "format").as_deref() == Some("json") {
        let object = fields.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
        return said(&request, &Value::Array(vec![Value::Object(object)]));
    }
    let line = fields.map(|(_, value)| value).join(" ") + "\n";
    ([(header::CONTENT_TYPE, "text/plain; charset=UTF-8")], line).into_response()
}

/// `GET /_nodes`: this one, by the name it was asked by, so that a client which looks for others finds it again.
pub(super) async fn nodes(State(elastic): State<Arc<Elastic>>, request: Request) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let nodes = json!({
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": NAME,
        "nodes": {UUID: {
            "name": NAME, "transport_address": host, "host": name, "ip": name, "version": elastic.parts.version,
            "build_flavor": "default", "build_type": "tar", "build_hash": env!("CARGO_PKG_VERSION"),
            "roles": ["data", "ingest", "master"],
            "http": {"bound_address": [host], "publish_address": host, "max_content_length_in_bytes": 104_857_600},
        }},
    });
    said(&request, &nodes)
}

fn said(request: &Request, value: &Value) -> Response {
    answer(request.uri(), StatusCode::OK, value.to_string().into_bytes())
}

fn accepts(headers: &HeaderMap, what: &str) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|value| value.to_str().is_ok_and(|value| value.contains(what)))
}
