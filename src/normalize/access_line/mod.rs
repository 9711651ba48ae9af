//! Log lines: the formats in which web servers and their friends write, one line at a time.
//! - A line becomes a raw event; `normalize` makes of it what it is.
//! - Escapes (`\x22`, `\"`, `\\`) are decoded before UTF-8; bytes that are no UTF-8 become U+FFFD.
//! - A line of an access-log format must hold a request; what does not parse is refused with its place in the line.
//! - Absent: files, compression, line numbers, ids (`receive`, `jobs`).

mod clf;
mod cloudfront;
mod detect;

pub use cloudfront::Fields;
pub use detect::{detect, detect_line};

use super::{Limits, Reason, Rejection, json, mask};
use crate::event::{RawEvent, Text, Value};

/// How a log's lines are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineFormat {
    /// `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`, as Apache and nginx write by default.
    Combined,
    /// The same without referer and user agent.
    Common,
    /// Combined behind `%v:%p`.
    Vhost,
    /// A JSON object a line: of nginx, Caddy, or any application.
    Json,
    /// Tab-separated, the columns named by `#Fields`.
    CloudFront(Fields),
    /// `time⇥tag⇥json`, as fluent-plugin-s3 and out_file write.
    TagTab,
}

impl LineFormat {
    /// Its name on the command line and in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Combined => "combined",
            Self::Common => "common",
            Self::Vhost => "vhost",
            Self::Json => "json",
            Self::CloudFront(_) => "cloudfront",
            Self::TagTab => "fluentd",
        }
    }

    /// The line that must come before lines of this format, where there is one.
    pub fn heading(&self) -> Option<String> {
        match self {
            Self::CloudFront(fields) => Some(fields.line()),
            _ => None,
        }
    }

    /// The format of this name; the columns of `cloudfront` are its default ones until a `#Fields` line names others.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "combined" => Some(Self::Combined),
            "common" => Some(Self::Common),
            "vhost" | "vhost_combined" | "vhost-combined" => Some(Self::Vhost),
            "json" | "ndjson" | "nginx" | "caddy" => Some(Self::Json),
            "cloudfront" => Some(Self::CloudFront(Fields::default())),
            "fluentd" => Some(Self::TagTab),
            _ => None,
        }
    }
}

/// Reads one line, without its line ending. `#Fields` lines and other comments are [`is_comment`]'s and never come here.
pub fn read(line: &[u8], format: &LineFormat, limits: &Limits) -> Result<RawEvent, Rejection> {
    if line.len() > limits.event_bytes_max {
        let text = format!("the line has {} bytes: the limit is {}", line.len(), limits.event_bytes_max);
        return Err(Rejection::new(Reason::EventTooLarge, text));
    }
    match format {
        LineFormat::Combined | LineFormat::Common => clf::read(line, false),
        LineFormat::Vhost => clf::read(line, true),
        LineFormat::Json => json::read_lossy(line, limits),
        LineFormat::CloudFront(fields) => cloudfront::read(line, fields),
        LineFormat::TagTab => tag_tab(line, limits),
    }
}

/// Whether a line of this format is a comment and no event.
pub fn is_comment(line: &[u8], format: &LineFormat) -> bool {
    matches!(format, LineFormat::CloudFront(_)) && line.starts_with(b"#")
}

/// A line that no format fits, as an event of its own: its text as `message`, addresses in it masked.
pub fn unparsed(line: &[u8]) -> RawEvent {
    let text = String::from_utf8_lossy(line);
    let message = Value::text(mask::addresses(&text).into_owned());
    RawEvent { fields: vec![("message".into(), message)], typed: true, protocol_time: None, bytes: line.len() }
}

/// Blots out the addresses in the text of a line that does not parse.
pub fn masked(text: &str) -> std::borrow::Cow<'_, str> {
    mask::addresses(text)
}

fn tag_tab(line: &[u8], limits: &Limits) -> Result<RawEvent, Rejection> {
    let mut columns = line.splitn(3, |byte| *byte == b'\t');
    let (Some(time), Some(tag), Some(record)) = (columns.next(), columns.next(), columns.next()) else {
        return Err(refuse("expected time, tag and JSON between tabs"));
    };
    let time = String::from_utf8_lossy(time);
    if super::time::read_text(&time).is_none() {
        return Err(refuse("its first column is no time"));
    }
    let mut raw = json::read_lossy(record, limits)?;
    raw.bytes = line.len();
    let given = [("@timestamp", time.into_owned()), ("tag", String::from_utf8_lossy(tag).into_owned())];
    for (name, text) in given {
        let is_there = raw.get(name).is_some() || (name == "@timestamp" && raw.get("timestamp").is_some());
        if !is_there {
            raw.fields.push((name.into(), Value::text(text)));
        }
    }
    Ok(raw)
}

fn refuse(what: &str) -> Rejection {
    Rejection::new(Reason::Line, format!("the line does not parse: {what}"))
}

/// A text field of an event, where it is there: `-` and nothing are absent.
fn push(fields: &mut Vec<(Text, Value)>, name: &str, text: impl AsRef<str>) {
    let text = text.as_ref();
    if !matches!(text, "" | "-") {
        fields.push((name.into(), Value::text(text)));
    }
}

#[cfg(test)]
#[path = "../tests/access_line.rs"]
mod tests;
