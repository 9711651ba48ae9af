//! Imports by request: how many there may be, who makes room for whom, and what a live one does not do.

use crate::support::{App, NOW, Setup, request};
use axum::body::Body;
use metronome::jobs::imports::{IDLE_MAX_MS, LIVE_MAX, OPEN_MAX};

const HOUR_MS: i64 = 3_600_000;

async fn begin(app: &App, live: bool) -> Option<u64> {
    let body = format!("{{\"live\":{live}}}");
    let said = app.send(request("POST", "/imports").body(Body::from(body)).unwrap()).await;
    assert!(matches!(said.status, 201 | 503), "{}", said.text());
    said.json()["id"].as_u64()
}

/// Sends an access line of so long ago; answers the status.
async fn line(app: &App, id: u64, ago_ms: i64) -> u16 {
    let line =
        format!("{{\"time\":{},\"ip\":\"9.9.9.9\",\"request\":\"GET /a HTTP/1.1\",\"status\":200}}", NOW - ago_ms);
    let uri = format!("/imports/{id}/lines?format=json");
    app.send(request("POST", &uri).body(Body::from(line)).unwrap()).await.status
}

async fn end(app: &App, id: u64) -> serde_json::Value {
    app.send(request("POST", &format!("/imports/{id}/end")).body(Body::empty()).unwrap()).await.json()
}

#[tokio::test]
async fn a_live_one_seals_nothing_and_makes_no_salts_of_days_past() {
    let app = Setup::default().start();
    let id = begin(&app, true).await.unwrap();
    for ago in [0, 72 * HOUR_MS] {
        assert_eq!(line(&app, id, ago).await, 200);
    }
    let visitors = app.stored("visitor");
    assert!(visitors[0] != "-" && visitors[1] == "-", "{visitors:?}");
    assert_eq!(end(&app, id).await["sealed"], serde_json::json!([]));
    assert_eq!(line(&app, id, 0).await, 404);
    let whole = begin(&app, false).await.unwrap();
    assert_eq!(line(&app, whole, 73 * HOUR_MS).await, 200);
    assert_ne!(app.stored("visitor")[2], "-", "an import has salts of its own");
    assert_eq!(end(&app, whole).await["sealed"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn equal_lines_of_one_second_stay_as_many_while_others_come_between() {
    let app = Setup::default().start();
    let id = begin(&app, true).await.unwrap();
    for ago in [0, 5000, 0, 5000] {
        assert_eq!(line(&app, id, ago).await, 200);
    }
    assert_eq!(app.events().len(), 4);
    let again = begin(&app, true).await.unwrap();
    for ago in [0, 5000, 0, 5000] {
        assert_eq!(line(&app, again, ago).await, 200);
    }
    assert_eq!(app.events().len(), 4, "begun again, the same lines are known");
}

#[tokio::test]
async fn of_live_ones_those_used_last_are_known() {
    let app = Setup::default().start();
    let first = begin(&app, true).await.unwrap();
    let second = begin(&app, true).await.unwrap();
    for _ in 2..LIVE_MAX {
        begin(&app, true).await.unwrap();
    }
    assert_eq!(line(&app, first, 0).await, 200);
    begin(&app, true).await.unwrap();
    assert_eq!((line(&app, first, 0).await, line(&app, second, 0).await), (200, 404));
}

#[tokio::test]
async fn one_that_was_cut_off_makes_room_after_an_hour_and_one_at_work_never() {
    let app = Setup::default().start();
    let mut open = Vec::new();
    for _ in 0..OPEN_MAX {
        open.push(begin(&app, false).await.unwrap());
    }
    assert_eq!(begin(&app, false).await, None);
    app.clock.set(NOW + IDLE_MAX_MS - 1);
    assert_eq!(line(&app, open[0], 0).await, 200);
    assert_eq!(begin(&app, false).await, None);
    app.clock.set(NOW + IDLE_MAX_MS);
    assert!(begin(&app, false).await.is_some());
    assert_eq!((line(&app, open[0], 0).await, line(&app, open[1], 0).await), (200, 404));
    assert!(begin(&app, true).await.is_some(), "live ones are counted by themselves");
}
