//! A server of the built binary on a free port, with its data in a folder of the test's.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a start may take at the most, after a kill too.
pub const START_MAX: Duration = Duration::from_secs(5);

/// A running server; killed when dropped.
pub struct Server {
    pub address: SocketAddr,
    /// The ports beside HTTP, by receiver.
    #[allow(dead_code, reason = "the tests of receivers ask for it")]
    pub ports: BTreeMap<String, SocketAddr>,
    process: Child,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    pub fn start(data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        let started = Instant::now();
        let server = Self::try_start(data_dir, settings).unwrap_or_else(|why| panic!("it did not start: {why}"));
        assert!(started.elapsed() < START_MAX * 3, "it took {:?} to start", started.elapsed());
        server
    }

    /// The same, or what it said when it could not start.
    pub fn try_start(data_dir: &Path, settings: &[(&str, &str)]) -> Result<Self, String> {
        Self::run(metronome(data_dir), settings)
    }

    /// The same with so many files that it may have open.
    pub fn start_with_files(data_dir: &Path, settings: &[(&str, &str)], files_max: usize) -> Self {
        let binary = metronome(data_dir);
        let mut limited = Command::new("prlimit");
        limited.arg(format!("--nofile={files_max}:{files_max}")).arg(binary.get_program()).args(binary.get_args());
        Self::run(limited, settings).unwrap_or_else(|why| panic!("it did not start: {why}"))
    }

    fn run(mut command: Command, settings: &[(&str, &str)]) -> Result<Self, String> {
        let listen = settings.iter().find(|(name, _)| *name == "METRONOME_HTTP_LISTEN");
        command.args(["serve", "--listen", listen.map_or("127.0.0.1:0", |(_, address)| address)]);
        command.envs(settings.iter().copied());
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut process = spawned.map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let Some(Ok(first)) = lines.next() else {
            let output = process.wait_with_output().expect("its end");
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        };
        let mut ports = BTreeMap::new();
        // One line a port, and then how to send the first event.
        for line in lines.by_ref().map_while(Result::ok).take_while(|line| line.contains(" listens on ")) {
            let (receiver, address) = line.split_once(" listens on ").expect("a port");
            ports.insert(receiver.to_owned(), address.parse().expect("its address"));
        }
        std::thread::spawn(move || lines.for_each(drop));
        let errors = BufReader::new(process.stderr.take().expect("its log"));
        std::thread::spawn(move || errors.lines().map_while(Result::ok).for_each(|line| eprintln!("| {line}")));
        let address = first.rsplit("://").next().and_then(|text| text.trim().parse().ok());
        Ok(Self { address: address.unwrap_or_else(|| panic!("no address in {first:?}")), ports, process })
    }

    /// Sends it a signal: `-TERM`, `-STOP`, `-CONT`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(signal).arg(self.process.id().to_string()).status();
        assert!(sent.expect("kill").success());
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> std::process::ExitStatus {
        self.signal("-TERM");
        self.process.wait().expect("its end")
    }

    /// Memory of its own (`RssAnon`), as the kernel counts it.
    pub fn anonymous_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        let kib =
            status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.parse().ok());
        kib.map(|kib: u64| kib << 10).expect("its memory")
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        answer(agent().get(format!("http://{}{path}", self.address)).call())
    }

    pub fn post(&self, path: &str, body: &str) -> (u16, String) {
        answer(agent().post(format!("http://{}{path}", self.address)).send(body))
    }

    pub fn json(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Every event it holds, newest first, over all pages.
    pub fn events(&self, parameters: &str) -> Vec<serde_json::Value> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.json(&format!("/events.json?limit=1000&range=all&bots=include{parameters}{after}"));
            let events = page["events"].as_array().expect("events").clone();
            all.extend(events);
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return all,
            }
        }
    }

    /// Waits until what was acknowledged is readable: asks until `holds`, for two minutes at the most, on however busy a machine.
    pub fn wait_until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let asked = Instant::now();
        while !holds(self) {
            assert!(asked.elapsed() < Duration::from_secs(120), "{what} does not come");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary with its data folder, and nothing of this machine's environment.
pub fn metronome(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metronome"));
    command.arg("--data-dir").arg(data_dir).env_remove("METRONOME_CONFIG").env_remove("METRONOME_KEY");
    let above = data_dir.parent().expect("a folder above");
    command.current_dir(if data_dir.is_dir() { data_dir } else { above });
    command
}

/// Runs a command of the binary to its end.
pub fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    metronome(data_dir).args(arguments).output().expect("the binary")
}

/// A Python that has DuckDB, or `None` with a word why the test is skipped; where all must run its absence fails.
pub fn python() -> Option<PathBuf> {
    let tools = std::env::var_os("TESTS_TOOLS").map(PathBuf::from);
    let tools = tools.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools"));
    let python = tools.join("python/bin/python");
    if !python.exists() {
        assert!(std::env::var_os("TESTS_SKIP_NOTHING").is_none(), "DuckDB is not installed: run scripts/install");
        println!("skipped: DuckDB is not installed; scripts/test installs it");
        return None;
    }
    Some(python)
}

/// A client that takes every status for an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn answer(answer: Result<axum::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
    let mut answer = answer.expect("an answer");
    (answer.status().as_u16(), answer.body_mut().with_config().limit(1 << 30).read_to_string().expect("a body"))
}
