use super::mix::Mix;
use super::*;
use axum::http::StatusCode;
use axum::routing::post;
use std::collections::BTreeMap;
use std::sync::Mutex;

async fn server(answer: StatusCode) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let app = axum::Router::new().route("/tick", post(move |_: String| async move { answer }));
    tokio::spawn(async move {
        let service = hyper_util::service::TowerToHyperService::new(app);
        while let Ok((stream, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new();
            let serving = connection.serve_connection(hyper_util::rt::TokioIo::new(stream), service.clone());
            tokio::spawn(serving);
        }
    });
    address
}

fn mix() -> Mix {
    Mix::new(1, "s", 0, 1000, 100)
}

fn options(target: SocketAddr, batch: u64) -> Options {
    Options {
        target,
        path: "/tick".to_owned(),
        key: None,
        connections: 3,
        batch,
        rate: None,
        time_max: Duration::from_secs(60),
        events: 100,
        bodies: Bodies::Made(mix()),
    }
}

#[tokio::test]
async fn every_acknowledged_number_is_told_once() {
    for batch in [1, 7] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let target = server(StatusCode::ACCEPTED).await;
        let tell = Arc::clone(&told);
        let report = run(options(target, batch), Arc::new(move |range| tell.lock().expect("lock").extend(range)));
        let report = report.await.expect("run");
        let mut numbers = told.lock().expect("lock").clone();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..100).collect::<Vec<u64>>());
        assert_eq!((report.acknowledged, report.unknown), (100, 0));
    }
}

#[tokio::test]
async fn refusals_are_counted_by_status() {
    let target = server(StatusCode::SERVICE_UNAVAILABLE).await;
    let report = run(options(target, 10), Arc::new(|_| panic!("nothing was taken"))).await.expect("run");
    assert_eq!(report.refused, BTreeMap::from([(503, 100)]));
    assert_eq!(report.acknowledged, 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let target = listener.local_addr().expect("address");
    drop(listener);
    let error = run(options(target, 1), Arc::new(|_| ())).await.expect_err("refused");
    assert_eq!(error.to_string(), format!("connect to {target}"));
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_is_said_so() {
    let key = Some("two\nlines".to_owned());
    let options = Options { key, ..options(server(StatusCode::ACCEPTED).await, 1) };
    let error = run(options, Arc::new(|_| ())).await.expect_err("no request");
    assert_eq!((error.to_string().as_str(), error.kind()), ("the key cannot stand in a request", Kind::Invalid));
}

#[test]
fn events_written_before_are_those_made_as_they_are_sent() {
    let folder = tempfile::tempdir().expect("folder");
    let written = Written::write(&folder.path().join("events"), &mix(), "").expect("written");
    assert_eq!((written.events(), written.bytes()), (100, std::fs::metadata(written.path()).expect("file").len()));
    let (made, written) = (Bodies::Made(mix()), Bodies::Written(Arc::new(written)));
    for numbers in [0..1, 7..20, 99..100, 0..100] {
        assert_eq!(written.lines(numbers.clone()).expect("read"), made.lines(numbers).expect("made"));
    }
    let error = written.lines(90..101).expect_err("past the end");
    assert_eq!(error.to_string(), "event 101 of 100 was not written");
}

#[test]
fn what_a_protocol_wants_before_each_event_is_there() {
    let folder = tempfile::tempdir().expect("folder");
    let written = Written::write(&folder.path().join("events"), &mix(), "{}\n").expect("written");
    let lines = String::from_utf8(Bodies::Written(Arc::new(written)).lines(3..5).expect("read")).expect("text");
    let begins: Vec<&str> = lines.lines().map(|line| &line[..2]).collect();
    assert_eq!(begins, ["{}", "{\"", "{}", "{\""]);
}
