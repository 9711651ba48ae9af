//! Distinct: different values, until all segments and days are merged.
//! - They are counted exactly to 1,000, beyond that by HyperLogLog++ with 2^14 registers (0.8 %).
//! - What no other segment has (a visit or visitor of a day that lies in its sealed part alone) is counted at once, exactly.

use super::measure::{SKETCH_BYTES, mixed};
use crate::event::Day;
use crate::store::StoreError;
use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use std::hash::{BuildHasher, Hasher};

/// Up to so many different values are counted exactly.
pub const DISTINCT_EXACT: usize = 1000;
/// Standard error of a distinct count beyond that: 1.04 / sqrt(2^14).
pub const DISTINCT_ERROR: f64 = 0.008_125;
const PRECISION: u8 = 14;
/// Memory of a hash in a set, which is never full.
const HASH_BYTES: usize = 10;

/// A stable hash of a text form.
pub fn hash_of(text: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// A stable hash of a text form on one day.
pub fn hash_on(day: Day, text: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(u64::from(day.0.cast_unsigned()), 0);
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// Different hashes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Distinct {
    /// Values that were counted where no other state sees them.
    settled: u64,
    few: FxHashSet<u64>,
    sketch: Option<Box<HyperLogLogPlus<u64, AsItIs>>>,
}

impl Distinct {
    /// Memory it holds beside itself, about.
    pub fn bytes(&self) -> usize {
        self.few.capacity() * HASH_BYTES + self.sketch.as_ref().map_or(0, |_| SKETCH_BYTES)
    }

    /// Counts a value that no other state will see.
    pub fn settle(&mut self) {
        self.settled += 1;
    }

    /// Takes a hash in.
    pub fn add(&mut self, hash: u64) {
        match &mut self.sketch {
            Some(sketch) => sketch.insert(&hash),
            None => {
                self.few.insert(hash);
                if self.few.len() > DISTINCT_EXACT {
                    self.spill();
                }
            }
        }
    }

    fn spill(&mut self) {
        // The precision is within what the sketch allows; were it not, the count would stay exact.
        if let Ok(mut sketch) = HyperLogLogPlus::new(PRECISION, AsItIs) {
            std::mem::take(&mut self.few).iter().for_each(|hash| sketch.insert(hash));
            self.sketch = Some(Box::new(sketch));
        }
    }

    /// Takes in what another has seen.
    pub fn merge(&mut self, other: Self) -> Result<(), StoreError> {
        self.settled += other.settled;
        if let Some(theirs) = other.sketch {
            match &mut self.sketch {
                Some(sketch) => sketch.merge(&theirs).map_err(|_| mixed())?,
                None => {
                    let few = std::mem::take(&mut self.few);
                    self.sketch = Some(theirs);
                    few.into_iter().for_each(|hash| self.add(hash));
                }
            }
        }
        other.few.into_iter().for_each(|hash| self.add(hash));
        Ok(())
    }

    /// How many.
    pub fn count(self) -> f64 {
        let seen = match self.sketch {
            Some(mut sketch) => sketch.count().round(),
            None => self.few.len() as f64,
        };
        seen + self.settled as f64
    }
}

/// Hands a hash through: the values are hashes already.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct AsItIs;

/// The hash that was written.
pub struct Written(u64);

impl BuildHasher for AsItIs {
    type Hasher = Written;

    fn build_hasher(&self) -> Written {
        Written(0)
    }
}

impl Hasher for Written {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = (self.0 << 8) | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Different visits, counted exactly.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Visits {
    /// Those that no other state sees.
    settled: u64,
    /// Those of days in several parts, by their ids.
    held: FxHashSet<u64>,
}

impl Visits {
    /// Memory it holds beside itself, about.
    pub fn bytes(&self) -> usize {
        self.held.capacity() * HASH_BYTES
    }

    /// Counts a visit that no other state will see.
    pub fn settle(&mut self) {
        self.settled += 1;
    }

    /// Takes a visit in by its id.
    pub fn add(&mut self, id: u64) {
        self.held.insert(id);
    }

    /// Takes in what another has seen.
    pub fn merge(&mut self, mut other: Self) {
        if other.held.len() > self.held.len() {
            std::mem::swap(&mut self.held, &mut other.held);
        }
        self.settled += other.settled;
        self.held.extend(other.held);
    }

    /// How many there are.
    pub fn count(&self) -> f64 {
        (self.settled + self.held.len() as u64) as f64
    }
}
