//! `GET /tick.gif`: one event in a query string, answered with an image, for pages without script and for e-mail.
//! - Without `path` and `url` the page is the one that shows the image: the request's `Referer`.
//! - `HEAD` asks what is here and is no event.

use super::{Parts, body, parameters, refused, sender, tick};
use crate::http::{Caller, Problem};
use crate::ingest::Item;
use crate::normalize::Receiver;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// One transparent dot (GIF89a).
const DOT: [u8; 43] = [
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21, 0xf9, 4, 1, 0, 0, 0,
    0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b,
];

/// Names that say which page it is.
const PAGE: [&str; 4] = ["path", "url", "url.path", "url.original"];

/// Takes the event of a query string.
pub(super) async fn pixel(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    if request.method() == Method::HEAD {
        return Ok(dot());
    }
    let (head, _) = request.into_parts();
    let mut pairs = parameters(head.uri.query())?;
    let page = head.headers.get(header::REFERER).and_then(|page| page.to_str().ok());
    let names_page = |(name, text): &(String, String)| PAGE.contains(&name.as_str()) && !text.is_empty();
    if let Some(page) = page.filter(|_| !pairs.iter().any(names_page)) {
        pairs.push(("url".to_owned(), page.to_owned()));
    }
    let bytes = head.uri.query().map_or(0, str::len);
    let item = Item { at: 0, raw: body::texts(pairs, bytes, &parts.limits) };
    let sender = sender(Receiver::Pixel, &parts, &caller, &head.headers, &[]);
    let receipt = parts.ingest.take(vec![item], sender).await.map_err(|error| refused(&error))?;
    tick::check(&receipt)?;
    Ok(dot())
}

fn dot() -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/gif")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache, must-revalidate, max-age=0")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
        (header::EXPIRES, HeaderValue::from_static("0")),
    ];
    (HEADERS, Bytes::from_static(&DOT)).into_response()
}
