//! Recount: every sum of a day derived again from its events, by other means than the state machine.
//! - Nothing that the indexer wrote is believed but `own_origin`; a visitor's events are cut into visits as a whole, then
//!   counted. So it is the oracle of `step`, and what `verify --recount` holds against a stored day.
//! - It needs every key of the events: those without an id are ordered by all they hold.
//! - Visitor by visitor, as a store's scan hands them over: two wrongs of two visitors never cancel out.
//! - Bounded by one visitor's events and [`DIFFERENCES_MAX`].

use super::{Landing, Role, VISIT_IDLE_MS, page_of};
use crate::clock::Millis;
use crate::event::{Event, Known, visit_id};
use std::collections::{BTreeMap, HashSet};

/// Differences listed; beyond it they are only counted.
pub const DIFFERENCES_MAX: usize = 100;

/// Sums by name: `visits`, `dwell_ms of /x`, …
pub type Sums = BTreeMap<String, i64>;

/// A sum that is not what the events say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The site.
    pub site: String,
    /// The visitor; `None` for an event without.
    pub visitor: Option<u64>,
    /// Which sum.
    pub sum: String,
    /// As it is stored.
    pub stored: i64,
    /// As it follows from the events.
    pub derived: i64,
}

/// A day's recount as far as it has come.
#[derive(Debug, Default)]
pub struct Recount {
    open: Vec<Event>,
    /// Events seen.
    pub events: u64,
    /// The first differences.
    pub differences: Vec<Difference>,
    /// All differences.
    pub differences_total: u64,
}

impl Recount {
    /// Takes the next event of a day; those of one visitor must follow each other.
    pub fn push(&mut self, event: Event) {
        let whose = |event: &Event| (event.hash(Known::Visitor), event.site().to_owned(), event.day());
        let goes_on =
            self.open.last().is_some_and(|last| last.known(Known::Visitor).is_some() && whose(last) == whose(&event));
        if !goes_on {
            self.close();
        }
        self.events += 1;
        self.open.push(event);
    }

    /// No more events come: the whole recount.
    pub fn finish(mut self) -> Self {
        self.close();
        self
    }

    fn close(&mut self) {
        let Some(first) = self.open.first() else { return };
        let (site, visitor) = (first.site().to_owned(), first.hash(Known::Visitor));
        let stored = stored(&self.open);
        let derived = derived(&mut self.open);
        let names: std::collections::BTreeSet<&String> = stored.keys().chain(derived.keys()).collect();
        for name in names {
            let of = |sums: &Sums| sums.get(name).copied().unwrap_or_default();
            let (stored, derived) = (of(&stored), of(&derived));
            if stored == derived {
                continue;
            }
            self.differences_total += 1;
            if self.differences.len() < DIFFERENCES_MAX {
                let sum = name.clone();
                self.differences.push(Difference { site: site.clone(), visitor, sum, stored, derived });
            }
        }
        self.open.clear();
    }
}

/// The sums as the increments on the events give them.
pub fn stored(events: &[Event]) -> Sums {
    let mut sums = Sums::new();
    for event in events {
        for known in [Known::VisitorStart, Known::VisitStart, Known::Engaged, Known::VisitMs] {
            add(&mut sums, known.name(), event.int(known).unwrap_or_default());
        }
        for known in [Known::Counted, Known::Unique] {
            let name = format!("{} {}s of {}", known.name(), event.action(), event.text(Known::Id).unwrap_or_default());
            add(&mut sums, &name, event.int(known).unwrap_or_default());
        }
        if let Some(previous) = event.text(Known::Previous) {
            add(&mut sums, &format!("{previous} -> {}", page_of(event).unwrap_or_default()), 1);
            add(&mut sums, &format!("dwell_ms of {previous}"), event.int(Known::DwellMs).unwrap_or(-1));
        }
        if let Some(visit) = event.hash(Known::Visit) {
            let at = event.int(Known::VisitAt).unwrap_or_default();
            let standing = |known| (known, event.text(known));
            let landing = [Known::Entry, Known::EntryId].into_iter().chain(crate::event::ORIGIN).map(standing);
            of_visit(&mut sums, visit, at, landing, event);
        }
    }
    sums
}

/// The sums as they follow from the events of one visitor (or one event without), which end up in their order.
pub fn derived(events: &mut [Event]) -> Sums {
    events.sort_by(Event::in_order);
    let mut sums = Sums::new();
    let visits = visits_of(events);
    if events.first().is_some_and(|event| event.hash(Known::Visitor).is_some()) {
        add(&mut sums, Known::VisitorStart.name(), 1);
    }
    let mut members: BTreeMap<usize, Vec<&Event>> = BTreeMap::new();
    for (event, visit) in events.iter().zip(&visits) {
        if let Some(visit) = visit {
            members.entry(*visit).or_default().push(event);
        }
    }
    members.values().for_each(|members| sum_visit(&mut sums, members));
    sum_clicks(&mut sums, events, &visits);
    sums
}

/// Which visit each event belongs to, by number: the starting and extending ones are cut by their gaps, the rest joins.
fn visits_of(events: &[Event]) -> Vec<Option<usize>> {
    let mut of_event = vec![None; events.len()];
    let mut runs = 0;
    let mut marks: Vec<(usize, usize)> = Vec::new();
    let moves = |event: &Event| event.hash(Known::Visitor).is_some() && Role::of(event) != Role::Joins;
    for (place, event) in events.iter().enumerate().filter(|(_, event)| moves(event)) {
        let near = marks.last().is_some_and(|(last, _)| event.at() - events[*last].at() <= VISIT_IDLE_MS);
        if !near && Role::of(event) == Role::Extends {
            continue;
        }
        runs += usize::from(!near);
        marks.push((place, runs));
        of_event[place] = Some(runs);
    }
    for (place, event) in events.iter().enumerate().filter(|(_, event)| event.hash(Known::Visitor).is_some()) {
        let before = marks[..marks.partition_point(|(mark, _)| *mark <= place)].last();
        let near = before.filter(|(mark, _)| event.at() - events[*mark].at() <= VISIT_IDLE_MS);
        of_event[place] = near.map(|(_, run)| *run);
    }
    of_event
}

fn sum_visit(sums: &mut Sums, members: &[&Event]) {
    let of = |role: Role| members.iter().filter(move |event| Role::of(event) == role);
    let Some(first) = of(Role::Starts).next() else { return };
    add(sums, Known::VisitStart.name(), 1);
    let views = of(Role::Starts).filter(|event| event.action() == "view").count();
    let others = of(Role::Starts).count() - views;
    add(sums, Known::Engaged.name(), i64::from(views > 1 || others > 0));
    let last = of(Role::Starts).chain(of(Role::Extends)).map(|event| event.at()).max().unwrap_or(first.at());
    add(sums, Known::VisitMs.name(), last - first.at());
    let pages: Vec<(&str, Millis)> = members.iter().filter_map(|event| Some((page_of(event)?, event.at()))).collect();
    for pair in pages.windows(2) {
        add(sums, &format!("{} -> {}", pair[0].0, pair[1].0), 1);
        add(sums, &format!("dwell_ms of {}", pair[0].0), pair[1].1 - pair[0].1);
    }
    let id = visit_id(first.site(), first.day(), first.hash(Known::Visitor).unwrap_or_default(), first.at());
    let landing = Landing::of(first);
    for event in members {
        let entry = [(Known::Entry, landing.entry.as_deref()), (Known::EntryId, landing.entry_id.as_deref())];
        of_visit(sums, id, first.at(), entry.into_iter().chain(landing.origin.texts()), event);
    }
}

fn sum_clicks(sums: &mut Sums, events: &[Event], visits: &[Option<usize>]) {
    let mut clicks: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        let succeeded = event.known(Known::Status).is_none() || matches!(event.int(Known::Status), Some(200 | 304));
        let Some(id) = event.text(Known::Id).filter(|_| succeeded) else { continue };
        if event.action() == "view" || event.action() == "download" {
            clicks.entry((event.action(), id)).or_default().push(place);
        }
    }
    for ((action, id), places) in clicks {
        let begins =
            |at: usize| at == 0 || events[places[at]].at() - events[places[at - 1]].at() > super::clicks::CHAIN_MS;
        let counted: Vec<usize> = (0..places.len()).filter(|at| begins(*at)).map(|at| places[at]).collect();
        let within: HashSet<usize> = counted.iter().filter_map(|place| visits[*place]).collect();
        let without = counted.iter().filter(|place| visits[**place].is_none()).count();
        add(sums, &format!("counted {action}s of {id}"), counted.len() as i64);
        add(sums, &format!("unique {action}s of {id}"), (within.len() + without) as i64);
    }
}

/// What is the same on every event of a visit, as sums over its events.
fn of_visit<'a>(
    sums: &mut Sums,
    visit: u64,
    at: Millis,
    landing: impl Iterator<Item = (Known, Option<&'a str>)>,
    event: &Event,
) {
    add(sums, &format!("{}s within visit {visit:016x} at {at}", event.action()), 1);
    for (known, text) in landing {
        if let Some(text) = text {
            add(sums, &format!("events of {} {text}", known.name()), 1);
        }
    }
}

/// Adds to a sum; nothing is no sum, so that what is absent and what is 0 are one.
fn add(sums: &mut Sums, name: &str, more: i64) {
    if more != 0 {
        *sums.entry(name.to_owned()).or_default() += more;
    }
}
