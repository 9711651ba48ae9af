//! Manners: refusals of the gate, and what no route takes, in Elasticsearch's words.

use super::asker::{Asker, asker};
use super::documents::{body, held, index};
use super::take::{Outcome, untaken};
use super::{Elastic, items, push_back};
use crate::http::{Manners, Problem, Type};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// What clients look for before they believe an answer.
const PRODUCT: (&str, HeaderValue) = ("x-elastic-product", HeaderValue::from_static("Elasticsearch"));

#[async_trait::async_trait]
impl Manners for Elastic {
    fn patience(&self) -> Duration {
        self.parts.hold_max
    }

    fn is_own(&self, request: &Request) -> bool {
        let headers = request.headers();
        let says = |name, what: &str| {
            headers.get(name).is_some_and(|value| value.to_str().is_ok_and(|value| value.contains(what)))
        };
        let client = headers.contains_key("x-elastic-client-meta") || says(header::USER_AGENT, "opensearch-");
        let kind = says(header::ACCEPT, "vnd.elasticsearch+") || says(header::CONTENT_TYPE, "vnd.elasticsearch+");
        client || kind || request.uri().path().split('/').any(|name| name.starts_with('_'))
    }

    async fn refuse(&self, problem: Problem, request: Request) -> Response {
        match problem.kind() {
            Type::TooMany if is_bulk_of_a_helper(&request) => self.refuse_items(problem, request).await,
            _ => push_back::instead(problem, request.headers()),
        }
    }

    fn dress(&self, headers: &mut HeaderMap) {
        headers.insert(PRODUCT.0, PRODUCT.1);
    }
}

impl Elastic {
    /// Refuses each item of a bulk for now.
    async fn refuse_items(&self, problem: Problem, request: Request) -> Response {
        let (head, given) = request.into_parts();
        let given = match body(self, &head.headers, given).await {
            Ok(given) => given,
            Err(problem) => return push_back::instead(problem, &head.headers),
        };
        let heads = match untaken(&given, index(&head.uri)) {
            Ok(heads) => heads,
            Err(fault) => return fault.into_response(),
        };
        let mut share = self.parts.http.bodies.share();
        if share.hold(items::bytes(&heads)).is_err() {
            return push_back::instead(problem, &head.headers);
        }
        push_back::note(&problem, heads.len());
        let outcomes = vec![Outcome::Waiting; heads.len()];
        held(items::write(Duration::ZERO, &heads, &outcomes), share)
    }
}

fn is_bulk_of_a_helper(request: &Request) -> bool {
    request.uri().path().ends_with("/_bulk") && asker(request.headers()) == Asker::Helper
}
