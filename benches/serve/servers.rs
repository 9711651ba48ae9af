//! The servers of the race as processes of their own, killed when dropped.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server under load.
pub struct Server {
    pub address: SocketAddr,
    process: Child,
}

impl Server {
    /// A handler that reads the body and answers, in the same server stack.
    pub fn null() -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this bench"));
        command.arg("null-handler");
        Self::announced(command)
    }

    pub fn metronome(data_dir: &Path) -> Self {
        let mut command = metronome();
        command.args(["serve", "--listen", "127.0.0.1:0"]).arg("--data-dir").arg(data_dir);
        Self::announced(command)
    }

    /// `None` where it is not installed.
    pub fn victoria_logs(data_dir: &Path) -> Option<Self> {
        let binary = PathBuf::from(std::env::var_os("TESTS_TOOLS")?).join("victoria-logs");
        let address: SocketAddr = free_address();
        let mut command = Command::new(binary.exists().then_some(binary)?);
        command.arg(format!("-storageDataPath={}", data_dir.display())).arg(format!("-httpListenAddr={address}"));
        command.args(["-retentionPeriod=100y", "-loggerLevel=ERROR"]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("VictoriaLogs");
        let server = Self { address, process };
        let started = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "VictoriaLogs does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    /// Starts a process whose first line on standard output ends in its address.
    fn announced(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut lines = output.lines();
        let line = lines.next().expect("a first line").expect("text");
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.rsplit("http://").next().and_then(|text| text.trim().parse().ok());
        Self { address: address.expect("an address"), process }
    }

    /// Waits until this many events are readable.
    pub async fn wait_for(&self, events: u64) {
        loop {
            let answer: serde_json::Value =
                serde_json::from_str(&get(self, "/top.json?by=site&metric=events&range=90d&bots=include"))
                    .expect("JSON");
            if answer["results"][0]["events"].as_u64().is_some_and(|readable| readable >= events) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub fn seal(&self) {
        let status =
            metronome().args(["seal", "--to", &format!("http://{}", self.address)]).stdout(Stdio::null()).status();
        assert!(status.expect("seal").success(), "seal failed");
    }

    pub fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One GET on a connection of its own.
pub fn get(server: &Server, path: &str) -> String {
    let answer = ureq::get(format!("http://{}{path}", server.address)).call().expect("an answer");
    answer.into_body().read_to_string().expect("a body")
}

/// Serves the null handler until it is killed: the server loop of the product, a handler that reads the body and answers.
pub fn null_handler() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        println!("http://{}", listener.local_addr().expect("address"));
        let handler = |_: axum::body::Bytes| async { (axum::http::StatusCode::ACCEPTED, "{\"accepted\":1}") };
        let router = axum::Router::new().route("/tick", axum::routing::post(handler));
        metronome::http::serve(listener, router, metronome::http::Options::default(), std::future::pending()).await;
    });
}

pub fn import(data_dir: &Path, log: &Path) {
    let mut command = metronome();
    command.arg("import").arg("--data-dir").arg(data_dir).arg(log).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().expect("import").success(), "import failed");
}

pub fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(facts) if facts.is_dir() => folder_bytes(&entry.path()),
        Ok(facts) => facts.len(),
        Err(_) => 0,
    };
    entries.flatten().map(bytes).sum()
}

fn metronome() -> Command {
    Command::new(env!("CARGO_BIN_EXE_metronome"))
}

fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    listener.local_addr().expect("address")
}
