//! Access lines: a web server's line among the events of a log, known by its status and its request.
//! - Status and request, or method and path, must parse; then the short names speak, and `-` is absent.
//! - Caddy's nested lines count among them; of its headers only user agent and referer are used, none is kept.

use super::Notes;
use super::aliases::{CADDY_URI, Target};
use super::draft::{Draft, PageAddress};
use super::fit;
use super::gather::{Named, drop_addresses, is_address, lose, note_name, set_free};
use super::time;
use crate::event::{Known, Value};

/// Statuses that a server may log; beyond 599 some have their own.
const STATUS: std::ops::RangeInclusive<i64> = 100..=999;

/// Makes the draft an access line where it is one; `short` are the values under short names.
pub(super) fn resolve(draft: &mut Draft, mut short: Vec<Named>, notes: &mut Notes) {
    short.sort_by_key(|named| named.rank);
    let is_caddy = short.iter().any(|named| named.alias.name == CADDY_URI);
    if !has_status(draft, &short) || !has_request(draft, &short) {
        return short.into_iter().for_each(|named| give_back(draft, named, notes));
    }
    draft.is_access = true;
    draft.drop_dashes();
    short.retain(|named| !matches!(&named.value, Value::Text(text) if text.as_str() == "-"));
    for named in short {
        take(draft, unwrapped(named), is_caddy, notes);
    }
    drop_addresses(draft, notes);
    if is_caddy {
        drop_headers(draft, notes);
    }
}

/// In any other line the names mean what their application means; an address is not kept all the same.
fn give_back(draft: &mut Draft, named: Named, notes: &mut Notes) {
    if named.alias.target == Target::Ip && is_address(&named.value) {
        return notes.add("dropped", Some(named.alias.name), || "addresses are never kept".to_owned());
    }
    set_free(draft, named.alias.name.into(), named.value);
}

fn has_status(draft: &Draft, short: &[Named]) -> bool {
    let target = Target::Key(Known::Status);
    let given = draft.known(Known::Status).into_iter().chain(values(short, target));
    given.into_iter().any(is_status)
}

fn is_status(value: &Value) -> bool {
    matches!(fit::number(value), Some(Value::Int(status)) if STATUS.contains(&status))
}

fn has_request(draft: &Draft, short: &[Named]) -> bool {
    let as_text = |value: &Value| matches!(value, Value::Text(text) if request_line(text).is_some());
    if values(short, Target::Request).any(as_text) {
        return true;
    }
    let method = draft.known(Known::Method).into_iter().chain(values(short, Target::Key(Known::Method)));
    let path = draft.known(Known::Path).into_iter().chain(values(short, Target::Url));
    let url = draft.url.as_ref().is_some_and(|url| is_target(&url.text));
    method.into_iter().any(|value| matches!(value, Value::Text(text) if is_method(text)))
        && (url || path.into_iter().any(|value| matches!(value, Value::Text(text) if is_target(text))))
}

fn values(short: &[Named], target: Target) -> impl Iterator<Item = &Value> {
    short.iter().filter(move |named| named.alias.target == target).map(|named| &named.value)
}

fn take(draft: &mut Draft, named: Named, is_caddy: bool, notes: &mut Notes) {
    let Named { alias, value, .. } = named;
    if alias.target == Target::Request {
        return match take_request(draft, &value) {
            true => note_name(alias, notes),
            false => lose(draft, alias, value, notes),
        };
    }
    if !draft.is_vacant(alias.target) || !speaks(alias.target, &value) {
        return lose(draft, alias, value, notes);
    }
    let digits = if is_caddy && alias.name == "duration" { 3 } else { alias.digits };
    match draft.put(alias.target, value, true, digits) {
        Ok(()) => note_name(alias, notes),
        Err(value) => return lose(draft, alias, value, notes),
    }
    if alias.target == Target::Url
        && let Some(url) = &mut draft.url
    {
        url.is_target = true;
    }
}

/// Whether a short name's value is what the name means here.
fn speaks(target: Target, value: &Value) -> bool {
    match target {
        Target::Time => time::read(value).is_some(),
        Target::Key(Known::Status) => is_status(value),
        Target::Key(Known::Method) => matches!(value, Value::Text(text) if is_method(text)),
        Target::Url => matches!(value, Value::Text(text) if is_target(text)),
        _ => true,
    }
}

/// Method and path out of a request line, where they are not known; whether any was used.
fn take_request(draft: &mut Draft, value: &Value) -> bool {
    let Value::Text(text) = value else { return false };
    let Some((method, target)) = request_line(text) else { return false };
    let mut used = false;
    if draft.known(Known::Method).is_none() {
        draft.set(Known::Method, Value::text(method));
        used = true;
    }
    if draft.is_vacant(Target::Request) {
        draft.url = Some(PageAddress { text: target.into(), is_target: true });
        used = true;
    }
    used
}

/// Method and target of `GET /x HTTP/1.1`; the target may hold spaces, the protocol may be missing.
pub fn request_line(line: &str) -> Option<(&str, &str)> {
    let (method, rest) = line.trim().split_once(' ')?;
    let target = match rest.rsplit_once(' ') {
        Some((target, protocol)) if protocol.starts_with("HTTP/") => target.trim(),
        _ => rest.trim(),
    };
    (is_method(method) && (is_target(target) || method == "CONNECT")).then_some((method, target))
}

fn is_method(text: &str) -> bool {
    (3..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

fn is_target(text: &str) -> bool {
    text.starts_with('/') || text == "*" || text.find("://").is_some_and(|at| at > 0 && !text[..at].contains('/'))
}

/// Caddy writes headers as lists.
fn unwrapped(mut named: Named) -> Named {
    if !named.alias.name.starts_with("request.headers.") {
        return named;
    }
    let first = match &mut named.value {
        Value::List(members) if !members.is_empty() => Some(members.swap_remove(0)),
        _ => None,
    };
    if let Some(first) = first {
        named.value = first;
    }
    named
}

/// Caddy's headers may hold addresses and secrets of people.
fn drop_headers(draft: &mut Draft, notes: &mut Notes) {
    const DROPPED: [&str; 4] = ["request.headers.", "resp_headers.", "request.tls.", "request.remote_port"];
    draft.free.retain(|(name, _)| {
        let drops = DROPPED.iter().any(|start| name.starts_with(start));
        if drops {
            notes.add("dropped", Some(name), || "headers of a request are not kept".to_owned());
        }
        !drops
    });
}
