use super::*;
use axum::http::StatusCode;
use axum::routing::post;
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

fn options(target: SocketAddr, batch: u64) -> Options {
    let mix = Mix::new(1, "s", 0, 1000, 100);
    Options {
        target,
        path: "/tick".to_owned(),
        key: None,
        connections: 3,
        batch,
        rate: None,
        time_max: Duration::from_secs(60),
        events: 100,
        mix,
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

use std::collections::BTreeMap;
