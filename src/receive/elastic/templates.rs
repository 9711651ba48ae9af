//! Templates, policies, data streams and pipelines: what shippers set up before they send. Accepted and remembered, without
//! effect: events need none of it.
//! - Bounded: [`KEPT_MAX`] of them, the least lately asked for forgotten first; of one beyond [`BYTES_MAX`] only that it is there.

use super::documents::{answer, body};
use super::errors::{Fault, reworded};
use super::{Elastic, push_back};
use crate::http::{Problem, Type};
use crate::nearest::cut;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lru::LruCache;
use serde::de::IgnoredAny;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// How many are remembered.
const KEPT_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// Bytes of one that are remembered.
const BYTES_MAX: usize = 64 * 1024;

/// Bytes of a path that are remembered; no name is longer.
const PATH_BYTES_MAX: usize = 1024;

/// What was set up, by its path.
pub(super) struct Templates {
    kept: Mutex<LruCache<Box<str>, Bytes>>,
}

impl Default for Templates {
    fn default() -> Self {
        Self { kept: Mutex::new(LruCache::new(KEPT_MAX)) }
    }
}

impl Templates {
    fn keep(&self, path: &str, body: Bytes) {
        let body = if body.len() > BYTES_MAX { Bytes::new() } else { body };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).put(path.into(), body);
    }

    fn get(&self, path: &str) -> Option<Bytes> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

/// Accepts one.
pub(super) async fn put(State(elastic): State<Arc<Elastic>>, request: Request) -> Response {
    let (head, given) = request.into_parts();
    let given = match body(&elastic, &head.headers, given).await {
        Ok(given) => given,
        Err(problem) => return push_back::instead(problem, &head.headers),
    };
    let is_json = std::str::from_utf8(&given).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    if !given.is_empty() && !is_json {
        return Fault::unfit("the body is no JSON").into_response();
    }
    if head.uri.path().len() > PATH_BYTES_MAX {
        return Fault::unfit(format!("the name is longer than {PATH_BYTES_MAX} bytes")).into_response();
    }
    elastic.templates.keep(head.uri.path(), Bytes::copy_from_slice(&given));
    answer(&head.uri, StatusCode::OK, br#"{"acknowledged":true}"#.to_vec())
}

/// Tells one that was accepted.
pub(super) async fn get(State(elastic): State<Arc<Elastic>>, request: Request) -> Response {
    let path = request.uri().path();
    let Some(kept) = elastic.templates.get(path) else {
        return reworded(Problem::new(Type::NotFound, format!("{} is not here", cut(path))));
    };
    let (kind, name) = path.rsplit_once('/').unwrap_or_default();
    let kept = std::str::from_utf8(&kept).ok().filter(|kept| !kept.is_empty()).unwrap_or("{}");
    let wrapped = match kind {
        "/_index_template" => listed("index_templates", name, "index_template", kept),
        "/_component_template" => listed("component_templates", name, "component_template", kept),
        "/_data_stream" => format!("{{\"data_streams\":[{{\"name\":{}}}]}}", text(name)),
        _ => format!("{{{}:{kept}}}", text(name)),
    };
    answer(request.uri(), StatusCode::OK, wrapped.into_bytes())
}

fn listed(list: &str, name: &str, what: &str, kept: &str) -> String {
    format!("{{\"{list}\":[{{\"name\":{},\"{what}\":{kept}}}]}}", text(name))
}

fn text(name: &str) -> String {
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    serde_json::to_string(&name).unwrap_or_default()
}
