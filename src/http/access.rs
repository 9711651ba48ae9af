//! Access: who asks, and whether the key they show opens this route.
//! - A key is sent as `Authorization: Bearer`, `x-metronome-key`, or, for writing only, `?key=`; or as senders made for other
//!   servers wrap it: `Basic` (either half) and `ApiKey` (as it stands, or in base64 behind an id). What those schemes carry
//!   that is no key of ours is a proxy's, and is passed over.
//! - Without any key configured everything is granted, to this machine alone and never through a proxy or another
//!   site's page.
//! - The site a key is bound to travels on in [`Caller`]; a question about another site is refused.
//! - What let a caller in travels on too: an answer that lasts asks again and again whether it still holds.
//! - Absent: how keys are stored and compared (`catalog`).

use super::problem::Type;
use super::{Problem, RequestId, query};
use crate::catalog::CatalogError;
use crate::catalog::keys::{self, Key, Keys, Scope};
use axum::http::{HeaderMap, HeaderName, Uri, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;

/// The header that carries a key.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-metronome-key");

/// What only a proxy sends.
const PROXY_HEADERS: [&str; 3] = ["x-forwarded-for", "forwarded", "via"];

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Open,
    /// A key that may write.
    Write,
    /// A key that may read the site asked for.
    Read,
    /// A key that may read every site.
    ReadAll,
    /// An administrator's key.
    Admin,
}

impl Need {
    /// Its name in the description of the API; `None` where no key is needed.
    pub fn scope(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Write => Some("write"),
            Self::Read | Self::ReadAll => Some("read"),
            Self::Admin => Some("admin"),
        }
    }

    fn granted_by(self, scope: Scope, site: Option<&str>) -> bool {
        match self {
            Self::Open => true,
            Self::Write => matches!(scope, Scope::Write | Scope::Admin),
            Self::Read => matches!(scope, Scope::Read | Scope::Admin),
            Self::ReadAll => matches!(scope, Scope::Read | Scope::Admin) && site.is_none(),
            Self::Admin => scope == Scope::Admin,
        }
    }
}

/// Who sent a request, as far as the gate knows; handlers find it among the request's extensions.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The request's name.
    pub request_id: RequestId,
    /// The client's address: never to be stored, logged or answered.
    pub address: IpAddr,
    /// What let it in.
    pub pass: Pass,
    /// Whether it may read: what an open route tells readers alone, it tells by this.
    pub may_read: bool,
    /// When the request was there.
    pub since: Instant,
}

impl Caller {
    /// The one site that the caller's key may read, if it is bound to one.
    pub fn bound(&self) -> Option<&str> {
        self.pass.key()?.site.as_deref()
    }

    /// Refuses a caller whom what let it in would not let in any more: its key was revoked, or was not needed and is.
    pub fn may_still(&self) -> Result<(), Problem> {
        let (holds, detail) = match &self.pass {
            Pass::Free => return Ok(()),
            Pass::NoKeys(keys) => (keys.is_empty(), "a key is needed by now"),
            Pass::Key(keys, key) => (keys.holds(key), "this key was revoked"),
        };
        if holds.map_err(|error| failed(&error))? { Ok(()) } else { Err(Problem::new(Type::KeyNeeded, detail)) }
    }

    /// The site a question is about: the one asked for, else the key's, else `default`. A key bound to another one is refused.
    pub fn site(&self, asked: Option<&str>) -> Result<String, Problem> {
        match (asked, self.bound()) {
            (Some(asked), Some(bound)) if asked != bound => {
                let detail = format!("this key is bound to the site {bound:?} and reads no other");
                Err(Problem::new(Type::Forbidden, detail))
            }
            (asked, bound) => Ok(asked.or(bound).unwrap_or("default").to_owned()),
        }
    }
}

/// What let a caller in.
#[derive(Debug, Clone)]
pub enum Pass {
    /// Nothing that can be taken back.
    Free,
    /// That there is no key.
    NoKeys(Arc<Keys>),
    /// A key.
    Key(Arc<Keys>, Key),
}

impl Pass {
    /// The key, where it was one.
    pub(super) fn key(&self) -> Option<&Key> {
        if let Self::Key(_, key) = self { Some(key) } else { None }
    }
}

/// Checks keys.
#[derive(Debug)]
pub struct Access {
    /// `None`: whoever asks may do everything.
    keys: Option<Arc<Keys>>,
}

/// A request as the gate sees it.
pub(super) struct Knock<'a> {
    pub need: Need,
    pub peer: IpAddr,
    pub headers: &'a HeaderMap,
    pub uri: &'a Uri,
}

/// A route that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub pass: Pass,
    pub may_read: bool,
}

impl Opened {
    fn free(may_read: bool) -> Self {
        Self { pass: Pass::Free, may_read }
    }
}

impl Access {
    /// Checks against these keys as they are at each request.
    pub fn new(keys: Arc<Keys>) -> Self {
        Self { keys: Some(keys) }
    }

    /// Grants everything, for those who hold the data folder itself.
    pub fn all() -> Self {
        Self { keys: None }
    }

    pub(super) fn check(&self, knock: &Knock<'_>) -> Result<Opened, Problem> {
        let Some(keys) = &self.keys else { return Ok(Opened::free(true)) };
        if keys.is_empty().map_err(|error| failed(&error))? {
            let may_read = without_keys(&Knock { need: Need::Read, ..*knock }).is_ok();
            return without_keys(knock).map(|()| Opened { pass: Pass::NoKeys(Arc::clone(keys)), may_read });
        }
        let Some(secret) = key_of(knock)? else {
            return match knock.need.scope() {
                None => Ok(Opened::free(false)),
                Some(scope) => Err(Problem::new(Type::KeyNeeded, format!("this needs a key with the scope {scope}"))),
            };
        };
        match (knock.need, keys.find(&secret).map_err(|error| failed(&error))?) {
            (_, Some(key)) if knock.need.granted_by(key.scope, key.site.as_deref()) => {
                let may_read = Need::Read.granted_by(key.scope, key.site.as_deref());
                Ok(Opened { pass: Pass::Key(Arc::clone(keys), key), may_read })
            }
            (_, Some(_)) => {
                let scope = knock.need.scope().unwrap_or_default();
                let of = if knock.need == Need::ReadAll { " and no site" } else { "" };
                Err(Problem::new(Type::Forbidden, format!("this needs a key with the scope {scope}{of}")))
            }
            (Need::Open, None) => Ok(Opened::free(false)),
            (_, None) => Err(Problem::new(Type::KeyNeeded, "this key is not known here")),
        }
    }
}

fn failed(error: &CatalogError) -> Problem {
    Problem::failed(error.kind(), error)
}

/// The key a request shows.
fn key_of(knock: &Knock<'_>) -> Result<Option<String>, Problem> {
    let text = |name: &HeaderName| knock.headers.get(name).and_then(|value| value.to_str().ok());
    let authorized = text(&header::AUTHORIZATION).and_then(authorized);
    if let Some(key) = authorized.or_else(|| text(&KEY_HEADER).map(|key| key.trim().to_owned())) {
        return Ok(Some(key));
    }
    let query = knock.uri.query().unwrap_or_default();
    let Some(key) = query.split('&').find_map(|pair| pair.strip_prefix("key=")) else { return Ok(None) };
    match knock.need {
        Need::Write => Ok(query::decode(key)),
        Need::Open => Ok(None),
        _ => Err(Problem::new(
            Type::KeyNeeded,
            "a key in the address is for writing only; send it as Authorization: Bearer or x-metronome-key",
        )),
    }
}

/// The key in an `Authorization` header.
fn authorized(value: &str) -> Option<String> {
    let (scheme, text) = value.split_once(' ')?;
    let text = text.trim();
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    if is("bearer") || (is("apikey") && text.starts_with(keys::PREFIX)) {
        return Some(text.to_owned());
    }
    if !is("basic") && !is("apikey") {
        return None;
    }
    let wrapped = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
    let mut halves = wrapped.splitn(2, ':').filter(|half| half.starts_with(keys::PREFIX));
    halves.next().map(str::to_owned)
}

/// The rule while no key is configured: this machine alone, no proxy in between, no other site's page but to write.
fn without_keys(knock: &Knock<'_>) -> Result<(), Problem> {
    let refuse = |detail: &str| {
        let detail = format!("no key is configured, so {detail}; make one with: metronome key new");
        Err(Problem::new(Type::Forbidden, detail))
    };
    if !knock.peer.to_canonical().is_loopback() {
        return refuse("only this machine is answered");
    }
    if PROXY_HEADERS.iter().any(|name| knock.headers.contains_key(*name)) {
        return refuse("requests through a proxy (X-Forwarded-For, Forwarded, Via) are refused");
    }
    if matches!(knock.need, Need::Open | Need::Write) {
        return Ok(());
    }
    let text = |name: HeaderName| knock.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST);
    if host.is_some_and(|host| !is_loopback_name(host)) {
        return refuse("only requests to localhost or a loopback address are answered");
    }
    let foreign = text(header::ORIGIN).is_some_and(|origin| origin.split_once("://").map(|(_, of)| of) != host);
    if foreign { refuse("pages of other origins may only write") } else { Ok(()) }
}

/// Whether a `Host` header names this machine by itself, so that no foreign name was pointed here.
fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
