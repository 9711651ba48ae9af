//! Operating: alive, able to work, metrics.
//! - `/health` says that the process answers; `/ready` asks each part and names it.

use super::Parts;
use super::format::{json, typed};
use super::questions::refused;
use crate::http::{Problem, query::Parameters};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long one part may take to say whether it works.
const PROBE_MAX: Duration = Duration::from_secs(2);

/// Whether a part works, and what there is to say of it all the same; if not, what is wrong; in words that anyone may read.
pub type Check = Pin<Box<dyn Future<Output = Result<Option<String>, String>> + Send>>;

/// Asks one part whether it works.
pub struct Probe {
    /// The part's name: `journal`, `store`.
    pub part: &'static str,
    /// Asks it.
    pub check: Box<dyn Fn() -> Check + Send + Sync>,
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    part: &'static str,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

pub(super) async fn health(RawQuery(query): RawQuery) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    Ok(typed("application/json", r#"{"status":"ok"}"#))
}

pub(super) async fn ready(State(parts): State<Arc<Parts>>) -> Response {
    let mut answers = Vec::with_capacity(parts.probes.len());
    for probe in &parts.probes {
        let answer = timeout(PROBE_MAX, (probe.check)()).await.unwrap_or_else(|_| Err("it does not answer".to_owned()));
        let ready = answer.is_ok();
        let detail = answer.unwrap_or_else(Some);
        answers.push(Part { part: probe.part, ready, detail });
    }
    let ready = answers.iter().all(|part| part.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, json(&Ready { ready, parts: answers })).into_response()
}

pub(super) async fn metrics(State(parts): State<Arc<Parts>>) -> Result<Response, Problem> {
    let position = parts.store.position().await.map_err(|error| refused(&error))?;
    let damaged = parts.store.damaged().await.map_err(|error| refused(&error))?.len() as u64;
    let text =
        parts.metrics.text(position, damaged).map_err(|error| Problem::failed(crate::error::Kind::Internal, &error))?;
    Ok(typed("application/openmetrics-text; version=1.0.0; charset=utf-8", text))
}
