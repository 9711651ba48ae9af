//! Walk: the paths that pages of visits make, from a page on or back from it.
//! - A path begins at each view of the page whose previous is another page, or none; backward it ends there.
//! - `(entry)` stands before a visit's first page view, `(exit)` behind its last.

use super::{ENTRY, EXIT, Way};
use crate::store::trails::{NONE, TrailBatch};
use std::collections::{BTreeMap, HashMap};

/// Weights by step, counted from the page, and pages.
pub(super) type Weights = BTreeMap<(usize, String, String), u64>;

/// Walks visits as their trails come.
#[derive(Debug)]
pub(super) struct Walk {
    way: Way,
    steps: usize,
    pages: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    weights: HashMap<(usize, u32, u32), u64>,
}

impl Walk {
    pub(super) fn new(way: Way, steps: usize) -> Self {
        let mut walk = Self { way, steps, pages: Vec::new(), numbers: HashMap::new(), weights: HashMap::new() };
        walk.number(ENTRY);
        walk.number(EXIT);
        walk
    }

    fn number(&mut self, page: &str) -> u32 {
        if let Some(number) = self.numbers.get(page) {
            return *number;
        }
        let number = self.pages.len() as u32; // pages are fewer than events, which are bounded far below a u32
        self.pages.push(page.into());
        self.numbers.insert(page.into(), number);
        number
    }

    /// Takes the trails of a batch, whose labels are path and id.
    pub(super) fn take(&mut self, batch: &TrailBatch) {
        let [paths, ids] = batch.labels.as_slice() else { return };
        let mut numbers_of = |texts: &[Box<[Box<str>]>]| -> Vec<u32> {
            texts.iter().map(|one| one.first().map_or(NONE, |page| self.number(page))).collect()
        };
        let (of_path, of_id) = (numbers_of(&paths.texts), numbers_of(&ids.texts));
        let of = |numbers: &[u32], code: u32| numbers.get(code as usize).copied();
        for trail in &batch.trails {
            let mut visits: Vec<(u64, Vec<u32>)> = Vec::new();
            for place in trail.events.clone() {
                let page = of(&of_path, paths.codes[place]).or_else(|| of(&of_id, ids.codes[place]));
                let (Some(page), Some(visit)) = (page, batch.visits[place]) else { continue };
                match visits.iter_mut().rev().find(|(id, _)| *id == visit.id) {
                    Some((_, pages)) => pages.push(page),
                    None => visits.push((visit.id, vec![0, page])),
                }
            }
            for (_, mut pages) in visits {
                pages.push(1);
                self.visit(&pages);
            }
        }
    }

    /// Takes a visit: its pages in order, entry and exit at the ends.
    fn visit(&mut self, pages: &[u32]) {
        let (page, is_forward) = match &self.way {
            Way::Whole => return,
            Way::From(page) => (page, true),
            Way::To(page) => (page, false),
        };
        let Some(wanted) = self.numbers.get(page.as_str()).copied() else { return };
        for place in (0..pages.len()).filter(|place| pages[*place] == wanted) {
            if place.checked_sub(1).is_some_and(|before| pages[before] == wanted) {
                continue;
            }
            for step in 1..=self.steps {
                let from = if is_forward { Some(place + step - 1) } else { place.checked_sub(step) };
                let edge = from.and_then(|from| Some((*pages.get(from)?, *pages.get(from + 1)?)));
                let Some((from, to)) = edge else { break };
                *self.weights.entry((step, from, to)).or_default() += 1;
            }
        }
    }

    /// What was found.
    pub(super) fn finish(self) -> Weights {
        let page = |number: u32| self.pages[number as usize].to_string();
        self.weights.iter().map(|((step, from, to), weight)| ((*step, page(*from), page(*to)), *weight)).collect()
    }
}
