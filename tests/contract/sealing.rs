//! Promises of `seal`: what is derived, from what, in which order, and what is seen meanwhile.

use crate::events::{DAY, all_time, events, events_by, ids, plan, visits};
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Day, Event, Known, Value};
use metronome::store::plan::{Filter, Group, Measure, Metric, Plan};
use metronome::store::{DayState, Derive};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

pub const PROMISES: &[Promise] = promises![
    sealing_takes_what_was_not_yet_flushed,
    sealing_hands_events_over_in_true_order,
    sealing_writes_what_was_derived,
    sealing_takes_increments_away,
    sealing_twice_is_sealing_once,
    sealing_leaves_other_days_alone,
    readers_see_the_old_day_or_the_new,
    events_written_while_sealing_make_the_day_dirty,
    late_events_find_their_place_at_sealing,
    numbers_do_not_depend_on_arrival,
];

fn state(day: i32, events: u64, sealed: bool, dirty: bool) -> DayState {
    DayState { day: Day(DAY.0 + day), events, sealed, dirty }
}

fn sealing_takes_what_was_not_yet_flushed(subject: &mut Subject) {
    subject.write(events(&["at=1 id=a", "at=2 id=b"]));
    subject.seal(DAY, Box::new(|_| {}));
    assert_eq!(subject.days(), [state(0, 2, true, false)]);
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 1"]);
    subject.reopen();
    subject.resume();
    subject.flush();
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 1"]);
    assert_eq!(subject.days(), [state(0, 2, true, false)]);
}

/// A derivation that notes the events it is handed.
fn noting(notes: &Arc<Mutex<Vec<Event>>>) -> Derive {
    let notes = Arc::clone(notes);
    Box::new(move |event| notes.lock().expect("lock").push(event.clone()))
}

fn sealing_hands_events_over_in_true_order(subject: &mut Subject) {
    subject.write(events(&[
        "at=5 id=f",
        "at=9 id=d visitor=2",
        "at=9 id=b visitor=1 event_id=b",
        "at=9 id=a visitor=1 event_id=a",
        "at=3 id=c visitor=2",
        "at=4 id=e event_id=z",
        "at=86401 id=x visitor=1",
    ]));
    for _ in 0..2 {
        let notes = Arc::default();
        subject.seal(DAY, noting(&notes));
        let seen = notes.lock().expect("lock");
        assert_eq!(ids(&seen), ["a", "b", "c", "d", "e", "f"]);
    }
    let notes = Arc::default();
    subject.take(events(&["at=8 id=late visitor=2"]));
    subject.seal(DAY, noting(&notes));
    assert_eq!(ids(&notes.lock().expect("lock")), ["a", "b", "c", "late", "d", "e", "f"]);
}

const VISITS: [&str; 7] = [
    "at=0 id=a path=/a visitor=1 source=x.org channel=Referral",
    "at=60 id=b path=/b visitor=1 channel=Direct",
    "at=4000 id=c path=/c visitor=1 channel=Direct",
    "at=30 id=a path=/a visitor=2 source=y.org channel=Referral",
    "at=31 id=a action=download visitor=2 channel=Direct",
    "at=90 id=a path=/a channel=Direct",
    "at=100 id=a path=/a visitor=3 bot=b channel=Direct",
];

fn sum(known: Known) -> Metric {
    Metric::of(Measure::Sum(known.into()))
}

/// Visits of 1: two, of 60 s and 0 s, the first engaged; of 2: one of 1 s, engaged; of 3: one.
fn check_visits(subject: &Subject, state: &str) {
    let keys = [Known::VisitStart, Known::VisitorStart, Known::Engaged, Known::VisitMs, Known::Counted];
    let totals = plan(vec![], keys.map(sum).to_vec());
    assert_eq!(subject.rows(&totals), ["4 3 2 61000 7"], "{state}");
    let entries =
        plan(vec![Group::Key(Known::Entry.into()), Group::Key(Known::Source.into())], vec![sum(Known::VisitStart)]);
    assert_eq!(
        subject.rows(&entries),
        ["null null 0", "/a null 1", "/a x.org 1", "/a y.org 1", "/c null 1"],
        "{state}"
    );
    let previous = Plan { filter: Filter::Exists(Known::Previous.into()), ..events_by(&["previous", "path"]) };
    assert_eq!(subject.rows(&previous), ["/a /b 1"], "{state}");
}

fn sealing_writes_what_was_derived(subject: &mut Subject) {
    subject.write(events(&VISITS));
    subject.seal(DAY, visits());
    check_visits(subject, "sealed");
    let sealed = subject.newest();
    subject.reopen();
    check_visits(subject, "reopened");
    assert_eq!(subject.newest(), sealed);
}

fn sealing_takes_increments_away(subject: &mut Subject) {
    subject.take(events(&[
        "at=1 visitor=1 engaged=1 visit_ms=5 visit=1 visit_at=1 entry=/a previous=/b",
        "at=2 engaged=1",
    ]));
    let clear = |event: &mut Event| {
        for known in Known::all().filter(|known| known.is_increment()) {
            event.remove(&known.into());
        }
    };
    subject.seal(DAY, Box::new(clear));
    assert!(
        subject
            .newest()
            .iter()
            .flat_map(Event::fields)
            .all(|(key, _)| { !Known::named(key.name()).is_some_and(Known::is_increment) })
    );
    assert_eq!(subject.rows(&events_by(&["visit", "entry"])), ["null null 2"]);
}

fn sealing_twice_is_sealing_once(subject: &mut Subject) {
    subject.write(events(&VISITS));
    subject.seal(DAY, visits());
    let (once, scanned) = (subject.newest(), subject.scan(&Filter::All, all_time(), None));
    for _ in 0..3 {
        subject.seal(DAY, visits());
        subject.reopen();
    }
    check_visits(subject, "sealed four times");
    assert_eq!(subject.newest(), once);
    assert_eq!(subject.scan(&Filter::All, all_time(), None), scanned);
    assert_eq!(subject.days(), [state(0, 7, true, false)]);
}

fn sealing_leaves_other_days_alone(subject: &mut Subject) {
    subject.take(events(&["at=1 id=a", "at=86401 id=b", "at=172801 id=c"]));
    subject.seal(Day(DAY.0 + 1), Box::new(|event| event.set(Known::VisitMs, Value::Int(7))));
    let by_id = plan(vec![Group::Key(Known::Id.into())], vec![sum(Known::VisitMs)]);
    assert_eq!(subject.rows(&by_id), ["a 0", "b 7", "c 0"]);
    assert_eq!(subject.days(), [state(0, 1, false, false), state(1, 1, true, false), state(2, 1, false, false)]);
}

/// A derivation that marks events with 7 ms, and waits before its first: until it says that it began, and is let go on.
fn waiting() -> (Derive, Receiver<()>, SyncSender<()>) {
    let (began, has_begun) = sync_channel(1);
    let (go_on, may_go_on) = sync_channel(1);
    let mut waits = true;
    let derive = Box::new(move |event: &mut Event| {
        if std::mem::take(&mut waits) {
            began.send(()).expect("the test waits");
            may_go_on.recv().expect("the test goes on");
        }
        event.set(Known::VisitMs, Value::Int(7));
    });
    (derive, has_begun, go_on)
}

fn readers_see_the_old_day_or_the_new(subject: &mut Subject) {
    subject.take(events(&["at=1 id=a", "at=2 id=b", "at=86401 id=c"]));
    let by_id = plan(vec![Group::Key(Known::Id.into())], vec![sum(Known::VisitMs)]);
    let (derive, has_begun, go_on) = waiting();
    let seal = subject.begin_to_seal(DAY, derive);
    has_begun.recv().expect("begun");
    assert_eq!(subject.rows(&by_id), ["a 0", "b 0", "c 0"]);
    assert_eq!(ids(&subject.newest()), ["c", "b", "a"]);
    assert_eq!(ids(&subject.scan(&Filter::All, all_time(), None)), ["a", "b", "c"]);
    assert_eq!(subject.days()[0], state(0, 2, false, false));
    go_on.send(()).expect("sealing waits");
    subject.wait(seal).expect("sealed");
    assert_eq!(subject.rows(&by_id), ["a 7", "b 7", "c 0"]);
    assert_eq!(subject.days()[0], state(0, 2, true, false));
}

fn events_written_while_sealing_make_the_day_dirty(subject: &mut Subject) {
    subject.take(events(&["at=1 id=a event_id=a"]));
    let (derive, has_begun, go_on) = waiting();
    let seal = subject.begin_to_seal(DAY, derive);
    has_begun.recv().expect("begun");
    subject.take(events(&["at=2 id=b event_id=b", "at=86401 id=c"]));
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 1", "c 1"]);
    assert_eq!(subject.known("s", (DAY, DAY), &["a", "b"]), [true, true]);
    go_on.send(()).expect("sealing waits");
    subject.wait(seal).expect("sealed");
    for round in ["sealed", "reopened"] {
        assert_eq!(subject.days(), [state(0, 2, false, true), state(1, 1, false, false)], "{round}");
        let by_id = plan(vec![Group::Key(Known::Id.into())], vec![sum(Known::VisitMs)]);
        assert_eq!(subject.rows(&by_id), ["a 7", "b 0", "c 0"], "{round}");
        assert_eq!(subject.known("s", (DAY, DAY), &["a", "b"]), [true, true], "{round}");
        subject.reopen();
    }
    subject.seal_as_it_is();
    assert_eq!(subject.rows(&events_by(&["id"])), ["a 1", "b 1", "c 1"]);
    assert!(subject.days().iter().all(|state| state.sealed));
}

fn late_events_find_their_place_at_sealing(subject: &mut Subject) {
    let (late, early) = VISITS.split_at(2);
    subject.write(events(early));
    subject.seal(DAY, visits());
    subject.take(events(late));
    subject.seal(DAY, visits());
    check_visits(subject, "sealed again");
}

fn numbers_do_not_depend_on_arrival(subject: &mut Subject) {
    // Another order each time, the rest of the day later; the answer is the same.
    for turn in 0..VISITS.len() {
        let mut shuffled = events(&VISITS);
        shuffled.rotate_left(turn);
        let day = Day(DAY.0 + 10 * turn as i32);
        let moved = |mut event: Event| {
            event.set(Known::Timestamp, Value::Int(event.at() + 864_000_000 * turn as i64));
            event.set(Known::Day, Value::Int(day.0.into()));
            event
        };
        let mut shuffled = shuffled.into_iter().map(moved);
        subject.write(shuffled.by_ref().take(turn));
        subject.seal(day, visits());
        subject.take(shuffled);
        subject.seal(day, visits());
        let totals = [Known::VisitStart, Known::Engaged, Known::VisitMs].map(sum).to_vec();
        let totals = Plan { filter: Filter::is(Known::Day, day.to_string()), ..plan(vec![], totals) };
        assert_eq!(subject.rows(&totals), ["4 2 61000"], "turned by {turn}");
    }
}
