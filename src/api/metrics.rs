//! Metrics: what an operator's Prometheus is told.
//! - Facts of other rooms are asked for at each scrape; the times of questions are kept here.
//! - Nothing about a person, no key, no address, no path. Of the pairs of site and reason the [`SERIES_MAX`] largest.

use crate::clock::Millis;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Series of rejections told at the most: sites are named by senders.
const SERIES_MAX: usize = 1_000;

/// What other rooms know of themselves.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Events taken.
    pub accepted: u64,
    /// Events that were known already.
    pub duplicates: u64,
    /// Events not taken.
    pub rejected: Vec<RejectedCount>,
    /// Since when these three are counted: the start.
    pub since: Millis,
    /// What came by the ports beside HTTP.
    pub ports: Vec<PortFacts>,
    /// Bytes of the journal on disk.
    pub journal_bytes: u64,
    /// The first position it holds.
    pub journal_first: u64,
    /// The position past its last synced event.
    pub journal_synced: u64,
    /// Syncs so far.
    pub journal_syncs: u64,
    /// The time they took together.
    pub journal_sync_time: Duration,
    /// Whether a write or sync failed and nothing is taken.
    pub journal_poisoned: bool,
    /// Parts of it that could not be read.
    pub journal_lost: u64,
    /// What the daily scrub did.
    pub scrub: Scrub,
}

/// What came by one port beside HTTP.
#[derive(Debug, Clone, Default)]
pub struct PortFacts {
    /// The receiver's name.
    pub receiver: &'static str,
    /// Connections open.
    pub connections: u64,
    /// Events taken.
    pub accepted: u64,
    /// Events that were known already.
    pub duplicates: u64,
    /// Events not taken.
    pub rejected: u64,
    /// Connections closed for what they said, by reason.
    pub broken: BTreeMap<&'static str, u64>,
    /// What was lost for good, by reason.
    pub lost: BTreeMap<&'static str, u64>,
}

/// What the daily scrub did so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scrub {
    /// Times it read all there is.
    pub runs: u64,
    /// When it last did, in seconds since 1970.
    pub last_s: u64,
    /// Damaged parts it found then.
    pub damaged: u64,
}

/// How many events of a site were not taken for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedCount {
    /// The site.
    pub site: String,
    /// The reason's name.
    pub reason: &'static str,
    /// Whether they were left out as configured, and are no fault of their sender.
    #[serde(skip)]
    pub is_filter: bool,
    /// How many.
    pub events: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReportLabels {
    report: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PortLabels {
    receiver: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhyLabels {
    receiver: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectedLabels {
    site: String,
    reason: &'static str,
}

/// Tells the metrics.
pub struct Metrics {
    facts: Box<dyn Fn() -> Facts + Send + Sync>,
    questions: Family<ReportLabels, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Metrics of these facts, as they are at each scrape.
    pub fn new(facts: impl Fn() -> Facts + Send + Sync + 'static) -> Self {
        let questions = Family::new_with_constructor(histogram as fn() -> Histogram);
        Self { facts: Box::new(facts), questions }
    }

    /// Events not taken since the start, of one site or of all: the largest counts, each of a site and reason.
    pub(super) fn rejected(&self, site: Option<&str>) -> (Millis, Vec<RejectedCount>) {
        let Facts { since, mut rejected, .. } = (self.facts)();
        rejected.retain(|count| site.is_none_or(|site| count.site == site));
        (since, largest(rejected))
    }

    /// Counts a question of a report.
    pub(super) fn asked(&self, report: &'static str, time: Duration) {
        self.questions.get_or_create(&ReportLabels { report }).observe(time.as_secs_f64());
    }

    /// The text of the exposition; `store_position` is how far the store is, `damaged_days` how many lack something.
    pub(super) fn text(&self, store_position: u64, damaged_days: u64) -> Result<String, fmt::Error> {
        let facts = (self.facts)();
        let mut registry = Registry::with_prefix("metronome");
        let counter =
            |registry: &mut Registry, name, help, value: u64| registry.register(name, help, ConstCounter::new(value));
        counter(&mut registry, "events_accepted", "Events taken, on disk", facts.accepted);
        counter(&mut registry, "events_duplicate", "Events that were known already", facts.duplicates);
        registry.register("events_rejected", "Events not taken, by site and reason", rejected(facts.rejected));
        ports(&mut registry, &facts.ports);
        let gauge = |registry: &mut Registry, name, help, value: u64| registry.register(name, help, of(value));
        gauge(&mut registry, "journal_size_bytes", "Bytes of the journal on disk", facts.journal_bytes);
        gauge(
            &mut registry,
            "journal_held_events",
            "Events the journal holds",
            facts.journal_synced.saturating_sub(facts.journal_first),
        );
        gauge(&mut registry, "journal_position", "Events synced since ever", facts.journal_synced);
        gauge(
            &mut registry,
            "journal_poisoned",
            "1 while a failed write keeps it from taking",
            facts.journal_poisoned.into(),
        );
        counter(&mut registry, "journal_syncs", "Syncs of the journal", facts.journal_syncs);
        let seconds = ConstCounter::new(facts.journal_sync_time.as_secs_f64());
        registry.register_with_unit("journal_sync", "Time syncs took", Unit::Seconds, seconds);
        gauge(&mut registry, "store_position", "Events the store holds for good, since ever", store_position);
        let lag = facts.journal_synced.saturating_sub(store_position);
        gauge(&mut registry, "store_lag_events", "Events synced in the journal and not yet in the store for good", lag);
        gauge(&mut registry, "store_damaged_days", "Days that something is lost of, until repaired", damaged_days);
        let help = "Parts of the journal that were needed and cannot be read, until that is accepted";
        gauge(&mut registry, "journal_lost_parts", help, facts.journal_lost);
        scrubbed(&mut registry, &facts.scrub);
        let help = "Time of questions, by report";
        registry.register_with_unit("question", help, Unit::Seconds, self.questions.clone());
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// What came by the ports beside HTTP; a port's events are in the counts of all too.
fn ports(registry: &mut Registry, ports: &[PortFacts]) {
    if ports.is_empty() {
        return;
    }
    let open = Family::<PortLabels, Gauge>::default();
    let [accepted, duplicates, rejected] = [(); 3].map(|()| Family::<PortLabels, Counter>::default());
    let [broken, lost] = [(); 2].map(|()| Family::<WhyLabels, Counter>::default());
    for port in ports {
        let labels = PortLabels { receiver: port.receiver };
        open.get_or_create(&labels).set(i64::try_from(port.connections).unwrap_or(i64::MAX));
        accepted.get_or_create(&labels).inc_by(port.accepted);
        duplicates.get_or_create(&labels).inc_by(port.duplicates);
        rejected.get_or_create(&labels).inc_by(port.rejected);
        for (family, counts) in [(&broken, &port.broken), (&lost, &port.lost)] {
            for (reason, count) in counts {
                family.get_or_create(&WhyLabels { receiver: port.receiver, reason }).inc_by(*count);
            }
        }
    }
    registry.register("receiver_connections", "Connections open at a receiver's own port", open);
    registry.register("receiver_events_accepted", "Events taken by a receiver beside /tick", accepted);
    registry.register(
        "receiver_events_duplicate",
        "Events of a receiver beside /tick that were known already",
        duplicates,
    );
    registry.register("receiver_events_rejected", "Events of a receiver beside /tick that were not taken", rejected);
    registry.register("receiver_broken", "Connections closed for what they said, by reason", broken);
    registry.register("receiver_lost", "What is lost for good, as its protocol cannot send it again, by reason", lost);
}

fn scrubbed(registry: &mut Registry, scrub: &Scrub) {
    registry.register("scrubs", "Times that every checksum was read", ConstCounter::new(scrub.runs));
    registry.register_with_unit("scrub_last", "When that was last done, since 1970", Unit::Seconds, of(scrub.last_s));
    registry.register("scrub_damaged_parts", "Damaged parts that it found then", of(scrub.damaged));
}

/// From half a millisecond to half a minute.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 17))
}

/// A gauge takes no unsigned numbers; these stay far below the difference.
fn of(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

fn largest(mut counts: Vec<RejectedCount>) -> Vec<RejectedCount> {
    counts.sort_by_key(|count| std::cmp::Reverse(count.events));
    counts.truncate(SERIES_MAX);
    counts
}

fn rejected(counts: Vec<RejectedCount>) -> impl EncodeMetric + fmt::Debug + use<> {
    let family: Family<RejectedLabels, Counter> = Family::default();
    for count in largest(counts) {
        family.get_or_create(&RejectedLabels { site: count.site, reason: count.reason }).inc_by(count.events);
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exposition_tells_the_facts() {
        let metrics = Metrics::new(|| Facts {
            accepted: 7,
            rejected: vec![RejectedCount { site: "a\"b".into(), reason: "not_json", is_filter: false, events: 2 }],
            journal_synced: 9,
            journal_sync_time: Duration::from_millis(1500),
            scrub: Scrub { damaged: 3, ..Scrub::default() },
            ports: vec![PortFacts {
                receiver: "syslog",
                lost: BTreeMap::from([("kernel", 5)]),
                ..PortFacts::default()
            }],
            ..Facts::default()
        });
        metrics.asked("top", Duration::from_millis(3));
        let text = metrics.text(4, 1).unwrap();
        for line in [
            "metronome_events_accepted_total 7",
            "metronome_events_rejected_total{site=\"a\\\"b\",reason=\"not_json\"} 2",
            "metronome_journal_sync_seconds_total 1.5",
            "metronome_store_lag_events 5",
            "metronome_receiver_lost_total{receiver=\"syslog\",reason=\"kernel\"} 5",
            "metronome_receiver_events_accepted_total{receiver=\"syslog\"} 0",
            "metronome_store_damaged_days 1",
            "metronome_scrub_damaged_parts 3",
            "metronome_question_seconds_count{report=\"top\"} 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn the_series_of_rejections_are_bounded() {
        let count =
            |number: u64| RejectedCount { site: number.to_string(), reason: "time", is_filter: false, events: number };
        let metrics = Metrics::new(move || Facts { rejected: (0..5_000).map(count).collect(), ..Facts::default() });
        let text = metrics.text(0, 0).unwrap();
        assert_eq!(text.matches("events_rejected_total{").count(), SERIES_MAX);
        assert!(text.contains("site=\"4999\""));
        let (_, all) = metrics.rejected(None);
        assert_eq!((all.len(), all[0].events), (SERIES_MAX, 4_999));
        // What a site is told does not depend on how many others there are.
        assert_eq!(metrics.rejected(Some("7")).1, [count(7)]);
    }
}
