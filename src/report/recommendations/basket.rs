//! Basket: the items of visits, out of their trails; and how often items are together.
//! - A basket holds each item once, in the order in which it was first used, and no more than [`ITEMS_MAX`].
//! - Held are the newest baskets so far, whatever order they come in.

use super::{BASKETS_MAX, ITEMS_MAX, SCORED_MAX, TOGETHER_MIN};
use crate::store::trails::{Trail, TrailBatch, Visit};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The items of a basket.
pub type Basket = Vec<Box<str>>;

/// The newest baskets of an item.
#[derive(Debug)]
pub struct Newest {
    item: String,
    baskets: BTreeMap<Visit, Basket>,
}

impl Newest {
    /// None so far.
    pub fn of(item: &str) -> Self {
        Self { item: item.to_owned(), baskets: BTreeMap::new() }
    }

    /// Whether no older basket is wanted.
    pub fn is_full(&self) -> bool {
        self.baskets.len() >= BASKETS_MAX
    }

    /// Takes the baskets of a batch whose visits come whole; its one label is the item.
    pub fn take(&mut self, batch: &TrailBatch) {
        batch.trails.iter().for_each(|trail| self.take_trail(batch, trail));
    }

    /// The baskets, oldest first.
    pub fn finish(self) -> Vec<Basket> {
        self.baskets.into_values().collect()
    }

    fn take_trail(&mut self, batch: &TrailBatch, trail: &Trail) {
        // While a day is open, visits of one trail may lie within each other.
        let mut baskets: BTreeMap<Visit, Filling<'_>> = BTreeMap::new();
        for place in trail.events.clone() {
            let (Some(Some(visit)), Some(labels)) = (batch.visits.get(place), batch.labels.first()) else { continue };
            if self.is_too_old(visit) {
                continue;
            }
            let basket = baskets.entry(*visit).or_default();
            labels.of(place).iter().for_each(|item| basket.add(item));
        }
        for (visit, basket) in baskets {
            // What came past the end of a basket is not in it.
            if basket.held.contains(self.item.as_str()) {
                self.baskets.insert(visit, basket.items.into_iter().map(Box::from).collect());
                if self.baskets.len() > BASKETS_MAX {
                    self.baskets.pop_first();
                }
            }
        }
    }

    fn is_too_old(&self, visit: &Visit) -> bool {
        self.is_full() && self.baskets.first_key_value().is_some_and(|(oldest, _)| visit < oldest)
    }
}

/// A basket in the making.
#[derive(Default)]
struct Filling<'a> {
    items: Vec<&'a str>,
    held: HashSet<&'a str>,
}

impl<'a> Filling<'a> {
    fn add(&mut self, item: &'a str) {
        if self.items.len() < ITEMS_MAX && self.held.insert(item) {
            self.items.push(item);
        }
    }
}

/// The other items that are in enough of the baskets, most often first, ties by text; and how many more there are than
/// are scored.
pub fn together(baskets: &[Basket], item: &str) -> (Vec<(String, u64)>, usize) {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for other in baskets.iter().flatten().filter(|other| ***other != *item) {
        *counts.entry(other).or_default() += 1;
    }
    let mut often: Vec<(&str, u64)> = counts.into_iter().filter(|(_, count)| *count >= TOGETHER_MIN).collect();
    often.sort_unstable_by_key(|(other, count)| (Reverse(*count), *other));
    let rest = often.len().saturating_sub(SCORED_MAX);
    often.truncate(SCORED_MAX);
    (often.into_iter().map(|(other, count)| (other.to_owned(), count)).collect(), rest)
}
