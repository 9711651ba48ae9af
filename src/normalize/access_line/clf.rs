//! The common log format and those that grew from it: common, combined, vhost-combined.
//! - `[vhost:port] host ident user [time] "request" status bytes ["referer" "user agent" …]`.
//! - A quote ends a field where no backslash stands before it; a last field without its quote ends with the line.
//! - Fields behind the user agent are not read: often they are addresses.
//! - `user` and `ident` of the server's own login become `remote_user` and `ident`, addresses in them masked.

use super::super::access::request_line;
use super::{masked, push, refuse};
use crate::event::{RawEvent, Text, Value};
use crate::normalize::Rejection;
use std::borrow::Cow;

pub(super) fn read(line: &[u8], has_vhost: bool) -> Result<RawEvent, Rejection> {
    let (before, time, rest) = around_time(line).ok_or_else(|| refuse("it has no time in brackets"))?;
    let mut fields = Vec::with_capacity(12);
    who(before, has_vhost, &mut fields)?;
    push(&mut fields, "@timestamp", text(time));
    let mut rest = Quoted(rest);
    let request = rest.next().ok_or_else(|| refuse("it has no request in quotes"))?;
    let (method, target) = request_line(&request).ok_or_else(|| refuse("its request is none"))?;
    push(&mut fields, "method", method);
    push(&mut fields, "uri", target);
    let mut numbers = rest.plain();
    let status = numbers.next().and_then(integer).ok_or_else(|| refuse("no status follows its request"))?;
    fields.push(("status".into(), Value::Int(status)));
    if let Some(bytes) = numbers.next().and_then(integer) {
        fields.push(("bytes".into(), Value::Int(bytes)));
    }
    for name in ["referer", "user_agent"] {
        push(&mut fields, name, rest.next().unwrap_or_default());
    }
    Ok(RawEvent { fields, typed: true, protocol_time: None, bytes: line.len() })
}

/// Splits at ` [time] `; the time is the first bracket behind a space.
fn around_time(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let open = memchr::memmem::find(line, b" [")?;
    let inside = &line[open + 2..];
    let close = memchr::memchr(b']', inside)?;
    Some((&line[..open], &inside[..close], &inside[close + 1..]))
}

/// Host, ident and user; the user may hold spaces.
fn who(before: &[u8], has_vhost: bool, fields: &mut Vec<(Text, Value)>) -> Result<(), Rejection> {
    let before = text(before);
    let mut rest = before.trim();
    if has_vhost {
        let (vhost, after) = rest.split_once(' ').ok_or_else(|| refuse("it has no virtual host"))?;
        push(fields, "url_host", vhost);
        rest = after;
    }
    let mut parts = rest.splitn(3, ' ');
    let (Some(host), Some(ident), Some(user)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(refuse("host, ident and user do not stand before its time"));
    };
    push(fields, "remote_host", host);
    // In a line of another format an address stands here.
    push(fields, "ident", masked(ident));
    push(fields, "remote_user", masked(user));
    Ok(())
}

fn integer(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|number| *number >= 0)
}

/// What follows the time: quoted fields, with plain ones between them.
struct Quoted<'a>(&'a [u8]);

impl<'a> Quoted<'a> {
    /// The next quoted field, decoded.
    fn next(&mut self) -> Option<Cow<'a, str>> {
        let open = memchr::memchr(b'"', self.0)?;
        let inside = &self.0[open + 1..];
        let close = closing_quote(inside);
        self.0 = inside.get(close + 1..).unwrap_or_default();
        Some(text(&inside[..close]))
    }

    /// The plain fields before the next quote.
    fn plain(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let end = memchr::memchr(b'"', self.0).unwrap_or(self.0.len());
        self.0[..end].split(u8::is_ascii_whitespace).filter(|part| !part.is_empty())
    }
}

/// Where a field ends: at a quote without a backslash before it, or with the line.
fn closing_quote(inside: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', inside.get(at..).unwrap_or_default()) {
        if inside[at + found] == b'"' {
            return at + found;
        }
        at += found + 2;
    }
    inside.len()
}

/// The text of a field: escapes decoded, then UTF-8.
fn text(field: &[u8]) -> Cow<'_, str> {
    match memchr::memchr(b'\\', field) {
        None => String::from_utf8_lossy(field),
        Some(_) => Cow::Owned(String::from_utf8_lossy(&unescaped(field)).into_owned()),
    }
}

fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        let (byte, length) = if *first == b'\\' { escape(after) } else { (*first, 1) };
        out.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// The byte that an escape stands for, and the escape's length with its backslash; an unknown escape is a backslash.
fn escape(after: &[u8]) -> (u8, usize) {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    match after {
        [b'x', high, low, ..] => match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => (u8::try_from(high * 16 + low).unwrap_or_default(), 4),
            _ => (b'\\', 1),
        },
        [quoted @ (b'"' | b'\\'), ..] => (*quoted, 2),
        [b'n', ..] => (b'\n', 2),
        [b't', ..] => (b'\t', 2),
        [b'r', ..] => (b'\r', 2),
        _ => (b'\\', 1),
    }
}
