//! Manners: how a surface that speaks another product's language answers what the gate and the router refuse.
//! - Its rows name it ([`super::Routes::with_manners`]); every answer of theirs is dressed by it, refusals too.
//! - Absent: which surface that is (`receive`).

use super::Problem;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use std::time::Duration;

/// The manners of one surface.
#[async_trait::async_trait]
pub trait Manners: Send + Sync {
    /// How long a request over its rate is held before it is refused.
    fn patience(&self) -> Duration;

    /// Whether a request that no route takes was meant for this surface.
    fn is_own(&self, request: &Request) -> bool;

    /// What is answered in a problem's place; the request is the one that met it, its body unread.
    async fn refuse(&self, problem: Problem, request: Request) -> Response;

    /// What every answer bears.
    fn dress(&self, headers: &mut HeaderMap);
}
