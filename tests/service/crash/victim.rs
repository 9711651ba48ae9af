//! A server that is to be killed, at any time from its first moment on.

use crate::support::metronome;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A process that may not serve yet.
pub struct Victim {
    process: Child,
    began: Instant,
    ready: Option<(SocketAddr, Instant)>,
    told: Receiver<SocketAddr>,
    log: Option<JoinHandle<Vec<String>>>,
}

impl Victim {
    pub fn start(data_dir: &Path, settings: &[(&str, String)]) -> Self {
        let mut command = metronome(data_dir);
        command.args(["serve", "--listen", "127.0.0.1:0"]).envs(settings.iter().map(|(key, value)| (key, value)));
        let began = Instant::now();
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary");
        let (tell, told) = sync_channel(1);
        let output = BufReader::new(process.stdout.take().expect("its output"));
        std::thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            for address in lines.filter_map(|line| line.rsplit("http://").next()?.parse().ok()) {
                // The second time nobody listens.
                let _ = tell.try_send(address);
            }
        });
        let errors = BufReader::new(process.stderr.take().expect("its log"));
        let log = std::thread::spawn(move || errors.lines().map_while(Result::ok).collect());
        Self { process, began, ready: None, told, log: Some(log) }
    }

    /// Where it listens, once it does.
    pub fn address(&mut self) -> Option<SocketAddr> {
        if self.ready.is_none() {
            self.ready = self.told.try_recv().ok().map(|address| (address, Instant::now()));
        }
        self.ready.map(|(address, _)| address)
    }

    /// How long ago its process began.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// How long it has been listening.
    pub fn ready_for(&self) -> Option<Duration> {
        self.ready.map(|(_, since)| since.elapsed())
    }

    /// Kills it where it stands. It must have logged nothing that an operator would have to look at.
    pub fn kill(mut self) {
        let ended = self.process.try_wait().expect("its state");
        self.end();
        let log = self.log.take().expect("it is killed once").join().expect("its log");
        let is_bad = |line: &String| line.contains(" ERROR ") || line.contains("panicked");
        assert!(ended.is_none() && !log.iter().any(is_bad), "{ended:?}: {log:#?}");
    }

    fn end(&mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("its end");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.end();
    }
}
