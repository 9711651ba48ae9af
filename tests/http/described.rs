//! `openapi.json` and the routes hold each other: every route with its method and scope, every status provoked.

use crate::broken::Broken;
use crate::support::{App, Said, Setup, request};
use axum::body::Body;
use axum::http::Request;
use metronome::catalog::keys::Scope;
use metronome::event::{Key, Known, Value};
use metronome::http::{BodyLimits, Peer, Rate};
use metronome::journal;
use metronome::store::memory::Memory;
use metronome::store::{Entry, Store, StoreError};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

fn description() -> serde_json::Value {
    serde_json::from_str(include_str!("../../openapi.json")).unwrap()
}

/// Method, path and scope of every operation described.
fn operations() -> BTreeSet<(String, String, Option<String>)> {
    let description = description();
    let mut found = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scope = operation["security"][0]["bearer"][0].as_str().map(str::to_owned);
            found.insert((method.to_uppercase(), path.clone(), scope));
        }
    }
    found
}

#[tokio::test]
async fn every_route_is_described_with_its_scope_and_nothing_else_is() {
    let app = Setup::default().start();
    let mut routes = BTreeSet::new();
    for (method, paths, scope) in &app.routes {
        routes.extend(paths.iter().map(|path| (method.clone(), (*path).to_owned(), scope.map(str::to_owned))));
    }
    let described = operations();
    let missing: Vec<_> = routes.difference(&described).collect();
    let extra: Vec<_> = described.difference(&routes).collect();
    assert!(missing.is_empty() && extra.is_empty(), "not described: {missing:?}; no such route: {extra:?}");
}

#[test]
fn every_reference_leads_somewhere_and_ids_are_unique() {
    let description = description();
    let mut ids = BTreeSet::new();
    visit(&description, &mut |value| {
        if let Some(reference) = value["$ref"].as_str() {
            assert!(description.pointer(&reference[1..]).is_some(), "{reference}");
        }
        if let Some(id) = value["operationId"].as_str() {
            assert!(ids.insert(id.to_owned()), "{id} twice");
        }
    });
    assert!(!ids.is_empty());
}

fn visit(value: &serde_json::Value, see: &mut impl FnMut(&serde_json::Value)) {
    see(value);
    match value {
        serde_json::Value::Object(map) => map.values().for_each(|value| visit(value, see)),
        serde_json::Value::Array(list) => list.iter().for_each(|value| visit(value, see)),
        _ => {}
    }
}

/// One way to ask each operation so that it succeeds: method, path as described, address, body.
const ASKED: &[(&str, &str, &str, &str)] = &[
    ("POST", "/", "/", "{}"),
    ("POST", "/tick", "/tick", "{}"),
    ("GET", "/tick.gif", "/tick.gif?path=/x", ""),
    ("GET", "/explain", "/explain?event_id=e1", ""),
    ("POST", "/explain", "/explain", "{}"),
    ("GET", "/tock/{id}.json", "/tock/1.json", ""),
    ("GET", "/tock/{id}.csv", "/tock/1.csv", ""),
    ("GET", "/tock/{id}.svg", "/tock/1.svg", ""),
    ("GET", "/tock.json", "/tock.json", ""),
    ("GET", "/tock.csv", "/tock.csv", ""),
    ("GET", "/tock.svg", "/tock.svg", ""),
    ("POST", "/tocks.json", "/tocks.json", r#"{"ids":["1"]}"#),
    ("POST", "/tocks.csv", "/tocks.csv", r#"{"ids":["1"]}"#),
    ("GET", "/top.json", "/top.json", ""),
    ("GET", "/top.csv", "/top.csv", ""),
    ("GET", "/flows.json", "/flows.json", ""),
    ("GET", "/flows.csv", "/flows.csv", ""),
    ("POST", "/funnels.json", "/funnels.json", r#"{"steps":[["exists","id"],["exists","id"]]}"#),
    ("POST", "/funnels.csv", "/funnels.csv", r#"{"steps":[["exists","id"],["exists","id"]]}"#),
    ("GET", "/funnels/{name}.json", "/funnels/f.json", ""),
    ("GET", "/funnels/{name}.csv", "/funnels/f.csv", ""),
    ("GET", "/times.json", "/times.json?metric=lcp_ms", ""),
    ("GET", "/times.csv", "/times.csv?metric=lcp_ms", ""),
    ("GET", "/retention.json", "/retention.json?where=[%22is%22,%22id%22,[%220%22]]", ""),
    ("GET", "/retention.csv", "/retention.csv?where=[%22is%22,%22id%22,[%220%22]]", ""),
    ("GET", "/recommendations/{id}.json", "/recommendations/1.json", ""),
    ("GET", "/recommendations/{id}.csv", "/recommendations/1.csv", ""),
    ("GET", "/recommendations.json", "/recommendations.json?id=1", ""),
    ("GET", "/recommendations.csv", "/recommendations.csv?id=1", ""),
    ("GET", "/errors.json", "/errors.json", ""),
    ("GET", "/errors.csv", "/errors.csv", ""),
    ("GET", "/errors/{fingerprint}.json", "/errors/000000000000000a.json", ""),
    ("GET", "/events.json", "/events.json", ""),
    ("GET", "/events.csv", "/events.csv", ""),
    ("GET", "/events.ndjson", "/events.ndjson", ""),
    ("GET", "/live.json", "/live.json", ""),
    ("GET", "/live", "/live", ""),
    ("GET", "/meta.json", "/meta.json", ""),
    ("POST", "/query", "/query", r#"{"metrics":["views"]}"#),
    ("POST", "/query.csv", "/query.csv", r#"{"metrics":["views"]}"#),
    ("GET", "/query.json", "/query.json?q=%7B%22metrics%22:[%22views%22]%7D", ""),
    ("GET", "/query.csv", "/query.csv?q=%7B%22metrics%22:[%22views%22]%7D", ""),
    ("PUT", "/queries/{name}", "/queries/views", r#"{"query":{"metrics":["views"]}}"#),
    ("PUT", "/queries/{name}", "/queries/views", r#"{"query":{"metrics":["views"]}}"#),
    ("GET", "/queries.json", "/queries.json", ""),
    ("GET", "/queries/{name}", "/queries/views", ""),
    ("GET", "/queries/{name}.json", "/queries/views.json", ""),
    ("GET", "/queries/{name}.csv", "/queries/views.csv", ""),
    ("DELETE", "/queries/{name}", "/queries/views", ""),
    ("GET", "/health", "/health", ""),
    ("GET", "/ready", "/ready", ""),
    ("GET", "/metrics", "/metrics", ""),
    ("GET", "/openapi.json", "/openapi.json", ""),
    ("POST", "/imports", "/imports", "{}"),
    ("POST", "/imports/{id}/lines", "/imports/1/lines?format=json", "{}"),
    ("POST", "/imports/{id}/end", "/imports/1/end", ""),
    ("POST", "/jobs", "/jobs", r#"{"do":"seal"}"#),
    ("GET", "/jobs/{id}", "/jobs/1", ""),
    ("GET", "/", "/", ""),
    ("GET", "/_license", "/_license", ""),
    ("GET", "/_xpack", "/_xpack", ""),
    ("GET", "/_cluster/health", "/_cluster/health", ""),
    ("GET", "/_cat/health", "/_cat/health", ""),
    ("GET", "/_nodes", "/_nodes", ""),
    ("GET", "/_nodes/http", "/_nodes/http", ""),
    ("GET", "/_nodes/_all/http", "/_nodes/_all/http", ""),
    ("PUT", "/_template/{name}", "/_template/t", "{}"),
    ("GET", "/_template/{name}", "/_template/t", ""),
    ("PUT", "/_index_template/{name}", "/_index_template/t", "{}"),
    ("GET", "/_index_template/{name}", "/_index_template/t", ""),
    ("PUT", "/_component_template/{name}", "/_component_template/t", "{}"),
    ("GET", "/_component_template/{name}", "/_component_template/t", ""),
    ("PUT", "/_ilm/policy/{name}", "/_ilm/policy/t", "{}"),
    ("GET", "/_ilm/policy/{name}", "/_ilm/policy/t", ""),
    ("PUT", "/_data_stream/{name}", "/_data_stream/t", "{}"),
    ("GET", "/_data_stream/{name}", "/_data_stream/t", ""),
    ("PUT", "/_ingest/pipeline/{name}", "/_ingest/pipeline/t", "{}"),
    ("GET", "/_ingest/pipeline/{name}", "/_ingest/pipeline/t", ""),
    ("POST", "/_bulk", "/_bulk", BULK),
    ("POST", "/{index}/_bulk", "/i/_bulk", BULK),
    ("POST", "/{index}/{type}/_bulk", "/i/t/_bulk", BULK),
    ("POST", "/{index}/_doc/{id}", "/i/_doc/d1", "{}"),
    ("POST", "/{index}/_doc/{id}", "/i/_doc/d1", "{}"),
    ("POST", "/{index}/_create/{id}", "/i/_create/cPOST", "{}"),
    ("POST", "/{index}/_create/{id}", "/i/_create/cPOST", "{}"),
    ("PUT", "/_bulk", "/_bulk", BULK),
    ("PUT", "/{index}/_bulk", "/i/_bulk", BULK),
    ("PUT", "/{index}/{type}/_bulk", "/i/t/_bulk", BULK),
    ("PUT", "/{index}/_doc/{id}", "/i/_doc/d2", "{}"),
    ("PUT", "/{index}/_doc/{id}", "/i/_doc/d2", "{}"),
    ("PUT", "/{index}/_create/{id}", "/i/_create/cPUT", "{}"),
    ("PUT", "/{index}/_create/{id}", "/i/_create/cPUT", "{}"),
    ("POST", "/{index}/{type}", "/i/_doc", "{}"),
];

/// One document for Elasticsearch's bulk.
const BULK: &str = "{\"index\":{}}\n{}\n";

/// What was provoked: method, path, status.
#[derive(Default)]
struct Provoked(BTreeSet<(String, String, u16)>);

impl Provoked {
    fn saw(&mut self, method: &str, path: &str, said: &Said) {
        self.0.insert((method.to_owned(), path.to_owned(), said.status));
    }

    /// Asks every operation once; `change` makes the request what it should be.
    async fn all(&mut self, app: &App, change: impl Fn(usize, axum::http::request::Builder, &str) -> Request<Body>) {
        for (at, (method, path, uri, body)) in ASKED.iter().enumerate() {
            let said = app.send(change(at, request(method, uri), body)).await;
            self.saw(method, path, &said);
        }
    }
}

fn plain(_: usize, request: axum::http::request::Builder, body: &str) -> Request<Body> {
    request.body(Body::from(body.to_owned())).unwrap()
}

/// A body that never comes.
struct Stalled;

impl hyper::body::Body for Stalled {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        Poll::Pending
    }
}

async fn one_event() -> Arc<dyn Store> {
    let fields = [("site", "default"), ("action", "view"), ("event_id", "e1"), ("id", "1")];
    let mut fields: Vec<(Key, Value)> =
        fields.iter().map(|(name, value)| (Key::named(name), Value::text(*value))).collect();
    fields.push((Known::Day.into(), Value::Int(16_457)));
    fields.push((Known::Fingerprint.into(), Value::hash(0xa)));
    fields.push((Known::Timestamp.into(), Value::Int(crate::support::NOW)));
    let store = Memory::new();
    let event = metronome::event::Event::from_fields(fields);
    store.write(vec![Entry { position: 0, event }], 1).await.unwrap();
    Arc::new(store)
}

#[tokio::test]
async fn every_documented_status_is_provoked() {
    let mut provoked = Provoked::default();
    let app = Setup { store: one_event().await, ..Setup::default() }.start();
    provoked.all(&app, plain).await;
    bad_input(&app, &mut provoked).await;
    // Through a proxy while no key is configured: 403 everywhere.
    provoked.all(&app, |at, request, body| plain(at, request.header("via", "1.1 x"), body)).await;
    let app = Setup::default().start();
    let _ = app.key(Scope::Admin, None);
    provoked.all(&app, plain).await;
    overload(&mut provoked).await;
    broken(&mut provoked).await;
    let mut never = Vec::new();
    for (path, methods) in description()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for status in operation["responses"].as_object().unwrap().keys() {
                let one = (method.to_uppercase(), path.clone(), status.parse().unwrap());
                if !provoked.0.contains(&one) {
                    never.push(one);
                }
            }
        }
    }
    assert!(never.is_empty(), "documented and never provoked: {never:?}");
    for (method, path, status) in &provoked.0 {
        let operation = &description()["paths"][path][method.to_lowercase()];
        assert!(
            !operation["responses"][status.to_string()].is_null(),
            "provoked and not documented: {method} {path} {status}"
        );
    }
}

async fn bad_input(app: &App, provoked: &mut Provoked) {
    let table = [
        ("POST", "/", "/", "nonsense"),
        ("POST", "/tick", "/tick", "nonsense"),
        ("GET", "/tick.gif", "/tick.gif?@timestamp=never", ""),
        ("GET", "/explain", "/explain", ""),
        ("GET", "/explain", "/explain?event_id=never", ""),
        ("POST", "/explain", "/explain", ""),
        ("GET", "/tock/{id}.json", "/tock/1.json?x", ""),
        ("GET", "/tock/{id}.csv", "/tock/1.csv?x", ""),
        ("GET", "/tock/{id}.svg", "/tock/1.svg?x", ""),
        ("GET", "/tock.json", "/tock.json?x", ""),
        ("GET", "/tock.csv", "/tock.csv?x", ""),
        ("GET", "/tock.svg", "/tock.svg?x", ""),
        ("POST", "/tocks.json", "/tocks.json", ""),
        ("POST", "/tocks.csv", "/tocks.csv", ""),
        ("GET", "/live.json", "/live.json?x", ""),
        ("GET", "/live", "/live?x", ""),
        ("GET", "/meta.json", "/meta.json?x", ""),
        ("POST", "/query", "/query", "{}"),
        ("POST", "/query.csv", "/query.csv", "{}"),
        ("GET", "/query.json", "/query.json", ""),
        ("GET", "/query.csv", "/query.csv?q=%7B%7D", ""),
        ("GET", "/top.json", "/top.json?x", ""),
        ("GET", "/top.csv", "/top.csv?x", ""),
        ("GET", "/flows.json", "/flows.json?x", ""),
        ("GET", "/flows.csv", "/flows.csv?x", ""),
        ("POST", "/funnels.json", "/funnels.json", "{}"),
        ("POST", "/funnels.csv", "/funnels.csv", "{}"),
        ("GET", "/funnels/{name}.json", "/funnels/f.json?x", ""),
        ("GET", "/funnels/{name}.json", "/funnels/g.json", ""),
        ("GET", "/funnels/{name}.csv", "/funnels/f.csv?x", ""),
        ("GET", "/funnels/{name}.csv", "/funnels/g.csv", ""),
        ("GET", "/times.json", "/times.json?x", ""),
        ("GET", "/times.csv", "/times.csv?x", ""),
        ("GET", "/retention.json", "/retention.json?x", ""),
        ("GET", "/retention.csv", "/retention.csv?x", ""),
        ("GET", "/recommendations/{id}.json", "/recommendations/1.json?x", ""),
        ("GET", "/recommendations/{id}.csv", "/recommendations/1.csv?method=odd", ""),
        ("GET", "/recommendations.json", "/recommendations.json", ""),
        ("GET", "/recommendations.csv", "/recommendations.csv?id=1&over=odd", ""),
        ("GET", "/errors.json", "/errors.json?x", ""),
        ("GET", "/errors.csv", "/errors.csv?x", ""),
        ("GET", "/errors/{fingerprint}.json", "/errors/a.json", ""),
        ("GET", "/errors/{fingerprint}.json", "/errors/000000000000000b.json", ""),
        ("GET", "/events.json", "/events.json?x", ""),
        ("GET", "/events.csv", "/events.csv?x", ""),
        ("GET", "/events.ndjson", "/events.ndjson?x", ""),
        ("PUT", "/queries/{name}", "/queries/views", "{}"),
        ("PUT", "/queries/{name}", "/queries/filed", r#"{"query":{"metrics":["views"]}}"#),
        ("GET", "/queries.json", "/queries.json?x", ""),
        ("GET", "/queries/{name}", "/queries/filed?x", ""),
        ("GET", "/queries/{name}", "/queries/none", ""),
        ("GET", "/queries/{name}.json", "/queries/filed.json?x", ""),
        ("GET", "/queries/{name}.json", "/queries/none.json", ""),
        ("GET", "/queries/{name}.csv", "/queries/filed.csv?x", ""),
        ("GET", "/queries/{name}.csv", "/queries/none.csv", ""),
        ("DELETE", "/queries/{name}", "/queries/none", ""),
        ("DELETE", "/queries/{name}", "/queries/filed", ""),
        ("GET", "/health", "/health?x", ""),
        ("POST", "/imports", "/imports", "nonsense"),
        ("POST", "/imports/{id}/lines", "/imports/1/lines?format=odd", ""),
        ("POST", "/imports/{id}/lines", "/imports/99/lines", "x"),
        ("POST", "/imports/{id}/end", "/imports/99/end", ""),
        ("POST", "/jobs", "/jobs", r#"{"do":"dance"}"#),
        ("GET", "/jobs/{id}", "/jobs/99", ""),
    ];
    let table = table.map(|(method, path, uri, body)| (method, path, uri.to_owned(), body));
    for (method, path, uri, body) in table.into_iter().chain(bad_elastic()) {
        let said = app.send(request(method, &uri).body(Body::from(body)).unwrap()).await;
        assert!(matches!(said.status, 400 | 404 | 409), "{method} {uri}: {}", said.status);
        provoked.saw(method, path, &said);
    }
}

/// What Elasticsearch's routes refuse: a body that is none, a filter beyond its bound, what is not there.
fn bad_elastic() -> Vec<(&'static str, &'static str, String, &'static str)> {
    let of_elastic =
        |method: &str, path: &str| (method, path) == ("GET", "/") || path.starts_with("/_") || path.starts_with("/{");
    let mut all = vec![("POST", "/{index}/{type}", "/i/_search".to_owned(), "{}")];
    for (method, path, uri, _) in ASKED.iter().filter(|(method, path, ..)| of_elastic(method, path)) {
        let filter = "a,".repeat(33);
        match *method {
            "GET" => all.push((method, path, format!("{uri}?format=json&filter_path={filter}"), "")),
            _ => all.push((method, path, (*uri).to_owned(), "nonsense")),
        }
        if path.ends_with("/{name}") && *method == "GET" {
            all.push((method, path, path.replace("{name}", "none"), ""));
        }
    }
    all
}

/// Bodies that are too slow, too large, of an unknown coding; rates; memory; the journal.
async fn overload(provoked: &mut Provoked) {
    let body = BodyLimits { bytes_max: 64, grace: Duration::from_millis(5), ..BodyLimits::default() };
    let app = Setup { body, ..Setup::default() }.start();
    for (method, path, uri, _) in ASKED.iter().filter(|(method, ..)| ["POST", "PUT"].contains(method)) {
        let large = request(method, uri).body(Body::from(vec![b' '; 65])).unwrap();
        let coded = request(method, uri).header("content-encoding", "?").body(Body::from("{}")).unwrap();
        let stalled = request(method, uri).body(Body::new(Stalled)).unwrap();
        for request in [large, coded, stalled] {
            provoked.saw(method, path, &app.send(request).await);
        }
    }
    let app =
        Setup { rate: Some(Rate { per_second: 1, burst: 1 }), store: one_event().await, ..Setup::default() }.start();
    for _ in 0..2 {
        // Each operation from an address of its own, twice.
        let from = |at: usize, request: axum::http::request::Builder, body: &str| {
            let address = [127, 0, 1, u8::try_from(at).unwrap()];
            plain(at, request.extension(Peer(SocketAddr::from((address, 9)))), body)
        };
        provoked.all(&app, from).await;
    }
    let body = BodyLimits { in_flight_bytes_max: 0, ..BodyLimits::default() };
    let app = Setup { body, store: one_event().await, ..Setup::default() }.start();
    provoked.all(&app, plain).await;
    let journal = journal::Options {
        record_bytes_max: 64 << 10,
        segment_bytes_max: 128 << 10,
        bytes_max: 256 << 10,
        ..journal::Options::default()
    };
    let app = Setup { journal, ..Setup::default() }.start();
    for at in 0_u64.. {
        // Text that no compression makes small, until the journal is full.
        let noise: String =
            (0..2_000).map(|n| format!("{:x}", (at * 2_000 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let said = app.get(&format!("/tick.gif?message={}", &noise[..30_000])).await;
        provoked.saw("GET", "/tick.gif", &said);
        if said.status != 200 {
            break;
        }
    }
}

async fn broken(provoked: &mut Provoked) {
    let stopped = || StoreError::Stopped;
    let corrupt = || StoreError::Corrupt { object: "a day".into(), why: "a checksum".into() };
    for failure in [stopped as fn() -> StoreError, corrupt] {
        let app = Setup { store: Arc::new(Broken::at_once(failure)), ready: false, ..Setup::default() }.start();
        provoked.all(&app, plain).await;
        let said = app.get("/top.json").await;
        assert!(!said.text().contains("checksum") && !said.text().contains("a day"), "{}", said.text());
    }
}
