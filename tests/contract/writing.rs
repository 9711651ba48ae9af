//! Promises of `write`, `position`, `flush` and `known`: nothing lost, nothing twice, nothing bent.

use crate::events::{DAY, event, events, events_by, ids};
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Day, Event, Key, Known, Value};
use metronome::store::Entry;
use metronome::store::plan::Filter;

pub const PROMISES: &[Promise] = promises![
    an_empty_store_answers_with_nothing,
    a_write_is_seen_after_a_flush,
    the_position_is_the_end_of_what_was_flushed,
    writing_again_stores_nothing_twice,
    writing_again_after_a_start_stores_nothing_twice,
    writing_again_after_sealing_stores_nothing_twice,
    a_reopened_store_has_all_before_its_position,
    a_batch_may_hold_days_in_any_order,
    known_finds_ids_of_a_site_over_days,
    known_finds_ids_not_yet_visible,
    known_finds_any_text,
    values_come_back_as_they_went,
    a_key_may_hold_every_kind_of_value,
    many_keys_of_one_event_come_back,
];

fn an_empty_store_answers_with_nothing(subject: &mut Subject) {
    assert_eq!(subject.position(), 0);
    assert_eq!(subject.days(), []);
    assert_eq!(subject.fields((DAY, DAY)), []);
    assert_eq!(subject.newest(), []);
    assert_eq!(subject.known("s", (DAY, DAY), &["a"]), [false]);
    assert_eq!(subject.ask(&events_by(&[])), (vec!["0".to_owned()], 1));
    assert_eq!(subject.ask(&events_by(&["id"])), (vec![], 0));
    subject.flush();
    assert_eq!(subject.position(), 0);
}

fn a_write_is_seen_after_a_flush(subject: &mut Subject) {
    subject.take(events(&["at=1 id=a", "at=2 id=b"]));
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 1"]);
    subject.take(events(&["at=3 id=b"]));
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 2"]);
}

fn the_position_is_the_end_of_what_was_flushed(subject: &mut Subject) {
    subject.write(events(&["at=1", "at=2"]));
    assert!(subject.position() <= 2);
    subject.flush();
    assert_eq!(subject.position(), 2);
    // Positions of duplicates are passed over; the end says how far the journal was read.
    subject.pass_over(5);
    subject.write([]);
    subject.flush();
    assert_eq!(subject.position(), 7);
    subject.take(events(&["at=3"]));
    assert_eq!(subject.position(), 8);
    subject.reopen();
    assert_eq!(subject.position(), 8);
}

fn entries(table: &[&str], first: u64) -> Vec<Entry> {
    (first..).zip(events(table)).map(|(position, event)| Entry { position, event }).collect()
}

const SIX: [&str; 6] = ["at=1 id=a", "at=90000 id=b", "at=2 id=c", "at=90001 id=d", "at=3 id=e", "at=90002 id=f"];

fn writing_again_stores_nothing_twice(subject: &mut Subject) {
    let all = entries(&SIX, 0);
    for (from, to) in [(0, 2), (0, 2), (1, 4), (0, 4), (2, 6), (0, 6)] {
        subject.write_entries(all[from..to].to_vec(), to as u64);
    }
    subject.flush();
    subject.write_entries(all[3..].to_vec(), 6);
    subject.write_entries(all[..2].to_vec(), 2);
    subject.flush();
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 1", "c 1", "d 1", "e 1", "f 1"]);
    assert_eq!(subject.position(), 6);
}

fn writing_again_after_a_start_stores_nothing_twice(subject: &mut Subject) {
    subject.write(events(&SIX[..3]));
    subject.flush();
    subject.write(events(&SIX[3..]));
    subject.reopen();
    assert!((3..=6).contains(&subject.position()), "{}", subject.position());
    subject.resume();
    subject.flush();
    subject.write_entries(subject.journal().0, 6);
    subject.flush();
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 1", "c 1", "d 1", "e 1", "f 1"]);
    assert_eq!(subject.position(), 6);
}

fn writing_again_after_sealing_stores_nothing_twice(subject: &mut Subject) {
    subject.write(events(&SIX));
    subject.seal_as_it_is();
    subject.write_entries(subject.journal().0, 6);
    subject.flush();
    subject.reopen();
    subject.write_entries(subject.journal().0, 6);
    subject.flush();
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 1", "c 1", "d 1", "e 1", "f 1"]);
    assert!(subject.days().iter().all(|state| state.sealed && !state.dirty && state.events == 3));
}

fn a_reopened_store_has_all_before_its_position(subject: &mut Subject) {
    for round in 0..4 {
        subject.write((0..50).map(|n| event(&format!("at={} id=r{round} event_id={round}-{n}", n * 3_000))));
        if round % 2 == 1 {
            subject.flush();
        }
        subject.reopen();
        let (journal, _) = subject.journal();
        let position = subject.position();
        let kept = journal.iter().filter(|entry| entry.position < position).count();
        assert!(subject.count(Filter::All) >= kept, "round {round}");
        subject.resume();
        subject.flush();
        assert_eq!(subject.count(Filter::All), journal.len(), "round {round}");
    }
    assert_eq!(subject.rows(&events_by(&["id"])), ["r0 50", "r1 50", "r2 50", "r3 50"]);
}

fn a_batch_may_hold_days_in_any_order(subject: &mut Subject) {
    subject.take((0..40).map(|n| event(&format!("at={} id=d{}", (n * 7 % 40) * 86_400, n % 2))));
    assert_eq!(subject.days().len(), 40);
    assert!(subject.days().is_sorted_by_key(|state| state.day));
    assert_eq!(subject.rows(&events_by(&["id"])), ["d0 20", "d1 20"]);
}

fn known_finds_ids_of_a_site_over_days(subject: &mut Subject) {
    subject.write(events(&[
        "at=1 site=s event_id=a",
        "at=90000 site=s event_id=b",
        "at=180000 site=s event_id=c",
        "at=2 site=other event_id=d",
        "at=3 site=s",
    ]));
    subject.in_every_state(|subject, state| {
        let known = |site, from, to| subject.known(site, (Day(DAY.0 + from), Day(DAY.0 + to)), &["a", "b", "c", "d"]);
        assert_eq!(known("s", 0, 2), [true, true, true, false], "{state}");
        assert_eq!(known("s", 0, 0), [true, false, false, false], "{state}");
        assert_eq!(known("s", 1, 1), [false, true, false, false], "{state}");
        assert_eq!(known("s", -9, -1), [false; 4], "{state}");
        assert_eq!(known("other", -9, 9), [false, false, false, true], "{state}");
        assert_eq!(known("nowhere", -9, 9), [false; 4], "{state}");
        assert!(subject.known("s", (DAY, DAY), &[]).is_empty(), "{state}");
    });
}

fn known_finds_ids_not_yet_visible(subject: &mut Subject) {
    subject.take(events(&["at=1 event_id=a"]));
    subject.write(events(&["at=2 event_id=b"]));
    assert_eq!(subject.known("s", (DAY, DAY), &["b", "a", "c"]), [true, true, false]);
    subject.seal_as_it_is();
    subject.write(events(&["at=3 event_id=c"]));
    assert_eq!(subject.known("s", (DAY, DAY), &["b", "a", "c", "d"]), [true, true, true, false]);
}

fn known_finds_any_text(subject: &mut Subject) {
    let long = "x".repeat(128);
    let near = format!("{}y", "x".repeat(127));
    let given = ["a b", "é", "\u{0}", "1", "550e8400-e29b-41d4-a716-446655440000", long.as_str(), " "];
    let absent = ["a", "e\u{301}", "", "01", "550E8400-E29B-41D4-A716-446655440000", near.as_str(), "  "];
    subject.write(given.map(|id| with(event("at=1"), "event_id", Value::text(id))));
    subject.in_every_state(|subject, state| {
        assert_eq!(subject.known("s", (DAY, DAY), &given), [true; 7], "{state}");
        assert_eq!(subject.known("s", (DAY, DAY), &absent), [false; 7], "{state}");
    });
}

fn with(mut event: Event, key: &str, value: Value) -> Event {
    event.set(Key::named(key), value);
    event
}

/// Values of every kind, and those at the borders of their kinds.
fn values() -> Vec<Value> {
    let texts =
        ["", " ", "a", "é\u{1F600}", "\u{0}", "true", "1", "1.0", "a\nb\t\"c\"\\", "{\"a\":[1]}", "[{\"a\":1}]"];
    let ints = [0, 1, -1, 9_007_199_254_740_993, i64::MAX, i64::MIN];
    let floats = [0.1, -0.5, 1e300, 5e-324, -1.7976931348623157e308, 123_456.789, 0.30000000000000004];
    let text = |text: &str| Value::text(text);
    let lists = [
        vec![text("b"), text("a"), text("b")],
        vec![text(""), text("é")],
        vec![Value::Int(3), Value::Int(1), Value::Int(3)],
        vec![Value::Float(0.5), Value::Int(2)],
        vec![Value::Bool(true), Value::Bool(false)],
        vec![text("alone")],
        vec![Value::Int(1)],
        vec![Value::Float(0.5)],
        vec![Value::Bool(true)],
        vec![Value::Int(1), text("1"), Value::Bool(true), Value::Float(1.5)],
        vec![Value::Int(i64::MAX), Value::Float(0.1)],
    ];
    let mut values: Vec<Value> = texts.map(Value::text).to_vec();
    values.push(Value::text("long ".repeat(1_600)));
    values.extend(ints.map(Value::Int));
    values.push(Value::Uint(u64::MAX));
    values.extend(floats.map(Value::Float));
    values.extend([Value::Bool(true), Value::Bool(false)]);
    values.extend(lists.map(Value::List));
    values
}

fn by_path(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by_key(|event| event.text(Known::Path).map(str::to_owned));
    events
}

fn come_back(subject: &mut Subject, given: Vec<Event>) {
    let given = by_path(given);
    subject.write(given.clone());
    subject.in_every_state(|subject, state| {
        for (given, got) in given.iter().zip(by_path(subject.newest())) {
            assert_eq!(*given, got, "{state}");
        }
    });
}

fn values_come_back_as_they_went(subject: &mut Subject) {
    let with_key = |(n, value)| with(event(&format!("at={n} path=/{n:03}")), &format!("key{n}"), value);
    come_back(subject, values().into_iter().enumerate().map(with_key).collect());
}

fn a_key_may_hold_every_kind_of_value(subject: &mut Subject) {
    let with_key = |(n, value)| with(event(&format!("at={n} path=/{n:03}")), "key", value);
    come_back(subject, values().into_iter().enumerate().map(with_key).collect());
}

fn many_keys_of_one_event_come_back(subject: &mut Subject) {
    let mut full = event("at=1 path=/1 visitor=7 event_id=e bot=b tags=[\"p\",\"q\"] interactive=false status=404");
    for n in 0..100 {
        full.set(Key::named(&format!("k.{n}.é")), Value::Int(n));
    }
    for known in Known::all().filter(|known| known.shape() == metronome::event::Shape::Text && !known.is_increment()) {
        if full.known(known).is_none() {
            full.set(known, Value::text(format!("the {}", known.name())));
        }
    }
    let bare = event("at=2 path=/2");
    come_back(subject, vec![full, bare]);
    assert_eq!(ids(&subject.newest()), ["-", "the id"]);
}
