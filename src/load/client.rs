//! One keep-alive connection that posts bodies.

use super::{LoadError, Options};
use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Posts bodies one after the other; connects when there is no connection.
pub(super) struct Client {
    target: SocketAddr,
    path: Uri,
    /// Read once: what the generator spends on a request, the server lacks.
    headers: HeaderMap,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(super) fn new(options: &Options) -> Result<Self, LoadError> {
        let content_type = if options.batch == 1 { "application/json" } else { "application/x-ndjson" };
        let user_agent = concat!("metronome-load/", env!("CARGO_PKG_VERSION"));
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, value(&options.target.to_string())?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(user_agent));
        if let Some(key) = &options.key {
            headers.insert(header::AUTHORIZATION, value(&format!("Bearer {key}"))?);
        }
        let path = options.path.parse().map_err(|_| LoadError::Unfit { what: "path" })?;
        Ok(Self { target: options.target, path, headers, connection: None })
    }

    /// Posts one body; reads the whole answer. After an error the next one goes over a new connection.
    pub(super) async fn post(&mut self, body: Vec<u8>) -> io::Result<StatusCode> {
        let mut sender = match self.connection.take() {
            Some(sender) => sender,
            None => connect(self.target).await?,
        };
        sender.ready().await.map_err(io::Error::other)?;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        let answer = sender.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status();
        answer.into_body().collect().await.map_err(io::Error::other)?;
        self.connection = Some(sender);
        Ok(status)
    }
}

fn value(text: &str) -> Result<HeaderValue, LoadError> {
    HeaderValue::from_str(text).map_err(|_| LoadError::Unfit { what: "key" })
}

async fn connect(target: SocketAddr) -> io::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends when the sender is dropped; its error reaches the sender as well.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
