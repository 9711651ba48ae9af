//! The load on a server until it is killed: writers, and one who has days sealed again and again.

use super::sent::{Events, Number};
use crate::support::agent;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const WRITERS: usize = 4;

/// How a round sends.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Events in a request.
    pub batch: u32,
    /// Whether every event is padded, or one in eight.
    pub padded: bool,
    /// A writer's rest between two requests.
    pub rest: Duration,
    /// Whether days are sealed meanwhile.
    pub seals: bool,
    /// Whether its server expires days.
    pub expires: bool,
}

/// Everyone who talks to one server.
pub struct Load {
    round: Arc<Round>,
    threads: Vec<JoinHandle<()>>,
}

struct Round {
    events: Events,
    number: u32,
    manner: Manner,
    address: SocketAddr,
    next: AtomicU32,
    acknowledged: Mutex<Vec<Number>>,
    again: Vec<(Number, i32, bool)>,
}

impl Manner {
    pub fn is_padded(self, within: u32) -> bool {
        self.padded || within.is_multiple_of(8)
    }
}

impl Load {
    /// Begins; what is in `again` (with its day and padding) is sent first.
    pub fn begin(
        events: Events,
        number: u32,
        manner: Manner,
        address: SocketAddr,
        again: Vec<(Number, i32, bool)>,
    ) -> Self {
        let (next, acknowledged) = (AtomicU32::new(0), Mutex::default());
        let round = Arc::new(Round { events, number, manner, address, next, acknowledged, again });
        let spawn = |work: fn(&Round)| {
            let round = Arc::clone(&round);
            std::thread::spawn(move || work(&round))
        };
        let mut threads: Vec<_> = (0..WRITERS).map(|_| spawn(Round::write)).collect();
        threads.push(spawn(Round::send_again));
        if manner.seals {
            threads.push(spawn(Round::seal));
        }
        Self { round, threads }
    }

    /// How many events were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.round.acknowledged.lock().expect("lock").len()
    }

    /// Waits for all to notice that the server is gone. Gives back what was acknowledged, and how many numbers were used.
    pub fn end(self) -> (Vec<Number>, u32) {
        for thread in self.threads {
            thread.join().expect("a client");
        }
        let acknowledged = self.round.acknowledged.lock().expect("lock").clone();
        (acknowledged, self.round.next.load(Ordering::Relaxed))
    }
}

impl Round {
    fn write(&self) {
        let agent = agent();
        loop {
            let first = self.next.fetch_add(self.manner.batch, Ordering::Relaxed);
            let numbers = (first..first + self.manner.batch).map(|within| Number { round: self.number, within });
            let events = numbers.map(|number| {
                (number, self.events.day(number, self.manner.expires), self.manner.is_padded(number.within))
            });
            if !self.send(&agent, &events.collect::<Vec<_>>()) {
                return;
            }
            std::thread::sleep(self.manner.rest);
        }
    }

    fn send_again(&self) {
        let agent = agent();
        for event in &self.again {
            if !self.send(&agent, &[*event]) {
                return;
            }
        }
    }

    /// Sends events; false once there is nobody to send to.
    fn send(&self, agent: &ureq::Agent, events: &[(Number, i32, bool)]) -> bool {
        let lines = events.iter().map(|(number, day, padded)| self.events.json(*number, *day, *padded).to_string());
        let body = lines.collect::<Vec<_>>().join("\n");
        let request = agent.post(format!("http://{}/tick", self.address));
        match request.header("content-type", "application/x-ndjson").send(&body) {
            Ok(answer) if answer.status() == 202 => {
                let numbers = events.iter().map(|(number, ..)| *number);
                self.acknowledged.lock().expect("lock").extend(numbers);
                true
            }
            Ok(mut answer) => panic!("{}: {:?}", answer.status(), answer.body_mut().read_to_string()),
            Err(_) => false,
        }
    }

    fn seal(&self) {
        let agent = agent();
        let jobs = format!("http://{}/jobs", self.address);
        while let Some(begun) = said(agent.post(&jobs).send(r#"{"do":"seal"}"#)) {
            let job = format!("{jobs}/{}", begun["id"]);
            loop {
                let Some(status) = said(agent.get(&job).call()) else { return };
                match status["state"].as_str() {
                    Some("done") => break,
                    // A stop ends a seal; the next server begins it again.
                    Some("failed") if status["why"] == "the indexer is stopped" => return,
                    Some("failed") => panic!("{status}"),
                    _ => {}
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// An answer's JSON; `None` once there is nobody to answer.
fn said(answer: Result<axum::http::Response<ureq::Body>, ureq::Error>) -> Option<serde_json::Value> {
    let text = answer.ok()?.body_mut().read_to_string().ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")))
}
