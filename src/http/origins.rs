//! Origins: which pages' scripts may write and read (CORS), and what every answer tells browsers.
//! - Any page may write, or, where a site lists its origins, only those; never with credentials.
//! - Reading is for the same origin unless origins are listed for it.

use super::access::Need;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use std::collections::HashMap;

/// Headers a page may send with what it writes.
const HEADERS_ALLOWED: HeaderValue = HeaderValue::from_static(
    "authorization, content-encoding, content-type, dnt, sec-gpc, x-metronome-key, x-request-id",
);

/// The origins that were configured.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// By site, those that may write; a site that is not here takes events of any page.
    pub write: HashMap<String, Vec<String>>,
    /// Those that may read.
    pub read: Vec<String>,
}

impl Origins {
    /// Whether a page of this origin may write to a site.
    pub(super) fn may_write(&self, site: &str, origin: Option<&HeaderValue>) -> bool {
        match (self.write.get(site), origin) {
            (Some(listed), Some(origin)) => listed.iter().any(|one| one.as_bytes() == origin.as_bytes()),
            _ => true,
        }
    }

    /// Tells the browser of a page whether its script may see the answer.
    pub(super) fn answer(&self, need: Need, site: &str, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        let Some(origin) = origin else { return };
        let allowed = match need {
            Need::Write if !self.write.contains_key(site) => HeaderValue::from_static("*"),
            Need::Write if self.may_write(site, Some(origin)) => origin.clone(),
            Need::Read if self.read.iter().any(|one| one.as_bytes() == origin.as_bytes()) => origin.clone(),
            _ => return,
        };
        if allowed != "*" {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        let exposed = HeaderValue::from_static("retry-after, x-request-id");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// Tells a browser that asks first what it may send, where it may send at all.
pub(super) fn preflight(allow: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS_ALLOWED);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
}

/// What every answer says to browsers, unless its route said otherwise.
pub(super) fn secure(purpose: Need, headers: &mut HeaderMap) {
    const DEFAULTS: [(HeaderName, HeaderValue); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(value);
    }
    // What any page may send to, any page may load.
    let whose = if purpose == Need::Write { "cross-origin" } else { "same-origin" };
    headers.entry("cross-origin-resource-policy").or_insert(HeaderValue::from_static(whose));
}
