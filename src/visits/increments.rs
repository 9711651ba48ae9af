//! Increments: what a step found, and how it stands on the event.
//! - Writing replaces every increment that the event bore: it sets or removes each.
//! - A visit's first event bears its own origin, the others the visit's; what they said themselves is kept aside.

use crate::clock::Millis;
use crate::event::{Event, Known, Origin, Text, Value};
use std::sync::Arc;

/// Where a visit landed and where it came from: what its first event says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Landing {
    /// The first event's `path`.
    pub entry: Option<Text>,
    /// The first event's `id`.
    pub entry_id: Option<Text>,
    /// The first event's own origin.
    pub origin: Origin,
}

impl Landing {
    /// What this event says as the first of a visit.
    pub fn of(event: &Event) -> Self {
        let text = |known| event.text(known).map(Text::from);
        Self { entry: text(Known::Path), entry_id: text(Known::Id), origin: event.own_origin() }
    }
}

/// The visit that an event belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitRef {
    /// Its id.
    pub id: u64,
    /// Its start.
    pub at: Millis,
    /// Its landing and origin.
    pub landing: Arc<Landing>,
}

/// The page view before this one in its visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Its page.
    pub page: Text,
    /// How long before, in ms; never negative.
    pub dwell_ms: Millis,
}

/// What is to be written on one event; the default is an event without a visitor that nothing counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Increments {
    /// Its visit, if it has one.
    pub visit: Option<VisitRef>,
    /// It is its visitor's first of the day.
    pub visitor_start: bool,
    /// It is the first of its visit.
    pub visit_start: bool,
    /// It makes its visit no bounce.
    pub engaged: bool,
    /// Since the visit's last starting or extending event, in ms; never negative.
    pub visit_ms: Option<Millis>,
    /// The page view before it.
    pub previous: Option<Previous>,
    /// COUNTER counts it.
    pub counted: bool,
    /// It is the first counted click of its visit on its item with its action.
    pub unique: bool,
}

impl Increments {
    /// Writes them on the event, over whatever increments it bore.
    pub fn write(self, event: &mut Event) {
        let own = event.own_origin();
        let aside = match &self.visit {
            Some(visit) if !self.visit_start => {
                event.bear_origin(&visit.landing.origin);
                own.aside()
            }
            _ => {
                event.bear_origin(&own);
                None
            }
        };
        let one = |is: bool| is.then_some(Value::Int(1));
        let (id, at, landing) = match self.visit {
            Some(visit) => (Some(Value::hash(visit.id)), Some(Value::Int(visit.at)), visit.landing),
            None => (None, None, Arc::default()),
        };
        let (page, dwell_ms) = self.previous.map(|before| (Value::Text(before.page), before.dwell_ms)).unzip();
        let increments = [
            (Known::Visit, id),
            (Known::VisitAt, at),
            (Known::Entry, landing.entry.clone().map(Value::Text)),
            (Known::EntryId, landing.entry_id.clone().map(Value::Text)),
            (Known::VisitorStart, one(self.visitor_start)),
            (Known::VisitStart, one(self.visit_start)),
            (Known::Engaged, one(self.engaged)),
            (Known::VisitMs, self.visit_ms.map(Value::Int)),
            (Known::Previous, page),
            (Known::DwellMs, dwell_ms.map(Value::Int)),
            (Known::Counted, one(self.counted)),
            (Known::Unique, one(self.unique)),
            (Known::OwnOrigin, aside),
        ];
        let by = increments.into_iter().filter_map(|(known, value)| Some((known, value?)));
        event.replace(Known::Visit, Known::OwnOrigin, by);
    }
}
