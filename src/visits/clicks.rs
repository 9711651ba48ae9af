//! Clicks: which views and downloads count by the COUNTER Code of Practice 5.1, and which of them are unique.
//! - Of two clicks of a visitor on one item with one action within 30 s (exactly 30 too) one counts, each against its
//!   neighbour; it is the first of such a chain, so nothing is ever taken back.
//! - Items are remembered by a 64-bit hash: the last click within 30 s, and for the length of a visit that it was counted.
//! - Bounded: beyond [`CLICKS_MAX`] items of one visit those clicked longest ago are forgotten, and a repeat of one of
//!   them is unique again.

use crate::clock::Millis;
use crate::event::{Event, Known};
use siphasher::sip::SipHasher13;
use std::collections::HashMap;
use std::hash::Hasher;

/// Two clicks that are no further apart are one.
pub(super) const CHAIN_MS: Millis = 30_000;
/// Items remembered of one visitor: 70 MiB at the most.
const CLICKS_MAX: usize = 1 << 20;

/// A hash of (action, item) if the event is a click that COUNTER counts: a view or download of an `id` that succeeded.
pub(super) fn item_of(event: &Event) -> Option<u64> {
    let action = event.action();
    let fits = matches!(action, "view" | "download")
        && matches!(event.known(Known::Status), None | Some(crate::event::Value::Int(200 | 304)));
    let id = event.text(Known::Id).filter(|_| fits)?;
    let mut hasher = SipHasher13::new();
    hasher.write(action.as_bytes());
    hasher.write_u8(0);
    hasher.write(id.as_bytes());
    Some(hasher.finish())
}

/// The last click on an item.
#[derive(Debug, Clone, Copy)]
struct Click {
    at: Millis,
    /// The visit in which a click on it was counted last.
    visit: Option<u64>,
}

/// A visitor's clicks that still matter.
#[derive(Debug, Clone)]
pub(super) struct Clicks {
    items: HashMap<u64, Click>,
    items_max: usize,
}

impl Default for Clicks {
    fn default() -> Self {
        Self { items: HashMap::new(), items_max: CLICKS_MAX }
    }
}

impl Clicks {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    #[cfg(test)]
    pub(super) fn bounded(items_max: usize) -> Self {
        Self { items_max, ..Self::default() }
    }

    /// Takes a click: whether it is counted, and whether it is unique.
    pub(super) fn count(&mut self, item: u64, at: Millis, visit: Option<u64>) -> (bool, bool) {
        if self.items.len() >= self.items_max {
            self.forget_oldest();
        }
        let before = self.items.get(&item).copied();
        let counted = before.is_none_or(|click| at.abs_diff(click.at) > CHAIN_MS.unsigned_abs());
        let known_of_visit = before.and_then(|click| click.visit);
        let unique = counted && (visit.is_none() || known_of_visit != visit);
        let click = Click {
            at: before.map_or(at, |click| click.at.max(at)),
            visit: if unique && visit.is_some() { visit } else { known_of_visit },
        };
        self.items.insert(item, click);
        (counted, unique)
    }

    /// A visit starts: forgets what neither a chain nor the new visit can need.
    pub(super) fn forget_before(&mut self, at: Millis) {
        self.items.retain(|_, click| at.saturating_sub(click.at) <= CHAIN_MS);
    }

    fn forget_oldest(&mut self) {
        let mut times: Vec<Millis> = self.items.values().map(|click| click.at).collect();
        let middle = times.len() / 2;
        let (_, &mut median, _) = times.select_nth_unstable(middle);
        self.items.retain(|_, click| click.at > median);
    }
}
