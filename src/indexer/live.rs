//! Live: the visitors of open days, as far as they are remembered.
//! - Bounded by weight; the half that was not seen for longest is forgotten at once. A visitor that was forgotten begins
//!   anew, until its day is sealed.

use super::derive::Whose;
use crate::event::Event;
use crate::visits::{Increments, VisitorDay, step};
use rustc_hash::FxHashMap;

/// The visitors remembered.
#[derive(Debug, Default)]
pub(super) struct Live {
    young: FxHashMap<Whose, VisitorDay>,
    old: FxHashMap<Whose, VisitorDay>,
    young_weight: usize,
    half_max: usize,
}

impl Live {
    /// Nobody yet, and never more than this weight ([`VisitorDay::weight`]) beside one visitor's own.
    pub(super) fn bounded(weight_max: usize) -> Self {
        Self { half_max: (weight_max / 2).max(1), ..Self::default() }
    }

    /// Takes a visitor's next event, in order of arrival.
    pub(super) fn step(&mut self, event: &Event) -> Increments {
        let Some(whose) = Whose::of(event) else { return step(&mut VisitorDay::default(), event) };
        if self.young_weight >= self.half_max {
            self.old = std::mem::take(&mut self.young);
            self.young_weight = 0;
        }
        let mut before = 0;
        let state = match self.young.entry(whose) {
            std::collections::hash_map::Entry::Occupied(held) => {
                before = held.get().weight();
                held.into_mut()
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(self.old.remove(&whose).unwrap_or_default())
            }
        };
        let increments = step(state, event);
        self.young_weight = (self.young_weight + state.weight()).saturating_sub(before);
        increments
    }

    /// How many visitors are remembered.
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
