//! Config: what an operator sets, read once at start. Raw (as written) → checked (as used).
//! - Flags over `METRONOME_*` over the file over defaults.
//! - An unknown key is an error that names the nearest known one; a value that does not fit names key, value and bound.
//! - `metronome.toml` at the root of the repository lists every key with its default; it is the list of known keys.
//! - Absent: what a value means to its room; `app` hands each room its own.

mod check;
mod checked;
mod keys;
mod raw;
mod receivers;

pub use checked::{
    Config, Forward, Funnel, Goal, Gpc, Http, Journal, Limits, Log, LogFormat, Port, Privacy, Receivers, Retention,
    Route, Secret, Site, Store, Syslog, TlsFiles,
};

use crate::error::Kind;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read configuration {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML, or a value is of the wrong type.
    #[error("configuration {origin}: {why}")]
    Syntax {
        /// Which file, or the environment.
        origin: String,
        /// What the parser says, with its place.
        why: String,
    },
    /// A key that does not exist.
    #[error("configuration: unknown key {key}: did you mean {nearest}?")]
    UnknownKey {
        /// As written.
        key: String,
        /// The known one most like it.
        nearest: String,
    },
    /// A value that does not fit.
    #[error("configuration: {key} = {value}: {expected}")]
    BadValue {
        /// Which key.
        key: String,
        /// As written.
        value: String,
        /// What would fit.
        expected: String,
    },
}

impl ConfigError {
    /// What the holder can do about it: mend the configuration.
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Reads the file (if any), then the environment's `METRONOME_*` variables over it, and checks all of it.
pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let (text, origin) = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            (text.map_err(|source| ConfigError::Read { path: path.into(), source })?, path.display().to_string())
        }
        None => (String::new(), "defaults".to_owned()),
    };
    let mut table = parse(&text, &origin)?;
    keys::refuse_unknown(&table)?;
    keys::lay_environment_over(&mut table, environment)?;
    let raw = raw::Raw::deserialize(table).map_err(|error| ConfigError::Syntax { origin, why: error.to_string() })?;
    let mut config = check::check(raw)?;
    config.queries_dir = queries_dir(file, config.queries_dir);
    Ok(config)
}

/// The folder of custom queries: the one that is set, else `queries` where it is there; both beside the file.
fn queries_dir(file: Option<&Path>, set: Option<PathBuf>) -> Option<PathBuf> {
    let beside = file.and_then(Path::parent).unwrap_or(Path::new(""));
    match set {
        Some(set) => Some(beside.join(set)),
        None => Some(beside.join("queries")).filter(|folder| folder.is_dir()),
    }
}

fn parse(text: &str, origin: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
        origin: origin.to_owned(),
        why: error.to_string().trim().to_owned(),
    })
}

#[cfg(test)]
mod tests;
