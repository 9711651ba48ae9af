//! The reading routes, in-process, over the oracle.

mod errors;
mod export;
mod funnels;
mod live;
mod queries;
mod query;
mod recommendations;
mod retained;
mod retention;
mod times;

use super::*;
use crate::catalog::Catalog;
use crate::catalog::keys::Keys;
use crate::catalog::queries::Queries;
use crate::event::{Event, Key, Known, Value};
use crate::http::{Access, BodyLimits, Gate, Origins, Peer, Rates};
use crate::normalize::SiteRules;
use crate::query::custom;
use crate::query::goal::Goal;
use crate::report::funnels::definition::Definition;
use crate::store::memory::Memory;
use crate::store::plan::Filter;
use crate::store::{Entry, plan};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use tower::ServiceExt;

/// Noon of 2015-01-22, UTC.
const NOW: i64 = 1_421_928_000_000;
const DAY: i64 = 86_400_000;

struct App {
    router: Router,
    keys: Arc<Keys>,
    folder: tempfile::TempDir,
}

struct Said {
    status: u16,
    headers: axum::http::HeaderMap,
    body: String,
}

impl App {
    async fn ask(&self, method: &str, uri: &str, body: &str) -> Said {
        let mut request = Request::builder().method(method).uri(uri).body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(Peer(SocketAddr::from(([127, 0, 0, 1], 9))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Said { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn get(&self, uri: &str) -> Said {
        self.ask("GET", uri, "").await
    }

    async fn answer(&self, uri: &str) -> String {
        let said = self.get(uri).await;
        assert_eq!(said.status, 200, "{uri}: {}", said.body);
        said.body
    }
}

fn event(ago: i64, id: &str, action: &str, more: &[(&str, &str)]) -> Event {
    let at = NOW - ago * DAY;
    let mut fields = vec![
        ("@timestamp", Value::Int(at)),
        ("day", Value::Int(at.div_euclid(DAY))),
        ("site", Value::text("default")),
        ("action", Value::text(action)),
        ("id", Value::text(id)),
    ];
    fields.extend(more.iter().map(|(name, value)| (*name, Value::text(*value))));
    Event::from_fields(fields.into_iter().map(|(name, value)| (Key::named(name), value)).collect())
}

async fn app() -> App {
    let events = [
        event(0, "/a/b.c", "view", &[("referer", "arcgis.com"), ("event_id", "e1")]),
        event(0, "/a/b.c", "view", &[("referer", "=cmd|x")]),
        event(2, "/a/b.c", "view", &[]),
        event(2, "/a/b.c", "download", &[("format", "csv")]),
        event(40, "/a/b.c", "view", &[]),
        event(1, "17", "view", &[("browser", "Firefox"), ("message", "Not found: 17")]),
        event(1, "17", "view", &[("site", "shop")]),
    ];
    let store = Memory::new();
    let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, 7).await.unwrap();
    over(Arc::new(store))
}

fn over(store: Arc<dyn Store>) -> App {
    let shop = SiteRules { zone: jiff::tz::TimeZone::get("Pacific/Auckland").unwrap(), ..SiteRules::named("shop") };
    let brief = SiteRules { retention_days: Some(10), ..SiteRules::named("brief") };
    let goal =
        Goal { name: "fetched".to_owned(), filter: Filter::is(Known::Action, "download"), value: Known::Value.into() };
    let steps = serde_json::json!([["is", "id", ["/a/b.c"]], "fetched"]);
    let funnel = Definition::of(steps.as_array().unwrap(), std::slice::from_ref(&goal)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let catalog = Arc::new(Catalog::open(&folder.path().join("catalog")).unwrap());
    let works = || Probe { part: "store", check: Box::new(|| Box::pin(async { Ok(None) })) };
    let parts = Arc::new(Parts {
        sound: store.clone(),
        store,
        sites: Arc::new(Sites::new(vec![shop, brief], SiteRules::named("default"))),
        goals: HashMap::from([("default".to_owned(), vec![goal])]),
        funnels: HashMap::from([("default".to_owned(), vec![("fetch".to_owned(), funnel)])]),
        queries: Arc::new(Book::new(filed(), Queries::new(Arc::clone(&catalog)))),
        keys: crate::query::keys::SeenKeys::default(),
        clock: Clock::manual(NOW),
        questions: Questions::new(2, plan::Limits::default()),
        streams: Streams::new(StreamOptions { exports_max: 1, ..StreamOptions::default() }),
        bodies: Bodies::new(BodyLimits { bytes_max: 1 << 20, ..BodyLimits::default() }),
        probes: vec![works()],
        metrics: Metrics::new(|| Facts {
            since: NOW - DAY,
            rejected: REJECTED.map(rejected).to_vec(),
            ..Facts::default()
        }),
    });
    let keys = Arc::new(Keys::open(catalog, Clock::manual(NOW)).unwrap());
    let gate = Gate {
        access: Access::new(Arc::clone(&keys)),
        trusted_proxies: Vec::new(),
        rates: Rates::new(None, None, 100),
        origins: Origins::default(),
    };
    App { router: routes(&parts).into_router(gate), keys, folder }
}

/// A custom query that a file configures.
fn filed() -> BTreeMap<String, custom::Definition> {
    let written = serde_json::json!({"query": {"site_id": "shop", "metrics": ["views"]}});
    [("filed".to_owned(), custom::Definition::read(&written).unwrap())].into()
}

/// Sites, reasons, and whether it is one of the configuration's.
const REJECTED: [(&str, &str, bool, u64); 3] =
    [("default", "not_json", false, 3), ("shop", "privacy", true, 5), ("shop", "time", false, 4)];

fn rejected((site, reason, is_filter, events): (&str, &'static str, bool, u64)) -> RejectedCount {
    RejectedCount { site: site.to_owned(), reason, is_filter, events }
}

#[tokio::test]
async fn an_item_is_found_by_every_spelling_of_its_id() {
    let app = app().await;
    let usage =
        r#"{"views":{"2015-01-22":2,"2015-01-20":1},"downloads":{"csv":1},"referers":{"=cmd|x":1,"arcgis.com":1}}"#;
    for uri in [
        "/tock//a/b.c.json",
        "/tock/%2Fa%2Fb.c.json",
        "/tock/%2fa/b%2Ec.json",
        "/tock//a/b.c/.json",
        "/tock//a/./x/../b.c.json",
        "/tock.json?id=/a/b.c",
        "/tock.json?id=%2Fa%2Fb.c",
    ] {
        assert_eq!(app.answer(uri).await, usage, "{uri}");
    }
    let never = r#"{"views":{},"downloads":{},"referers":{}}"#;
    for uri in ["/tock/a/b.c.json", "/tock/never.json", "/tock/%00.json", "/tock.json?id=", "/tock/.json"] {
        assert_eq!(app.answer(uri).await, never, "{uri}");
    }
    assert_eq!(app.answer("/tock/17.json").await, r#"{"views":{"2015-01-21":1},"downloads":{},"referers":{}}"#);
}

#[tokio::test]
async fn parameters_change_the_answer() {
    let app = app().await;
    let table = [
        ("/tock//a/b.c.json?range=today&fields=views", r#"{"views":{"2015-01-22":2}}"#),
        ("/tock//a/b.c.json?range=all&fields=total", r#"{"total":{"views":4,"downloads":1}}"#),
        ("/tock//a/b.c.json?from=2014-12-01&to=2014-12-31&fields=views", r#"{"views":{"2014-12-13":1}}"#),
        ("/tock//a/b.c.json?range=all&interval=month&fields=views", r#"{"views":{"2015-01-01":3,"2014-12-01":1}}"#),
        (
            "/tock//a/b.c.json?range=all&tz=Pacific/Auckland&fields=views",
            r#"{"views":{"2015-01-23":2,"2015-01-21":1,"2014-12-14":1}}"#,
        ),
        ("/tock.json?range=all&site=shop&tz=America/New_York&fields=total", r#"{"total":{"views":1,"downloads":0}}"#),
        ("/tock//a/b.c.json?range=7d&interval=week&fields=views", r#"{"views":{"2015-01-19":3}}"#),
        (
            "/tock//a/b.c.json?from=2015-01-21&to=2015-01-22&fields=views&fill=0",
            r#"{"views":{"2015-01-22":2,"2015-01-21":0}}"#,
        ),
        ("/tock//a/b.c.json?range=today&interval=hour&fields=views", r#"{"views":{"2015-01-22T12:00:00+00:00":2}}"#),
        (
            "/tock//a/b.c.json?range=today&tz=Pacific/Auckland&interval=hour&fields=views",
            r#"{"views":{"2015-01-23T01:00:00+13:00":2}}"#,
        ),
        ("/tock.json?fields=total", r#"{"total":{"views":4,"downloads":1}}"#),
        ("/tock.json?fields=browsers,total", r#"{"browsers":{"Firefox":1},"total":{"views":4,"downloads":1}}"#),
        ("/tock.json?site=shop&fields=total,views", r#"{"total":{"views":1,"downloads":0},"views":{"2015-01-21":1}}"#),
        (
            "/tock.json?range=all&fields=total&where=[%22is%22,%22id%22,[%2217%22]]",
            r#"{"total":{"views":1,"downloads":0}}"#,
        ),
        (
            "/tock//a/b.c.json?range=all&where=[%22exists%22,%22referer%22]&fields=views",
            r#"{"views":{"2015-01-22":2}}"#,
        ),
        ("/tock//a/b.c.json?limit=1&fields=referers", r#"{"referers":{"=cmd|x":1}}"#),
        ("/tock//a/b.c.json?counting=counter", r#"{"views":{},"downloads":{},"referers":{}}"#),
    ];
    for (uri, expected) in table {
        assert_eq!(app.answer(uri).await, expected, "{uri}");
    }
}

#[tokio::test]
async fn every_bad_value_is_named_with_what_would_fit() {
    let app = app().await;
    let table = [
        ("/tock/1.json?form=2015-01-01", "form", "did you mean \"from\"?"),
        ("/tock/1.json?where=x", "where", "URL-encoded"),
        ("/top.json?where=[%22is%22,%22brouser%22,[1]]", "where", "did you mean \"browser\"?"),
        ("/events.json?where=[%22is%22]", "where", "takes a key and a list of values"),
        ("/tock/1.json?interval=year", "interval", "it may be hour, day, week, month"),
        ("/tock/1.json?range=2d", "range", "it may be today"),
        ("/tock/1.json?tz=Mars/Base", "tz", "IANA"),
        ("/tock/1.json?tz=../../etc/passwd", "tz", "IANA"),
        ("/tock/1.json?from=x", "from", "it may be a date"),
        ("/tock/1.json?bots=yes", "bots", "exclude, include, only"),
        ("/tock/1.json?counting=x", "counting", "raw, counter"),
        ("/tock/1.json?fill=1", "fill", "it may be 0"),
        ("/tock/1.json?limit=0", "limit", "from 1 to 10000"),
        ("/tock/1.json?fields=views,vizits", "fields", "did you mean \"visits\"?"),
        ("/tock/1.json?limit=1&limit=2", "limit", "given twice"),
        ("/tock/%FF.json", "id", "UTF-8"),
        ("/tock/1.json?from=%FF", "query", "UTF-8"),
        ("/top.json?metric=bounce", "metric", "views, downloads"),
        ("/events.json?limit=1001", "limit", "from 1 to 1000"),
        ("/events.json?q=%22-%22", "q", "without a word"),
        ("/explain", "event_id", "needed"),
        ("/events.json?after=zzz", "after", "is none of this store's"),
        ("/tock/1.json?from=1900-01-01&interval=hour", "interval", "more than 10000 intervals"),
    ];
    for (uri, at, says) in table {
        let said = app.get(uri).await;
        assert_eq!(
            (said.status, said.headers["content-type"].as_bytes()),
            (400, &b"application/problem+json"[..]),
            "{uri}"
        );
        let problem: serde_json::Value = serde_json::from_str(&said.body).unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(says), "{uri}: {}", said.body);
        assert_eq!(problem["errors"][0]["at"], at, "{uri}");
    }
    let long = format!("/tock/{}.json", "x".repeat(2_049));
    assert_eq!(app.get(&long).await.status, 400);
}

#[tokio::test]
async fn many_items_come_by_the_ids_they_were_asked_by() {
    let app = app().await;
    let said = app.ask("POST", "/tocks.json?fields=total", r#"{"ids":["17","/a/b.c/","never","17"]}"#).await;
    let expected = r#"{"17":{"total":{"views":1,"downloads":0}},"/a/b.c/":{"total":{"views":3,"downloads":1}},"never":{"total":{"views":0,"downloads":0}}}"#;
    assert_eq!((said.status, said.body.as_str()), (200, expected));
    let said = app.ask("POST", "/tocks.csv?fields=views", r#"{"ids":["17","/a/b.c"]}"#).await;
    assert_eq!(
        said.body,
        "id,field,key,count\r\n17,views,2015-01-21,1\r\n/a/b.c,views,2015-01-22,2\r\n/a/b.c,views,2015-01-20,1\r\n"
    );
    let many = format!("{{\"ids\":[{}]}}", vec!["\"x\""; 1_001].join(","));
    for bad in ["", "[]", "{}", r#"{"ids":[1]}"#, r#"{"ids":[],"x":1}"#, &many] {
        assert_eq!(app.ask("POST", "/tocks.json", bad).await.status, 400, "{bad:.40}");
    }
    assert_eq!(app.ask("POST", "/tocks.json", r#"{"ids":[]}"#).await.body, "{}");
}

#[tokio::test]
async fn csv_and_svg_are_inert() {
    let app = app().await;
    let csv = app.answer("/tock//a/b.c.csv").await;
    assert!(csv.starts_with("field,key,count\r\nviews,2015-01-22,2\r\n"), "{csv}");
    assert!(csv.contains("referers,'=cmd|x,1\r\n") && csv.contains("downloads,csv,1\r\n"), "{csv}");
    let said = app.get("/tock/%3Cscript%3E.svg").await;
    assert_eq!(said.headers["content-type"], "image/svg+xml");
    assert_eq!(said.headers["cache-control"], "private, max-age=60");
    assert!(said.body.contains("&lt;script&gt;") && !said.body.contains("<script"), "{}", said.body);
    assert!(app.answer("/tock.svg?range=all").await.contains("5 views"));
}

#[tokio::test]
async fn the_busiest_come_with_what_they_are_of() {
    let app = app().await;
    let top: serde_json::Value = serde_json::from_str(&app.answer("/top.json?range=7d").await).unwrap();
    assert_eq!(top["results"], serde_json::json!([{"id": "/a/b.c", "views": 3}, {"id": "17", "views": 1}]));
    let sums = serde_json::json!({"total": 4, "shown": 4, "rest": 0, "without_visitor": 4, "bots": 0});
    assert_eq!(top["meta"]["sums"], sums);
    assert_eq!(top["meta"]["tz"], "UTC");
    let time = app.get("/top.json?by=week").await;
    assert!(time.status == 400 && time.body.contains("/tock.json?interval=week answers by time"), "{}", time.body);
    let by = app.answer("/top.json?by=browser&metric=events&limit=1").await;
    assert!(by.starts_with(r#"{"results":[{"browser":null,"events":4}],"meta":{"#), "{by}");
    assert_eq!(
        app.answer("/top.csv?by=referer&range=7d").await,
        "referer,views\r\n,2\r\n'=cmd|x,1\r\narcgis.com,1\r\n"
    );
}

#[tokio::test]
async fn events_come_newest_first_a_page_at_a_time() {
    let app = app().await;
    let (mut uri, mut ids) = ("/events.json?range=all&limit=2".to_owned(), Vec::new());
    loop {
        let page: serde_json::Value = serde_json::from_str(&app.answer(&uri).await).unwrap();
        let events = page["events"].as_array().unwrap();
        ids.extend(events.iter().map(|event| event["@timestamp"].as_str().unwrap()[..10].to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        uri = format!("/events.json?range=all&limit=2&after={next}");
    }
    assert_eq!(ids, ["2015-01-22", "2015-01-22", "2015-01-21", "2015-01-20", "2015-01-20", "2014-12-13"]);
    for (search, found) in [("not%20found", 1), ("%22found%20not%22", 0), ("FOUND+%2217%22", 1)] {
        let page = app.answer(&format!("/events.json?range=all&q={search}")).await;
        let page: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(page["events"].as_array().unwrap().len(), found, "{search}");
    }
    let csv = app.answer("/events.csv?range=today").await;
    assert!(csv.starts_with("@timestamp,site,day,event_id,action,id,referer\r\n"), "{csv}");
    assert!(csv.contains(",'=cmd|x\r\n"), "{csv}");
}

#[tokio::test]
async fn a_stored_event_explains_itself() {
    let app = app().await;
    let said: serde_json::Value = serde_json::from_str(&app.answer("/explain?event_id=e1").await).unwrap();
    assert_eq!(said["event"]["referer"], "arcgis.com");
    assert!(said["notes"].as_array().unwrap().len() > 2 && said["visit"].is_null());
    assert_eq!(app.get("/explain?event_id=e2").await.status, 404);
    assert_eq!(app.get("/explain?event_id=e1&site=shop").await.status, 404);
}

#[tokio::test]
async fn operating_routes_say_how_it_is() {
    let app = app().await;
    assert_eq!(app.answer("/health").await, r#"{"status":"ok"}"#);
    assert_eq!(app.answer("/ready").await, r#"{"ready":true,"parts":[{"part":"store","ready":true}]}"#);
    app.answer("/top.json").await;
    let metrics = app.answer("/metrics").await;
    assert!(metrics.contains("metronome_question_seconds_count{report=\"top\"} 1"), "{metrics}");
    assert!(metrics.contains("metronome_store_position 7"), "{metrics}");
    let description: serde_json::Value = serde_json::from_str(&app.answer("/openapi.json").await).unwrap();
    assert_eq!(description["openapi"], "3.1.0");
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let app = app().await;
    let table = [
        ("GET", "/", 404, "curl -d"),
        ("GET", "/nope", 404, "there is no GET /nope"),
        ("GET", "/tock/1", 404, ".json, .csv or .svg"),
        ("GET", "/tock/1.xml", 404, ".json, .csv or .svg"),
        ("POST", "/top.json", 405, "does not take POST"),
        ("GET", "/tocks.json", 405, "does not take GET"),
    ];
    for (method, uri, status, says) in table {
        let said = app.ask(method, uri, "").await;
        assert_eq!(said.status, status, "{method} {uri}");
        assert!(said.body.contains(says), "{method} {uri}: {}", said.body);
    }
    assert_eq!(app.ask("POST", "/top.json", "").await.headers["allow"], "GET,HEAD,OPTIONS");
    let options = app.ask("OPTIONS", "/top.json", "").await;
    assert_eq!((options.status, &options.headers["allow"]), (204, &"GET, HEAD, OPTIONS".parse().unwrap()));
    let head = app.ask("HEAD", "/top.json", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn every_answer_is_dressed_for_browsers() {
    let app = app().await;
    for uri in ["/top.json", "/nope", "/top.json?x=1"] {
        let said = app.get(uri).await;
        assert_eq!(said.headers["x-content-type-options"], "nosniff", "{uri}");
        assert_eq!(said.headers["cache-control"], "no-store", "{uri}");
        assert!(said.headers.contains_key("content-security-policy"), "{uri}");
        assert_eq!(said.headers["x-request-id"].len(), 16, "{uri}");
        assert!(!said.headers.contains_key("access-control-allow-origin"), "{uri}");
    }
}
