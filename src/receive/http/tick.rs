//! `POST /tick`: events in.

use super::{Parts, body, parameters, refused, sender};
use crate::http::{Caller, InputError, Problem, Type};
use crate::ingest::{Receipt, Rejected};
use crate::normalize::{Reason, Receiver};
use crate::receive::logstash::Shapes;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Answer<'a> {
    accepted: u64,
    duplicates: u64,
    rejected: Vec<Wire<'a>>,
}

#[derive(Serialize)]
struct Wire<'a> {
    at: usize,
    message: &'a str,
}

/// Takes the events of a body.
pub(super) async fn tick(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let defaults = parameters(head.uri.query())?;
    let (items, _turn) = body::items(&parts, Shapes::Unmistakable, &head.headers, body).await?;
    let sender = sender(Receiver::Tick, &parts, &caller, &head.headers, &defaults);
    let receipt = parts.ingest.take(items, sender).await.map_err(|error| refused(&error))?;
    check(&receipt)?;
    answer(StatusCode::ACCEPTED, &receipt)
}

/// What a receipt says on the wire.
pub(super) fn answer(status: StatusCode, receipt: &Receipt) -> Result<Response, Problem> {
    let body = match receipt {
        Receipt { accepted: 1, duplicates: 0, rejected, .. } if rejected.is_empty() => {
            Bytes::from_static(br#"{"accepted":1,"duplicates":0,"rejected":[]}"#)
        }
        _ => {
            let rejected = receipt.rejected.iter().map(|one| Wire { at: one.at, message: &one.message }).collect();
            let answer = Answer { accepted: receipt.accepted, duplicates: receipt.duplicates, rejected };
            let body = serde_json::to_vec(&answer);
            body.map_err(|error| Problem::failed(crate::error::Kind::Internal, &error))?.into()
        }
    };
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    Ok((status, [(header::CONTENT_TYPE, JSON)], body).into_response())
}

/// Refuses a batch of which nothing was taken, by a fault of its sender's: what it said, or that its key is of another site.
pub(super) fn check(receipt: &Receipt) -> Result<(), Problem> {
    let is_fault = |rejected: &Rejected| !rejected.reason.is_filter();
    if receipt.accepted + receipt.duplicates > 0 || !receipt.rejected.iter().any(is_fault) {
        return Ok(());
    }
    let detail = match receipt.rejected.as_slice() {
        [one] => one.message.clone(),
        all => format!("none of the {} events could be taken", all.len()),
    };
    let is_of_other_site = |rejected: &Rejected| rejected.reason == Reason::Site;
    let kind = if receipt.rejected.iter().all(is_of_other_site) { Type::Forbidden } else { Type::InvalidInput };
    let errors = receipt.rejected.iter();
    let errors = errors.map(|one| InputError { at: one.at.into(), message: one.message.clone() }).collect();
    Err(Problem::new(kind, detail).with_errors(errors))
}
