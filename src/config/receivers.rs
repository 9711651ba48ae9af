//! The receivers beside HTTP, checked: each is off unless it says where it listens.

use super::check::{address, bad, tls, zone};
use super::{ConfigError, Forward, Port, Receivers, Secret, Syslog, raw};

pub(super) fn check(
    forward: raw::Forward,
    syslog: raw::Syslog,
    lines: raw::Port,
    lumberjack: raw::Port,
) -> Result<Receivers, ConfigError> {
    Ok(Receivers {
        forward: check_forward(forward)?,
        syslog: check_syslog(syslog)?,
        lines: port("lines", lines)?,
        lumberjack: port("lumberjack", lumberjack)?,
    })
}

fn check_forward(raw: raw::Forward) -> Result<Option<Forward>, ConfigError> {
    let raw::Forward { listen, site, tls, shared_key, users } = raw;
    let Some(port) = port("forward", raw::Port { listen, site, tls })? else { return Ok(None) };
    let users = users.map_or_else(|| Ok(Vec::new()), check_users)?;
    if shared_key.as_deref() == Some("") {
        return Err(bad("forward.shared_key", "", "a text that is not empty: an empty one keeps nobody out"));
    }
    if shared_key.is_none() && !users.is_empty() {
        return Err(bad(
            "forward.users",
            users.len(),
            "forward.shared_key as well: users are asked for within its handshake",
        ));
    }
    Ok(Some(Forward { port, shared_key: shared_key.map(Secret), users }))
}

fn check_users(users: raw::Users) -> Result<Vec<(String, Secret)>, ConfigError> {
    let users: Vec<(String, String)> = match users {
        raw::Users::Named(users) => users.into_iter().collect(),
        raw::Users::Listed(users) => {
            let split =
                |text: String| text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()));
            // Not shown: it may be a password.
            let unfit = || bad("forward.users", "…", "a name, a colon and a password each, as in [\"alice:wonder\"]");
            users.into_iter().map(split).collect::<Option<_>>().ok_or_else(unfit)?
        }
    };
    if users.iter().any(|(name, _)| name.is_empty()) {
        return Err(bad("forward.users", "", "names that are not empty"));
    }
    Ok(users.into_iter().map(|(name, password)| (name, Secret(password))).collect())
}

fn check_syslog(raw: raw::Syslog) -> Result<Option<Syslog>, ConfigError> {
    let raw::Syslog { listen, site, tls, timezone } = raw;
    let zone = zone("syslog.timezone", timezone)?;
    let port = port("syslog", raw::Port { listen, site, tls })?;
    Ok(port.map(|port| Syslog { port, zone }))
}

fn port(room: &str, raw: raw::Port) -> Result<Option<Port>, ConfigError> {
    let tls = tls(room, raw.tls)?;
    let Some(listen) = raw.listen else { return Ok(None) };
    let listen = address(&format!("{room}.listen"), &listen)?;
    match raw.site {
        Some(site) if site.is_empty() || site.len() > 64 => {
            Err(bad(&format!("{room}.site"), site, "a name of 1 to 64 bytes"))
        }
        site => Ok(Some(Port { listen, site, tls })),
    }
}
