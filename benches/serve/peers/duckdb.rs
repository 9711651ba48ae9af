//! DuckDB: loads the file of events into a table and answers in SQL, within one Python process (`bench/duckdb_peer.py`):
//! no server, no requests, no readers beside the load.

use super::Days;
use crate::server::tools;
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// What the script measured.
#[derive(Debug, Deserialize)]
pub struct DuckDb {
    pub version: String,
    pub events_per_second: f64,
    pub hot_ms: f64,
    pub cold_ms: f64,
    pub bytes: u64,
}

impl DuckDb {
    /// `None` where it is not installed.
    pub fn run(folder: &Path, events: &Path, items: [&str; 2], (from, to): &Days) -> Option<Self> {
        let python = tools().join("python/bin/python");
        let mut command = Command::new(python.exists().then_some(python)?);
        command.arg("bench/duckdb_peer.py").arg(events).arg(folder.join("events.duckdb")).args(items).args([from, to]);
        let output = command.output().expect("python");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "DuckDB: {said}");
        Some(serde_json::from_slice(&output.stdout).expect("JSON"))
    }
}
