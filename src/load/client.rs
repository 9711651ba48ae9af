//! One keep-alive connection that posts bodies.

use super::Options;
use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::net::TcpStream;

/// A connection, once it is made.
pub(super) type Connection = Option<SendRequest<Full<Bytes>>>;

/// Posts one body, on the connection there is or a new one; reads the whole answer.
pub(super) async fn post(connection: &mut Connection, options: &Options, body: Vec<u8>) -> io::Result<StatusCode> {
    let sender = match connection {
        Some(sender) => sender,
        None => connection.insert(connect(options).await?),
    };
    sender.ready().await.map_err(io::Error::other)?;
    let content_type = if options.batch == 1 { "application/json" } else { "application/x-ndjson" };
    let mut request = Request::post(options.path.as_str())
        .header(header::HOST, options.target.to_string())
        .header(header::CONTENT_TYPE, content_type)
        .header(header::USER_AGENT, concat!("metronome-load/", env!("CARGO_PKG_VERSION")));
    if let Some(key) = &options.key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(io::Error::other)?;
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = answer.status();
    answer.into_body().collect().await.map_err(io::Error::other)?;
    Ok(status)
}

async fn connect(options: &Options) -> io::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(options.target).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends when the sender is dropped; its error reaches the sender as well.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
