//! The ledger: what must be there after a life, what may be, and what is wrong.
//! - Acknowledged: it is there, once, as it was sent; unless a later round expired its day.
//! - Sent and not acknowledged: it may be there, once, as it was sent.
//! - An item's usage outlives its events: a day's views are at least the acknowledged ones of all rounds since the day's
//!   tables were last taken away, and at most all that were ever sent.

use super::sent::{Events, Number, RETENTION_DAYS, SITE};
use crate::support::Server;
use metronome::event::Day;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug)]
struct Sent {
    day: i32,
    padded: bool,
    is_acknowledged: bool,
}

/// What a life sent and expired.
pub struct Ledger {
    events: Events,
    sent: BTreeMap<Number, Sent>,
    /// Round, and whether item tables went too.
    expiries: Vec<(u32, bool)>,
}

impl Ledger {
    pub fn new(events: Events) -> Self {
        Self { events, sent: BTreeMap::new(), expiries: Vec::new() }
    }

    pub fn acknowledged(&self) -> usize {
        self.sent.values().filter(|sent| sent.is_acknowledged).count()
    }

    /// A round sent this.
    pub fn note_sent(&mut self, number: Number, day: i32, padded: bool) {
        self.sent.insert(number, Sent { day, padded, is_acknowledged: false });
    }

    pub fn note_acknowledged(&mut self, number: Number) {
        self.sent.get_mut(&number).expect("it was sent").is_acknowledged = true;
    }

    /// A round's server expires; item tables too, or events alone.
    pub fn note_expiry(&mut self, round: u32, tables: bool) {
        self.expiries.push((round, tables));
    }

    /// The last events of a round that may be sent again: they have an id, and no round expires them.
    pub fn again(&self, round: u32, most: usize) -> Vec<(Number, i32, bool)> {
        let first = Number { round, within: 0 };
        let lasting = self.sent.range(first..).filter(|(number, sent)| number.has_id() && !self.is_old(sent.day));
        lasting.rev().take(most).map(|(number, sent)| (*number, sent.day, sent.padded)).collect()
    }

    /// Compares what a server has with what it must and may have.
    pub fn compare(&self, server: &Server) {
        server.wait_until("the store", |server| server.get("/metrics").1.contains("metronome_store_lag_events 0\n"));
        let mut stored: BTreeMap<String, Value> = BTreeMap::new();
        for event in server.events(&format!("&site={SITE}")) {
            let mark = event["mark"].as_str().expect("a mark").to_owned();
            assert!(stored.insert(mark.clone(), event).is_none(), "{mark} is there twice");
        }
        for (number, sent) in &self.sent {
            let mark = self.events.mark(*number);
            match stored.remove(&mark) {
                Some(event) => self.same(*number, sent, &event),
                None => {
                    assert!(!self.must_be_there(*number, sent), "{mark} was acknowledged and is not there: {sent:?}")
                }
            }
        }
        assert!(stored.is_empty(), "never sent: {:?}", stored.keys());
        self.compare_usage(server);
    }

    fn compare_usage(&self, server: &Server) {
        let usage = server.json(&format!("/tock.json?site={SITE}&range=all&interval=day"));
        let views: BTreeMap<i32, u64> = usage["views"]
            .as_object()
            .expect("views")
            .iter()
            .map(|(day, views)| (Day::parse(day).expect("a day").0, count(views)))
            .collect();
        let mut bounds: BTreeMap<i32, (u64, u64)> = views.keys().map(|day| (*day, (0, 0))).collect();
        for (number, sent) in &self.sent {
            let (least, most) = bounds.entry(sent.day).or_default();
            *most += 1;
            let is_gone =
                self.is_old(sent.day) && self.expiries.iter().any(|(round, tables)| *tables && *round > number.round);
            *least += u64::from(sent.is_acknowledged && !is_gone);
        }
        for (day, (least, most)) in bounds {
            let views = views.get(&day).copied().unwrap_or_default();
            assert!((least..=most).contains(&views), "day {day} has {views} views, {least} to {most} are right");
        }
    }

    fn must_be_there(&self, number: Number, sent: &Sent) -> bool {
        let is_expired = self.is_old(sent.day) && self.expiries.iter().any(|(round, _)| *round > number.round);
        sent.is_acknowledged && !is_expired
    }

    fn is_old(&self, day: i32) -> bool {
        day < self.events.today - RETENTION_DAYS
    }

    /// What does not change on the way is as it was sent.
    fn same(&self, number: Number, sent: &Sent, event: &Value) {
        let json = self.events.json(number, sent.day, sent.padded);
        for (key, value) in json.as_object().expect("an object") {
            match key.as_str() {
                "visitor" | "user_agent" => {}
                "@timestamp" => {
                    let at: jiff::Timestamp = event[key].as_str().expect("a time").parse().expect("a time");
                    assert_eq!(Some(at.as_millisecond()), value.as_i64(), "{number:?}");
                }
                // 0.0 comes back as 0: one number, one form.
                _ if value.is_number() => assert_eq!(event[key].as_f64(), value.as_f64(), "{key} of {number:?}"),
                // What has no bytes is nothing.
                _ if value == "" => {}
                _ => assert_eq!(&event[key], value, "{key} of {number:?}"),
            }
        }
    }
}

fn count(views: &Value) -> u64 {
    views.as_u64().expect("a count")
}
