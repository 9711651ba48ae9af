//! `POST /`: events of a shipper of logs, as Logstash's HTTP input takes them.
//! - The events tell all: neither the connection's address nor its user agent is anybody's.
//! - 200 where the body could be read, with a list of what was rejected, be it all: senders know no other success, and some
//!   would send the same again for ever. What is no JSON at all, and what is all of another site than its key's, is refused.

use super::{Parts, body, parameters, refused, tick};
use crate::http::{Caller, Problem};
use crate::ingest::Rejected;
use crate::normalize::{Reason, Receiver, Sender};
use crate::receive::logstash::Shapes;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Takes the events of a body.
pub(super) async fn logs(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let defaults = parameters(head.uri.query())?;
    let (items, _turn) = body::items(&parts, Shapes::OfLogs, &head.headers, body).await?;
    let sender = Sender {
        site: caller.bound(),
        site_forced: caller.bound().is_some(),
        defaults: &defaults,
        ..Sender::unknown(Receiver::Log, parts.clock.now())
    };
    let receipt = parts.ingest.take(items, sender).await.map_err(|error| refused(&error))?;
    let is_by_mistake = |rejected: &Rejected| matches!(rejected.reason, Reason::Site | Reason::NotJson);
    if receipt.rejected.iter().all(is_by_mistake) {
        tick::check(&receipt)?;
    }
    tick::answer(StatusCode::OK, &receipt)
}
