//! What must hold of every event that is made of anything.

use metronome::event::{Day, Event, IdScope, Key, Known, RawEvent, Shape, Value};
use metronome::normalize::{Context, Limits, Notes, Receiver, Salts, Sender, Sites, normalize};

const RECEIVED_AT: i64 = 1_431_864_000_000;
const DAY_MS: i64 = 86_400_000;
/// What no event is without.
const ALWAYS: [Known; 6] =
    [Known::Timestamp, Known::ReceivedAt, Known::Site, Known::Day, Known::Action, Known::Channel];

struct OneSalt;

impl Salts for OneSalt {
    fn daily(&self, _: &str, _: Day) -> Option<[u8; 16]> {
        Some([7; 16])
    }

    fn permanent(&self, _: &str) -> Option<[u8; 16]> {
        Some([9; 16])
    }
}

/// Normalizes it; an event is whole, comes back from its payload, and is the one that an explanation shows.
pub fn normalized(raw: RawEvent, receiver: Receiver) -> Option<Event> {
    let (sites, limits) = (Sites::default(), Limits::default());
    let sender = Sender { ip: "203.0.113.9".parse().ok(), ..Sender::unknown(receiver, RECEIVED_AT) };
    let context =
        Context { sender, sites: &sites, salts: &OneSalt, places: None, limits: &limits, keep_user_agent: false };
    let explained = normalize(raw.clone(), &context, &mut Notes::on());
    let taken = normalize(raw, &context, &mut Notes::off());
    assert_eq!(explained.as_ref().ok(), taken.as_ref().ok());
    assert_eq!(explained.err().map(|why| why.message), taken.as_ref().err().map(|why| why.message.clone()));
    let event = taken.ok()?;
    is_whole(&event, &limits);
    for scope in [IdScope::Day, IdScope::DaysAround] {
        let payload = event.to_payload(scope).expect("a payload");
        assert_eq!(Event::from_payload(&payload).expect("an event"), (event.clone(), scope));
    }
    Some(event)
}

fn is_whole(event: &Event, limits: &Limits) {
    let fields = event.fields();
    assert!(fields.is_sorted_by(|one, next| one.0 < next.0), "{event:?}");
    assert!(ALWAYS.iter().all(|known| event.known(*known).is_some()), "{event:?}");
    assert_eq!(i64::from(event.day().0), event.at().div_euclid(DAY_MS), "{event:?}");
    for (key, value) in fields {
        match key {
            Key::Known(known) => assert!(has(known.shape(), value) && !known.is_increment(), "{key:?} {value:?}"),
            Key::Free(name) => {
                assert!(Known::named(name).is_none() && !name.is_empty(), "{name:?}");
                // `x.` before a name that does not fit.
                assert!(name.len() <= limits.key_bytes_max + 2, "{name:?}");
            }
        }
        assert!(value.scalars().iter().all(is_scalar), "{key:?} {value:?}");
    }
    assert!(serde_json::from_str::<serde_json::Value>(&event.to_json().to_string()).is_ok());
}

fn has(shape: Shape, value: &Value) -> bool {
    match shape {
        Shape::Text => matches!(value, Value::Text(_)),
        Shape::Texts => value.scalars().iter().all(|scalar| matches!(scalar, Value::Text(_))),
        Shape::Int | Shape::Time | Shape::Day => matches!(value, Value::Int(_)),
        Shape::Number => matches!(value, Value::Int(_) | Value::Uint(_) | Value::Float(_)),
        Shape::Bool => matches!(value, Value::Bool(_)),
        Shape::Hash => matches!(value, Value::Int(_) | Value::Uint(_)),
    }
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::List(_) => false,
        Value::Float(number) => number.is_finite(),
        _ => true,
    }
}
