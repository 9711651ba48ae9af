//! The configuration as it is used: texts parsed, units in the types. Made by [`super::check`] alone.

use ipnet::IpNet;
use jiff::tz::TimeZone;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything an operator can set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where custom queries lie as files; `None` where there are none.
    pub queries_dir: Option<PathBuf>,
    /// The HTTP server.
    pub http: Http,
    /// The receivers beside HTTP.
    pub receivers: Receivers,
    /// The version that Elasticsearch's clients are told.
    pub elastic_version: String,
    /// The journal.
    pub journal: Journal,
    /// The store.
    pub store: Store,
    /// How long things are kept.
    pub retention: Retention,
    /// What is kept of a person.
    pub privacy: Privacy,
    /// Bounds.
    pub limits: Limits,
    /// The log.
    pub log: Log,
    /// Sites that are more than a name.
    pub sites: Vec<Site>,
}

/// The HTTP server.
#[derive(Debug, Clone)]
pub struct Http {
    /// The address served.
    pub listen: SocketAddr,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The largest body after decompression.
    pub body_bytes_max: usize,
    /// Connections open at once, here and at each port beside it.
    pub connections_max: usize,
    /// The certificate; `None` serves without TLS.
    pub tls: Option<TlsFiles>,
}

/// A certificate and its key.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The chain, in PEM.
    pub cert: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// The receivers beside HTTP; `None` where one is off.
#[derive(Debug, Clone)]
pub struct Receivers {
    /// Fluentd's protocol.
    pub forward: Option<Forward>,
    /// Syslog.
    pub syslog: Option<Syslog>,
    /// Lines of JSON, as Logstash's tcp and udp inputs take them.
    pub lines: Option<Port>,
    /// The protocol of Beats.
    pub lumberjack: Option<Port>,
}

impl Receivers {
    /// How many are on.
    pub fn count(&self) -> usize {
        let Self { forward, syslog, lines, lumberjack } = self;
        [forward.is_some(), syslog.is_some(), lines.is_some(), lumberjack.is_some()]
            .into_iter()
            .filter(|on| *on)
            .count()
    }
}

/// Where a receiver listens.
#[derive(Debug, Clone)]
pub struct Port {
    /// The address, of TCP and of UDP where the protocol has both.
    pub listen: SocketAddr,
    /// The site of events that name none.
    pub site: Option<String>,
    /// The certificate; `None` serves without TLS.
    pub tls: Option<TlsFiles>,
}

/// Fluentd's protocol.
#[derive(Debug, Clone)]
pub struct Forward {
    /// Where it listens.
    pub port: Port,
    /// What both ends know; `None` asks nobody for it.
    pub shared_key: Option<Secret>,
    /// Names and passwords; none asks nobody for them.
    pub users: Vec<(String, Secret)>,
}

/// Syslog.
#[derive(Debug, Clone)]
pub struct Syslog {
    /// Where it listens.
    pub port: Port,
    /// The zone of times that name none.
    pub zone: TimeZone,
}

/// A text that no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// The journal.
#[derive(Debug, Clone)]
pub struct Journal {
    /// Bytes on disk past which nothing is taken.
    pub bytes_max: u64,
    /// Bytes after which a segment is finished.
    pub segment_bytes_max: u64,
}

/// The store.
#[derive(Debug, Clone)]
pub struct Store {
    /// How long an event waits to be committed at the most.
    pub commit_every: Duration,
    /// How many events of a day wait to be committed at the most.
    pub commit_events_max: usize,
    /// How often every checksum is read.
    pub scrub_every: Duration,
}

/// How long things are kept; `None` for ever.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Days of events.
    pub days: Option<u32>,
    /// Days of item tables.
    pub items_days: Option<u32>,
}

/// What a browser's wish not to be tracked means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gpc {
    /// The event counts, without visitor and user.
    Count,
    /// The event is left out.
    Drop,
    /// Nothing.
    Ignore,
}

/// What is kept of a person.
#[derive(Debug, Clone)]
pub struct Privacy {
    /// What a wish not to be tracked means.
    pub gpc: Gpc,
    /// Whether the user agent itself is kept.
    pub keep_user_agent: bool,
    /// A MaxMind DB file.
    pub geoip: Option<PathBuf>,
}

/// Bounds on what comes in and what is asked.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one event's JSON.
    pub event_bytes_max: usize,
    /// Keys in one event.
    pub keys_max: usize,
    /// Nesting of one event's JSON.
    pub depth_max: usize,
    /// Events in one request.
    pub batch_events_max: usize,
    /// Requests per second of one key or address; `None` without bound.
    pub rate_per_second: Option<u32>,
    /// Requests at once within that rate.
    pub rate_burst: u32,
    /// Time of one question.
    pub query_time_max: Duration,
    /// Rows of one question.
    pub query_rows_max: usize,
    /// Memory of one question's rows.
    pub query_bytes_max: usize,
    /// Questions at once.
    pub queries_max: usize,
    /// Exports at once.
    pub exports_max: usize,
    /// Streams of `/live` at once.
    pub watchers_max: usize,
}

/// The log's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The log.
#[derive(Debug, Clone)]
pub struct Log {
    /// Its form.
    pub format: LogFormat,
    /// A level or a filter.
    pub level: String,
}

/// One site's own settings.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// The zone its days are counted in.
    pub zone: TimeZone,
    /// Its own host names.
    pub hosts: Vec<String>,
    /// Origins that may write; empty for any.
    pub origins: Vec<String>,
    /// Query parameters kept as keys.
    pub query_parameters: Vec<String>,
    /// Query parameters that belong to the path.
    pub path_parameters: Vec<String>,
    /// The parameter that holds a search.
    pub search_parameter: Option<String>,
    /// Whether fragments are paths.
    pub hash_routes: bool,
    /// Extensions of downloads, instead of the built-in list.
    pub download_extensions: Option<Vec<String>>,
    /// Networks left out.
    pub internal_networks: Vec<IpNet>,
    /// What a wish not to be tracked means here.
    pub gpc: Gpc,
    /// Days after which events are too old; `None` without bound.
    pub retention_days: Option<u32>,
    /// Paths with names in them.
    pub routes: Vec<Route>,
    /// What its visitors are to do.
    pub goals: Vec<Goal>,
    /// The ways that they are to go.
    pub funnels: Vec<Funnel>,
}

/// What visitors are to do, by a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Its name, one of a site.
    pub name: String,
    /// The filter of events that reach it, as questions write filters.
    pub filter: serde_json::Value,
    /// The key of what each of them is worth.
    pub value: Option<String>,
}

/// A way that visitors are to go, by a name. Its words are those of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    /// Its name, one of a site.
    pub name: String,
    /// Filters as questions write them, and names of goals.
    pub steps: Vec<serde_json::Value>,
    /// The longest from the first step to the last.
    pub window: Option<String>,
    /// Whether no other view may lie between two steps.
    pub strict: Option<bool>,
    /// Who goes.
    pub over: Option<String>,
    /// The key by whose value at the first step rows are made.
    pub by: Option<String>,
}

/// A path with names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The pattern, `/datasets/{id}.{format}`.
    pub path: String,
    /// The action of access lines that match.
    pub action: Option<String>,
    /// The one method that it is about.
    pub method: Option<String>,
}
