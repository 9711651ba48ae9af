//! Bodies: from their type and bytes to the items of a batch.
//! - JSON, JSON lines and concatenated JSON are told apart by their bytes under every JSON type, and where no type is given.
//! - A form is one event. A body that says it is a form and begins with `{` or `[` is JSON: no form does, and `curl -d`
//!   calls everything one.

use super::Parts;
use crate::event::{RawEvent, Value};
use crate::http::query::pairs;
use crate::http::{Body, Problem, Turn, Type};
use crate::ingest::Item;
use crate::normalize::json::{BodyError, Layout, read_all};
use crate::normalize::{Limits, Reason, Rejection};
use axum::http::{HeaderMap, header};

/// Bodies beyond this are read off the runtime's threads.
const INLINE_BYTES_MAX: usize = 256 * 1024;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json(Layout),
    Pairs,
}

/// The items of a request's body, and the turn to be kept until they are taken.
pub(super) async fn items(
    parts: &Parts,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<(Vec<Item>, Turn), Problem> {
    let form = form(headers)?;
    let body = parts.bodies.read(headers, body).await?;
    let turn = parts.bodies.turn(&body).await?;
    Ok((read(parts, form, body).await?, turn))
}

async fn read(parts: &Parts, form: Form, body: Body) -> Result<Vec<Item>, Problem> {
    let form = match (form, body.trim_ascii_start().first()) {
        (Form::Pairs, Some(b'{' | b'[')) => Form::Json(Layout::Any),
        (form, _) => form,
    };
    let Form::Json(layout) = form else { return pairs_item(&body, &parts.limits).map(|item| vec![item]) };
    if body.len() <= INLINE_BYTES_MAX {
        return json_items(&body, layout, &parts.limits, parts.batch_events_max);
    }
    let (limits, events_max) = (parts.limits.clone(), parts.batch_events_max);
    let reading = tokio::task::spawn_blocking(move || json_items(&body, layout, &limits, events_max));
    reading.await.unwrap_or_else(|_| Err(Problem::new(Type::Internal, "the body could not be read")))
}

/// The form that `Content-Type` names.
fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(Form::Json(Layout::Any)) };
    let given = given.to_str().unwrap_or("?");
    let name = given.split(';').next().unwrap_or_default().trim();
    let table = [
        ("application/json", Form::Json(Layout::Any)),
        ("text/plain", Form::Json(Layout::Any)),
        ("", Form::Json(Layout::Any)),
        ("application/x-ndjson", Form::Json(Layout::Lines)),
        ("application/json-lines", Form::Json(Layout::Lines)),
        ("application/x-www-form-urlencoded", Form::Pairs),
    ];
    let found = table.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, form)| *form).ok_or_else(|| {
        let detail = "content-type is one of application/json, text/plain, application/x-ndjson, application/json-lines, \
                      application/x-www-form-urlencoded, or none";
        Problem::new(Type::UnsupportedType, detail)
    })
}

fn json_items(body: &Body, layout: Layout, limits: &Limits, events_max: usize) -> Result<Vec<Item>, Problem> {
    match read_all(body, layout, limits, events_max) {
        Ok(events) => Ok(events.into_iter().map(|(at, raw)| Item { at, raw }).collect()),
        Err(error @ BodyError::Empty) => Err(Problem::invalid("body", error.to_string())),
        Err(error @ BodyError::TooMany { .. }) => Err(Problem::new(Type::TooLarge, error.to_string())),
        // Handed on, so that the operator's counts know of it.
        Err(BodyError::NotJson { at, rejection }) => Ok(vec![Item { at, raw: Err(rejection) }]),
    }
}

fn pairs_item(body: &[u8], limits: &Limits) -> Result<Item, Problem> {
    if body.trim_ascii().is_empty() {
        return Err(Problem::invalid("body", BodyError::Empty.to_string()));
    }
    let text = std::str::from_utf8(body).map_err(|_| "the form is not UTF-8".to_owned());
    let raw = match text.and_then(pairs) {
        Ok(pairs) => texts(pairs, body.len(), limits),
        Err(message) => Err(Rejection::new(Reason::Encoding, message)),
    };
    Ok(Item { at: 0, raw })
}

/// An event of texts alone, as forms and query strings have it.
pub(super) fn texts(pairs: Vec<(String, String)>, bytes: usize, limits: &Limits) -> Result<RawEvent, Rejection> {
    if bytes > limits.event_bytes_max {
        let text = format!("the event has {bytes} bytes: the limit is {}", limits.event_bytes_max);
        return Err(Rejection::new(Reason::EventTooLarge, text));
    }
    let fields = pairs.into_iter().map(|(name, value)| (name.into(), Value::text(value))).collect();
    Ok(RawEvent { fields, typed: false, protocol_time: None, bytes })
}
