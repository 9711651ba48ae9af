//! Problem details: every error the wire sees, as RFC 9457 says (`application/problem+json`).
//! - `type` is a URN that never changes its meaning; `detail` speaks to the one who sent the request.
//! - A cause is for the log: it travels beside the response to the gate, which logs it once with the request id.
//! - Absent: any text of a server's own error in the body.

use crate::error::Kind;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;

/// The types of problem, each with its status and title.
#[allow(missing_docs)] // the table in `facts` says it all
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    InvalidInput,
    Unsupported,
    KeyNeeded,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Timeout,
    TooLarge,
    UnsupportedType,
    UnsupportedEncoding,
    TooMany,
    Overloaded,
    Unavailable,
    Corrupt,
    Internal,
}

impl Type {
    /// Every type.
    pub const ALL: [Self; 16] = [
        Self::InvalidInput,
        Self::Unsupported,
        Self::KeyNeeded,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Timeout,
        Self::TooLarge,
        Self::UnsupportedType,
        Self::UnsupportedEncoding,
        Self::TooMany,
        Self::Overloaded,
        Self::Unavailable,
        Self::Corrupt,
        Self::Internal,
    ];

    /// Its name within the URN, status and title.
    pub fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::InvalidInput => ("invalid-input", StatusCode::BAD_REQUEST, "The input is not valid"),
            Self::Unsupported => ("unsupported", StatusCode::BAD_REQUEST, "This cannot be answered"),
            Self::KeyNeeded => ("key-needed", StatusCode::UNAUTHORIZED, "A key is needed"),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "This is not allowed"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "This method does not fit here")
            }
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "This is held elsewhere"),
            Self::Timeout => ("timeout", StatusCode::REQUEST_TIMEOUT, "The body came too slowly"),
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedType => {
                ("unsupported-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "This type of body is not taken")
            }
            Self::UnsupportedEncoding => {
                ("unsupported-encoding", StatusCode::UNSUPPORTED_MEDIA_TYPE, "This encoding is not taken")
            }
            Self::TooMany => ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "There is no room at the moment"),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "This does not work at the moment"),
            Self::Corrupt => ("corrupt", StatusCode::INTERNAL_SERVER_ERROR, "Stored data is damaged"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here"),
        }
    }
}

/// One thing that is wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputError {
    /// Where: an index from 0 in an array, a line from 1 in JSON lines, or a parameter's name.
    pub at: At,
    /// What, with the value's kind and the limit.
    pub message: String,
}

/// A place in the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum At {
    /// An index or a line.
    Number(usize),
    /// A parameter.
    Name(String),
}

impl From<usize> for At {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for At {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

/// What a request is refused with.
#[derive(Debug)]
pub struct Problem {
    kind: Type,
    detail: String,
    errors: Vec<InputError>,
    retry_after_s: Option<u32>,
    close: bool,
    cause: Option<String>,
}

/// The internal cause of a failure, beside the response, for the gate's log.
#[derive(Debug, Clone)]
pub(super) struct Cause(pub String);

#[derive(Serialize)]
struct Wire<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [InputError],
}

impl Problem {
    /// A problem of this type; `detail` is for the one who asked.
    pub fn new(kind: Type, detail: impl Into<String>) -> Self {
        let retry_after_s = matches!(kind, Type::Overloaded | Type::Unavailable).then_some(5);
        Self { kind, detail: detail.into(), errors: Vec::new(), retry_after_s, close: false, cause: None }
    }

    /// A value of the input that does not fit, by its place or its parameter's name.
    pub fn invalid(at: impl Into<At>, message: impl Into<String>) -> Self {
        let error = InputError { at: at.into(), message: message.into() };
        Self::new(Type::InvalidInput, error.message.clone()).with_errors(vec![error])
    }

    /// A failure of a room below: its words reach the client only where they speak of the client's own input.
    pub fn failed(kind: Kind, error: &(dyn std::error::Error + 'static)) -> Self {
        let (kind, detail) = match kind {
            Kind::Invalid => (Type::InvalidInput, error.to_string()),
            Kind::Unsupported => (Type::Unsupported, error.to_string()),
            Kind::Overloaded => (Type::Overloaded, "a bound is reached; the same request may succeed later".into()),
            Kind::Unavailable => (Type::Unavailable, "a part of the server does not answer; try again".into()),
            Kind::Corrupt => (Type::Corrupt, "stored data is damaged; the operator's log says where".into()),
            Kind::Internal => (Type::Internal, "the operator's log says more, by the request id".into()),
        };
        let mut problem = Self::new(kind, detail);
        problem.cause = Some(chain(error));
        problem
    }

    /// The same with the parameter that a refusal from a room below speaks of; other failures stay as they are.
    pub fn about(self, at: impl Into<At>) -> Self {
        if self.kind != Type::InvalidInput || !self.errors.is_empty() {
            return self;
        }
        let error = InputError { at: at.into(), message: self.detail.clone() };
        self.with_errors(vec![error])
    }

    /// The same with all that is wrong with the input.
    pub fn with_errors(mut self, errors: Vec<InputError>) -> Self {
        self.errors = errors;
        self
    }

    /// The same with each named place of the input as `place` calls it.
    pub fn placed(mut self, place: impl Fn(&str) -> String) -> Self {
        for error in &mut self.errors {
            if let At::Name(name) = &mut error.at {
                *name = place(name);
            }
        }
        self
    }

    /// The same, asking the client to wait this long.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// The same, closing the connection: its body was not read to the end.
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// What goes to the log where no response carries it there: the cause, or else what the client is told.
    pub fn cause(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.detail)
    }

    /// Its type.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// What the one who asked is told.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// How long the one who asked should wait, where that is known.
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after_s.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.kind.facts().1
    }
}

/// An error and its sources in one line, for an operator.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (name, status, title) = self.kind.facts();
        let r#type = format!("urn:metronome:problem:{name}");
        let wire = Wire { r#type, title, status: status.as_u16(), detail: &self.detail, errors: &self.errors };
        let body = serde_json::to_vec(&wire).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        match self.kind {
            Type::KeyNeeded => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"metronome\""));
            }
            Type::UnsupportedEncoding => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, zstd, br"));
            }
            _ => {}
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}
