//! `/tick`: every form of body, every answer, every limit.

use crate::support::{App, NOW, Said, Setup, request};
use axum::body::Body;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use metronome::catalog::keys::Scope;
use metronome::http::{Origins, Rate};
use metronome::journal;
use std::io::Write;

const ONE: &str = r#"{"accepted":1,"duplicates":0,"rejected":[]}"#;
const TWO: &str = r#"{"accepted":2,"duplicates":0,"rejected":[]}"#;

fn app() -> App {
    Setup::default().start()
}

#[tokio::test]
async fn every_form_of_body_is_taken() {
    let app = app();
    let table = [
        ("application/json", "{}", ONE),
        ("application/json", r#"[{"path":"/a"},{"path":"/b"}]"#, TWO),
        ("application/json; charset=utf-8", "{}", ONE),
        ("APPLICATION/JSON", "\u{feff}{}", ONE),
        ("application/json", "[]", r#"{"accepted":0,"duplicates":0,"rejected":[]}"#),
        ("application/json", "{}\n{}\n", TWO),
        ("application/json", "{}{}", TWO),
        ("application/json", "{\"a\":{\n\"b\":1}}", ONE),
        ("text/plain", "{}", ONE),
        ("text/plain;charset=UTF-8", "{}\r\n\r\n{}", TWO),
        ("", "{}", ONE),
        ("", "[{},{}]", TWO),
        ("application/x-ndjson", "{}\n{}", TWO),
        ("application/json-lines", "\n{}\n\n{}\n", TWO),
        ("application/x-www-form-urlencoded", "path=/a&value=3", ONE),
        ("application/x-www-form-urlencoded", "{}", ONE),
        ("application/x-www-form-urlencoded", "[{},{}]", TWO),
    ];
    for (content_type, body, expected) in table {
        let said = app.tick(content_type, body).await;
        assert_eq!((said.status, said.text()), (202, expected), "{content_type} {body}");
        assert_eq!(said.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn what_was_sent_is_on_disk_when_it_is_acknowledged() {
    let app = app();
    app.tick("application/json", r#"{"path":"/a/","n":{"m":1.5},"list":[1,"x"]}"#).await;
    app.tick("application/x-www-form-urlencoded", "path=%2Fb+c&value=3&free=4&interactive=false").await;
    assert_eq!(app.stored("path"), ["/a", "/b c"]);
    assert_eq!(app.stored("n.m"), ["1.5", "-"]);
    assert_eq!(app.stored("list"), [r#"[1,"x"]"#, "-"]);
    // In a form all is text, but keys that are numbers or booleans by their meaning parse theirs.
    assert_eq!((app.stored("value"), app.stored("free")), (vec!["-".into(), "3".into()], vec!["-".into(), "4".into()]));
    assert_eq!(app.stored("interactive"), ["-", "false"]);
    assert_eq!(app.events()[1].to_json()["value"], 3);
    assert_eq!(app.stored("received_at"), ["2015-01-22T12:00:00.000Z"; 2]);
}

#[tokio::test]
async fn parameters_are_defaults_of_every_event() {
    let app = app();
    let body = r#"[{"site":"a"},{"color":"red"}]"#;
    let request = request("POST", "/tick?site=b&color=blue&key=k&value=7").body(Body::from(body)).unwrap();
    assert_eq!(app.send(request).await.text(), TWO);
    assert_eq!(app.stored("site"), ["a", "b"]);
    assert_eq!(app.stored("color"), ["blue", "red"]);
    assert_eq!(app.events()[0].to_json()["value"], 7);
    assert_eq!(app.stored("key"), ["-", "-"], "the key is no key of an event");
}

#[tokio::test]
async fn some_rejected_are_named_by_index_or_line() {
    let app = app();
    let table = [
        ("application/json", r#"[{},{"@timestamp":"never"}]"#, 1),
        ("application/json", r#"[{},7]"#, 1),
        ("application/x-ndjson", "{}\n{\"@timestamp\":\"never\"}", 2),
        ("application/x-ndjson", "{}\n\nnot json\n{}", 3),
        ("application/json", "{}\n{\"\":1}\n", 2),
    ];
    for (content_type, body, at) in table {
        let said = app.tick(content_type, body).await;
        let answer = said.json();
        assert_eq!((said.status, &answer["rejected"][0]["at"]), (202, &at.into()), "{body}: {}", said.text());
        assert!(answer["rejected"][0]["message"].as_str().unwrap().len() > 10, "{body}");
    }
}

#[tokio::test]
async fn nothing_taken_is_a_problem_that_says_where() {
    let app = app();
    let table = [
        ("application/json", "", "empty"),
        ("application/json", " \n", "empty"),
        ("application/x-ndjson", "\n\n", "empty"),
        ("application/x-www-form-urlencoded", "", "empty"),
        ("application/json", "not json", "line 1 column 5"),
        ("application/json", "{\"a\":1,}", "line 1 column"),
        ("application/json", "[{},", "line 1 column"),
        ("application/json", "7", "a number"),
        ("application/json", "[1,2]", "none of the 2 events"),
        ("application/json", r#"{"@timestamp":"never"}"#, "@timestamp"),
        ("application/json", "{\"a\":\"\\ud800\"}", "Unicode"),
        ("application/x-www-form-urlencoded", "a=%FF", "UTF-8"),
        ("application/x-www-form-urlencoded", "=1", "empty"),
    ];
    for (content_type, body, says) in table {
        let said = app.tick(content_type, body).await;
        let problem = said.json();
        assert_eq!(said.status, 400, "{body}: {}", said.text());
        assert_eq!(problem["type"], "urn:metronome:problem:invalid-input", "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{body}: {}", said.text());
        assert!(!problem["errors"].as_array().unwrap().is_empty(), "{body}");
    }
    assert_eq!(app.events().len(), 0);
}

#[tokio::test]
async fn limits_are_413_and_nothing_is_taken() {
    let app = app();
    let many = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
    assert_eq!(app.tick("application/json", many(10_001)).await.status, 413);
    assert_eq!(app.tick("application/json", vec![b' '; (16 << 20) + 1]).await.status, 413);
    assert_eq!(app.events().len(), 0);
    let said = app.tick("application/json", many(10_000)).await;
    assert_eq!((said.status, &said.json()["accepted"]), (202, &10_000.into()));
}

#[tokio::test]
async fn a_body_of_full_size_is_read_and_each_event_judged_by_its_own_limit() {
    let app = app();
    let large = format!("{{\"message\":\"{}\"}}\n", "x".repeat(70_000));
    let lines = format!("{}{{}}\n", large.repeat(100));
    let said = app.tick("application/x-ndjson", lines).await;
    let answer = said.json();
    assert_eq!((said.status, &answer["accepted"], answer["rejected"].as_array().unwrap().len()), (202, &1.into(), 100));
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

async fn coded(app: &App, coding: &str, body: Vec<u8>) -> Said {
    app.send(request("POST", "/tick").header("content-encoding", coding).body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn codings_are_undone_and_bombs_refused() {
    let app = app();
    let brotli =
        vec![0x0b, 0x06, 0x80, 0x7b, 0x22, 0x70, 0x61, 0x74, 0x68, 0x22, 0x3a, 0x22, 0x2f, 0x61, 0x22, 0x7d, 0x03];
    let plain = b"{\"path\":\"/a\"}";
    let table = [
        ("gzip", gzip(plain)),
        ("deflate", zlib(plain)),
        ("deflate", raw(plain)),
        ("zstd", zstd::encode_all(&plain[..], 3).unwrap()),
        ("br", brotli),
        ("identity", plain.to_vec()),
    ];
    for (coding, body) in table {
        let said = coded(&app, coding, body).await;
        assert_eq!((said.status, said.text()), (202, ONE), "{coding}");
    }
    assert_eq!(app.stored("path"), ["/a"; 6]);
    let bomb = vec![b' '; 64 << 20];
    for (coding, body) in [("gzip", gzip(&bomb)), ("zstd", zstd::encode_all(&bomb[..], 3).unwrap())] {
        assert_eq!(coded(&app, coding, body).await.status, 413, "{coding}");
    }
    assert_eq!(coded(&app, "compress", plain.to_vec()).await.status, 415);
    assert_eq!(app.tick("application/xml", "<a/>").await.status, 415);
    assert_eq!(app.tick("application/cbor", "x").await.status, 415);
}

#[tokio::test]
async fn an_id_seen_again_is_a_duplicate() {
    let app = app();
    let body = r#"{"event_id":"e1","@timestamp":"2015-01-22T10:00:00Z"}"#;
    assert_eq!(app.tick("", body).await.text(), ONE);
    let said = app.tick("", body).await;
    assert_eq!((said.status, said.text()), (202, r#"{"accepted":0,"duplicates":1,"rejected":[]}"#));
    assert_eq!(app.events().len(), 1);
}

#[tokio::test]
async fn a_write_key_writes_its_site_alone() {
    let app = app();
    let (key, admin) = (app.key(Scope::Write, Some("shop")), app.key(Scope::Admin, None));
    let send = async |uri: &str, body: &'static str| {
        app.send(request("POST", uri).body(Body::from(body)).unwrap()).await.status
    };
    assert_eq!(send("/tick", "{}").await, 401);
    assert_eq!(send("/tick?key=nonsense", "{}").await, 401);
    assert_eq!(send(&format!("/tick?key={key}"), "{}").await, 202);
    assert_eq!(send(&format!("/tick?key={key}"), r#"{"site":"shop"}"#).await, 202);
    assert_eq!(send(&format!("/tick?key={key}"), r#"{"site":"other"}"#).await, 403, "may not write this site");
    assert_eq!(send(&format!("/tick?key={key}"), r#"[{"site":"other"},{}]"#).await, 202);
    assert_eq!(send(&format!("/tick?key={admin}"), r#"{"site":"other"}"#).await, 202);
    assert_eq!(app.stored("site"), ["shop", "shop", "shop", "other"]);
    assert!(app.events().iter().all(|event| !event.to_json().to_string().contains("metronome_")), "no key is stored");
}

#[tokio::test]
async fn a_wish_not_to_be_tracked_is_heeded_as_the_site_says() {
    let app = app();
    for (name, value, site, accepted) in [
        ("sec-gpc", "1", "counts", 1),
        ("dnt", "1", "counts", 1),
        ("sec-gpc", "0", "counts", 1),
        ("sec-gpc", "1", "drops", 0),
        ("sec-gpc", "1", "ignores", 1),
    ] {
        let body = format!(r#"{{"site":"{site}","user":"u","ip":"203.0.113.9"}}"#);
        let said = app.send(request("POST", "/tick").header(name, value).body(Body::from(body)).unwrap()).await;
        assert_eq!((said.status, &said.json()["accepted"]), (202, &accepted.into()), "{name} {value} {site}");
    }
    assert_eq!(app.stored("user"), ["-", "-", "u", "u"]);
    let visitors = app.stored("visitor");
    assert_eq!(visitors.iter().map(|visitor| visitor == "-").collect::<Vec<_>>(), [true, true, false, false]);
}

#[tokio::test]
async fn pages_of_any_origin_may_write_or_those_of_a_list() {
    let listed = [("listed".to_owned(), vec!["https://shop.example".to_owned()])];
    let app = Setup { origins: Origins { write: listed.into(), read: Vec::new() }, ..Setup::default() }.start();
    let table = [
        ("/tick", "https://any.example", 202, Some("*")),
        ("/tick?site=listed", "https://shop.example", 202, Some("https://shop.example")),
        ("/tick?site=listed", "https://any.example", 403, None),
    ];
    for (uri, origin, status, allowed) in table {
        let said = app.send(request("POST", uri).header("origin", origin).body(Body::from("{}")).unwrap()).await;
        let told = said.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!((said.status, told), (status, allowed), "{uri} {origin}");
        assert!(!said.headers.contains_key("access-control-allow-credentials"));
        let asked = request("OPTIONS", uri).header("origin", origin).header("access-control-request-method", "POST");
        let said = app.send(asked.body(Body::empty()).unwrap()).await;
        let told = said.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!((said.status, told), (204, allowed), "OPTIONS {uri} {origin}");
        let headers = said.headers["access-control-allow-headers"].to_str().unwrap();
        assert!(headers.contains("content-type") && headers.contains("x-metronome-key"), "{headers}");
    }
    // Nor by naming the site in the event; other events of the batch are taken.
    for (origin, body, status) in [
        ("https://shop.example", r#"{"site":"listed"}"#, 202),
        ("https://any.example", r#"{"site":"listed"}"#, 403),
        ("https://any.example", r#"[{"site":"listed"},{}]"#, 202),
    ] {
        let said = app.send(request("POST", "/tick").header("origin", origin).body(Body::from(body)).unwrap()).await;
        assert_eq!(said.status, status, "{origin} {body}");
        let asked = request("POST", "/explain").header("host", "localhost").header("origin", "http://localhost");
        let said = app.send(asked.body(Body::from(body)).unwrap()).await;
        assert!(said.status == 200 && !said.text().contains("\"rejected\""), "asking is not writing: {}", said.text());
    }
    assert_eq!(app.stored("site").iter().filter(|site| *site == "listed").count(), 2);
    // An error reaches the page's script too.
    let said =
        app.send(request("POST", "/tick").header("origin", "https://a.example").body(Body::empty()).unwrap()).await;
    assert_eq!((said.status, said.headers["access-control-allow-origin"].to_str().unwrap()), (400, "*"));
}

#[tokio::test]
async fn past_the_rate_and_past_the_journal_a_sender_is_asked_to_wait() {
    let app = Setup { rate: Some(Rate { per_second: 1, burst: 2 }), ..Setup::default() }.start();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(app.tick("", "{}").await.status);
    }
    assert_eq!(statuses, [202, 202, 429]);
    assert_eq!(app.tick("", "{}").await.headers["retry-after"], "1");

    let app = Setup { journal: tiny(), ..Setup::default() }.start();
    let mut taken = 0;
    let refused = loop {
        // Text that no compression makes small.
        let noise: String =
            (0..4_000_u64).map(|n| format!("{:x}", (n + taken * 4_000).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let said = app.tick("", format!("{{\"message\":\"{}\"}}", &noise[..30_000])).await;
        if said.status != 202 {
            break said;
        }
        taken += 1;
    };
    assert_eq!((refused.status, refused.headers["retry-after"].to_str().unwrap()), (503, "5"), "{}", refused.text());
    assert_eq!(app.events().len() as u64, taken, "what was acknowledged is there, and nothing else");
}

fn tiny() -> journal::Options {
    journal::Options {
        record_bytes_max: 64 << 10,
        segment_bytes_max: 128 << 10,
        bytes_max: 256 << 10,
        ..journal::Options::default()
    }
}

#[tokio::test]
async fn the_connection_gives_address_and_agent_where_the_event_brings_none() {
    let app = app();
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let send = async |agent: &'static str, body: &'static str| {
        let request = request("POST", "/tick").header("user-agent", agent).body(Body::from(body)).unwrap();
        assert_eq!(app.send(request).await.status, 202);
    };
    send(firefox, "{}").await;
    send("curl/8.0", "{}").await;
    send("curl/8.0", r#"{"ip":"203.0.113.9"}"#).await;
    assert_eq!(app.stored("browser")[0], "Firefox");
    let without: Vec<bool> = app.stored("visitor").iter().map(|visitor| visitor == "-").collect();
    assert_eq!(without, [false, true, false]);
    assert_eq!(app.stored("@timestamp"), ["2015-01-22T12:00:00.000Z"; 3]);
    assert!(app.events().iter().all(|event| event.at() == NOW));
}
