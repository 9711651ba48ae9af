//! Bodies: from their type and bytes to the items of a batch.
//! - JSON, JSON lines and concatenated JSON are told apart by their bytes under every JSON type, and where no type is given.
//! - A form is one event. A body that says it is a form and begins with `{` or `[` is JSON: no form does, and `curl -d`
//!   calls everything one.
//! - From shippers of logs plain text that is no JSON is one event too, its `message`.

use super::Parts;
use crate::event::{RawEvent, Value};
use crate::http::query::pairs;
use crate::http::{Body, Problem, Turn, Type};
use crate::ingest::Item;
use crate::normalize::json::{BodyError, Layout, read_all};
use crate::normalize::{Limits, Reason, Rejection, access_line};
use crate::receive::logstash::{self, Shapes, plain};
use crate::receive::msgpack;
use axum::http::{HeaderMap, header};

/// Bodies beyond this are read off the runtime's threads.
const INLINE_BYTES_MAX: usize = 256 * 1024;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json(Layout),
    MessagePack,
    Pairs,
    Text,
}

/// The items of a request's body, and the turn to be kept until they are taken.
pub(super) async fn items(
    parts: &Parts,
    shapes: Shapes,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<(Vec<Item>, Turn), Problem> {
    let form = form(headers)?;
    let body = parts.bodies.read(headers, body).await?;
    let turn = parts.bodies.turn(&body).await?;
    Ok((read(parts, shapes, form, body).await?, turn))
}

async fn read(parts: &Parts, shapes: Shapes, form: Form, body: Body) -> Result<Vec<Item>, Problem> {
    let text = body.trim_ascii();
    let form = match form {
        Form::Pairs if matches!(text.first(), Some(b'{' | b'[')) => Form::Json(Layout::Any),
        Form::Text if shapes == Shapes::Unmistakable || text.is_empty() || is_json(text) => Form::Json(Layout::Any),
        form => form,
    };
    let (limits, events_max) = (parts.limits.clone(), parts.batch_events_max);
    let read = move |body: &[u8]| match form {
        Form::Json(layout) => json_items(body, layout, shapes, &limits, events_max),
        Form::MessagePack => packed_items(body, shapes, &limits, events_max),
        Form::Pairs => pairs_item(body, &limits).map(|item| vec![item]),
        Form::Text => Ok(vec![text_item(body.trim_ascii(), &limits)]),
    };
    if body.len() <= INLINE_BYTES_MAX {
        return read(&body);
    }
    let reading = tokio::task::spawn_blocking(move || read(&body));
    reading.await.unwrap_or_else(|_| Err(Problem::new(Type::Internal, "the body could not be read")))
}

/// Whether a text begins as an object or a list of them.
fn is_json(text: &[u8]) -> bool {
    match text.split_first() {
        Some((b'[', rest)) => matches!(rest.trim_ascii_start().first(), Some(b'{' | b']')),
        first => first.is_some_and(|(byte, _)| *byte == b'{') || text.starts_with(b"\xEF\xBB\xBF"),
    }
}

/// The form that `Content-Type` names.
fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(Form::Json(Layout::Any)) };
    let given = given.to_str().unwrap_or("?");
    let name = given.split(';').next().unwrap_or_default().trim();
    let table = [
        ("application/json", Form::Json(Layout::Any)),
        ("text/plain", Form::Text),
        ("", Form::Json(Layout::Any)),
        ("application/x-ndjson", Form::Json(Layout::Lines)),
        ("application/json-lines", Form::Json(Layout::Lines)),
        ("application/x-www-form-urlencoded", Form::Pairs),
        ("application/msgpack", Form::MessagePack),
    ];
    let found = table.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, form)| *form).ok_or_else(|| {
        let detail = "content-type is one of application/json, text/plain, application/x-ndjson, application/json-lines, \
                      application/x-www-form-urlencoded, application/msgpack, or none";
        Problem::new(Type::UnsupportedType, detail)
    })
}

fn json_items(
    body: &[u8],
    layout: Layout,
    shapes: Shapes,
    limits: &Limits,
    events_max: usize,
) -> Result<Vec<Item>, Problem> {
    let item = |(at, raw): (usize, Result<RawEvent, Rejection>)| Item { at, raw: raw.map(|raw| plain(raw, shapes)) };
    match read_all(body, layout, limits, events_max) {
        Ok(events) => Ok(events.into_iter().map(item).collect()),
        Err(error @ BodyError::Empty) => Err(Problem::invalid("body", error.to_string())),
        Err(error @ BodyError::TooMany { .. }) => Err(Problem::new(Type::TooLarge, error.to_string())),
        // Handed on, so that the operator's counts know of it.
        Err(BodyError::NotJson { at, rejection }) => Ok(vec![Item { at, raw: Err(rejection) }]),
    }
}

/// The events of entries one after another. Where they cannot be followed any more, the rest is rejected.
fn packed_items(mut body: &[u8], shapes: Shapes, limits: &Limits, events_max: usize) -> Result<Vec<Item>, Problem> {
    if body.is_empty() {
        return Err(Problem::invalid("body", "the body is empty: an event is an entry [time, record]"));
    }
    let mut items = Vec::new();
    for at in 0.. {
        if body.is_empty() {
            break;
        }
        if items.len() == events_max {
            return Err(Problem::new(Type::TooLarge, BodyError::TooMany { limit: events_max }.to_string()));
        }
        let (entry, rest) = msgpack::first(body).unwrap_or((body, &[]));
        body = rest;
        if let Some(raw) = logstash::read_entry(entry, shapes, limits) {
            items.push(Item { at, raw });
        }
    }
    Ok(items)
}

/// The event of a text that is its message.
fn text_item(text: &[u8], limits: &Limits) -> Item {
    let raw = match std::str::from_utf8(text) {
        Ok(text) if text.len() <= limits.event_bytes_max => Ok(access_line::unparsed(text.as_bytes())),
        Ok(text) => {
            let text = format!("the text has {} bytes: the limit is {}", text.len(), limits.event_bytes_max);
            Err(Rejection::new(Reason::EventTooLarge, text))
        }
        Err(_) => Err(Rejection::new(Reason::Encoding, "the text is not UTF-8")),
    };
    Item { at: 0, raw }
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
