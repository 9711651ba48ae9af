//! Default actions: every row of the table, in its order.

use super::support::{World, holds};
use crate::normalize::routes::Route;
use crate::normalize::{Notes, Receiver, json, normalize};

#[test]
fn what_is_no_access_line() {
    World::tick().expect(&[
        (r#"{"action":"signup","error_type":"T"}"#, r#"{"action":"signup"}"#),
        (r#"{"error_type":"T"}"#, r#"{"action":"error"}"#),
        (r#"{"stack":"s"}"#, r#"{"action":"error"}"#),
        (r#"{"message":"m"}"#, r#"{"action":"view"}"#),
        (r#"{"lcp_ms":7}"#, r#"{"action":"timing"}"#),
        (r#"{"ttfb_ms":7}"#, r#"{"action":"timing"}"#),
        (r#"{"fcp_ms":7}"#, r#"{"action":"timing"}"#),
        (r#"{"inp_ms":7}"#, r#"{"action":"timing"}"#),
        (r#"{"cls":0.1}"#, r#"{"action":"timing"}"#),
        (r#"{"load_ms":7}"#, r#"{"action":"timing"}"#),
        (r#"{"load_ms":7,"path":"/a"}"#, r#"{"action":"view"}"#),
        (r#"{"load_ms":7,"url":"/a"}"#, r#"{"action":"view"}"#),
        (r#"{"duration_ms":7}"#, r#"{"action":"view"}"#),
        // A status and a request make no access line on /tick.
        (r#"{"status":404,"method":"GET","path":"/a"}"#, r#"{"action":"view","error_type":null}"#),
        (r#"{"status":200,"request":"GET /a.csv HTTP/1.1"}"#, r#"{"action":"view","request":"GET /a.csv HTTP/1.1"}"#),
        // A download without a format.
        (r#"{"action":"download","path":"/a.CSV"}"#, r#"{"format":"csv"}"#),
        (r#"{"action":"download","path":"/a.xyz"}"#, r#"{"format":"xyz"}"#),
        (r#"{"action":"download","path":"/a"}"#, r#"{"format":"other"}"#),
        (r#"{"action":"download"}"#, r#"{"format":"other"}"#),
        (r#"{"action":"download","path":"/a.csv","format":"kml"}"#, r#"{"format":"kml"}"#),
        (r#"{"action":"download","format":""}"#, r#"{"format":"other"}"#),
    ]);
    for (receiver, action) in
        [(Receiver::Tick, "view"), (Receiver::Pixel, "view"), (Receiver::Log, "log"), (Receiver::File, "log")]
    {
        let event = World::of(receiver).event(r#"{"own":1}"#);
        holds(&event, &format!(r#"{{"action":"{action}"}}"#), action);
    }
}

/// Rows of (method, target, status, action, more that the event holds).
const ACCESS: &[(&str, &str, u16, &str, &str)] = &[
    ("GET", "/a", 400, "error", r#"{"error_type":"http"}"#),
    ("GET", "/a", 404, "error", r#"{"error_type":"http"}"#),
    ("POST", "/a", 500, "error", r#"{"error_type":"http"}"#),
    ("GET", "/a.csv", 404, "error", r#"{"format":null}"#),
    ("GET", "/a", 399, "request", "{}"),
    ("POST", "/a", 200, "request", "{}"),
    ("HEAD", "/a", 200, "request", "{}"),
    ("OPTIONS", "*", 200, "request", r#"{"path":"/*"}"#),
    ("CONNECT", "a.org:443", 200, "request", "{}"),
    ("GET", "/a", 101, "request", "{}"),
    ("GET", "/a.csv", 206, "request", "{}"),
    ("GET", "/a", 301, "request", "{}"),
    ("GET", "/a", 302, "request", "{}"),
    ("GET", "/a", 304, "view", "{}"),
    ("GET", "/a.csv", 304, "download", r#"{"format":"csv"}"#),
    ("GET", "/a", 200, "view", "{}"),
    ("GET", "/a", 299, "view", "{}"),
    ("GET", "/robots.txt", 200, "request", "{}"),
    ("GET", "/x/favicon.ico", 200, "request", "{}"),
    ("GET", "/ads.txt", 200, "request", "{}"),
    ("GET", "/sitemap.xml", 200, "request", "{}"),
    ("GET", "/sitemap-2.xml", 200, "request", "{}"),
    ("GET", "/.well-known/security.txt", 200, "request", "{}"),
    ("GET", "/notes.txt", 200, "download", r#"{"format":"txt"}"#),
    ("GET", "/roads.GeoJSON?x", 200, "download", r#"{"format":"geojson"}"#),
    ("GET", "/a.tar.gz", 200, "download", r#"{"format":"gz"}"#),
    ("GET", "/a.json", 200, "request", "{}"),
    ("GET", "/a.JS", 200, "request", "{}"),
    ("GET", "/a.png", 200, "request", "{}"),
    ("GET", "/a.html", 200, "view", "{}"),
    ("GET", "/a.php", 200, "view", "{}"),
    ("GET", "/a.csv/b", 200, "view", "{}"),
    ("GET", "/", 200, "view", "{}"),
];

#[test]
fn what_is_an_access_line() {
    for receiver in [Receiver::Log, Receiver::File] {
        for (method, target, status, action, more) in ACCESS {
            let line = format!(r#"{{"request":"{method} {target} HTTP/1.1","status":{status}}}"#);
            let event = World::of(receiver).event(&line);
            holds(&event, &format!(r#"{{"action":"{action}","method":"{method}","status":{status}}}"#), &line);
            holds(&event, more, &line);
        }
    }
    World::log().expect(&[
        (r#"{"request":"GET /a HTTP/1.1","status":404,"action":"own"}"#, r#"{"action":"own","error_type":null}"#),
        (r#"{"request":"GET /a HTTP/1.1","status":200,"stack":"s"}"#, r#"{"action":"error","error_type":null}"#),
    ]);
}

#[test]
fn every_listed_extension() {
    use crate::normalize::site::DOWNLOAD_EXTENSIONS;
    let of = |extension: &str| {
        let event = World::log().event(&format!(r#"{{"request":"GET /a.{extension}","status":200}}"#));
        event.action().to_owned()
    };
    for extension in DOWNLOAD_EXTENSIONS.split_ascii_whitespace() {
        assert_eq!(of(extension), "download", "{extension}");
    }
    let assets = "atom avif bmp cjs css cur eot gif ico jpe jpeg jpg js json jsonld map mjs otf png rss svg svgz swf ttf \
        wasm webmanifest webp woff woff2 xml xsl xslt";
    for extension in assets.split_ascii_whitespace() {
        assert_eq!(of(extension), "request", "{extension}");
    }
    assert_eq!(DOWNLOAD_EXTENSIONS.split_ascii_whitespace().count(), 86);
    let own = World::log().with_rules(|rules| rules.download_extensions = vec!["json".to_owned()]);
    own.expect(&[
        (r#"{"request":"GET /a.json","status":200}"#, r#"{"action":"download","format":"json"}"#),
        (r#"{"request":"GET /a.csv","status":200}"#, r#"{"action":"view"}"#),
    ]);
}

#[test]
fn a_routes_action_has_its_place_in_the_order() {
    let route = |method, pattern, action| Route::new(method, pattern, action).expect("a route");
    let world = World::log().with_rules(|rules| {
        rules.routes = vec![
            route(Some("POST"), "/orders", Some("order")),
            route(None, "/data/{id}", Some("download")),
            route(None, "/named/{name}", None),
            route(None, "/robots.txt", Some("robot")),
        ];
    });
    world.expect(&[
        (r#"{"request":"POST /orders","status":200}"#, r#"{"action":"order"}"#),
        (r#"{"request":"POST /orders","status":302}"#, r#"{"action":"order"}"#),
        (r#"{"request":"POST /orders","status":400}"#, r#"{"action":"error"}"#),
        (r#"{"request":"GET /orders","status":200}"#, r#"{"action":"view"}"#),
        (r#"{"request":"GET /data/7","status":200}"#, r#"{"action":"download","id":"7","format":"other"}"#),
        (r#"{"request":"GET /data/7.csv","status":200}"#, r#"{"action":"download","id":"7.csv","format":"csv"}"#),
        (r#"{"request":"GET /data/7","status":302}"#, r#"{"action":"request","id":"7"}"#),
        (r#"{"request":"HEAD /data/7","status":200}"#, r#"{"action":"request"}"#),
        (r#"{"request":"GET /named/x.csv","status":200}"#, r#"{"action":"download","name":"x.csv"}"#),
        (r#"{"request":"GET /robots.txt","status":200}"#, r#"{"action":"robot"}"#),
    ]);
}

#[test]
fn notes_say_why() {
    let world = World::log().with_rules(|rules| {
        rules.routes = vec![Route::new(None, "/d/{id}", Some("download")).expect("a route")];
    });
    let text =
        r#"{"request":"GET /d/7?ref=r","code":"200","agent":"curl/8.0","client":"203.0.113.9","day":"x","note":"n"}"#;
    let raw = json::read(text.as_bytes(), &world.limits).expect("an object");
    let mut notes = Notes::on();
    normalize(raw, &world.context(), &mut notes).expect("an event");
    let list: Vec<String> = notes
        .into_list()
        .into_iter()
        .map(|note| format!("{} {}: {}", note.about, note.key.unwrap_or_default(), note.text))
        .collect();
    let expected = [
        "moved day: kept as x.day: it is worked out, never taken",
        "name ip: given as client",
        "name user_agent: given as agent",
        "name url: given as request",
        "name status: given as code",
        "route : the path matches /d/{id}",
        "action action: download: a route matches",
        "source source: r: the parameter ref says so",
        "visitor visitor: from address and user agent",
    ];
    for row in expected {
        assert!(list.iter().any(|note| note == row), "{row} is not in {list:#?}");
    }
    assert!(list.iter().any(|note| note.starts_with("bot bot: yes")), "{list:#?}");
    assert!(!list.iter().any(|note| note.contains("203.0.113")), "{list:#?}");
}
