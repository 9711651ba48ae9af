//! CloudFront's standard logs: tab-separated, the columns named by a `#Fields` line.
//! - What is in them is percent-encoded, some of it twice.
//! - Cookies, forwarded addresses and the person's port are not read; all other columns keep their names.

use super::{push, refuse};
use crate::event::{RawEvent, Text, Value};
use crate::normalize::Rejection;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The columns of a file without a `#Fields` line.
const DEFAULT: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) \
    cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes \
    time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status \
    fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len \
    sc-range-start sc-range-end";

/// Columns that are read apart, or say too much of a person.
const NOT_KEPT: [&str; 7] =
    ["date", "time", "cs-uri-query", "cs(Cookie)", "x-forwarded-for", "c-port", "cs(X-Forwarded-For)"];

/// The columns of a file, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(Vec<String>);

impl Default for Fields {
    fn default() -> Self {
        Self(DEFAULT.split_ascii_whitespace().map(str::to_owned).collect())
    }
}

impl Fields {
    /// Reads a `#Fields: date time …` line.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let names = std::str::from_utf8(line.strip_prefix(b"#Fields:")?).ok()?;
        let names: Vec<String> = names.split_ascii_whitespace().map(str::to_owned).collect();
        (!names.is_empty()).then_some(Self(names))
    }

    /// The line that names these columns.
    pub(super) fn line(&self) -> String {
        format!("#Fields: {}", self.0.join(" "))
    }
}

pub(super) fn read(line: &[u8], columns: &Fields) -> Result<RawEvent, Rejection> {
    let given: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    if given.len() < columns.0.len().min(12) {
        let text = format!("it has {} columns, and #Fields names {}", given.len(), columns.0.len());
        return Err(refuse(&text));
    }
    let get = |name: &str| {
        let at = columns.0.iter().position(|column| column == name)?;
        given.get(at).map(|text| String::from_utf8_lossy(text)).filter(|text| text != "-")
    };
    let (Some(date), Some(time)) = (get("date"), get("time")) else {
        return Err(refuse("it has no date and time"));
    };
    let (Some(method), Some(stem)) = (get("cs-method"), get("cs-uri-stem")) else {
        return Err(refuse("it has no method and path"));
    };
    let mut fields = Vec::with_capacity(columns.0.len());
    push(&mut fields, "@timestamp", format!("{date}T{time}Z"));
    push(&mut fields, "method", method);
    let query = get("cs-uri-query").map_or_else(String::new, |query| format!("?{query}"));
    push(&mut fields, "uri", format!("{stem}{query}"));
    // The name that the person asked for, before the distribution's own.
    push(&mut fields, "url_host", get("x-host-header").or_else(|| get("cs(Host)")).unwrap_or_default());
    for (name, value) in columns.0.iter().zip(&given) {
        column(&mut fields, name, value);
    }
    Ok(RawEvent { fields, typed: true, protocol_time: None, bytes: line.len() })
}

fn column(fields: &mut Vec<(Text, Value)>, name: &str, value: &[u8]) {
    let ours = match name {
        "c-ip" => "remote_host",
        "sc-status" => "status",
        "sc-bytes" => "bytes",
        "cs(Referer)" => "referer",
        "cs(User-Agent)" => "user_agent",
        "time-taken" => "request_time",
        "cs-method" | "cs-uri-stem" | "x-host-header" | "cs(Host)" => return,
        other if NOT_KEPT.contains(&other) => return,
        other => other,
    };
    push(fields, ours, decoded(value));
}

/// Decoded once, and again where `%` itself was encoded.
fn decoded(value: &[u8]) -> Cow<'_, str> {
    let once = percent_decode(value).decode_utf8_lossy();
    if !once.contains("%20") && !once.contains("%25") {
        return once;
    }
    Cow::Owned(percent_decode(once.as_bytes()).decode_utf8_lossy().into_owned())
}
