//! The configuration as it is written: every key optional, unknown keys refused.
//! - One struct a table of `metronome.toml`; names are the keys'.
//! - Absent: defaults and checks (`check`).

use serde::Deserialize;
use std::collections::BTreeMap;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    pub data_dir: Option<String>,
    pub queries_dir: Option<String>,
    pub http: Http,
    pub forward: Forward,
    pub syslog: Syslog,
    pub lines: Port,
    pub lumberjack: Port,
    pub elastic: Elastic,
    pub journal: Journal,
    pub store: Store,
    pub retention: Retention,
    pub privacy: Privacy,
    pub limits: Limits,
    pub log: Log,
    pub site: Vec<Site>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Http {
    pub listen: Option<String>,
    pub trusted_proxies: Option<Vec<String>>,
    pub body_bytes_max: Option<u64>,
    pub connections_max: Option<u64>,
    pub tls: Tls,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tls {
    pub cert: Option<String>,
    pub key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Port {
    pub listen: Option<String>,
    pub site: Option<String>,
    pub tls: Tls,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Forward {
    pub listen: Option<String>,
    pub site: Option<String>,
    pub tls: Tls,
    pub shared_key: Option<String>,
    pub users: Option<Users>,
}

/// Names and passwords: `{ alice = "wonder" }`, or `["alice:wonder"]`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Users {
    Named(BTreeMap<String, String>),
    Listed(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Syslog {
    pub listen: Option<String>,
    pub site: Option<String>,
    pub tls: Tls,
    pub timezone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Elastic {
    pub version: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Journal {
    pub bytes_max: Option<u64>,
    pub segment_bytes_max: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Store {
    pub url: Option<String>,
    pub commit_ms: Option<u64>,
    pub commit_events_max: Option<u64>,
    pub scrub_hours: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Retention {
    pub days: Option<u64>,
    pub items_days: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Privacy {
    pub gpc: Option<String>,
    pub keep_user_agent: Option<bool>,
    pub geoip: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    pub event_bytes_max: Option<u64>,
    pub keys_max: Option<u64>,
    pub depth_max: Option<u64>,
    pub batch_events_max: Option<u64>,
    pub rate_per_second: Option<u64>,
    pub rate_burst: Option<u64>,
    pub query_ms_max: Option<u64>,
    pub query_rows_max: Option<u64>,
    pub query_bytes_max: Option<u64>,
    pub queries_max: Option<u64>,
    pub exports_max: Option<u64>,
    pub watchers_max: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Log {
    pub format: Option<String>,
    pub level: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Site {
    pub name: Option<String>,
    pub timezone: Option<String>,
    pub hosts: Option<Vec<String>>,
    pub origins: Option<Vec<String>>,
    pub query_parameters: Option<Vec<String>>,
    pub path_parameters: Option<Vec<String>>,
    pub search_parameter: Option<String>,
    pub hash_routes: Option<bool>,
    pub download_extensions: Option<Vec<String>>,
    pub internal_networks: Option<Vec<String>>,
    pub gpc: Option<String>,
    pub retention_days: Option<u64>,
    pub routes: Option<Vec<Route>>,
    pub goal: Vec<Goal>,
    pub funnel: Vec<Funnel>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Goal {
    pub name: Option<String>,
    pub filter: Option<toml::Value>,
    pub value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Funnel {
    pub name: Option<String>,
    pub steps: Option<Vec<toml::Value>>,
    pub window: Option<String>,
    pub strict: Option<bool>,
    pub over: Option<String>,
    pub by: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Route {
    pub path: Option<String>,
    pub action: Option<String>,
    pub method: Option<String>,
}
