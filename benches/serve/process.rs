//! A server as a process of its own: its memory, its processor time, its end. Killed when dropped.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often memory is looked at for its peak.
const WATCH_EVERY: Duration = Duration::from_millis(100);

pub struct Process(Child);

impl Process {
    pub fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("start {command:?}: {error}")))
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Memory that is its own: pages of files it has mapped belong to the system.
    pub fn anonymous_bytes(&self) -> u64 {
        anonymous_bytes(self.0.id())
    }

    /// Watches its memory until the watch is asked for the peak.
    pub fn watch_memory(&self) -> MemoryWatch {
        MemoryWatch::begin(self.0.id())
    }

    /// The processor's time it took so far.
    pub fn processor_time(&self) -> Duration {
        processor_time(self.0.id())
    }

    /// Kills it where it stands.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    /// Asks it to stop and waits until it has, so that everything it holds is on disk.
    pub fn stop(&mut self) {
        self.signal("-TERM");
        self.0.wait().expect("its end");
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(name).arg(self.0.id().to_string()).status();
        assert!(status.expect("kill").success(), "it is gone already");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processor's time of this process: the load generator's.
pub fn own_processor_time() -> Duration {
    processor_time(std::process::id())
}

/// The peak of a process's memory.
pub struct MemoryWatch {
    peak: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    watching: JoinHandle<()>,
}

impl MemoryWatch {
    fn begin(id: u32) -> Self {
        let (peak, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, end) = (Arc::clone(&peak), Arc::clone(&ended));
        let watching = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                seen.fetch_max(anonymous_bytes(id), Ordering::Relaxed);
                std::thread::sleep(WATCH_EVERY);
            }
        });
        Self { peak, ended, watching }
    }

    pub fn peak_mib(self) -> f64 {
        self.ended.store(true, Ordering::Relaxed);
        self.watching.join().expect("the watch");
        mib(self.peak.load(Ordering::Relaxed))
    }
}

pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Bytes of every file below a folder; a file that goes while it is looked at counts nothing.
pub fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(facts) if facts.is_dir() => folder_bytes(&entry.path()),
        Ok(facts) => facts.len(),
        Err(_) => 0,
    };
    entries.flatten().map(bytes).sum()
}

fn anonymous_bytes(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    crate::machine::kib_of(&status, "RssAnon:") * 1024
}

/// Fields 14 and 15 of its `stat`, in hundredths of a second.
fn processor_time(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("a running process");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
