//! Metronome itself: the binary built with this bench.

use super::{Days, Peer};
use crate::figures::Who;
use crate::process::folder_bytes;
use crate::server::Server;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub struct Metronome {
    server: Server,
    folder: PathBuf,
}

impl Metronome {
    pub fn start(folder: &Path) -> Self {
        let mut command = command();
        command.args(["serve", "--listen", "127.0.0.1:0"]).arg("--data-dir").arg(folder);
        Self { server: Server::announced(&mut command), folder: folder.to_owned() }
    }

    /// Seals these days, or all, and waits until it is done.
    pub fn seal(&self, days: &[&str]) {
        let to = format!("http://{}", self.server.address);
        let status = command().arg("seal").args(days).args(["--to", &to]).stdout(Stdio::null()).status();
        assert!(status.expect("seal").success(), "seal failed");
    }

    /// The figure of one of its metrics.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.server.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|figure| figure.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// Imports a log into a folder that no server holds.
    pub fn import(folder: &Path, log: &Path) {
        let mut command = command();
        command.arg("import").arg("--data-dir").arg(folder).arg(log).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().expect("import").success(), "import failed");
    }

    /// Bytes of the store as it is.
    pub fn store_bytes(&self) -> u64 {
        folder_bytes(&self.folder.join("store"))
    }

    /// Bytes of the journal as it is.
    pub fn journal_bytes(&self) -> u64 {
        folder_bytes(&self.folder.join("journal"))
    }
}

impl Peer for Metronome {
    const WHO: Who = Who::Metronome;
    const INSERT: &'static str = "/tick";

    fn server(&self) -> &Server {
        &self.server
    }

    fn readable(&self) -> u64 {
        let answer = self.server.get("/top.json?by=site&metric=events&range=90d&bots=include");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        answer["results"][0]["events"].as_u64().unwrap_or_default()
    }

    fn ask(&self, item: &str, (from, to): &Days) {
        let answer = self.server.get(&format!("/tock/{item}.json?from={from}&to={to}"));
        assert!(answer.contains("\"views\""), "{answer}");
    }

    fn bytes(&mut self) -> u64 {
        self.store_bytes()
    }
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_metronome"))
}
