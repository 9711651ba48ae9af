//! Headers: what stands around the body of a syslog message, as RFC 5424 and RFC 3164 say it and as senders write it.
//! - Works on bytes: a body is what an id is made of, and may be no UTF-8.
//! - Nothing is lost: what does not parse as a header is of the body.
//! - Of RFC 3164 any part may be missing: host, tag, its colon, all of it. The time may be one of RFC 3339.
//! - Absent: what a body says (`event`), frames.

use super::moment::Calendar;
use super::structured::{self, Parameters};
use crate::clock::Millis;
use crate::normalize::access_line::{self, LineFormat};
use crate::normalize::time;

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// Facility and severity make one number: 24 times 8.
const PRIORITIES: u8 = 192;

/// A message taken apart. Texts are absent where they are `-` or missing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Message<'a> {
    pub priority: Option<u8>,
    pub at: Option<Millis>,
    pub hostname: Option<&'a [u8]>,
    pub program: Option<&'a [u8]>,
    pub pid: Option<&'a [u8]>,
    pub msgid: Option<&'a [u8]>,
    pub structured: Parameters,
    pub body: &'a [u8],
}

/// Takes a message apart. One without a priority is all body.
pub(super) fn read<'a>(message: &'a [u8], calendar: Calendar<'_>, keys_max: usize) -> Message<'a> {
    let Some((priority, rest)) = priority(message) else {
        return Message { body: without_bom(message), ..Message::default() };
    };
    let mut read = rfc5424(rest, keys_max).unwrap_or_else(|| rfc3164(rest, calendar));
    read.priority = Some(priority);
    read.body = without_bom(read.body);
    read
}

/// `<134>`.
fn priority(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let inside = bytes.strip_prefix(b"<")?;
    let length = inside.iter().take(4).position(|byte| *byte == b'>')?;
    if !(1..=3).contains(&length) || !inside[..length].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(&inside[..length]).ok()?.parse().ok()?;
    (number < PRIORITIES).then(|| (number, &inside[length + 1..]))
}

/// `1 TIME HOST PROGRAM PID MSGID [structured data] body`, behind the priority.
fn rfc5424(rest: &[u8], keys_max: usize) -> Option<Message<'_>> {
    let rest = rest.strip_prefix(b"1 ")?;
    let (stamp, rest) = word(rest)?;
    let at = match stamp {
        b"-" => None,
        stamp => Some(rfc3339(stamp)?),
    };
    let (hostname, rest) = word(rest)?;
    let (program, rest) = word(rest)?;
    let (pid, rest) = word(rest)?;
    let (msgid, rest) = last_word(rest)?;
    let (structured, body) = match rest.strip_prefix(b"-") {
        Some(body) if matches!(body.first(), None | Some(b' ')) => (Parameters::new(), body),
        // Structured data that does not parse is text.
        _ => structured::read(rest, keys_max).unwrap_or((Parameters::new(), rest)),
    };
    Some(Message {
        priority: None,
        at,
        hostname: said(hostname),
        program: said(program),
        pid: said(pid),
        msgid: said(msgid),
        structured,
        body: body.strip_prefix(b" ").unwrap_or(body),
    })
}

/// `TIME HOST TAG[PID]: body`, behind the priority.
fn rfc3164<'a>(rest: &'a [u8], calendar: Calendar<'_>) -> Message<'a> {
    let Some((at, rest)) = stamp(rest, calendar) else {
        // Without a time a tag is one by its colon alone, and no host stands before it.
        return tagged(rest, false);
    };
    let mut hostname = None;
    let mut tag = rest;
    if let Some((word, after)) = word(rest)
        && tag_of(word).is_none()
        && is_host(word)
        && !is_line_with(word, rest)
    {
        (hostname, tag) = (said(word), after);
    }
    Message { at: Some(at), hostname, ..tagged(tag, true) }
}

/// A time and the space behind it, or the end.
fn stamp<'a>(rest: &'a [u8], calendar: Calendar<'_>) -> Option<(Millis, &'a [u8])> {
    let (at, rest) = calendar.read(rest).or_else(|| {
        let (stamp, _) = rest.split_at(rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len()));
        Some((rfc3339(stamp)?, &rest[stamp.len()..]))
    })?;
    match rest {
        [] => Some((at, rest)),
        [b' ', rest @ ..] => Some((at, rest)),
        _ => None,
    }
}

/// A tag, where one stands there, and the body behind it. Behind a time it is one without pid or colon too.
fn tagged(rest: &[u8], is_behind_time: bool) -> Message<'_> {
    let bare = Message { body: rest, ..Message::default() };
    let Some((word, body)) = last_word(rest) else { return bare };
    match tag_of(word) {
        Some((program, pid)) => Message { program: said(program), pid: pid.and_then(said), body, ..bare },
        None if is_behind_time && is_program(word) && !is_body(rest) => Message { program: Some(word), body, ..bare },
        None => bare,
    }
}

/// Name and pid of `name:`, `name[pid]` or `name[pid]:`; JSON's `{"name":` is none.
fn tag_of(word: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if word.first() == Some(&b'{') {
        return None;
    }
    let (name, has_colon) = word.strip_suffix(b":").map_or((word, false), |name| (name, true));
    let with_pid = name.strip_suffix(b"]").and_then(|inside| {
        let open = memchr::memchr(b'[', inside)?;
        Some((&inside[..open], &inside[open + 1..]))
    });
    match with_pid {
        Some((name, pid)) if !name.is_empty() => Some((name, Some(pid))),
        _ if has_colon && !name.is_empty() => Some((name, None)),
        _ => None,
    }
}

/// Whether a word may be a program's name, with nothing beside it that says so.
fn is_program(word: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    word.first().is_some_and(u8::is_ascii_alphabetic) && word.iter().all(is_part)
}

/// Whether a word may be a host's name or address.
fn is_host(word: &[u8]) -> bool {
    let is_part =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'%') || *byte > 0x7f;
    !word.is_empty() && word.iter().all(is_part)
}

/// Whether an access line begins with this word and is no host before one: a virtual host is told by its port.
fn is_line_with(word: &[u8], rest: &[u8]) -> bool {
    match access_line::detect_line(rest) {
        None => false,
        Some(LineFormat::Vhost) => word.contains(&b':'),
        Some(_) => true,
    }
}

/// Whether a body plainly begins here: it is one that becomes an event of its own.
fn is_body(rest: &[u8]) -> bool {
    rest.first() == Some(&b'{') || access_line::detect_line(rest).is_some()
}

/// A time of RFC 3339.
fn rfc3339(stamp: &[u8]) -> Option<Millis> {
    let looks_so = stamp.len() >= 20 && stamp[4] == b'-' && stamp[10] == b'T';
    time::read_text(std::str::from_utf8(stamp).ok().filter(|_| looks_so)?)
}

/// The bytes before the first space, and those behind it.
fn word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = memchr::memchr(b' ', bytes)?;
    Some((&bytes[..length], &bytes[length + 1..]))
}

/// The same where nothing need stand behind it.
fn last_word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    Some(word(bytes).unwrap_or((bytes, &[])))
}

/// A part that is there: `-` is nil.
fn said(word: &[u8]) -> Option<&[u8]> {
    (!matches!(word, b"-" | b"")).then_some(word)
}

fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(BOM).unwrap_or(body)
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
