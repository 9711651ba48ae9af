//! Documents in: `_bulk` in its forms, and single ones.
//! - The index of a path is that of documents that name none; a path put before `_bulk` by a sender means nothing else.
//! - A type is any one name that is none of the API's own: rsyslog sends to `/system/events`.

use super::bulk::{Head, Op};
use super::errors::{Fault, JSON, reworded};
use super::filter::Filter;
use super::hold::Hold;
use super::take::{Content, Taken, Untaken, take};
use super::{Elastic, items, push_back};
use crate::event::Text;
use crate::http::query::pairs;
use crate::http::{Body, Caller, Problem, Type, nothing_here};
use crate::net::{Share, Stopping};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts as RequestHead;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// The types of body that are read: all are JSON.
const TYPES: [&str; 6] = [
    "",
    "application/json",
    "application/x-ndjson",
    "application/vnd.elasticsearch+json",
    "application/vnd.elasticsearch+x-ndjson",
    "text/plain",
];

/// An answer's bytes with the room they take until they are sent.
struct Held {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Many documents.
pub(super) async fn bulk(
    State(elastic): State<Arc<Elastic>>,
    Extension(caller): Extension<Caller>,
    stopping: Option<Extension<Stopping>>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let filter = match filter(&head.uri) {
        Ok(filter) => filter,
        Err(fault) => return fault.into_response(),
    };
    let content = Content::Bulk(index(&head.uri));
    let taken = match received(&elastic, &caller, stopping, &head, body, content).await {
        Ok(taken) => taken,
        Err(response) => return response,
    };
    let Taken { heads, outcomes, no_room, share } = taken;
    if let Some(problem) = no_room
        && let Some(response) = push_back::instead_of_items(problem, &head.headers, heads.len())
    {
        return response;
    }
    let bytes = items::write(caller.since.elapsed(), &heads, &outcomes);
    held(if let Some(filter) = filter { filter.cut(bytes) } else { bytes }, share)
}

/// An answer of items, whose room is held until it is sent.
pub(super) fn held(bytes: Vec<u8>, share: Share) -> Response {
    ([(header::CONTENT_TYPE, JSON)], Bytes::from_owner(Held { bytes, _share: share })).into_response()
}

/// `POST /INDEX/_doc`, and any other one type.
pub(super) async fn add(
    state: State<Arc<Elastic>>,
    caller: Extension<Caller>,
    stopping: Option<Extension<Stopping>>,
    request: Request,
) -> Response {
    let is_meant = match names(&request).as_slice() {
        [index, kind] => !index.starts_with('_') && (kind == "_doc" || !kind.starts_with('_')),
        _ => false,
    };
    if !is_meant {
        return reworded(nothing_here(&request));
    }
    document(state, caller, stopping, request, Op::Index, None).await
}

/// `/INDEX/_doc/ID`.
pub(super) async fn put(
    state: State<Arc<Elastic>>,
    caller: Extension<Caller>,
    stopping: Option<Extension<Stopping>>,
    request: Request,
) -> Response {
    let id = names(&request).pop();
    document(state, caller, stopping, request, Op::Index, id).await
}

/// `/INDEX/_create/ID`.
pub(super) async fn create(
    state: State<Arc<Elastic>>,
    caller: Extension<Caller>,
    stopping: Option<Extension<Stopping>>,
    request: Request,
) -> Response {
    let id = names(&request).pop();
    document(state, caller, stopping, request, Op::Create, id).await
}

async fn document(
    State(elastic): State<Arc<Elastic>>,
    Extension(caller): Extension<Caller>,
    stopping: Option<Extension<Stopping>>,
    request: Request,
    op: Op,
    id: Option<String>,
) -> Response {
    let (head, body) = request.into_parts();
    let op = if parameter(&head.uri, "op_type").as_deref() == Some("create") { Op::Create } else { op };
    let content = Content::Document(Head { op, index: index(&head.uri), id: id.map(Text::from) });
    let taken = match received(&elastic, &caller, stopping, &head, body, content).await {
        Ok(taken) => taken,
        Err(response) => return response,
    };
    if let Some(problem) = taken.no_room {
        return push_back::instead(problem, &head.headers);
    }
    let (Some(document), Some(outcome)) = (taken.heads.first(), taken.outcomes.first()) else {
        return reworded(Problem::new(Type::Internal, "the document was not read"));
    };
    if let Some(fault) = items::fault(document, outcome) {
        return fault.into_response();
    }
    let mut bytes = vec![b'{'];
    let status = items::document(&mut bytes, document, outcome);
    bytes.push(b'}');
    answer(&head.uri, StatusCode::from_u16(status).unwrap_or_default(), bytes)
}

/// An answer, cut to what is asked for.
pub(super) fn answer(uri: &Uri, status: StatusCode, bytes: Vec<u8>) -> Response {
    match filter(uri) {
        Ok(Some(filter)) => (status, [(header::CONTENT_TYPE, JSON)], filter.cut(bytes)).into_response(),
        Ok(None) => (status, [(header::CONTENT_TYPE, JSON)], bytes).into_response(),
        Err(fault) => fault.into_response(),
    }
}

/// The value of a parameter of the request.
pub(super) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = pairs(uri.query()?).ok()?;
    pairs.into_iter().find(|(given, _)| given == name).map(|(_, value)| value)
}

/// The body of a request, if it is of a type that is read here.
pub(super) async fn body(elastic: &Elastic, headers: &HeaderMap, body: axum::body::Body) -> Result<Body, Problem> {
    let given = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?")).unwrap_or_default();
    let name = given.split(';').next().unwrap_or_default().trim();
    if !TYPES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        let detail = format!(
            "Content-Type header [{}] is not supported; it may be application/json",
            crate::nearest::cut(given)
        );
        return Err(Problem::new(Type::UnsupportedType, detail));
    }
    elastic.parts.http.bodies.read(headers, body).await
}

/// The index that a path names.
pub(super) fn index(uri: &Uri) -> Option<Text> {
    let first = uri.path().split('/').nth(1).filter(|name| !name.is_empty() && !name.starts_with('_'))?;
    Some(percent_decode_str(first).decode_utf8_lossy().into())
}

async fn received(
    elastic: &Elastic,
    caller: &Caller,
    stopping: Option<Extension<Stopping>>,
    head: &RequestHead,
    body: axum::body::Body,
    content: Content,
) -> Result<Taken, Response> {
    let refuse = |problem| push_back::instead(problem, &head.headers);
    let mut hold = Hold::new(&elastic.parts, caller.since, stopping.map(|Extension(stopping)| stopping));
    hold.until_room(&elastic.parts, &head.headers).await;
    let body = self::body(elastic, &head.headers, body).await.map_err(refuse)?;
    let taken = take(&elastic.parts, caller, hold, body, content).await;
    taken.map_err(|untaken| match untaken {
        Untaken::Fault(fault) => fault.into_response(),
        Untaken::Failed(problem) => refuse(problem),
    })
}

fn filter(uri: &Uri) -> Result<Option<Filter>, Fault> {
    let Some(text) = parameter(uri, "filter_path") else { return Ok(None) };
    Filter::read(&text).map_err(Fault::unfit)
}

/// The names of a path, decoded.
fn names(request: &Request) -> Vec<String> {
    let names = request.uri().path().split('/').skip(1);
    names.map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned()).collect()
}
