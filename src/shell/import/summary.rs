//! Summary: what became of an import's lines.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Places named for each reason; more are only counted.
const PLACES_MAX: usize = 5;

/// Counts over all batches.
#[derive(Debug, Default)]
pub struct Summary {
    accepted: u64,
    duplicates: u64,
    bots: u64,
    rejected: BTreeMap<String, Rejected>,
    days: u64,
}

/// Where a line stands.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which file, in the order they were named.
    pub file: u32,
    /// Its number in the file, from 1; of a followed one the byte where it begins.
    pub line: u64,
}

#[derive(Debug, Default)]
struct Rejected {
    count: u64,
    /// The first ones in the order of files and lines; lines are taken in the order of time.
    places: BTreeMap<Place, String>,
}

impl Summary {
    /// Adds a batch's answer; `place` finds and names a line by its place in the batch. Answers the first rejection of each
    /// reason that there was none of before.
    pub(in crate::shell) fn add(&mut self, answer: &Value, place: impl Fn(usize) -> (Place, String)) -> Vec<String> {
        let mut news = Vec::new();
        let count = |key: &str| answer[key].as_u64().unwrap_or_default();
        self.accepted += count("accepted");
        self.duplicates += count("duplicates");
        self.bots += count("bots");
        for rejection in answer["rejected"].as_array().into_iter().flatten() {
            let reason = rejection["reason"].as_str().unwrap_or("unknown").to_owned();
            let is_new = !self.rejected.contains_key(&reason);
            let rejected = self.rejected.entry(reason).or_default();
            rejected.count += 1;
            let line = rejection["at"].as_u64().unwrap_or(1).saturating_sub(1);
            let message = rejection["message"].as_str().unwrap_or_default();
            let (place, name) = place(usize::try_from(line).unwrap_or_default());
            let said = format!("{name}: {message}");
            if is_new {
                news.push(said.clone());
            }
            rejected.places.insert(place, said);
            if rejected.places.len() > PLACES_MAX {
                rejected.places.pop_last();
            }
        }
        news
    }

    /// Adds what another came to.
    pub(in crate::shell) fn join(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.bots += other.bots;
        self.days += other.days;
        for (reason, theirs) in other.rejected {
            let rejected = self.rejected.entry(reason).or_default();
            rejected.count += theirs.count;
            rejected.places.extend(theirs.places);
            while rejected.places.len() > PLACES_MAX {
                rejected.places.pop_last();
            }
        }
    }

    /// Notes what the end sealed.
    pub(super) fn sealed(&mut self, answer: &Value) {
        self.days = answer["sealed"].as_array().map_or(0, |days| days.len() as u64);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "accepted    {} ({} by bots)", self.accepted, self.bots)?;
        writeln!(out, "duplicates  {}", self.duplicates)?;
        writeln!(out, "rejected    {}", self.rejected.values().map(|rejected| rejected.count).sum::<u64>())?;
        for (reason, rejected) in &self.rejected {
            writeln!(out, "  {reason}  {}", rejected.count)?;
            for place in rejected.places.values() {
                writeln!(out, "    {place}")?;
            }
            if rejected.count > PLACES_MAX as u64 {
                writeln!(out, "    and {} more", rejected.count - PLACES_MAX as u64)?;
            }
        }
        writeln!(out, "days sealed {}", self.days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rejections_are_counted_by_reason_with_the_first_places() {
        let mut summary = Summary::default();
        let rejected: Vec<Value> =
            (1..=7).map(|at| json!({"at": at, "reason": "line", "message": "no request"})).collect();
        // Line 16 of the file is the first in time.
        let answer = json!({"accepted": 3, "duplicates": 1, "bots": 2, "rejected": rejected});
        let place = |at: usize| {
            let line = 16 - at as u64;
            (Place { file: 0, line }, format!("a.log:{line}"))
        };
        assert_eq!(summary.add(&answer, place), ["a.log:16: no request"], "one of each reason is news");
        summary.sealed(&json!({"sealed": ["2015-05-17", "2015-05-18"]}));
        let text = summary.to_string();
        assert!(text.contains("accepted    3 (2 by bots)\nduplicates  1\nrejected    7\n"), "{text}");
        assert!(
            text.contains("  7\n    a.log:10: no request\n    a.log:11: no request\n")
                && text.contains("    and 2 more\n"),
            "{text}"
        );
        assert!(text.ends_with("days sealed 2\n"), "{text}");
    }
}
