//! The machine's facts, without which no figure means anything.

use metronome::clock::Clock;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub processor: String,
    pub memory_gib: f64,
    pub kernel: String,
    pub sync_ms: f64,
    pub versions: BTreeMap<&'static str, String>,
    pub seed: u64,
    pub at: String,
}

impl Machine {
    /// Measured on the disk that holds the folder.
    pub fn look(folder: &Path, seed: u64) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let processors = read("/proc/cpuinfo");
        let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
            processor: processor.map_or("unknown", |(_, name)| name).to_owned(),
            memory_gib: kib_of(&read("/proc/meminfo"), "MemTotal:") as f64 / f64::from(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            sync_ms: sync_seconds(folder) * 1000.0,
            versions: BTreeMap::from([("Metronome", version())]),
            seed,
            at: jiff::Timestamp::from_millisecond(Clock::System.now()).map(|at| at.to_string()).unwrap_or_default(),
        }
    }

    /// One line for the head of a table.
    pub fn line(&self) -> String {
        let versions: Vec<String> = self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        format!(
            "{} cores of {}, {:.0} GiB, Linux {}, fdatasync of 4 KiB {:.2} ms, seed {}; {}",
            self.cores,
            self.processor,
            self.memory_gib,
            self.kernel,
            self.sync_ms,
            self.seed,
            versions.join(", ")
        )
    }
}

/// The figure of a line such as `MemTotal:  1024 kB`.
pub fn kib_of(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// The version and, where git knows it, the commit.
fn version() -> String {
    let described = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let commit = described.ok().filter(|output| output.status.success());
    let commit = commit.map(|output| format!(" ({})", String::from_utf8_lossy(&output.stdout).trim()));
    format!("{}{}", env!("CARGO_PKG_VERSION"), commit.unwrap_or_default())
}

/// The median time of an append of 4 KiB and its fdatasync.
fn sync_seconds(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("sync")).expect("file");
    let mut append = || {
        file.write_all(&[7; 4096]).expect("write");
        let asked = Instant::now();
        file.sync_data().expect("sync");
        asked.elapsed().as_secs_f64()
    };
    median((0..101).map(|_| append()).collect())
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
