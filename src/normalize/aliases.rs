//! Names: which key a sender's name means.
//! - Canonical names, the names that others always use, and short names that speak in access lines alone.
//! - Of several names for one key the canonical one wins, then the first in the tables here.
//! - `host.name` and `hostname` name the machine and are no names of ours.

use crate::event::{Known, Shape};
use std::sync::LazyLock;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A canonical key as it is kept.
    Key(Known),
    /// `@timestamp`.
    Time,
    /// `sent_at`: used, then dropped.
    SentAt,
    /// `ip`: used, then dropped.
    Ip,
    /// `user_agent`: used, then dropped unless configured otherwise.
    Agent,
    /// `url`: split, then dropped.
    Url,
    /// `visitor` as senders mean it: a pseudonym.
    Pseudonym,
    /// A request line: `GET /x HTTP/1.1`.
    Request,
}

/// A name that others use for a key of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// What it stands for.
    pub target: Target,
    /// By how many digits the decimal point moves: seconds to milliseconds are 3.
    pub digits: i32,
}

/// How a name is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A canonical name.
    Own(Target),
    /// A name of something worked out here or later; never taken from the sender.
    Derived,
    /// `@version`.
    Version,
    /// Always another's name: its place in [`OTHERS`].
    Other(usize),
    /// Another's name in access lines: its place in [`SHORT`].
    Short(usize),
}

const fn alias(name: &'static str, target: Target) -> Alias {
    Alias { name, target, digits: 0 }
}

/// Names that others always use, first match first.
pub const OTHERS: [Alias; 20] = [
    alias("timestamp", Target::Time),
    alias("referrer", Target::Key(Known::Referer)),
    alias("url.original", Target::Url),
    alias("url.path", Target::Key(Known::Path)),
    alias("url.domain", Target::Key(Known::UrlHost)),
    alias("http.request.method", Target::Key(Known::Method)),
    alias("http.request.referrer", Target::Key(Known::Referer)),
    alias("http.response.status_code", Target::Key(Known::Status)),
    alias("http.response.body.bytes", Target::Key(Known::Bytes)),
    Alias { name: "event.duration", target: Target::Key(Known::DurationMs), digits: -6 },
    alias("event.id", Target::Key(Known::EventId)),
    alias("user.id", Target::Key(Known::User)),
    alias("user_agent.original", Target::Agent),
    alias("source.ip", Target::Ip),
    alias("source.address", Target::Ip),
    alias("client.ip", Target::Ip),
    alias("client.address", Target::Ip),
    alias("error.type", Target::Key(Known::ErrorType)),
    alias("error.message", Target::Key(Known::Message)),
    alias("error.stack_trace", Target::Key(Known::Stack)),
];

/// The name by which Caddy's lines are known.
pub const CADDY_URI: &str = "request.uri";

/// Short names of access lines, first match first. Those with `request.` are Caddy's.
pub const SHORT: [Alias; 37] = [
    alias("time", Target::Time),
    alias("ts", Target::Time),
    alias("date", Target::Time),
    alias("time_local", Target::Time),
    alias("time_iso8601", Target::Time),
    alias("clientip", Target::Ip),
    alias("client_ip", Target::Ip),
    alias("remote", Target::Ip),
    alias("remote_addr", Target::Ip),
    alias("remote_ip", Target::Ip),
    alias("client", Target::Ip),
    alias("remote_host", Target::Ip),
    alias("request.client_ip", Target::Ip),
    alias("request.remote_ip", Target::Ip),
    alias("request.remote_addr", Target::Ip),
    alias("agent", Target::Agent),
    alias("http_user_agent", Target::Agent),
    alias("ua", Target::Agent),
    alias("request.headers.User-Agent", Target::Agent),
    alias("http_referer", Target::Key(Known::Referer)),
    alias("request.headers.Referer", Target::Key(Known::Referer)),
    alias("request", Target::Request),
    alias("uri", Target::Url),
    alias("request_uri", Target::Url),
    alias(CADDY_URI, Target::Url),
    alias("verb", Target::Key(Known::Method)),
    alias("request.method", Target::Key(Known::Method)),
    alias("code", Target::Key(Known::Status)),
    alias("response", Target::Key(Known::Status)),
    alias("size", Target::Key(Known::Bytes)),
    alias("body_bytes_sent", Target::Key(Known::Bytes)),
    Alias { name: "request_time", target: Target::Key(Known::DurationMs), digits: 3 },
    alias("duration", Target::Key(Known::DurationMs)),
    alias("http_host", Target::Key(Known::UrlHost)),
    alias("vhost", Target::Key(Known::UrlHost)),
    alias("server_name", Target::Key(Known::UrlHost)),
    alias("request.host", Target::Key(Known::UrlHost)),
];

/// Keys of web servers that hold an address or a header with one: dropped from access lines.
pub const ADDRESS_NAMES: [&str; 12] = [
    "x_forwarded_for",
    "http_x_forwarded_for",
    "x-forwarded-for",
    "proxy_add_x_forwarded_for",
    "x_real_ip",
    "http_x_real_ip",
    "x-real-ip",
    "realip_remote_addr",
    "http_cf_connecting_ip",
    "http_forwarded",
    "forwarded",
    "common_log",
];

/// What `name` means.
pub fn meaning(name: &str) -> Option<Meaning> {
    let same_length = NAMES.get(name.len())?;
    same_length.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)
}

/// All names by their length: a look-up compares a handful.
static NAMES: LazyLock<Vec<Vec<(&'static str, Meaning)>>> = LazyLock::new(|| {
    let own = Known::all().map(|known| (known.name(), of_known(known)));
    let inputs = [
        ("sent_at", Meaning::Own(Target::SentAt)),
        ("ip", Meaning::Own(Target::Ip)),
        ("url", Meaning::Own(Target::Url)),
        ("@version", Meaning::Version),
    ];
    let others = OTHERS.iter().enumerate().map(|(at, alias)| (alias.name, Meaning::Other(at)));
    let short = SHORT.iter().enumerate().map(|(at, alias)| (alias.name, Meaning::Short(at)));
    let mut names: Vec<Vec<(&'static str, Meaning)>> = Vec::new();
    for (name, meaning) in own.chain(inputs).chain(others).chain(short) {
        names.resize_with(names.len().max(name.len() + 1), Vec::new);
        names[name.len()].push((name, meaning));
    }
    names
});

fn of_known(known: Known) -> Meaning {
    match known {
        Known::Timestamp => Meaning::Own(Target::Time),
        Known::Visitor => Meaning::Own(Target::Pseudonym),
        Known::UserAgent => Meaning::Own(Target::Agent),
        Known::ReceivedAt
        | Known::Source
        | Known::Channel
        | Known::Browser
        | Known::BrowserVersion
        | Known::Os
        | Known::Device
        | Known::Bot
        | Known::Country
        | Known::Region
        | Known::City
        | Known::Extra => Meaning::Derived,
        _ if known.is_increment() || matches!(known.shape(), Shape::Day | Shape::Hash | Shape::Time) => {
            Meaning::Derived
        }
        _ => Meaning::Own(Target::Key(known)),
    }
}
