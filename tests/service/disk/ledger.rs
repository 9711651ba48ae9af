//! A ledger of what was sent and what was acknowledged, and the comparison that is always the same: what was
//! acknowledged is there, once, as it was sent; nothing else is but what was sent.

use crate::support::Server;
use metronome::load::{self, Bodies, Options, Report, mix::Mix};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How a load sends.
pub struct Way {
    pub connections: usize,
    pub batch: u64,
    pub rate: Option<u64>,
    pub time_max: Duration,
}

/// One load and what came of it.
pub struct Ledger {
    pub mix: Mix,
    acknowledged: Arc<Mutex<BTreeSet<u64>>>,
}

impl Ledger {
    /// Of events of this mix; no two ledgers of a test have the same seed.
    pub fn new(mix: Mix) -> Self {
        Self { mix, acknowledged: Arc::default() }
    }

    /// Begins to send; ends with the events, the time, or the server.
    pub fn send(&self, target: SocketAddr, way: Way) -> JoinHandle<Option<Report>> {
        let Way { connections, batch, rate, time_max } = way;
        let (events, bodies, path) = (self.mix.events, Bodies::Made(self.mix.clone()), "/tick".to_owned());
        let options = Options { target, path, key: None, connections, batch, rate, time_max, events, bodies };
        let told = Arc::clone(&self.acknowledged);
        let tell = Arc::new(move |numbers| told.lock().expect("lock").extend::<std::ops::Range<u64>>(numbers));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
            // A server that was gone before the first connection took nothing.
            runtime.block_on(load::run(options, tell)).ok()
        })
    }

    /// How many were acknowledged so far.
    pub fn count(&self) -> usize {
        self.acknowledged.lock().expect("lock").len()
    }

    fn has_sent(&self, id: &str) -> bool {
        let number = id.split_once('-').and_then(|(_, number)| u64::from_str_radix(number, 16).ok());
        number.is_some_and(|number| number < self.mix.events && self.mix.id(number) == id)
    }
}

/// Holds what a server has of a site against these ledgers; events of days before `kept_from` may have expired.
pub fn compare(server: &Server, site: &str, ledgers: &[Ledger], kept_from: &str) {
    server.wait_until("the store", |server| server.get("/metrics").1.contains("metronome_store_lag_events 0\n"));
    let mut stored: BTreeMap<String, Value> = BTreeMap::new();
    for event in server.events(&format!("&site={site}")) {
        let id = event["event_id"].as_str().expect("an id").to_owned();
        assert!(stored.insert(id.clone(), event).is_none(), "{id} is there twice");
    }
    for ledger in ledgers {
        for number in ledger.acknowledged.lock().expect("lock").iter() {
            let (id, sent) = (ledger.mix.id(*number), sent(&ledger.mix, *number));
            match stored.remove(&id) {
                Some(event) => same_payload(&sent, &event),
                None => assert!(day(&sent).as_str() < kept_from, "{id} was acknowledged and is not there: {sent}"),
            }
        }
    }
    // What is left was sent and never answered.
    for id in stored.keys() {
        assert!(ledgers.iter().any(|ledger| ledger.has_sent(id)), "{id} was never sent");
    }
}

fn sent(mix: &Mix, number: u64) -> Value {
    let mut sent = Vec::new();
    mix.write(number, &mut sent);
    serde_json::from_slice(&sent).expect("JSON")
}

fn day(sent: &Value) -> String {
    let days = sent["@timestamp"].as_i64().expect("a time").div_euclid(86_400_000);
    metronome::event::Day(i32::try_from(days).expect("a day")).to_string()
}

/// What does not change on the way is as it was sent.
fn same_payload(sent: &Value, event: &Value) {
    for (key, value) in sent.as_object().expect("an object") {
        match key.as_str() {
            "@timestamp" | "visitor" | "user_agent" | "referer" => {}
            // 0.00 comes back as 0: one number, one form.
            _ if value.is_number() => assert_eq!(event[key].as_f64(), value.as_f64(), "{key} of {sent}"),
            _ => assert_eq!(&event[key], value, "{key} of {sent}"),
        }
    }
}
