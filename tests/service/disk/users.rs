//! Those who use a server whose disk is not well: readers whom nothing must happen to, senders who are told the truth.

use super::layer::Layer;
use crate::support::{Server, agent, run};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long healing may take once the disk is well.
const HEAL_MAX: Duration = Duration::from_secs(30);
const QUESTIONS: [&str; 4] = [
    "/tock.json?site=disk&range=all",
    "/tock/dataset-00000.json?site=disk&range=all",
    "/events.json?site=disk&range=all&limit=20",
    "/top.json?site=disk&range=all",
];

/// Somebody who asks and asks.
pub struct Reader {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Reader {
    pub fn start(address: SocketAddr) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let (agent, mut answers) = (agent(), 0);
            for question in QUESTIONS.iter().cycle() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let mut answer = agent.get(format!("http://{address}{question}")).call().expect("an answer");
                let body = answer.body_mut().read_to_string().expect("a body");
                assert_eq!(answer.status(), 200, "{question}: {body}");
                answers += 1;
            }
            answers
        });
        Self { is_over, thread }
    }

    /// How many answers it got; every one was one.
    pub fn finish(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("every question is answered")
    }
}

/// A sender of single events who looks at every refusal.
pub struct Sender {
    agent: ureq::Agent,
    next: u64,
    acknowledged: BTreeSet<String>,
    pub refused: u64,
}

impl Sender {
    pub fn new() -> Self {
        Self { agent: agent(), next: 0, acknowledged: BTreeSet::new(), refused: 0 }
    }

    /// Sends one; whether it was taken. Refused is it only as promised.
    pub fn send(&mut self, server: &Server) -> bool {
        self.next += 1;
        let id = format!("probe-{}", self.next);
        let event = format!(r#"{{"path":"/probe","site":"probe","event_id":"{id}"}}"#);
        let answer = self.agent.post(format!("http://{}/tick", server.address)).send(&event);
        let mut answer = answer.expect("an answer");
        if answer.status() == 202 {
            self.acknowledged.insert(id);
            return true;
        }
        self.refused += 1;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (kind, wait) = (header("content-type"), header("retry-after"));
        let problem: serde_json::Value =
            serde_json::from_str(&answer.body_mut().read_to_string().expect("a body")).expect("JSON");
        assert_eq!((answer.status().as_u16(), kind.as_deref()), (503, Some("application/problem+json")), "{problem}");
        assert!(wait.and_then(|wait| wait.parse::<u32>().ok()).is_some_and(|seconds| seconds > 0), "{problem}");
        assert!(problem["detail"].is_string() && problem["status"] == 503, "{problem}");
        false
    }

    /// Sends until it is taken again, and the server says that it is ready.
    pub fn wait_healed(&mut self, server: &Server) -> Duration {
        let started = Instant::now();
        while !(self.send(server) && server.get("/ready").0 == 200) {
            assert!(started.elapsed() < HEAL_MAX, "it does not heal: {}", server.get("/ready").1);
            std::thread::sleep(Duration::from_millis(20));
        }
        started.elapsed()
    }

    /// What was acknowledged is there, once.
    pub fn compare(&self, server: &Server) {
        let stored: Vec<String> = server
            .events("&site=probe")
            .iter()
            .map(|event| event["event_id"].as_str().expect("an id").into())
            .collect();
        let once: BTreeSet<String> = stored.iter().cloned().collect();
        assert_eq!(stored.len(), once.len(), "twice");
        let lost: Vec<_> = self.acknowledged.difference(&once).collect();
        assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
    }
}

/// Every checksum holds; asked again while seals take all places of jobs.
pub fn is_sound(layer: &Layer) {
    let started = Instant::now();
    loop {
        let verified = run(layer.path(), &["verify"]);
        let said = String::from_utf8_lossy(&verified.stderr);
        if verified.status.success() {
            return;
        }
        assert!(said.contains("are under way") && started.elapsed() < HEAL_MAX, "verify: {said}");
    }
}

pub fn takes_a_fresh_event(server: &Server, id: &str) {
    let event = format!(r#"{{"path":"/fresh","site":"fresh","event_id":"{id}"}}"#);
    assert_eq!(server.post("/tick", &event), (202, r#"{"accepted":1,"duplicates":0,"rejected":[]}"#.to_owned()));
    server.wait_until("the fresh event", |server| {
        server.events("&site=fresh").iter().any(|event| event["event_id"] == id)
    });
}
