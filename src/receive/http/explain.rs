//! `POST /explain`: how the events of a body would be taken, and why so; stores nothing.

use super::{Parts, body, parameters, refused, sender};
use crate::error::Kind;
use crate::http::{Caller, Problem};
use crate::ingest::Explained;
use crate::normalize::{Note, Receiver, Sender};
use crate::receive::logstash::Shapes;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Answer {
    results: Vec<One>,
}

#[derive(Serialize)]
struct One {
    at: usize,
    /// As it would be stored; absent where it would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<String>,
    duplicate: bool,
    notes: Vec<Why>,
}

#[derive(Serialize)]
struct Why {
    about: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    text: String,
}

/// Explains the events of a body.
pub(super) async fn explain(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let defaults = parameters(head.uri.query())?;
    let (items, _turn) = body::items(&parts, Shapes::Unmistakable, &head.headers, body).await?;
    // Nothing is written: the page that asks is no sender.
    let sender = Sender { origin: None, ..sender(Receiver::Tick, &parts, &caller, &head.headers, &defaults) };
    let explained = parts.ingest.explain(items, sender).map_err(|error| refused(&error))?;
    let answer = Answer { results: explained.into_iter().map(one).collect() };
    let body = serde_json::to_vec(&answer).map_err(|error| Problem::failed(Kind::Internal, &error))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response())
}

fn one(explained: Explained) -> One {
    let why = |Note { about, key, text }| Why { about, key, text };
    let (event, rejected) = match explained.event {
        Ok(event) => (Some(event.to_json()), None),
        Err(rejection) => (None, Some(rejection.message)),
    };
    let notes = explained.notes.into_iter().map(why).collect();
    One { at: explained.at, event, rejected, duplicate: explained.is_duplicate, notes }
}
