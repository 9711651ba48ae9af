//! Push-back: what is answered where there is no room, after the sender was held.
//! - By who asks ([`super::asker`]): items of 429 in a 200 to helpers that send those again, a close without an answer to
//!   senders that take every error for the last word, 503 to everyone else. Never a bare 429.
//! - Logged once: what becomes a status by the gate, what does not here.

use super::asker::{Asker, asker};
use super::errors::reworded;
use crate::http::{HangUp, Problem};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// What is answered in place of an answer to single items; `None` where items are what the sender sends again.
pub(super) fn instead_of_items(problem: Problem, headers: &HeaderMap, actions: usize) -> Option<Response> {
    if asker(headers) == Asker::Helper {
        note(&problem, actions);
        return None;
    }
    Some(instead(problem, headers))
}

/// Tells the operator of items that are refused for now: their answer's status does not.
pub(super) fn note(problem: &Problem, actions: usize) {
    tracing::warn!(actions, cause = problem.cause(), "pushed back: items are refused for now");
}

/// What is answered in place of any other answer.
pub(super) fn instead(problem: Problem, headers: &HeaderMap) -> Response {
    let mut response = reworded(problem);
    // The status goes to the log in any case.
    let may_come_again = response.status().is_server_error() || response.status() == StatusCode::REQUEST_TIMEOUT;
    if may_come_again && asker(headers) == Asker::Nameless {
        response.extensions_mut().insert(HangUp);
    }
    response
}
