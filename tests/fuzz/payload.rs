//! Payloads: an event as it lies in the journal. A checksum stands before them; a program of another version may not.

use crate::mutants::run;
use metronome::event::{Event, IdScope, Key, Known, Value};

#[test]
fn payload() {
    let mut event = Event::default();
    event.set(Known::Timestamp, Value::Int(1_431_857_103_000));
    event.set(Known::Id, Value::text("/datasets/trees"));
    event.set(Known::Visitor, Value::hash(u64::MAX));
    event.set(Known::Tags, Value::List(vec![Value::text("a"), Value::text("b")]));
    event.set(Key::named("free"), Value::Float(0.5));
    event.set(Key::named("truth"), Value::Bool(true));
    let payload = |event: &Event, scope| event.to_payload(scope).expect("a payload");
    let seeds = vec![
        payload(&event, IdScope::Day),
        payload(&event, IdScope::DaysAround),
        payload(&Event::default(), IdScope::Day),
        vec![2],
        Vec::new(),
    ];
    run("payload", seeds, |bytes| {
        // What is read is written, and read again, the same.
        let Ok((event, scope)) = Event::from_payload(bytes) else { return };
        let written = event.to_payload(scope).expect("a payload");
        let (again, same) = Event::from_payload(&written).expect("an event");
        assert_eq!((again.to_payload(same).expect("a payload"), same), (written, scope));
    });
}
