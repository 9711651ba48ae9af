//! Ids of log lines: a line's bytes and its repetition number within its second, so that the same line by two ways counts
//! once and two equal lines of one second stay two.
//! - The id is a hash under the permanent key of a site: a line holds an address, and nobody without the key can try
//!   addresses until one fits.
//! - Repetitions are remembered of the seconds in hand: one of an import, whose lines are best sent in order of time,
//!   several of a live receiver, whose senders interleave. Of the seconds that are beyond the bound the one longest without
//!   a line is forgotten.
//! - Nothing is remembered across a restart: a line that comes again in the second of one before it is taken for its copy.

use crate::catalog::salts::Salt;
use crate::clock::Millis;
use crate::event::{RawEvent, Text};
use compact_str::format_compact;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};

/// Different lines remembered of all seconds together (some 40 B each).
const LINES_MAX: usize = 100_000;
/// Seconds remembered of interleaved lines: longer than senders' clocks and queues usually lie apart.
const INTERLEAVED_SECONDS_MAX: usize = 256;

/// In what order lines come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOrder {
    /// By time: those of an import.
    Sorted,
    /// As several senders write them, each by its own clock.
    Interleaved,
}

/// How often each line of the seconds in hand has come, under the permanent key of their site.
#[derive(Clone)]
pub struct LineIds {
    key: Salt,
    seconds_max: usize,
    /// The second of the latest line is the last.
    seconds: VecDeque<Second>,
    /// Different lines in all of them.
    lines: usize,
}

#[derive(Clone)]
struct Second {
    number: i64,
    seen: HashMap<[u8; 16], u32>,
}

impl LineIds {
    /// None yet, under a site's permanent key.
    pub fn under(key: Salt, order: LineOrder) -> Self {
        let seconds_max = match order {
            LineOrder::Sorted => 1,
            LineOrder::Interleaved => INTERLEAVED_SECONDS_MAX,
        };
        Self { key, seconds_max, seconds: VecDeque::new(), lines: 0 }
    }

    /// The id of a line that was read into `raw`: the first half of the SHA-256 of key and line in hex, and how often the
    /// line came before within its second. Without a moment it belongs to the second of the one before it. `None` where the
    /// event brings an id of its own.
    pub fn id(&mut self, line: &[u8], at: Option<Millis>, raw: &RawEvent) -> Option<Text> {
        if raw.get("event_id").is_some() || raw.get("event.id").is_some() {
            return None;
        }
        let mut half = [0; 16];
        let hash = Sha256::new().chain_update(self.key).chain_update(line).finalize();
        half.copy_from_slice(&hash[..16]);
        let mut second = self.take_second(at);
        let before = second.seen.entry(half).or_default();
        let id = format_compact!("{:032x}-{before}", u128::from_be_bytes(half));
        *before += 1;
        self.lines += second.seen.len();
        self.seconds.push_back(second);
        Some(id)
    }

    /// Takes a second out of those in hand, with room for one more line and for its return.
    fn take_second(&mut self, at: Option<Millis>) -> Second {
        let last = self.seconds.back().map_or(0, |second| second.number);
        let number = at.map_or(last, |at| at.div_euclid(1000));
        let known = self.seconds.iter().rposition(|second| second.number == number);
        let known = known.and_then(|at| self.seconds.remove(at));
        let mut second = known.unwrap_or_else(|| Second { number, seen: HashMap::new() });
        self.lines -= second.seen.len().min(self.lines);
        if second.seen.len() >= LINES_MAX {
            second.seen.clear();
        }
        while self.seconds.len() >= self.seconds_max || self.lines + second.seen.len() >= LINES_MAX {
            let Some(forgotten) = self.seconds.pop_front() else { break };
            self.lines -= forgotten.seen.len();
        }
        second
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;

    fn id(ids: &mut LineIds, line: &str, second: i64) -> String {
        ids.id(line.as_bytes(), Some(second * 1000), &RawEvent::default()).expect("an id").into()
    }

    #[test]
    fn lines_of_interleaved_seconds_are_counted_each_in_its_own() {
        let mut ids = LineIds::under([7; 16], LineOrder::Interleaved);
        let numbers = [1, 9, 1, 9, -3, 1].map(|second| id(&mut ids, "a", second).rsplit('-').next().map(str::to_owned));
        assert_eq!(numbers.map(Option::unwrap_or_default), ["0", "0", "1", "1", "0", "2"]);
    }

    #[test]
    fn both_orders_give_sorted_lines_the_same_ids() {
        let lines = [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("b", 2), ("b", 2), ("c", 5), ("c", 5)];
        let ids = |order| {
            let mut ids = LineIds::under([7; 16], order);
            lines.map(|(line, second)| id(&mut ids, line, second))
        };
        assert_eq!(ids(LineOrder::Sorted), ids(LineOrder::Interleaved));
    }

    #[test]
    fn what_is_remembered_is_bounded_in_seconds() {
        let mut ids = LineIds::under([7; 16], LineOrder::Interleaved);
        for second in 0..=INTERLEAVED_SECONDS_MAX as i64 {
            id(&mut ids, "a", second);
        }
        assert_eq!(ids.seconds.len(), INTERLEAVED_SECONDS_MAX);
        assert!(id(&mut ids, "a", 1).ends_with("-1"), "the newest are remembered");
        assert!(id(&mut ids, "a", 0).ends_with("-0"), "the one longest without a line is forgotten");
    }

    #[test]
    fn what_is_remembered_is_bounded_in_lines() {
        for order in [LineOrder::Sorted, LineOrder::Interleaved] {
            let mut ids = LineIds::under([7; 16], order);
            for line in 0..LINES_MAX + 10 {
                id(&mut ids, &line.to_string(), 1);
                assert!(ids.lines <= LINES_MAX);
                assert_eq!(ids.lines, ids.seconds.iter().map(|second| second.seen.len()).sum::<usize>());
            }
            for line in 0..LINES_MAX {
                id(&mut ids, &line.to_string(), 2 + line as i64 % 3);
                assert!(ids.lines <= LINES_MAX);
            }
            assert_eq!(ids.lines, ids.seconds.iter().map(|second| second.seen.len()).sum::<usize>());
        }
    }

    #[test]
    fn an_event_keeps_an_id_of_its_own() {
        let raw = RawEvent { fields: vec![("event.id".into(), Value::text("mine"))], ..RawEvent::default() };
        assert_eq!(LineIds::under([7; 16], LineOrder::Sorted).id(b"{}", None, &raw), None);
    }
}
