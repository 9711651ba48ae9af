//! From raw to checked: defaults filled in, every value held against its bounds.

use super::{
    Config, ConfigError, Funnel, Goal, Gpc, Http, Journal, Limits, Log, LogFormat, Privacy, Retention, Route, Site,
    Store, TlsFiles, raw, receivers,
};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const MIB: u64 = 1 << 20;

pub(super) fn check(raw: raw::Raw) -> Result<Config, ConfigError> {
    if let Some(url) = raw.store.url.as_deref().filter(|url| *url != "embedded") {
        return Err(bad("store.url", url, "\"embedded\""));
    }
    let privacy = check_privacy(raw.privacy)?;
    let sites = raw
        .site
        .into_iter()
        .enumerate()
        .map(|(at, site)| check_site(at, site, privacy.gpc))
        .collect::<Result<_, _>>()?;
    Ok(Config {
        data_dir: raw.data_dir.unwrap_or_else(|| "metronome-data".to_owned()).into(),
        queries_dir: raw.queries_dir.map(PathBuf::from),
        http: check_http(raw.http)?,
        receivers: receivers::check(raw.forward, raw.syslog, raw.lines, raw.lumberjack)?,
        elastic_version: check_version(raw.elastic.version)?,
        journal: check_journal(raw.journal)?,
        store: check_store(raw.store)?,
        retention: check_retention(raw.retention)?,
        privacy,
        limits: check_limits(raw.limits)?,
        log: check_log(raw.log)?,
        sites,
    })
}

fn check_http(raw: raw::Http) -> Result<Http, ConfigError> {
    Ok(Http {
        listen: address("http.listen", raw.listen.as_deref().unwrap_or("127.0.0.1:7171"))?,
        tls: tls("http", raw.tls)?,
        trusted_proxies: networks("http.trusted_proxies", raw.trusted_proxies)?,
        body_bytes_max: size("http.body_bytes_max", raw.body_bytes_max, 16 * MIB, 1024, 1024 * MIB)?,
        connections_max: size("http.connections_max", raw.connections_max, 16_384, 1, 1_000_000)?,
    })
}

/// Clients refuse what is older than 7, and know nothing that is newer than 9.
fn check_version(given: Option<String>) -> Result<String, ConfigError> {
    let version = given.unwrap_or_else(|| "8.19.0".to_owned());
    let numbers: Vec<Option<u32>> = version.split('.').map(|number| number.parse().ok()).collect();
    match numbers.as_slice() {
        [Some(7..=9), Some(_), Some(_)] => Ok(version),
        _ => Err(bad("elastic.version", version, "three numbers from 7.0.0 to 9.x, as in \"8.19.0\"")),
    }
}

fn check_journal(raw: raw::Journal) -> Result<Journal, ConfigError> {
    let segment = between("journal.segment_bytes_max", raw.segment_bytes_max, 64 * MIB, MIB, 4096 * MIB)?;
    let bytes_max = between("journal.bytes_max", raw.bytes_max, 10_240 * MIB, 2 * segment, u64::MAX / 2)?;
    Ok(Journal { bytes_max, segment_bytes_max: segment })
}

fn check_store(raw: raw::Store) -> Result<Store, ConfigError> {
    Ok(Store {
        commit_every: Duration::from_millis(between("store.commit_ms", raw.commit_ms, 1000, 10, 60_000)?),
        commit_events_max: size("store.commit_events_max", raw.commit_events_max, 200_000, 1000, 2_000_000)?,
        scrub_every: Duration::from_secs(3600 * between("store.scrub_hours", raw.scrub_hours, 24, 1, 8760)?),
    })
}

fn check_retention(raw: raw::Retention) -> Result<Retention, ConfigError> {
    let days = days("retention.days", raw.days)?;
    let items_days = self::days("retention.items_days", raw.items_days)?;
    if let (Some(items), Some(events)) = (items_days, days)
        && items < events
    {
        return Err(bad("retention.items_days", items, &format!("at least retention.days ({events})")));
    }
    if let (Some(items), None) = (items_days, days) {
        return Err(bad("retention.items_days", items, "retention.days as well: item tables outlive events"));
    }
    Ok(Retention { days, items_days })
}

fn check_privacy(raw: raw::Privacy) -> Result<Privacy, ConfigError> {
    Ok(Privacy {
        gpc: gpc("privacy.gpc", raw.gpc, Gpc::Count)?,
        keep_user_agent: raw.keep_user_agent.unwrap_or(false),
        geoip: raw.geoip.map(PathBuf::from),
    })
}

fn check_limits(raw: raw::Limits) -> Result<Limits, ConfigError> {
    let rate = between("limits.rate_per_second", raw.rate_per_second, 0, 0, u64::from(u32::MAX))?;
    Ok(Limits {
        event_bytes_max: size("limits.event_bytes_max", raw.event_bytes_max, 64 * 1024, 256, MIB)?,
        keys_max: size("limits.keys_max", raw.keys_max, 128, 1, 1024)?,
        depth_max: size("limits.depth_max", raw.depth_max, 32, 1, 64)?,
        batch_events_max: size("limits.batch_events_max", raw.batch_events_max, 10_000, 1, 100_000)?,
        rate_per_second: u32::try_from(rate).ok().filter(|rate| *rate > 0),
        rate_burst: u32::try_from(between("limits.rate_burst", raw.rate_burst, 1000, 1, u64::from(u32::MAX))?)
            .unwrap_or(u32::MAX),
        query_time_max: Duration::from_millis(between("limits.query_ms_max", raw.query_ms_max, 30_000, 10, 3_600_000)?),
        query_rows_max: size("limits.query_rows_max", raw.query_rows_max, 500_000, 100, 50_000_000)?,
        query_bytes_max: size("limits.query_bytes_max", raw.query_bytes_max, 256 * MIB, MIB, 64 * 1024 * MIB)?,
        queries_max: size("limits.queries_max", raw.queries_max, 8, 1, 1024)?,
        exports_max: size("limits.exports_max", raw.exports_max, 4, 1, 1024)?,
        watchers_max: size("limits.watchers_max", raw.watchers_max, 100, 1, 10_000)?,
    })
}

fn check_log(raw: raw::Log) -> Result<Log, ConfigError> {
    let format = match raw.format.as_deref() {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(other) => return Err(bad("log.format", other, "\"text\" or \"json\"")),
    };
    Ok(Log { format, level: raw.level.unwrap_or_else(|| "info".to_owned()) })
}

fn check_site(at: usize, raw: raw::Site, default_gpc: Gpc) -> Result<Site, ConfigError> {
    let key = |name: &str| format!("site[{at}].{name}");
    let name = raw.name.filter(|name| (1..=64).contains(&name.len()));
    let name = name.ok_or_else(|| bad(&key("name"), "", "a name of 1 to 64 bytes"))?;
    let zone = zone(&key("timezone"), raw.timezone)?;
    let goals = check_goals(&key("goal"), raw.goal)?;
    let funnels = check_funnels(&key("funnel"), raw.funnel)?;
    let routes = raw.routes.unwrap_or_default().into_iter().map(|route| check_route(&key("routes"), route));
    Ok(Site {
        name,
        zone,
        hosts: raw.hosts.unwrap_or_default().into_iter().map(|host| host.to_lowercase()).collect(),
        origins: raw.origins.unwrap_or_default(),
        query_parameters: raw.query_parameters.unwrap_or_default(),
        path_parameters: raw.path_parameters.unwrap_or_default(),
        search_parameter: raw.search_parameter,
        hash_routes: raw.hash_routes.unwrap_or(false),
        download_extensions: raw.download_extensions,
        internal_networks: networks(&key("internal_networks"), raw.internal_networks)?,
        gpc: gpc(&key("gpc"), raw.gpc, default_gpc)?,
        retention_days: days(&key("retention_days"), raw.retention_days)?,
        routes: routes.collect::<Result<_, _>>()?,
        goals,
        funnels,
    })
}

/// What would fit where a filter stands.
const FILTER: &str = "a filter as questions write it, as in [\"is\", \"path\", [\"/thanks\"]], or its JSON as text";

fn check_goals(key: &str, raw: Vec<raw::Goal>) -> Result<Vec<Goal>, ConfigError> {
    let mut goals: Vec<Goal> = Vec::with_capacity(raw.len());
    for (at, raw) in raw.into_iter().enumerate() {
        let key = format!("{key}[{at}]");
        let name = check_name(&key, raw.name, goals.iter().map(|goal| &goal.name))?;
        let filter = raw.filter.as_ref().and_then(filter);
        let filter = filter.ok_or_else(|| bad(&format!("{key}.filter"), &raw.filter, FILTER))?;
        goals.push(Goal { name, filter, value: raw.value });
    }
    Ok(goals)
}

fn check_funnels(key: &str, raw: Vec<raw::Funnel>) -> Result<Vec<Funnel>, ConfigError> {
    let mut funnels: Vec<Funnel> = Vec::with_capacity(raw.len());
    for (at, raw) in raw.into_iter().enumerate() {
        let key = format!("{key}[{at}]");
        let name = check_name(&key, raw.name, funnels.iter().map(|funnel| &funnel.name))?;
        let step = |(at, step): (usize, &toml::Value)| match step {
            toml::Value::String(goal) if !goal.starts_with('[') => Ok(serde_json::Value::from(goal.as_str())),
            other => filter(other)
                .ok_or_else(|| bad(&format!("{key}.steps[{at}]"), other, &format!("a goal's name, or {FILTER}"))),
        };
        let steps = raw.steps.unwrap_or_default().iter().enumerate().map(step).collect::<Result<_, _>>()?;
        let raw::Funnel { window, strict, over, by, .. } = raw;
        funnels.push(Funnel { name, steps, window, strict, over, by });
    }
    Ok(funnels)
}

/// A name that none of the others has.
fn check_name<'a>(
    key: &str,
    name: Option<String>,
    mut others: impl Iterator<Item = &'a String>,
) -> Result<String, ConfigError> {
    let name = name.unwrap_or_default();
    if (1..=64).contains(&name.len()) && others.all(|other| *other != name) {
        return Ok(name);
    }
    Err(bad(&format!("{key}.name"), name, "a name of 1 to 64 bytes that no other one here has"))
}

/// The JSON of a filter, which is a list or a list's JSON as text.
fn filter(value: &toml::Value) -> Option<serde_json::Value> {
    match value {
        toml::Value::String(text) => serde_json::from_str(text).ok(),
        list @ toml::Value::Array(_) => serde_json::to_value(list).ok(),
        _ => None,
    }
}

fn check_route(key: &str, raw: raw::Route) -> Result<Route, ConfigError> {
    let path = raw.path.filter(|path| path.starts_with('/'));
    let path = path.ok_or_else(|| bad(key, "", "a path that begins with /, as in \"/datasets/{id}\""))?;
    Ok(Route { path, action: raw.action, method: raw.method.map(|method| method.to_uppercase()) })
}

fn gpc(key: &str, text: Option<String>, default: Gpc) -> Result<Gpc, ConfigError> {
    match text.as_deref() {
        None => Ok(default),
        Some("count") => Ok(Gpc::Count),
        Some("drop") => Ok(Gpc::Drop),
        Some("ignore") => Ok(Gpc::Ignore),
        Some(other) => Err(bad(key, other, "\"count\", \"drop\" or \"ignore\"")),
    }
}

fn networks(key: &str, texts: Option<Vec<String>>) -> Result<Vec<IpNet>, ConfigError> {
    let network = |text: &String| {
        let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
        text.parse()
            .ok()
            .or_else(address)
            .ok_or_else(|| bad(key, text, "an address or a network, as in \"10.0.0.0/8\""))
    };
    texts.unwrap_or_default().iter().map(network).collect()
}

fn days(key: &str, number: Option<u64>) -> Result<Option<u32>, ConfigError> {
    let Some(number) = number else { return Ok(None) };
    let days = u32::try_from(number).ok().filter(|days| (1..=36_500).contains(days));
    days.map(Some).ok_or_else(|| bad(key, number, "1 to 36500 days"))
}

fn size(key: &str, value: Option<u64>, default: u64, min: u64, max: u64) -> Result<usize, ConfigError> {
    let value = between(key, value, default, min, max)?;
    usize::try_from(value).map_err(|_| bad(key, value, "a number that fits this machine"))
}

fn between(key: &str, value: Option<u64>, default: u64, min: u64, max: u64) -> Result<u64, ConfigError> {
    let value = value.unwrap_or(default);
    if (min..=max).contains(&value) { Ok(value) } else { Err(bad(key, value, &format!("{min} to {max}"))) }
}

/// An address to listen on.
pub(super) fn address(key: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| bad(key, text, "an address and port, as in \"127.0.0.1:7171\""))
}

/// A certificate, where one is given, with its key.
pub(super) fn tls(room: &str, raw: raw::Tls) -> Result<Option<TlsFiles>, ConfigError> {
    match (raw.cert, raw.key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert: cert.into(), key: key.into() })),
        (Some(cert), None) => Err(bad(&format!("{room}.tls.cert"), cert, &format!("{room}.tls.key as well"))),
        (None, Some(key)) => Err(bad(&format!("{room}.tls.key"), key, &format!("{room}.tls.cert as well"))),
    }
}

pub(super) fn zone(key: &str, name: Option<String>) -> Result<TimeZone, ConfigError> {
    let name = name.unwrap_or_else(|| "UTC".to_owned());
    TimeZone::get(&name).map_err(|_| bad(key, &name, "an IANA name, as in \"Europe/Zurich\""))
}

pub(super) fn bad(key: &str, value: impl Debug, expected: &str) -> ConfigError {
    ConfigError::BadValue { key: key.to_owned(), value: format!("{value:?}"), expected: expected.to_owned() }
}
