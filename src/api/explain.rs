//! `/explain` of a stored event: what is written on it, in words, and its visit.

use super::Parts;
use super::ask::Wanted;
use super::format::json;
use crate::http::query::{Parameters, cut};
use crate::http::{Caller, Problem, Type};
use crate::report::explain::{find, shape};
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use std::sync::Arc;

/// Bytes of an event's id at the most.
const EVENT_ID_BYTES_MAX: usize = 128;

/// `GET /explain?event_id=`.
pub(super) async fn stored(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query.as_deref(), &["event_id", "site", "partial"])?;
    let site = caller.site(parameters.get("site"))?;
    let event_id = parameters.get("event_id").filter(|id| id.len() <= EVENT_ID_BYTES_MAX).ok_or_else(|| {
        Problem::invalid(
            "event_id",
            format!("event_id is needed: the id of an event, up to {EVENT_ID_BYTES_MAX} bytes"),
        )
    })?;
    match parts.ask("explain", find(Wanted::read(&parameters)?.store(&parts), &site, event_id)).await? {
        Some(stored) => Ok(json(&shape(&stored))),
        None => {
            let detail = format!("no event with the id {:?} is held for the site {:?}", cut(event_id), cut(&site));
            Err(Problem::new(Type::NotFound, detail))
        }
    }
}
