//! The null handler: the server loop of the product, and a handler that reads the body and answers.

use crate::server::Server;
use metronome::http::{Options, serve as serve_router};
use std::process::Command;

/// This bench as a process of its own that serves the null handler.
pub fn start() -> Server {
    let mut command = Command::new(std::env::current_exe().expect("this bench"));
    Server::announced(command.arg("null-handler"))
}

/// Serves until it is killed.
pub async fn serve() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    println!("http://{}", listener.local_addr().expect("address"));
    let handler = |_: axum::body::Bytes| async { (axum::http::StatusCode::ACCEPTED, "{\"accepted\":1}") };
    let router = axum::Router::new().route("/tick", axum::routing::post(handler));
    serve_router(listener, None, router, Options::default(), std::future::pending()).await;
}
