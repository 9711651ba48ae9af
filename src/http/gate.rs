//! The gate in front of every route: names the request, finds whose it is, counts it against the rates, checks its key,
//! and dresses the answer.
//! - No handler runs before all of that passed; none can be reached around it.
//! - A failure is logged here, once, with the request id; addresses, keys and query strings are never logged.
//! - Where a route has manners of its own, they answer what is refused here, and a request over its rate is held as long as
//!   they say before it is.

use super::access::{Caller, Knock};
use super::problem::{Cause, Type};
use super::rates::Sender;
use super::{Access, Manners, Need, Origins, Peer, Problem, Rates, RequestId, address, origins, query, request_id};
use crate::net::Stopping;
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What stands in front of the routes.
#[derive(Debug)]
pub struct Gate {
    /// Keys.
    pub access: Access,
    /// Proxies that are believed about their clients.
    pub trusted_proxies: Vec<IpNet>,
    /// Rates by key and by address.
    pub rates: Rates,
    /// Pages that may write and read.
    pub origins: Origins,
}

/// The gate of one route.
#[derive(Clone)]
pub(super) struct Door {
    pub gate: Arc<Gate>,
    /// What a request needs to pass.
    pub need: Need,
    /// What the path behind it is for, which decides what pages of other origins may see of the answer.
    pub purpose: Need,
    /// Who answers in its place; for what no route takes, if it is their own.
    pub manners: Option<Arc<dyn Manners>>,
}

impl fmt::Debug for Door {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Door").field("need", &self.need).field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

/// Lets a request through to its route, or answers it.
pub(super) async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (head, body) = request.into_parts();
    let admitted = door.admit(id.clone(), &head).await;
    let mut request = Request::from_parts(head, body);
    // Only pages of other origins are judged by the site.
    let bound = admitted.as_ref().ok().and_then(|caller| caller.bound());
    let site = origin.as_ref().map(|_| asked_site(bound, &uri)).unwrap_or_default();
    let mut response = match admitted {
        Ok(_) if door.need == Need::Write && !door.gate.origins.may_write(&site, origin.as_ref()) => {
            let detail = "this site takes no events from pages of this origin";
            door.refuse(Problem::new(Type::Forbidden, detail), request).await
        }
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => door.refuse(problem, request).await,
    };
    let headers = response.headers_mut();
    if let Some(manners) = &door.manners {
        manners.dress(headers);
    }
    headers.insert(request_id::HEADER, id.header());
    origins::secure(door.purpose, headers);
    door.gate.origins.answer(door.purpose, &site, origin.as_ref(), headers);
    log(&id, &method, uri.path(), &response);
    response
}

/// The site a request speaks of, as far as its key and address say.
fn asked_site(bound: Option<&str>, uri: &Uri) -> String {
    let asked = || {
        let pair = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("site="))?;
        query::decode(pair)
    };
    bound.map(str::to_owned).or_else(asked).unwrap_or_else(|| "default".to_owned())
}

impl Door {
    /// Lets a request in, or not; one over its rate is held for a while where the route's manners say so.
    async fn admit(&self, id: RequestId, head: &Parts) -> Result<Caller, Problem> {
        let since = Instant::now();
        let patience = self.manners.as_ref().map_or(Duration::ZERO, |manners| manners.patience());
        loop {
            let admitted = self.gate.admit(self.need, id.clone(), head, since);
            let over = admitted.as_ref().err().filter(|problem| problem.kind() == Type::TooMany);
            let Some(wait) = over.and_then(Problem::wait).filter(|wait| since.elapsed() + *wait <= patience) else {
                return admitted;
            };
            let stopping = head.extensions.get::<Stopping>().cloned();
            let stopped = async {
                match stopping {
                    Some(mut stopping) => stopping.wait().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stopped => return admitted,
            }
        }
    }

    async fn refuse(&self, problem: Problem, request: Request) -> Response {
        match &self.manners {
            Some(manners) => manners.refuse(problem, request).await,
            None => problem.into_response(),
        }
    }
}

impl Gate {
    fn admit(&self, need: Need, request_id: RequestId, head: &Parts, since: Instant) -> Result<Caller, Problem> {
        let Some(peer) = head.extensions.get::<Peer>() else {
            return Err(Problem::new(Type::Internal, "the connection has no address"));
        };
        let peer = peer.0.ip();
        let address = address::client(peer, &head.headers, &self.trusted_proxies);
        if need != Need::Open {
            self.within_rate(&Sender::address(address))?;
        }
        let knock = Knock { need, peer, headers: &head.headers, uri: &head.uri };
        let opened = self.access.check(&knock)?;
        if let Some(key) = opened.pass.key() {
            self.within_rate(&Sender::Key(key.id.as_str().into()))?;
        }
        Ok(Caller { request_id, address, pass: opened.pass, may_read: opened.may_read, since })
    }

    fn within_rate(&self, sender: &Sender) -> Result<(), Problem> {
        self.rates.take(sender, std::time::Instant::now()).map_err(|wait| {
            let whose = if matches!(sender, Sender::Key(_)) { "key" } else { "address" };
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            let detail = format!("over the rate of this {whose}; try again in {seconds} s");
            Problem::new(Type::TooMany, detail).retry_after(seconds)
        })
    }
}

fn log(id: &RequestId, method: &Method, path: &str, response: &Response) {
    let status = response.status().as_u16();
    let request_id = id.as_str();
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) if response.status().is_server_error() => {
            if response.status() == StatusCode::SERVICE_UNAVAILABLE {
                tracing::warn!(request_id, %method, path, status, cause, "request refused for now");
            } else {
                tracing::error!(request_id, %method, path, status, cause, "request failed");
            }
        }
        _ => tracing::debug!(request_id, %method, path, status, "request answered"),
    }
}

/// What is answered where there is no route.
pub(super) async fn not_found(foreign: Option<Arc<dyn Manners>>, request: Request) -> Response {
    let problem = nothing_here(&request);
    elsewhere(foreign, problem, request).await
}

/// What is answered where the route has other methods; `Allow` is the router's.
pub(super) async fn method_not_allowed(foreign: Option<Arc<dyn Manners>>, request: Request) -> Response {
    // A path that begins with a name is any path: whoever asks it by another method is told that nothing is there.
    let is_any = request.extensions().get::<MatchedPath>().is_some_and(|path| path.as_str().starts_with("/{"));
    let problem = if is_any {
        nothing_here(&request)
    } else {
        let detail = format!("{} does not take {}", query::cut(request.uri().path()), request.method());
        Problem::new(Type::MethodNotAllowed, detail)
    };
    elsewhere(foreign, problem, request).await
}

/// The problem of a request that asks for what is not there; says what is.
pub fn nothing_here(request: &Request) -> Problem {
    let method = request.method();
    let path = query::cut(request.uri().path());
    let detail = match path.as_str() {
        "/" => {
            let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("HOST");
            let host = query::cut(host);
            format!("there is no {method} /. Send the first event with: curl -d '{{}}' http://{host}/tick")
        }
        _ => format!("there is no {method} {path}; GET /openapi.json describes all there is"),
    };
    Problem::new(Type::NotFound, detail)
}

/// Answers what no route takes, in the words of those it was meant for.
async fn elsewhere(foreign: Option<Arc<dyn Manners>>, problem: Problem, request: Request) -> Response {
    let Some(manners) = foreign.filter(|manners| manners.is_own(&request)) else { return problem.into_response() };
    let mut response = manners.refuse(problem, request).await;
    manners.dress(response.headers_mut());
    response
}

/// What is answered to a browser that asks first, and to anyone who asks for the methods.
pub(super) fn options(need: Need, allow: HeaderValue) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, allow.clone());
    if matches!(need, Need::Write | Need::Read) {
        origins::preflight(allow, headers);
    }
    response
}
