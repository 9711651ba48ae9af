//! Formats: how an answer is written down.

use crate::http::{Problem, Type, query};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
    Svg,
}

impl Format {
    /// Splits a path into what is before its last suffix, and the form this suffix names.
    pub(super) fn split(path: &str) -> Result<(&str, Self), Problem> {
        let split = path.rsplit_once('.').and_then(|(rest, suffix)| {
            let format = match suffix {
                "json" => Self::Json,
                "csv" => Self::Csv,
                "svg" => Self::Svg,
                _ => return None,
            };
            Some((rest, format))
        });
        split.ok_or_else(|| {
            let path = query::cut(path);
            Problem::new(Type::NotFound, format!("{path} does not end in a format: .json, .csv or .svg"))
        })
    }
}

/// An answer as JSON.
pub(super) fn json(answer: &impl Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(body) => typed("application/json", body),
        Err(error) => Problem::failed(crate::error::Kind::Internal, &error).into_response(),
    }
}

/// An answer of another type.
pub(super) fn typed(content_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    const TYPE: HeaderName = header::CONTENT_TYPE;
    ([(TYPE, HeaderValue::from_static(content_type))], body.into()).into_response()
}
