//! Counts: lists of names with counts, in an order that never changes for the same counts.

use crate::query::range::Bucket;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};

/// Named counts, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(pub Vec<(String, u64)>);

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, count)| (name, count)))
    }
}

/// By count, largest first, ties by text; cut to `limit`.
pub fn ranked(counts: &BTreeMap<Box<str>, u64>, limit: usize) -> Counts {
    let mut ranked: Vec<(String, u64)> =
        counts.iter().filter(|(_, count)| **count > 0).map(|(name, count)| (name.to_string(), *count)).collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // stable: the map is in order of its texts
    ranked.truncate(limit);
    Counts(ranked)
}

/// Ascending counts newest first, and a zero for every bucket that has none.
pub fn newest_first(ascending: &[(String, u64)], buckets: &[Bucket]) -> Counts {
    let counted = ascending.iter().filter(|(_, count)| *count > 0).rev();
    if buckets.is_empty() {
        return Counts(counted.cloned().collect());
    }
    let counted: HashMap<&str, u64> = counted.map(|(name, count)| (name.as_str(), *count)).collect();
    let filled =
        buckets.iter().rev().map(|bucket| (bucket.name.clone(), counted.get(&*bucket.name).copied().unwrap_or(0)));
    Counts(filled.collect())
}
