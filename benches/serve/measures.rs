//! Everything that is measured: its name in the JSON, its row in the table, its unit, and what Metronome means to reach.

use serde::Serialize;

#[derive(Debug, Clone, Copy, Serialize)]
pub enum Better {
    More,
    Less,
    /// Told for its own sake.
    Neither,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Measure {
    pub name: &'static str,
    pub text: &'static str,
    pub unit: &'static str,
    pub better: Better,
    pub goal: &'static str,
}

impl Better {
    /// How many times better the first is than the second.
    pub fn times(self, ours: f64, theirs: f64) -> Option<f64> {
        match self {
            Self::More => Some(ours / theirs),
            Self::Less => Some(theirs / ours),
            Self::Neither => None,
        }
    }
}

const fn more(name: &'static str, text: &'static str, unit: &'static str, goal: &'static str) -> Measure {
    Measure { name, text, unit, better: Better::More, goal }
}

const fn less(name: &'static str, text: &'static str, unit: &'static str, goal: &'static str) -> Measure {
    Measure { name, text, unit, better: Better::Less, goal }
}

/// The share of the processor's time of both that the load generator took.
const fn share_of_load(name: &'static str, text: &'static str) -> Measure {
    Measure { name, text, unit: "%", better: Better::Neither, goal: "" }
}

pub const SINGLES: Measure = more(
    "singles",
    "single events, 256 connections, each answered after its sync; reference: a null handler in the same server stack",
    "events/s",
    "0.6 of it",
);
pub const SINGLES_DISK: Measure = more(
    "singles_disk",
    "single events; reference: 256 in every 1.5 syncs of the disk",
    "events/s",
    "0.8 of it, if lower",
);
pub const SINGLES_PROCESSOR: Measure =
    less("singles_processor", "processor's time of a single event; reference: the null handler's", "µs", "");
pub const SINGLES_P99: Measure =
    less("singles_p99", "answer to a single event, p99; reference: the null handler's", "ms", "");
pub const SINGLES_CLIENT: Measure =
    share_of_load("singles_client", "the load generator's share of the processor; reference: beside the null handler");
pub const TAKEN: Measure = more("taken", "batches of 1,000, taken", "events/s", "1.5 of VictoriaLogs");
pub const READABLE: Measure =
    more("readable", "batches of 1,000, taken and readable, to the last event", "events/s", "0.8 of VictoriaLogs");
pub const TAKEN_CLIENT: Measure = share_of_load("taken_client", "the load generator's share of the processor");
pub const MEMORY: Measure = less("memory", "anonymous memory meanwhile, at the most", "MiB", "512");
pub const HOT_SEALED: Measure = less("hot_sealed", "the busiest item's usage, 30 sealed days, p50", "ms", "2");
pub const COLD_SEALED: Measure = less("cold_sealed", "a seldom used item's usage, 30 sealed days, p50", "ms", "2");
pub const HOT_TODAY: Measure = less("hot_today", "the busiest item's, 29 sealed days and today, p50", "ms", "15");
pub const COLD_TODAY: Measure = less("cold_today", "a seldom used item's, 29 sealed days and today, p50", "ms", "15");
pub const HOT_OPEN: Measure = less("hot_open", "the busiest item's, 30 open days, p50", "ms", "");
pub const COLD_OPEN: Measure = less("cold_open", "a seldom used item's, 30 open days, p50", "ms", "");
pub const BYTES_OPEN: Measure = less("bytes_open", "bytes an event, days open; reference: its JSON", "B", "60");
pub const BYTES_SEALED: Measure = less("bytes_sealed", "bytes an event, days sealed; reference: its JSON", "B", "");
pub const BYTES_PLAIN: Measure = less("bytes_plain", "the same, of events without senders' ids", "B", "35");
pub const SEAL_MONTH: Measure = less("seal_month", "sealing 30 days, a million events", "s", "");
pub const SEAL_DAY: Measure = less(
    "seal_day",
    "sealing one day, a million events, while as many are taken as can be; reference: while nothing else is done",
    "s",
    "10",
);
pub const TAKEN_SEALING: Measure =
    more("taken_sealing", "taken while a day is sealed; reference: before it", "events/s", "0.5 of it");
pub const START: Measure = less("start", "start after a kill −9 under load", "s", "5");
pub const LAG_HALF: Measure = less(
    "lag_half",
    "from an event's acknowledgement until readers see it, at half of the top rate, longest",
    "s",
    "2",
);
pub const LAG_FULL: Measure = less("lag_full", "the same, while as many are sent as are taken, longest", "s", "2");
pub const IMPORT: Measure =
    more("import", "import of a combined log, sealed at its end; reference: reading its lines", "lines/s", "");
