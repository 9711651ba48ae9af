//! Origin: where an event says it came from, and how that survives the visit's own.
//! - `visits` writes the origin of a visit's first event on all its events; sealing must be able to choose another first
//!   event later, so what an event said itself is never lost: it moves to `own_origin` where it is not the usual one.
//! - An event without a visit, and a visit's first event, bear their own origin as it stands and no `own_origin`.
//! - The usual origin of the others, for which nothing is written, is [`Origin::usual`]: the channel `Direct` alone.

use super::{Event, Known, Text, Value};

/// The keys of an origin.
pub const ORIGIN: [Known; 7] = [
    Known::Source,
    Known::Channel,
    Known::UtmSource,
    Known::UtmMedium,
    Known::UtmCampaign,
    Known::UtmTerm,
    Known::UtmContent,
];

const USUAL: [Option<&str>; ORIGIN.len()] = [None, Some("Direct"), None, None, None, None, None];

/// The texts of the keys of [`ORIGIN`], in that order; what is absent is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Origin([Option<Text>; ORIGIN.len()]);

impl Origin {
    /// What most events within a visit say of themselves.
    pub fn usual() -> Self {
        Self(USUAL.map(|text| text.map(Text::from)))
    }

    fn is_usual(&self) -> bool {
        self.0.iter().map(Option::as_deref).eq(USUAL)
    }

    /// What is kept aside of an event's own origin where it bears that of its visit.
    pub fn aside(&self) -> Option<Value> {
        (!self.is_usual()).then(|| Value::text(self.to_text()))
    }

    /// The texts, by key.
    pub fn texts(&self) -> impl Iterator<Item = (Known, Option<&str>)> {
        ORIGIN.iter().zip(&self.0).map(|(known, text)| (*known, text.as_deref()))
    }

    fn standing(event: &Event) -> Self {
        Self(ORIGIN.map(|known| event.text(known).map(Text::from)))
    }

    fn parse(text: &str) -> Self {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
        Self(ORIGIN.map(|known| object.get(known.name())?.as_str().map(Text::from)))
    }

    fn to_text(&self) -> String {
        let object: serde_json::Map<_, _> =
            self.texts().filter_map(|(known, text)| Some((known.name().to_owned(), text?.into()))).collect();
        serde_json::Value::Object(object).to_string()
    }
}

impl Event {
    /// What the event said of its own origin, whatever its visit wrote over it.
    pub fn own_origin(&self) -> Origin {
        if self.known(Known::Visit).is_none() || self.known(Known::VisitStart).is_some() {
            return Origin::standing(self);
        }
        self.text(Known::OwnOrigin).map_or_else(Origin::usual, Origin::parse)
    }

    /// Makes the event bear an origin: its own, as it does without a visit and as a visit's first, or that of its visit.
    pub fn bear_origin(&mut self, origin: &Origin) {
        for (known, text) in origin.texts() {
            match text {
                Some(text) if self.text(known) == Some(text) => {}
                Some(text) => self.set(known, Value::text(text)),
                None => drop(self.remove(&known.into())),
            }
        }
    }
}
