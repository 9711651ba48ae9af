//! An export over a connection: whole, it ends as HTTP says; broken off, no client takes it for whole.

use crate::broken::Broken;
use crate::support::{NOW, Served, Setup, request};
use axum::body::Body;
use http_body_util::BodyExt;
use metronome::catalog::keys::Scope;
use metronome::event::{Day, Event, Key, Value};
use metronome::http::Options;
use metronome::store::memory::Memory;
use metronome::store::{Entry, Store, StoreError};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceExt;

const LAST_CHUNK: &str = "\r\n0\r\n\r\n";

fn event(n: i64) -> Event {
    let fields =
        [("site", "default"), ("action", "view"), ("path", "/a")].map(|(name, text)| (name, Value::text(text)));
    let numbers = [("@timestamp", Value::Int(NOW - n)), ("day", Value::Int(NOW.div_euclid(86_400_000)))];
    Event::from_fields(fields.into_iter().chain(numbers).map(|(name, value)| (Key::named(name), value)).collect())
}

/// All that an export of one store says over a connection, and whether a client that knows HTTP finds the other's whole.
async fn export<S: Store>([one, other]: [Arc<S>; 2]) -> (String, bool) {
    let app = Setup { store: one, ..Setup::default() }.start();
    let served = Served::start(app.router.clone(), Options::default());
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET /events.ndjson HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    let app = Setup { store: other, ..Setup::default() }.start();
    let served = Served::start(app.router.clone(), Options::default());
    let url = format!("http://{}/events.ndjson", served.address);
    let read = move || ureq::get(url).call().unwrap().body_mut().read_to_string();
    let read = tokio::task::spawn_blocking(read).await.unwrap();
    (String::from_utf8(said).unwrap(), read.is_ok())
}

async fn held() -> Memory {
    let store = Memory::new();
    let entry = |n: i64| Entry { position: n.unsigned_abs(), event: event(n) };
    store.write((0..2_500).map(entry).collect(), 2_500).await.unwrap();
    store
}

#[tokio::test]
async fn an_export_ends_with_the_last_chunk() {
    let (said, is_whole) = export([Arc::new(held().await), Arc::new(held().await)]).await;
    assert_eq!(said.matches("\"path\":\"/a\"").count(), 2_500);
    assert!(said.ends_with(LAST_CHUNK) && is_whole, "{:?}", &said[said.len() - 100..]);
}

#[tokio::test]
async fn an_export_that_fails_on_its_way_is_seen_to_be_broken() {
    let corrupt = || StoreError::Corrupt { object: "a day".into(), why: "a checksum".into() };
    let broken = async || Arc::new(Broken::after(2, held().await, corrupt));
    let (said, is_whole) = export([broken().await, broken().await]).await;
    assert!(said.starts_with("HTTP/1.1 200") && !said.contains("checksum"), "{said:.500}");
    assert_eq!(said.matches("\"path\":\"/a\"").count(), 2_000);
    assert!(!said.ends_with(LAST_CHUNK) && !is_whole);
}

#[tokio::test]
async fn an_export_whose_key_is_revoked_gives_no_further_page() {
    for is_revoked in [false, true] {
        let app = Setup { store: Arc::new(held().await), ..Setup::default() }.start();
        let (key, text) = app.keys.make(Scope::Read, None).unwrap();
        let asked = request("GET", "/events.ndjson").header("x-metronome-key", text).body(Body::empty()).unwrap();
        let mut answer = app.router.clone().oneshot(asked).await.unwrap();
        let first = answer.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.iter().filter(|byte| **byte == b'\n').count(), 1_000);
        if is_revoked {
            assert!(app.keys.revoke(&key.id).unwrap());
        }
        let next = answer.body_mut().frame().await.unwrap();
        assert_eq!(next.is_err(), is_revoked);
    }
}

#[tokio::test]
async fn damage_is_told_ahead_and_what_is_found_meanwhile_breaks_it_off() {
    let day = Day(i32::try_from(NOW.div_euclid(86_400_000)).unwrap());
    for found_meanwhile in [false, true] {
        let store = Arc::new(Broken::after(usize::MAX, held().await, || StoreError::Stopped));
        store.damage(Day(day.0 - 1));
        let app = Setup { store: store.clone(), ..Setup::default() }.start();
        let asked = request("GET", "/events.ndjson?partial=true").body(Body::empty()).unwrap();
        let mut answer = app.router.clone().oneshot(asked).await.unwrap();
        assert_eq!(answer.headers()["x-metronome-damaged-days"], (Day(day.0 - 1)).to_string());
        answer.body_mut().frame().await.unwrap().unwrap();
        if found_meanwhile {
            store.damage(day);
        }
        assert_eq!(answer.into_body().collect().await.is_err(), found_meanwhile);
    }
}
