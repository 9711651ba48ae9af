//! Events: what a syslog message says becomes a raw event with the id of its line.
//! - A body in an access-log format or of JSON is that event; any other is a `message`, addresses in it masked.
//! - The header is told under Logstash's names, for what the body does not say itself: `hostname`, `program`, `pid`, `msgid`,
//!   `facility`, `severity`, structured data as `id.name`; its time is the event's where the body names none.
//! - An id is made of the body, as a file has it, where the body says when it was; else of the whole message. What says
//!   nowhere when it was has none.

use super::header::{self, Message};
use super::moment::Calendar;
use crate::clock::Millis;
use crate::event::{RawEvent, Text, Value};
use crate::normalize::access_line::{self, LineFormat, masked, unparsed};
use crate::normalize::{Limits, Reason, Rejection, time};

/// Facilities by their number (RFC 5424, table 1), as `logger` and others name them.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
/// Severities by their number (table 2).
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// What a message says, and what the id of its line is made of: the bytes, and when it was.
#[derive(Debug)]
pub struct Said<'a> {
    /// The event, without the id of its line.
    pub raw: RawEvent,
    /// What that id is made of, where the message says when it was.
    pub line: Option<(&'a [u8], Millis)>,
}

/// Reads a message.
///
/// # Errors
/// A body that no event may be: too long, nested too deep, a key or number that is none.
pub fn read<'a>(message: &'a [u8], calendar: Calendar<'_>, limits: &Limits) -> Result<Said<'a>, Rejection> {
    let header = header::read(message, calendar, limits.keys_max);
    let mut raw = body(header.body, limits)?;
    let of_body = time::said(&raw).map(|at| (header.body, at));
    let line = of_body.or(header.at.map(|at| (message, at)));
    raw.protocol_time = header.at;
    for (name, value) in words(header) {
        if raw.get(&name).is_none() {
            raw.fields.push((name, value));
        }
    }
    Ok(Said { raw, line })
}

fn body(body: &[u8], limits: &Limits) -> Result<RawEvent, Rejection> {
    if body.len() > limits.event_bytes_max {
        return Err(too_long(limits));
    }
    let Some(format) = format(body) else { return Ok(unparsed(body)) };
    match access_line::read(body, &format, limits) {
        Err(rejection) if matches!(rejection.reason, Reason::Line | Reason::NotJson | Reason::NotAnObject) => {
            Ok(unparsed(body))
        }
        read => read,
    }
}

/// Why a message that is too long is not taken.
pub(super) fn too_long(limits: &Limits) -> Rejection {
    let text = format!("the message has more bytes than an event may have: the limit is {}", limits.event_bytes_max);
    Rejection::new(Reason::EventTooLarge, text)
}

fn format(body: &[u8]) -> Option<LineFormat> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if *first == b'{' { Some(LineFormat::Json) } else { access_line::detect_line(body) }
}

/// What the header says beside the time.
fn words(header: Message<'_>) -> Vec<(Text, Value)> {
    let mut all = header.structured;
    let words =
        [("hostname", header.hostname), ("program", header.program), ("pid", header.pid), ("msgid", header.msgid)];
    for (name, word) in words {
        let text = word.map(String::from_utf8_lossy);
        all.extend(text.map(|text| (name.into(), Value::text(masked(&text)))));
    }
    if let Some(priority) = header.priority {
        let (facility, severity) = (usize::from(priority / 8), usize::from(priority % 8));
        all.extend(FACILITIES.get(facility).map(|name| ("facility".into(), Value::text(*name))));
        all.extend(SEVERITIES.get(severity).map(|name| ("severity".into(), Value::text(*name))));
    }
    all
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
