//! JSON: the bytes of a body become raw events.
//! - Nothing here recurses deeper than [`Limits::depth_max`]: depth is counted before the parser begins.
//! - Objects are flattened with `.` as they are read (`flatten`).
//! - Whole numbers are exact up to 64 bits, larger ones become floats, `1e999` is refused.
//! - Of duplicate keys both are handed on, in order; the last wins (`normalize`).
//! - Every refusal names its place: line and column, from 1, columns in bytes.

mod body;
mod lossy;
mod split;

pub use body::{BodyError, read_all};
pub use split::{Layout, Part, Parts, split};

use super::flatten::{self, Refusal};
use super::{Limits, Reason, Rejection};
use crate::event::RawEvent;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Reads one JSON object, strictly: invalid UTF-8 and lone surrogates are refused.
pub fn read(slice: &[u8], limits: &Limits) -> Result<RawEvent, Rejection> {
    read_within(slice, 0, slice, limits)
}

/// Reads one JSON object of a log line: invalid UTF-8 and lone surrogates become U+FFFD, `\x22` stands for its byte.
pub fn read_lossy(slice: &[u8], limits: &Limits) -> Result<RawEvent, Rejection> {
    match read(slice, limits) {
        Err(rejection) if matches!(rejection.reason, Reason::NotJson | Reason::Encoding) => {
            let repaired = lossy::repair(slice).ok_or(rejection)?;
            read(repaired.as_bytes(), limits)
        }
        other => other,
    }
}

/// Whether the text of a key is allowed; the rejection says why not.
pub(super) fn check_key(key: &str, limits: &Limits) -> Result<(), Rejection> {
    if key.is_empty() {
        return Err(Rejection::of_key(Reason::BadKey, key, "a key is empty: it needs 1 byte at least"));
    }
    if key.len() > limits.key_bytes_max {
        let mut shown = key.to_owned();
        shown.truncate(key.floor_char_boundary(32));
        let text = format!("key {shown:?}… has {} bytes: the limit is {}", key.len(), limits.key_bytes_max);
        return Err(Rejection::of_key(Reason::BadKey, &shown, text));
    }
    let plain = key.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    if !plain && key.chars().any(char::is_control) {
        let text = format!("key {key:?} holds a control character");
        return Err(Rejection::of_key(Reason::BadKey, key, text));
    }
    Ok(())
}

/// Reads the object in `slice`, which lies at `offset` in `body`; places in messages are those in the body.
fn read_within(body: &[u8], offset: usize, slice: &[u8], limits: &Limits) -> Result<RawEvent, Rejection> {
    if slice.len() > limits.event_bytes_max {
        let text = format!("the event has {} bytes of JSON: the limit is {}", slice.len(), limits.event_bytes_max);
        return Err(Rejection::new(Reason::EventTooLarge, text));
    }
    let bare = slice.strip_prefix(BOM).unwrap_or(slice);
    let offset = offset + (slice.len() - bare.len());
    let text = std::str::from_utf8(bare).map_err(|error| no_unicode(body, offset + error.valid_up_to()))?;
    check_depth(body, offset, bare, limits.depth_max)?;
    match bare.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => {}
        _ => return Err(not_an_object(body, offset, bare)),
    }
    let mut parser = serde_json::Deserializer::from_str(text);
    let fields = flatten::fields(&mut parser, limits).and_then(|fields| {
        parser.end().map_err(Refusal::Syntax)?;
        Ok(fields)
    });
    let fields = fields.map_err(|refusal| match refusal {
        Refusal::Rule(rejection) => rejection,
        Refusal::Syntax(error) => syntax(body, offset, &error),
    })?;
    Ok(RawEvent { fields, typed: true, protocol_time: None, bytes: slice.len() })
}

fn no_unicode(body: &[u8], offset: usize) -> Rejection {
    let (line, column) = place(body, offset);
    Rejection::new(Reason::Encoding, format!("no Unicode text at line {line} column {column}: invalid UTF-8"))
}

/// Counts levels without recursion; brackets in strings are none.
fn check_depth(body: &[u8], offset: usize, slice: &[u8], depth_max: usize) -> Result<(), Rejection> {
    // Fewer opening brackets than levels: the common case, without looking at strings.
    if slice.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= depth_max {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in slice.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > depth_max {
            let (line, column) = place(body, offset + at);
            let text = format!("nested too deep at line {line} column {column}: the limit is {depth_max} levels");
            return Err(Rejection::new(Reason::TooDeep, text));
        }
    }
    Ok(())
}

fn not_an_object(body: &[u8], offset: usize, slice: &[u8]) -> Rejection {
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(slice) {
        return syntax(body, offset, &error);
    }
    let start = slice.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    let kind = match slice.get(start) {
        Some(b'[') => "an array",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    };
    let (line, column) = place(body, offset + start);
    Rejection::new(Reason::NotAnObject, format!("at line {line} column {column} stands {kind}: an event is an object"))
}

/// A parser's complaint as a rejection, with its place in the body.
fn syntax(body: &[u8], offset: usize, error: &serde_json::Error) -> Rejection {
    let (first_line, first_column) = place(body, offset);
    let line = first_line + error.line().max(1) - 1;
    let column = if error.line() <= 1 { first_column - 1 + error.column().max(1) } else { error.column() };
    let whole = error.to_string();
    let what = whole.split(" at line ").next().unwrap_or_default();
    let (reason, opening, what) = match what {
        // What the parser says of the first half of a pair that no second half follows, and of a second half alone.
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            (Reason::Encoding, "no Unicode text", "half of a surrogate pair")
        }
        "number out of range" => (Reason::Number, "no 64-bit number", what),
        _ => (Reason::NotJson, "not JSON", what),
    };
    Rejection::new(reason, format!("{opening} at line {line} column {column}: {what}"))
}

/// The line and column, from 1, of a byte of the body.
fn place(body: &[u8], offset: usize) -> (usize, usize) {
    let before = &body[..offset.min(body.len())];
    let line = 1 + memchr::memchr_iter(b'\n', before).count();
    let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
    (line, column)
}

#[cfg(test)]
#[path = "../tests/json.rs"]
mod tests;
