//! Explain: one stored event with its visit, and in words why it counts as it does.
//! - Says what is written on the event; what a sender said before normalizing is gone by then.

use crate::event::{Event, Known};
use crate::store::plan::{Filter, TimeKey, TimeRange};
use crate::store::{Store, StoreError};
use serde_json::{Value, json};

/// Events of a visit shown at the most.
pub const VISIT_EVENTS_MAX: usize = 100;

/// A stored event and the events of its visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The event.
    pub event: Event,
    /// Its visit's events, oldest first; the newest [`VISIT_EVENTS_MAX`] of them. Empty without a visit.
    pub visit: Vec<Event>,
}

/// All of time.
const ALWAYS: TimeRange = TimeRange { key: TimeKey::Timestamp, from: i64::MIN, to: i64::MAX };

/// Finds a site's event by its id; the newest, where several days hold one.
pub async fn find(store: &dyn Store, site: &str, event_id: &str) -> Result<Option<Stored>, StoreError> {
    let of_site = Filter::is(Known::Site, site);
    let filter = of_site.clone().and(Filter::is(Known::EventId, event_id));
    let Some(event) = store.events(&filter, ALWAYS, None, 1).await?.events.into_iter().next() else { return Ok(None) };
    let Some(visit) = event.hash(Known::Visit) else { return Ok(Some(Stored { event, visit: Vec::new() })) };
    let filter = of_site
        .and(Filter::is(Known::Day, event.day().to_string()))
        .and(Filter::is(Known::Visit, format!("{visit:016x}")));
    let mut visit = store.events(&filter, ALWAYS, None, VISIT_EVENTS_MAX).await?.events;
    visit.reverse();
    Ok(Some(Stored { event, visit }))
}

/// The answer's shape.
pub fn shape(stored: &Stored) -> Value {
    let visit = stored.event.known(Known::Visit).map(|visit| {
        json!({
            "visit": Known::Visit.shape().json(visit),
            "visit_at": stored.event.known(Known::VisitAt).map(|at| Known::VisitAt.shape().json(at)),
            "events": stored.visit.iter().map(Event::to_json).collect::<Vec<_>>(),
        })
    });
    let notes: Vec<Value> =
        notes(&stored.event).into_iter().map(|(about, text)| json!({"about": about, "text": text})).collect();
    json!({"event": stored.event.to_json(), "visit": visit, "notes": notes})
}

/// What is written on an event, in words.
fn notes(event: &Event) -> Vec<(&'static str, String)> {
    let text = |key| event.text(key);
    let mut notes = vec![("action", format!("counts as {}", event.action()))];
    notes.push(match text(Known::Bot) {
        Some(bot) => ("bot", format!("a bot ({bot}): left out of every answer unless asked for")),
        None => ("bot", "a person: no known bot".to_owned()),
    });
    notes.push(match (event.known(Known::Visitor), event.known(Known::Visit)) {
        (None, _) => (
            "visitor",
            "no visitor: no address or pseudonym to know one by, no salt, or a wish not to be tracked".to_owned(),
        ),
        (Some(_), None) => ("visit", "no visit: it found none open and starts none".to_owned()),
        (Some(_), Some(_)) if event.int(Known::VisitStart).is_some() => {
            ("visit", "the first event of its visit".to_owned())
        }
        (Some(_), Some(_)) => ("visit", "joined the open visit of its visitor".to_owned()),
    });
    let origin = match (text(Known::Source), text(Known::Channel)) {
        (Some(source), Some(channel)) => format!("from {source}, channel {channel}"),
        (None, Some(channel)) => format!("direct, channel {channel}"),
        (Some(source), None) => format!("from {source}"),
        (None, None) => "no source: direct".to_owned(),
    };
    notes.push(("source", origin));
    if event.int(Known::Counted).is_none() && matches!(event.action(), "view" | "download") {
        notes.push((
            "counted",
            "left out of counting=counter: within 30 s of the one before, a status or no item".to_owned(),
        ));
    }
    if event.known(Known::Truncated).is_some() {
        notes.push(("cut", "a text was longer than its limit and was cut".to_owned()));
    }
    for (key, _) in event.fields() {
        if let Some(name) = key.name().strip_prefix("x.") {
            notes.push(("moved", format!("{name} is derived or did not fit its meaning: kept as x.{name}")));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Key, Value as Held};
    use crate::store::Entry;
    use crate::store::memory::Memory;

    fn event(fields: &[(&str, Held)]) -> Event {
        let base = [("site", Held::text("s")), ("day", Held::Int(0)), ("action", Held::text("view"))];
        Event::from_fields(base.iter().chain(fields).map(|(name, value)| (Key::named(name), value.clone())).collect())
    }

    #[tokio::test]
    async fn a_stored_event_comes_with_its_visit_in_order_of_time() {
        let store = Memory::new();
        let visit = |id: &str, at: i64, visit: i64| {
            event(&[
                ("event_id", Held::text(id)),
                ("@timestamp", Held::Int(at)),
                ("visitor", Held::Int(7)),
                ("visit", Held::Int(visit)),
            ])
        };
        let events = [visit("a", 1, 5), visit("b", 2, 5), visit("c", 3, 6), event(&[("event_id", Held::text("d"))])];
        let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
        store.write(entries, 4).await.unwrap();
        let stored = find(&store, "s", "b").await.unwrap().unwrap();
        let ids: Vec<_> = stored.visit.iter().map(|event| event.text(Known::EventId).unwrap()).collect();
        assert_eq!((stored.event.at(), ids), (2, vec!["a", "b"]));
        assert_eq!(find(&store, "s", "d").await.unwrap().unwrap().visit, []);
        assert_eq!(find(&store, "s", "e").await.unwrap(), None);
        assert_eq!(find(&store, "other", "b").await.unwrap(), None);
    }

    #[test]
    fn notes_say_what_decided() {
        let says = |fields: &[(&str, Held)], about: &str, part: &str| {
            let notes = notes(&event(fields));
            let found = notes.iter().any(|(of, text)| *of == about && text.contains(part));
            assert!(found, "{about}: {part}: {notes:?}");
        };
        says(&[], "visitor", "no visitor");
        says(&[], "bot", "a person");
        says(&[], "source", "direct");
        says(&[("bot", Held::text("Googlebot"))], "bot", "Googlebot");
        says(&[("visitor", Held::Int(1))], "visit", "no visit");
        says(&[("visitor", Held::Int(1)), ("visit", Held::Int(1))], "visit", "joined");
        let first = [("visitor", Held::Int(1)), ("visit", Held::Int(1)), ("visit_start", Held::Int(1))];
        says(&first, "visit", "first event");
        says(&[("source", Held::text("a.b")), ("channel", Held::text("Referral"))], "source", "from a.b");
        says(&[("truncated", Held::Bool(true))], "cut", "longer");
        says(&[("x.status", Held::text("paid"))], "moved", "x.status");
    }
}
