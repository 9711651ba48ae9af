//! A server of the race: a process that answers HTTP on this machine.

use crate::process::Process;
use metronome::load::mix::Mix;
use metronome::load::{self, Bodies, OnAcknowledged, Options, Report};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const START_MAX: Duration = Duration::from_secs(300);
/// A peer that merges everything answers when it is done.
const ANSWER_MAX: Duration = Duration::from_secs(1800);
/// Events are as many as are asked for where the time says when to stop.
const ENDLESS: u64 = u64::MAX >> 20;

pub struct Server {
    pub address: SocketAddr,
    pub process: Process,
    agent: ureq::Agent,
}

/// How a load is sent.
#[derive(Clone)]
pub struct Sending {
    pub bodies: Bodies,
    pub path: &'static str,
    pub connections: usize,
    pub batch: u64,
    pub rate: Option<u64>,
    pub events: u64,
    pub time_max: Duration,
}

impl Sending {
    /// Events of a file in batches, until the last.
    pub fn batches(written: &Arc<load::Written>, path: &'static str) -> Self {
        let (bodies, events) = (Bodies::Written(Arc::clone(written)), written.events());
        Self { bodies, path, connections: 4, batch: 1000, rate: None, events, time_max: Duration::from_secs(7200) }
    }

    /// Events of the mix in batches, for a while.
    pub fn for_a_while(mix: Mix, time_max: Duration) -> Self {
        let bodies = Bodies::Made(mix);
        Self { bodies, path: "/tick", connections: 4, batch: 1000, rate: None, events: ENDLESS, time_max }
    }
}

impl Server {
    /// Starts a process whose first line on standard output ends in its address.
    pub fn announced(command: &mut Command) -> Self {
        let mut process = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let output = BufReader::new(process.child().stdout.take().expect("its output"));
        let mut lines = output.lines();
        let line = lines.next().expect("a first line").expect("text");
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.rsplit("http://").next().and_then(|text| text.trim().parse().ok());
        Self { address: address.expect("an address"), process, agent: agent() }
    }

    /// Starts a process that will listen there.
    pub fn at(address: SocketAddr, command: &mut Command) -> Self {
        let process = Process::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        let mut server = Self { address, process, agent: agent() };
        let started = Instant::now();
        while server.agent.get(format!("http://{address}/")).call().is_err() {
            let ended = server.process.child().try_wait().expect("a process");
            assert!(ended.is_none() && started.elapsed() < START_MAX, "{command:?} does not start: {ended:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    pub fn get(&self, path: &str) -> String {
        self.answer(path, self.agent.get(format!("http://{}{path}", self.address)).call())
    }

    pub fn post(&self, path: &str, body: &str) -> String {
        let request = self.agent.post(format!("http://{}{path}", self.address));
        self.answer(path, request.header("content-type", "application/json").send(body))
    }

    pub fn put(&self, path: &str, body: &str) -> String {
        let request = self.agent.put(format!("http://{}{path}", self.address));
        self.answer(path, request.header("content-type", "application/json").send(body))
    }

    fn answer(&self, path: &str, answer: Result<axum::http::Response<ureq::Body>, ureq::Error>) -> String {
        let answer = answer.unwrap_or_else(|error| panic!("{}{path}: {error}", self.address));
        answer.into_body().read_to_string().expect("a body")
    }

    pub async fn send(&self, sending: &Sending) -> Report {
        self.send_and_tell(sending, Arc::new(|_| ())).await
    }

    pub async fn send_and_tell(&self, sending: &Sending, acknowledged: OnAcknowledged) -> Report {
        let Sending { bodies, path, connections, batch, rate, events, time_max } = sending.clone();
        let (target, path) = (self.address, path.to_owned());
        let options = Options { target, path, key: None, connections, batch, rate, time_max, events, bodies };
        load::run(options, acknowledged).await.expect("a load")
    }
}

/// Keeps its connection, as every reader of an API does.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(ANSWER_MAX)).build().into()
}

/// Where scripts/install-peers puts what it installs.
pub fn tools() -> PathBuf {
    std::env::var_os("TESTS_TOOLS").map_or_else(|| "target/tools".into(), PathBuf::from)
}

pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    listener.local_addr().expect("address")
}
