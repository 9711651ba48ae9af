//! Recent ids: which senders' ids were seen lately, within a bound.
//! - An id is of a site and a day; it is remembered as a 128-bit hash under a key of this process, so no sender can make
//!   two ids meet.
//! - Bounded: at most [`RecentIds::bounded`]'s number, the oldest half forgotten at once. What is forgotten is not known:
//!   whoever must be sure asks the store.

use super::{Day, Event, Known};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// The days among which an event's id is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdScope {
    /// The event's own: the sender said when it happened.
    Day,
    /// Two days either side too: the time is the receiver's, so the same event sent again may bear another day.
    DaysAround,
}

impl IdScope {
    /// The first and last day for an event of `day`.
    pub fn days(self, day: Day) -> (Day, Day) {
        match self {
            Self::Day => (day, day),
            Self::DaysAround => (Day(day.0.saturating_sub(2)), Day(day.0.saturating_add(2))),
        }
    }
}

/// A sender's id on its site, hashed once; means something to the [`RecentIds`] that made it, and to those made beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdHash(u128);

/// Ids seen lately.
#[derive(Debug)]
pub struct RecentIds {
    young: HashSet<u128, BuildHasherDefault<Low64>>,
    old: HashSet<u128, BuildHasherDefault<Low64>>,
    half_max: usize,
    key: (u64, u64),
}

impl RecentIds {
    /// None yet, and never more than `ids_max` (some 40 B each).
    pub fn bounded(ids_max: usize) -> Self {
        let random = || RandomState::new().hash_one(0);
        Self::keyed(ids_max, (random(), random()))
    }

    /// None yet, never more than `ids_max`, and the same hashes.
    pub fn beside(&self, ids_max: usize) -> Self {
        Self::keyed(ids_max, self.key)
    }

    fn keyed(ids_max: usize, key: (u64, u64)) -> Self {
        Self { young: HashSet::default(), old: HashSet::default(), half_max: (ids_max / 2).max(1), key }
    }

    /// The event's id on its site; `None` for an event without one.
    pub fn hash(&self, event: &Event) -> Option<IdHash> {
        let id = event.text(Known::EventId)?;
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        hasher.write_u64(event.site().len() as u64);
        hasher.write(event.site().as_bytes());
        hasher.write(id.as_bytes());
        Some(IdHash(hasher.finish128().as_u128()))
    }

    /// Whether the id was seen within these days of `day`.
    pub fn contains(&self, id: IdHash, day: Day, scope: IdScope) -> bool {
        let (first, last) = scope.days(day);
        (first.0..=last.0).any(|day| {
            let key = of_day(id, Day(day));
            self.young.contains(&key) || self.old.contains(&key)
        })
    }

    /// Remembers an id of a day. Answers whether it is new within it.
    pub fn insert(&mut self, id: IdHash, day: Day) -> bool {
        let key = of_day(id, day);
        if self.young.len() >= self.half_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key) && !self.old.contains(&key)
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One id on one day; the days around cost no further hash.
fn of_day(id: IdHash, day: Day) -> u128 {
    // An odd number of 128 bits (2^128 divided by the golden ratio): different days lie far apart.
    const STEP: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    id.0.wrapping_add(STEP.wrapping_mul(day.0 as u128))
}

/// Hashes what is a hash already.
#[derive(Debug, Default)]
struct Low64(u64);

impl Hasher for Low64 {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }
}
