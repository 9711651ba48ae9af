//! The routes that speak as Elasticsearch does: what is taken, what is answered, and how senders are pushed back.

use crate::support::{App, Said, Served, Setup, request};
use axum::body::Body;
use metronome::catalog::keys::Scope;
use metronome::http::{BodyLimits, Options, Peer, Rate};
use metronome::journal;
use metronome::net::Stopping;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

type Headers<'a> = &'a [(&'a str, &'a str)];

const PY: Headers<'_> =
    &[("user-agent", "elasticsearch-py/9.5.1"), ("x-elastic-client-meta", "es=9.5.1,py=3.11.7,t=9.4.2,h=bp")];
const GO: Headers<'_> = &[("user-agent", "go-elasticsearch/9.5.2"), ("x-elastic-client-meta", "es=9.5.2,go=1.26,h=bp")];
const NAMELESS: Headers<'_> = &[];

/// A request of a server that goes on: what is held is held.
fn lasting(method: &str, uri: &str) -> axum::http::request::Builder {
    let mut request = request(method, uri);
    request.extensions_mut().unwrap().remove::<Stopping>();
    request
}

async fn send(app: &App, method: &str, uri: &str, headers: Headers<'_>, body: &str) -> Said {
    let request = lasting(method, uri);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let said = app.send(request.body(Body::from(body.to_owned())).unwrap()).await;
    assert_eq!(said.headers["x-elastic-product"], "Elasticsearch", "{method} {uri}");
    said
}

async fn bulk(app: &App, body: &str) -> Value {
    let said = send(app, "POST", "/_bulk", PY, body).await;
    assert_eq!((said.status, &said.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    said.json()
}

/// The status of each item.
fn statuses(answer: &Value) -> Vec<u64> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item.as_object().unwrap().values().next().unwrap()["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn each_item_is_answered_with_what_became_of_it() {
    let app = Setup::default().start();
    let body = r#"{"index":{"_index":"shop","_id":"1"}}
{"path":"/a"}
{"create":{"_index":"shop","_id":"1"}}
{"path":"/b"}
{"index":{"_index":"shop","_id":"1"}}
{"path":"/c"}
{"create":{"_id":"own"}}
{"path":"/d","event_id":"mine"}
{"index":{}}
{"path":"/e" oops
{"update":{"_id":"1"}}
{"doc":{}}
{"delete":{"_id":"1"}}
{"index":{"_id":"5"}}
[1]
{"index":{"_id":""}}
{}
{"create":{}}
{"@timestamp":"never"}
{"index":{}}
{"action":"x","site":"drops"}
"#;
    let answer = bulk(&app, body).await;
    assert_eq!(statuses(&answer), [201, 409, 200, 201, 400, 400, 400, 400, 400, 400, 201], "{answer}");
    assert_eq!(answer["errors"], true);
    let error = |at: usize, op: &str| answer["items"][at][op]["error"].clone();
    assert_eq!(error(1, "create")["type"], "version_conflict_engine_exception");
    assert_eq!(error(4, "index")["type"], "document_parsing_exception");
    assert!(error(4, "index")["reason"].as_str().unwrap().starts_with("not JSON at line 1 column 14"), "{answer}");
    assert!(error(5, "update")["reason"].as_str().unwrap().starts_with("update is not done here"), "{answer}");
    assert!(error(9, "create")["reason"].as_str().unwrap().contains("@timestamp"), "{answer}");
    assert_eq!(answer["items"][2]["index"]["result"], "noop");
    assert_eq!(app.stored("event_id"), ["1", "mine", "-"]);
    assert_eq!(app.stored("path"), ["/a", "/d", "-"]);
    assert_eq!(app.stored("index"), ["shop", "-", "-"], "the index of an event without a site of its own");
}

#[tokio::test]
async fn an_index_is_a_key_where_no_site_is_said() {
    let app = Setup::default().start();
    let said = send(
        &app,
        "PUT",
        "/logs-x/_bulk",
        GO,
        "{\"index\":{}}\n{}\n{\"index\":{\"_index\":\"own\"}}\n{\"site\":\"s\"}\n\
                    {\"index\":{\"_index\":\"own\"}}\n{\"index\":7}\n{\"index\":{\"_index\":\"own\"}}\n{}\n",
    )
    .await;
    assert_eq!(statuses(&said.json()), [201; 4]);
    assert_eq!(said.json()["items"][0]["index"]["_index"], "logs-x");
    assert_eq!(app.stored("index"), ["logs-x", "-", "7", "own"]);
    for path in ["/es/t/_bulk", "/es/_doc/_bulk"] {
        let said = send(&app, "POST", path, GO, "{\"index\":{}}\n{}\n").await;
        assert_eq!((said.status, statuses(&said.json())), (200, vec![201]), "{path}");
    }
}

#[tokio::test]
async fn the_answer_is_compact_in_its_order_and_cut_to_what_is_asked_for() {
    let app = Setup::default().start();
    let said = send(&app, "POST", "/_bulk", PY, "{\"index\":{\"_id\":\"1\"}}\n{}\n").await;
    let text = said.text();
    assert!(text.starts_with("{\"took\":") && text.contains(",\"errors\":false,\"items\":[{\"index\":{"), "{text}");
    let table = [
        ("errors", json!({"errors": false})),
        ("errors,items.*.status", json!({"errors": false, "items": [{"index": {"status": 200}}]})),
        ("items.*.error", json!({})),
    ];
    for (filter, expected) in table {
        let uri = format!("/_bulk?filter_path={filter}");
        let said = send(&app, "POST", &uri, PY, "{\"index\":{\"_id\":\"1\"}}\n{}\n").await;
        assert_eq!(said.json(), expected, "{filter}");
    }
    let said = send(&app, "GET", "/?filter_path=version.number", PY, "").await;
    assert_eq!(said.text(), r#"{"version":{"number":"8.19.0"}}"#);
    assert_eq!(send(&app, "POST", "/_bulk?filter_path=a,,", PY, "{\"delete\":{}}\n").await.text(), "{}");
}

#[tokio::test]
async fn single_documents_are_taken_by_every_path() {
    let app = Setup::default().start();
    let table = [
        ("PUT", "/shop/_doc/1", 201, "created"),
        ("POST", "/shop/_doc/1", 200, "noop"),
        ("PUT", "/shop/_create/2", 201, "created"),
        ("POST", "/shop/_create/2", 409, "[2]: version conflict"),
        ("PUT", "/shop/_doc/2?op_type=create", 409, "[2]: version conflict"),
        ("POST", "/shop/_doc", 201, "created"),
        ("POST", "/system/events", 201, "created"),
        ("PUT", "/shop/_doc/a%2Fb%20c", 201, "\"a/b c\""),
        ("POST", "/shop/_search", 404, "there is no POST /shop/_search"),
        ("POST", "/_x/y", 404, "there is no POST /_x/y"),
    ];
    for (method, uri, status, holds) in table {
        let said = send(&app, method, uri, GO, "{\"path\":\"/x\"}").await;
        assert_eq!(said.status, status, "{method} {uri}: {}", said.text());
        assert!(said.text().contains(holds), "{method} {uri}: {}", said.text());
    }
    assert_eq!(app.stored("event_id"), ["1", "2", "-", "-", "a/b c"]);
    assert_eq!(app.stored("index"), ["shop", "shop", "shop", "system", "shop"]);
    let said = send(&app, "POST", "/shop/_doc", GO, "{\"a\":").await;
    assert_eq!((said.status, &said.json()["error"]["type"]), (400, &"document_parsing_exception".into()));
    assert_eq!(said.json()["status"], 400);
}

#[tokio::test]
async fn a_body_that_is_no_bulk_takes_nothing_and_says_why() {
    let app = Setup::default().start();
    let table = [
        ("", "request body is required"),
        ("\n \n", "request body is required"),
        ("nonsense\n", "malformed action line 1"),
        ("{\"index\":{}}\n{}\n{\"take\":{}}\n{}\n", "malformed action line 3: unknown variant `take`"),
    ];
    for (body, holds) in table {
        let said = send(&app, "POST", "/_bulk", GO, body).await;
        assert_eq!(said.status, 400);
        assert!(said.json()["error"]["reason"].as_str().unwrap().contains(holds), "{}", said.text());
    }
    let many = "{\"delete\":{}}\n".repeat(50_000);
    assert_eq!(statuses(&bulk(&app, &many).await).len(), 50_000);
    let said = send(&app, "POST", "/_bulk", GO, &(many + "{\"delete\":{}}\n")).await;
    assert_eq!((said.status, &said.json()["error"]["type"]), (413, &"content_too_long_exception".into()));
    assert!(app.events().is_empty());
}

#[tokio::test]
async fn more_events_than_a_batch_go_in_several() {
    let app = Setup::default().start();
    let body: String =
        (0..25_000).map(|n| format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{{\"n\":{n}}}\n", n / 2)).collect();
    let answer = bulk(&app, &body).await;
    let statuses = statuses(&answer);
    assert!(statuses.iter().enumerate().all(|(at, status)| *status == if at % 2 == 0 { 201 } else { 200 }));
    assert_eq!(answer["items"][24_998]["index"]["_seq_no"], 12_499);
    assert_eq!(app.events().len(), 12_500);
}

#[tokio::test]
async fn types_of_body_are_those_of_json() {
    let app = Setup::default().start();
    let vendor = "application/vnd.elasticsearch+x-ndjson; compatible-with=9";
    for kind in
        ["application/json", "application/json; charset=UTF-8", "application/x-ndjson", vendor, "APPLICATION/JSON"]
    {
        let said = send(&app, "POST", "/_bulk", &[("content-type", kind)], "{\"index\":{}}\n{}\n").await;
        assert_eq!(said.status, 200, "{kind}");
    }
    let said = send(&app, "POST", "/_bulk", &[("content-type", "application/xml")], "{\"index\":{}}\n{}\n").await;
    assert_eq!(said.status, 415);
    assert!(said.text().contains("Content-Type header [application/xml] is not supported"), "{}", said.text());
}

#[tokio::test]
async fn probes_say_what_clients_look_for() {
    let app = Setup::default().start();
    let table = [
        ("/", "/version/number", json!("8.19.0")),
        ("/", "/tagline", json!("You Know, for Search")),
        ("/", "/version/build_flavor", json!("default")),
        ("/_license", "/license/status", json!("active")),
        ("/_xpack", "/license/status", json!("active")),
        ("/_cluster/health", "/status", json!("green")),
        ("/_cat/health?format=json", "/0/status", json!("green")),
        ("/_nodes", "/_nodes/total", json!(1)),
        ("/_nodes/http", "/nodes/bWV0cm9ub21lLWNsdXN0ZQ/http/publish_address", json!("localhost:9200")),
        ("/_nodes/_all/http", "/cluster_name", json!("metronome")),
    ];
    for (uri, place, expected) in table {
        let said = send(&app, "GET", uri, &[("host", "localhost:9200"), ("accept", "*/*")], "").await;
        assert_eq!((said.status, said.json().pointer(place)), (200, Some(&expected)), "{uri} {place}");
        assert_eq!(send(&app, "HEAD", uri, PY, "").await.status, 200, "{uri}");
    }
    let line = send(&app, "GET", "/_cat/health", &[("accept", "*/*")], "").await;
    assert_eq!(line.text(), "1421928000 12:00:00 metronome green 1 1 1 1 0 0 0 0 - 100.0%\n");
    let browser = send(&app, "GET", "/", &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], "").await;
    assert!(browser.status == 404 && browser.text().contains("Send the first event"), "{}", browser.text());
}

#[tokio::test]
async fn what_shippers_set_up_is_accepted_and_remembered_within_a_bound() {
    let app = Setup::default().start();
    let body = r#"{"index_patterns":["logs-*"]}"#;
    let table = [
        ("/_template/t", "/t/index_patterns/0"),
        ("/_index_template/t", "/index_templates/0/index_template/index_patterns/0"),
        ("/_component_template/t", "/component_templates/0/component_template/index_patterns/0"),
        ("/_ilm/policy/t", "/t/index_patterns/0"),
        ("/_ingest/pipeline/t", "/t/index_patterns/0"),
        ("/_data_stream/t", "/data_streams/0/name"),
    ];
    for (uri, place) in table {
        assert_eq!(send(&app, "HEAD", uri, GO, "").await.status, 404, "{uri}");
        assert_eq!(send(&app, "PUT", uri, GO, body).await.text(), r#"{"acknowledged":true}"#, "{uri}");
        assert_eq!(send(&app, "HEAD", uri, GO, "").await.status, 200, "{uri}");
        let said = send(&app, "GET", uri, GO, "").await;
        assert!(said.json().pointer(place).is_some(), "{uri}: {}", said.text());
    }
    assert_eq!(send(&app, "PUT", "/_template/x", GO, "{").await.status, 400);
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(64 << 10));
    assert_eq!(send(&app, "PUT", "/_template/large", GO, &large).await.status, 200);
    assert_eq!(send(&app, "GET", "/_template/large", GO, "").await.text(), r#"{"large":{}}"#, "only that it is there");
    for number in 0..256 {
        send(&app, "PUT", &format!("/_template/n{number}"), GO, "{}").await;
    }
    assert_eq!(send(&app, "HEAD", "/_template/n0", GO, "").await.status, 200);
    assert_eq!(send(&app, "HEAD", "/_template/t", GO, "").await.status, 404, "the 257th");
}

#[tokio::test]
async fn refusals_speak_as_elasticsearch_does() {
    let app = Setup::default().start();
    let key = app.key(Scope::Write, Some("shop"));
    let read = app.key(Scope::Read, None);
    let (good, bad) = (format!("ApiKey {key}"), format!("ApiKey {read}"));
    let (foreign, read): (Headers<'_>, Headers<'_>) = (&[("authorization", "Basic YTpi")], &[("authorization", &bad)]);
    let table = [
        ("/_bulk", NAMELESS, 401),
        ("/_bulk", foreign, 401),
        ("/shop/_doc", read, 403),
        ("/_template/t", NAMELESS, 401),
    ];
    for (uri, headers, status) in table {
        let method = if uri.starts_with("/_t") { "PUT" } else { "POST" };
        let said = send(&app, method, uri, headers, "{}").await;
        assert_eq!(
            (said.status, &said.json()["error"]["type"]),
            (status, &"security_exception".into()),
            "{uri}: {}",
            said.text()
        );
        assert_eq!(said.json()["status"], status);
        assert_eq!(said.headers["content-type"], "application/json");
    }
    let body = "{\"index\":{}}\n{}\n{\"index\":{}}\n{\"site\":\"other\"}\n";
    let said = send(&app, "POST", "/_bulk", &[("authorization", &good), PY[0], PY[1]], body).await;
    assert_eq!(statuses(&said.json()), [201, 403], "a key of one site writes to no other");
    assert_eq!(app.stored("site"), ["shop"]);
    let vendor: Headers<'_> = &[("accept", "application/vnd.elasticsearch+json; compatible-with=9")];
    for (method, uri, headers, status) in
        [("GET", "/_bulk", NAMELESS, 405), ("POST", "/_search", NAMELESS, 404), ("HEAD", "/shop", vendor, 404)]
    {
        assert_eq!(send(&app, method, uri, headers, "").await.status, status, "{method} {uri}");
    }
    let plain = app.send(request("GET", "/no/where").body(Body::empty()).unwrap()).await;
    assert_eq!((plain.status, &plain.headers["content-type"]), (404, &"application/problem+json".parse().unwrap()));
    assert!(!plain.headers.contains_key("x-elastic-product"), "no route of theirs, and none who speaks so");
}

#[tokio::test]
async fn no_route_of_ours_is_taken_for_one_of_theirs() {
    let app = Setup::default().start();
    for (method, paths, _) in &app.routes {
        for path in paths {
            let is_theirs =
                (method.as_str(), *path) == ("GET", "/") || path.starts_with("/_") || path.starts_with("/{");
            let uri = path.replace(['{', '}'], "");
            let said = app.send(request(method, &uri).body(Body::empty()).unwrap()).await;
            assert_eq!(said.headers.contains_key("x-elastic-product"), is_theirs, "{method} {path}");
        }
    }
}

/// An application whose journal is full.
async fn full(hold: Duration) -> App {
    let journal = journal::Options {
        record_bytes_max: 64 << 10,
        segment_bytes_max: 128 << 10,
        bytes_max: 256 << 10,
        ..journal::Options::default()
    };
    let app = Setup { journal, hold, indexing: false, ..Setup::default() }.start();
    let mut at = 0_u64;
    for bytes in [30_000, 3_000, 300, 30, 0] {
        loop {
            // Text that no compression makes small.
            at += 1;
            let noise: String =
                (0..2_000).map(|n| format!("{:x}", (at * 2_000 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
            if app.get(&format!("/tick.gif?message={}", &noise[..bytes])).await.status != 200 {
                break;
            }
        }
    }
    app
}

const TWO: &str = "{\"index\":{\"_id\":\"1\"}}\n{}\n{\"delete\":{}}\n{\"create\":{}}\n{}\n";

#[tokio::test]
async fn without_room_each_sender_is_pushed_back_in_its_own_way() {
    let app = full(Duration::from_millis(300)).await;
    // More than an event of any size that found no room.
    let noise: String = (0..200_u64).map(|n| format!("{:x}", n.wrapping_mul(0xd134_2543_de82_ef95))).collect();
    let document = json!({ "message": noise }).to_string();
    let two =
        format!("{{\"index\":{{\"_id\":\"1\"}}}}\n{document}\n{{\"delete\":{{}}}}\n{{\"create\":{{}}}}\n{document}\n");
    let asked = Instant::now();
    let said = send(&app, "POST", "/_bulk", PY, &two).await;
    assert!(asked.elapsed() >= Duration::from_millis(150), "it was held for a while");
    assert_eq!(
        (said.status, statuses(&said.json())),
        (200, vec![429, 400, 429]),
        "items, for helpers that send them again"
    );
    assert_eq!(said.json()["items"][0]["index"]["error"]["type"], "es_rejected_execution_exception");
    for (uri, body) in [("/_bulk", &two), ("/i/_doc", &document)] {
        let said = send(&app, "POST", uri, GO, body).await;
        assert_eq!(
            (said.status, &said.json()["error"]["type"]),
            (503, &"es_rejected_execution_exception".into()),
            "{uri}"
        );
    }
    let served = Served::start(app.router.clone(), Options::default());
    for (agent, answer) in [("", ""), ("User-Agent: x\r\n", "HTTP/1.1 503")] {
        let mut stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
        let head = format!("POST /_bulk HTTP/1.1\r\nHost: x\r\n{agent}Content-Length: {}\r\n\r\n{two}", two.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = vec![0; 12];
        let read = stream.read(&mut said).await.unwrap();
        assert_eq!(
            String::from_utf8_lossy(&said[..read]),
            answer,
            "a sender without a name finds the connection closed"
        );
    }
}

#[tokio::test]
async fn a_sender_that_is_held_is_taken_as_soon_as_there_is_room() {
    let body = BodyLimits { in_flight_bytes_max: 64 << 10, ..BodyLimits::default() };
    let app = Setup { body, hold: Duration::from_secs(60), ..Setup::default() }.start();
    let mut others = app.bodies.share();
    others.hold(64 << 10).unwrap();
    let sent = send(&app, "POST", "/_bulk", PY, TWO);
    let mut sent = std::pin::pin!(sent);
    let early = tokio::time::timeout(Duration::from_millis(200), sent.as_mut()).await;
    assert!(early.is_err(), "it is held");
    drop(others);
    assert_eq!(statuses(&sent.await.json()), [201, 400, 201]);
}

#[tokio::test]
async fn over_its_rate_a_sender_is_held_and_then_pushed_back() {
    let rate = Some(Rate { per_second: 1, burst: 1 });
    let from = |headers: Headers<'_>, last: u8| {
        let request = lasting("POST", "/_bulk").extension(Peer(SocketAddr::from(([127, 0, 0, last], 9))));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(Body::from(TWO)).unwrap()
    };
    let app = Setup { rate, hold: Duration::ZERO, ..Setup::default() }.start();
    for (at, headers, status) in [(1, PY, 200), (2, GO, 503), (3, NAMELESS, 503)] {
        assert_eq!(app.send(from(headers, at)).await.status, 200);
        let said = app.send(from(headers, at)).await;
        assert_eq!(said.status, status, "never a bare 429");
        assert_eq!(said.headers["x-elastic-product"], "Elasticsearch");
        if status == 200 {
            assert_eq!(statuses(&said.json()), [429; 3]);
        }
    }
    let app = Setup { rate, hold: Duration::from_secs(60), ..Setup::default() }.start();
    assert_eq!(app.send(from(GO, 1)).await.status, 200);
    assert_eq!(app.send(from(GO, 1)).await.status, 200, "held until its rate let it in");
    assert_eq!(app.events().len(), 3);
}

#[tokio::test]
async fn a_body_that_comes_in_chunks_after_100_continue_is_taken() {
    let app = Setup::default().start();
    let served = Served::start(app.router.clone(), Options::default());
    let mut stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
    let head = "POST /_bulk HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut said = vec![0; 25];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(said, b"HTTP/1.1 100 Continue\r\n\r\n");
    for chunk in ["{\"index\":{", "}}\n{\"path\":\"/x\"", "}\n"] {
        stream.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"status\":201"), "{answer}");
    assert_eq!(app.stored("path"), ["/x"]);
}
