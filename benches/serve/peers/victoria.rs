//! VictoriaLogs: takes JSON lines, answers three LogsQL questions about an item.
//! - New data stays in memory for five seconds, and merges go on after that: its bytes are measured once it was told to merge
//!   and has stopped.

use super::{Days, Peer};
use crate::figures::Who;
use crate::process::folder_bytes;
use crate::server::{Server, free_address, tools};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The version scripts/install-peers installs.
pub const VERSION: &str = "1.52.1";

pub struct VictoriaLogs {
    server: Server,
    folder: PathBuf,
}

impl VictoriaLogs {
    /// `None` where it is not installed.
    pub fn start(folder: &Path) -> Option<Self> {
        let binary = tools().join("victoria-logs");
        let mut command = Command::new(binary.exists().then_some(binary)?);
        let address = free_address();
        command.arg(format!("-storageDataPath={}", folder.display())).arg(format!("-httpListenAddr={address}"));
        command.args(["-retentionPeriod=100y", "-loggerLevel=ERROR"]);
        Some(Self { server: Server::at(address, &mut command), folder: folder.to_owned() })
    }

    fn query(&self, question: &str) -> String {
        self.server.get(&format!("/select/logsql/query?query={}", utf8_percent_encode(question, NON_ALPHANUMERIC)))
    }

    fn is_merging(&self) -> bool {
        self.server
            .get("/metrics")
            .lines()
            .any(|line| line.starts_with("vl_active_force_merges ") && !line.ends_with(" 0"))
    }
}

impl Peer for VictoriaLogs {
    const WHO: Who = Who::VictoriaLogs;
    const INSERT: &'static str = "/insert/jsonline?_time_field=@timestamp&_msg_field=path&_stream_fields=site";

    fn server(&self) -> &Server {
        &self.server
    }

    fn readable(&self) -> u64 {
        let answer = self.query("_time:90d * | stats count() n");
        let counted = answer.split("\"n\":\"").nth(1).and_then(|rest| rest.split('"').next());
        counted.and_then(|counted| counted.parse().ok()).unwrap_or_default()
    }

    fn ask(&self, item: &str, (from, to): &Days) {
        let item = format!("_time:[{from}, {to}] id:={item}");
        for question in [
            format!("{item} action:=view | stats by (_time:1d) count() n"),
            format!("{item} action:=download | stats by (format) count() n"),
            format!("{item} referer:* | stats by (referer) count() n"),
        ] {
            self.query(&question);
        }
    }

    fn bytes(&mut self) -> u64 {
        self.server.get("/internal/force_flush");
        self.server.get("/internal/force_merge");
        // The merge begins beside the answer.
        std::thread::sleep(Duration::from_secs(1));
        while self.is_merging() {
            std::thread::sleep(Duration::from_millis(100));
        }
        self.server.process.stop();
        folder_bytes(&self.folder)
    }
}
