//! Scope × route × method, cell by cell: what each key opens.

use crate::support::{Setup, request};
use axum::body::Body;
use metronome::catalog::keys::Scope;

#[tokio::test]
async fn each_key_opens_its_routes_and_no_other() {
    let app = Setup::default().start();
    let keys = [
        ("none", None),
        ("write", Some(app.key(Scope::Write, Some("shop")))),
        ("read of a site", Some(app.key(Scope::Read, Some("shop")))),
        ("read", Some(app.key(Scope::Read, None))),
        ("admin", Some(app.key(Scope::Admin, None))),
    ];
    for (method, paths, scope) in &app.routes {
        for path in paths {
            let uri = path.replace("{id}", "1");
            for (name, key) in &keys {
                let mut request = request(method, &uri);
                if let Some(key) = key {
                    request = request.header("authorization", format!("Bearer {key}"));
                }
                let said = app.send(request.body(Body::empty()).unwrap()).await;
                let opened = match (*scope, *name) {
                    (None, _) | (Some(_), "admin") => true,
                    (Some("write"), "write") => true,
                    (Some("read"), "read") => true,
                    (Some("read"), "read of a site") => *path != "/metrics",
                    _ => false,
                };
                let expected = if *name == "none" { 401 } else { 403 };
                let refused = said.status == 401 || said.status == 403;
                assert_eq!(refused, !opened, "{method} {path} with {name}: {}", said.status);
                assert!(opened || said.status == expected, "{method} {path} with {name}: {}", said.status);
                assert_eq!(said.headers.contains_key("www-authenticate"), said.status == 401);
            }
        }
    }
}

#[tokio::test]
async fn a_read_key_of_a_site_reads_no_other() {
    let app = Setup::default().start();
    let key = app.key(Scope::Read, Some("shop"));
    for (uri, status) in [
        ("/tock/1.json", 200),
        ("/tock/1.json?site=shop", 200),
        ("/tock/1.json?site=other", 403),
        ("/top.json?site=other", 403),
        ("/events.json?site=other", 403),
        ("/explain?event_id=1&site=other", 403),
    ] {
        let request = request("GET", uri).header("x-metronome-key", &key).body(Body::empty()).unwrap();
        assert_eq!(app.send(request).await.status, status, "{uri}");
    }
}
