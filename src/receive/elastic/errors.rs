//! Errors as Elasticsearch writes them, so that its clients read out why.
//! - A problem keeps its status, but for 429: nobody waits on one alone, so it is 503.
//! - Absent: who is answered how where there is no room (`push_back`).

use crate::http::{Problem, Type};
use crate::ingest::Rejected;
use crate::normalize::Reason;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// For what there is no room at the moment.
pub const REJECTED_FOR_NOW: &str = "es_rejected_execution_exception";

/// The content type of every answer in JSON.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What is wrong with one document, or with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The status.
    pub status: u16,
    /// Elasticsearch's name for the kind of fault.
    pub kind: &'static str,
    /// What is wrong, for the sender.
    pub reason: String,
}

#[derive(Serialize)]
struct Cause<'a> {
    r#type: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Error<'a> {
    root_cause: [Cause<'a>; 1],
    #[serde(flatten)]
    cause: Cause<'a>,
}

#[derive(Serialize)]
struct Wire<'a> {
    error: Error<'a>,
    status: u16,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(status: StatusCode, kind: &'static str, reason: impl Into<String>) -> Self {
        Self { status: status.as_u16(), kind, reason: reason.into() }
    }

    /// What is asked for and is not done here.
    pub fn unfit(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "illegal_argument_exception", reason)
    }

    /// An event that was not taken.
    pub fn of(rejected: Rejected) -> Self {
        let (status, kind) = match rejected.reason {
            Reason::Site => (StatusCode::FORBIDDEN, "security_exception"),
            Reason::NotJson | Reason::NotAnObject | Reason::Encoding | Reason::Number | Reason::TooDeep => {
                (StatusCode::BAD_REQUEST, "document_parsing_exception")
            }
            _ => (StatusCode::BAD_REQUEST, "illegal_argument_exception"),
        };
        Self::new(status, kind, rejected.message)
    }

    /// A document of an id that is there already, where there was to be none.
    pub fn known(id: &str) -> Self {
        let reason = format!("[{id}]: version conflict, document already exists (current version [1])");
        Self::new(StatusCode::CONFLICT, "version_conflict_engine_exception", reason)
    }

    /// The body of a request that is answered with this fault.
    pub fn body(&self) -> Vec<u8> {
        let cause = || Cause { r#type: self.kind, reason: &self.reason };
        let wire = Wire { error: Error { root_cause: [cause()], cause: cause() }, status: self.status };
        // Texts and a number: there is nothing in it that cannot be written.
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, [(header::CONTENT_TYPE, JSON)], self.body()).into_response()
    }
}

/// A problem in Elasticsearch's words; its headers, and its cause for the log, stay.
pub fn reworded(problem: Problem) -> Response {
    let status = match problem.status() {
        StatusCode::TOO_MANY_REQUESTS => StatusCode::SERVICE_UNAVAILABLE,
        status => status,
    };
    let fault = Fault::new(status, kind_of(problem.kind()), problem.detail());
    let mut response = problem.into_response();
    *response.status_mut() = status;
    *response.body_mut() = Body::from(fault.body());
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

fn kind_of(kind: Type) -> &'static str {
    match kind {
        Type::KeyNeeded | Type::Forbidden => "security_exception",
        Type::NotFound => "resource_not_found_exception",
        Type::Timeout => "receive_timeout_transport_exception",
        Type::TooLarge => "content_too_long_exception",
        Type::UnsupportedType => "media_type_header_exception",
        Type::TooMany | Type::Overloaded | Type::Unavailable => REJECTED_FOR_NOW,
        Type::Corrupt | Type::Internal => "exception",
        Type::InvalidInput
        | Type::Unsupported
        | Type::MethodNotAllowed
        | Type::Conflict
        | Type::UnsupportedEncoding => "illegal_argument_exception",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_elasticsearch_writes_it() {
        let body = String::from_utf8(Fault::unfit("no \"such\"").body()).unwrap();
        let cause = r#""type":"illegal_argument_exception","reason":"no \"such\"""#;
        assert_eq!(body, format!(r#"{{"error":{{"root_cause":[{{{cause}}}],{cause}}},"status":400}}"#));
    }

    #[test]
    fn a_problem_keeps_its_status_but_429() {
        for kind in Type::ALL {
            let status = reworded(Problem::new(kind, "x")).status();
            let expected = if kind == Type::TooMany { StatusCode::SERVICE_UNAVAILABLE } else { kind.facts().1 };
            assert_eq!(status, expected, "{kind:?}");
        }
    }
}
