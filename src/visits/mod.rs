//! Visits: a visit as a pure state machine, `(state, event) → increments`; used live and at sealing.
//! - At sealing a visitor's events come in [`Event::in_order`]; then the increments are those of the definitions, exactly.
//! - Live they come as they arrive. An event up to 30 minutes before the open visit belongs to it, one still earlier (and
//!   any beyond 30 minutes after it) begins another; spans of time are never negative. What is wrong then sealing mends.
//! - Nothing is remembered past a visitor's day, and no more than `Clicks`' bound of what was clicked.
//! - What an event said of its own origin is kept (`Event::own_origin`), so the same events can be stepped again.
//! - Absent: which visitors are remembered (`indexer`), reading and writing of days (`store`).

mod clicks;
mod increments;
pub mod recount;

pub use increments::{Increments, Landing, Previous, VisitRef};

use crate::clock::Millis;
use crate::event::{Event, Known, Text, visit_id};
use clicks::Clicks;
use std::sync::Arc;

/// A visit ends this long after its last starting or extending event; exactly so long still belongs.
pub const VISIT_IDLE_MS: Millis = 30 * 60_000;

/// What an event does to visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Starts a visit where none is open, and extends one that is.
    Starts,
    /// Extends an open visit.
    Extends,
    /// Joins an open visit and changes nothing.
    Joins,
}

impl Role {
    /// The role of an event, by its action and whether it says that it is not interactive.
    pub fn of(event: &Event) -> Self {
        match event.action() {
            _ if event.known(Known::Interactive) == Some(&crate::event::Value::Bool(false)) => Self::Joins,
            "request" | "log" | "timing" | "error" => Self::Joins,
            "engage" => Self::Extends,
            _ => Self::Starts,
        }
    }
}

/// The page that an event is a view of: its `path`, else its `id`. `None` for all but views, and for a view with neither.
pub fn page_of(event: &Event) -> Option<&str> {
    let of_view = || event.text(Known::Path).or_else(|| event.text(Known::Id));
    (event.action() == "view").then(of_view).flatten()
}

/// What is remembered of one visitor within one day.
#[derive(Debug, Clone, Default)]
pub struct VisitorDay {
    seen: bool,
    visit: Option<Open>,
    clicks: Clicks,
}

impl VisitorDay {
    /// How much is remembered: clicks, and 1 for the rest. What a bound on memory counts.
    pub fn weight(&self) -> usize {
        1 + self.clicks.len()
    }
}

/// The visit that the last event belonged to, or one that has gone idle since.
#[derive(Debug, Clone)]
struct Open {
    id: u64,
    at: Millis,
    landing: Arc<Landing>,
    /// Its last starting or extending event.
    last: Millis,
    engagement: Engagement,
    page: Option<(Text, Millis)>,
}

/// How far a visit is from being no bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engagement {
    Nothing,
    OneView,
    Engaged,
}

/// Takes one event of a visitor's day and says what is to be written on it. Every event must be of the same site, day and
/// visitor; one without a visitor leaves the state as it is.
pub fn step(state: &mut VisitorDay, event: &Event) -> Increments {
    let Some(visitor) = event.hash(Known::Visitor) else {
        let counted = clicks::item_of(event).is_some();
        return Increments { counted, unique: counted, ..Increments::default() };
    };
    let role = Role::of(event);
    let mut out = Increments { visitor_start: !state.seen, ..Increments::default() };
    state.seen = true;
    if role == Role::Starts && !state.has_open(event.at()) {
        out.visit_start = true;
        state.start(event, visitor);
    }
    let at = event.at();
    let within = state.visit.as_mut().filter(|visit| visit.is_open(at));
    let mut visit_id = None;
    if let Some(visit) = within {
        visit_id = Some(visit.id);
        visit.take(event, role, &mut out);
    }
    if let Some(item) = clicks::item_of(event) {
        (out.counted, out.unique) = state.clicks.count(item, at, visit_id);
    }
    out
}

impl VisitorDay {
    fn has_open(&self, at: Millis) -> bool {
        self.visit.as_ref().is_some_and(|visit| visit.is_open(at))
    }

    fn start(&mut self, event: &Event, visitor: u64) {
        let at = event.at();
        self.clicks.forget_before(at);
        self.visit = Some(Open {
            id: visit_id(event.site(), event.day(), visitor, at),
            at,
            landing: Arc::new(Landing::of(event)),
            last: at,
            engagement: Engagement::Nothing,
            page: None,
        });
    }
}

impl Open {
    fn is_open(&self, at: Millis) -> bool {
        let begin = self.at.saturating_sub(VISIT_IDLE_MS);
        (begin..=self.last.saturating_add(VISIT_IDLE_MS)).contains(&at)
    }

    fn take(&mut self, event: &Event, role: Role, out: &mut Increments) {
        let at = event.at();
        out.visit = Some(VisitRef { id: self.id, at: self.at, landing: Arc::clone(&self.landing) });
        out.engaged = role == Role::Starts && self.engages(event.action());
        if role != Role::Joins {
            out.visit_ms = (!out.visit_start).then(|| at.saturating_sub(self.last).max(0));
            self.last = self.last.max(at);
        }
        if let Some(page) = page_of(event) {
            let before = self.page.replace((page.into(), at));
            out.previous = before.map(|(page, since)| Previous { page, dwell_ms: at.saturating_sub(since).max(0) });
        }
    }

    /// Whether this starting event is the one that makes the visit no bounce.
    fn engages(&mut self, action: &str) -> bool {
        let (next, engages) = match (self.engagement, action) {
            (Engagement::Engaged, _) => (Engagement::Engaged, false),
            (Engagement::Nothing, "view") => (Engagement::OneView, false),
            _ => (Engagement::Engaged, true),
        };
        self.engagement = next;
        engages
    }
}

#[cfg(test)]
mod tests;
