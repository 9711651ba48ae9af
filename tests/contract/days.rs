//! Promises of a day's life: open, sealed, dirty, sealed again, expired.

use crate::events::{DAY, all_time, between, event, events, events_by, ids};
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Day, Event};
use metronome::store::DayState;
use metronome::store::plan::{Filter, Plan};

pub const PROMISES: &[Promise] = promises![
    a_day_is_open_then_sealed_then_dirty_then_sealed,
    days_count_events_not_yet_visible,
    sealing_a_day_that_is_not_held_is_no_error,
    days_may_lie_before_1970,
    late_events_are_seen_beside_a_sealed_day,
    expired_days_hold_nothing_more,
    an_expired_day_may_come_back,
];

fn state(day: i32, events: u64, sealed: bool, dirty: bool) -> DayState {
    DayState { day: Day(DAY.0 + day), events, sealed, dirty }
}

fn a_day_is_open_then_sealed_then_dirty_then_sealed(subject: &mut Subject) {
    subject.take(events(&["at=1", "at=2", "at=86401"]));
    let second = state(1, 1, false, false);
    assert_eq!(subject.days(), [state(0, 2, false, false), second]);
    subject.seal(DAY, Box::new(|_| {}));
    assert_eq!(subject.days(), [state(0, 2, true, false), second]);
    subject.take(events(&["at=3"]));
    assert_eq!(subject.days(), [state(0, 3, false, true), second]);
    subject.reopen();
    assert_eq!(subject.days(), [state(0, 3, false, true), second]);
    subject.seal(DAY, Box::new(|_| {}));
    assert_eq!(subject.days(), [state(0, 3, true, false), second]);
    subject.reopen();
    assert_eq!(subject.days(), [state(0, 3, true, false), second]);
}

fn days_count_events_not_yet_visible(subject: &mut Subject) {
    subject.take(events(&["at=1"]));
    subject.seal_as_it_is();
    subject.write(events(&["at=2", "at=86401"]));
    assert_eq!(subject.days(), [state(0, 2, false, true), state(1, 1, false, false)]);
}

fn sealing_a_day_that_is_not_held_is_no_error(subject: &mut Subject) {
    subject.seal(DAY, Box::new(|_| panic!("no event")));
    subject.take(events(&["at=1"]));
    subject.seal(Day(DAY.0 + 1), Box::new(|_| panic!("no event")));
    assert_eq!(subject.days(), [state(0, 1, false, false)]);
}

fn days_may_lie_before_1970(subject: &mut Subject) {
    let old = ["at=-1704844801 id=a visitor=1 visit=1 visit_at=-1704844801 n=1", "at=-1705000000 id=b n=2"];
    subject.write(events(&old));
    subject.in_every_state(|subject, state| {
        assert_eq!(subject.days().iter().map(|state| state.day.0).collect::<Vec<_>>(), [-2, -1], "{state}");
        let range = between(-1_705_000_000.0, 0.0);
        let by_day = Plan { range, ..events_by(&["day", "visit_at"]) };
        let expected = ["1969-12-30 null 1", "1969-12-31 1969-12-31T23:59:59.000Z 1"];
        assert_eq!(subject.rows(&by_day), expected, "{state}");
        assert_eq!(ids(&subject.page(&Filter::All, range, None, 9).events), ["a", "b"], "{state}");
    });
}

fn late_events_are_seen_beside_a_sealed_day(subject: &mut Subject) {
    subject.write(events(&["at=10 id=a visitor=1 event_id=1", "at=30 id=a visitor=1", "at=20 id=b"]));
    subject.seal(DAY, Box::new(|_| {}));
    subject.take(events(&["at=20 id=a visitor=1 event_id=2", "at=25 id=new only=late"]));
    for round in ["late", "late, reopened"] {
        assert_eq!(subject.rows(&events_by(&["id"])), ["a 3", "b 1", "new 1"], "{round}");
        assert_eq!(subject.rows(&events_by(&["only"])), ["null 4", "late 1"], "{round}");
        assert_eq!(subject.known("s", (DAY, DAY), &["1", "2", "3"]), [true, true, false], "{round}");
        let scanned = subject.scan(&Filter::All, all_time(), None);
        assert_eq!(ids(&scanned), ["a", "a", "a", "b", "new"], "{round}");
        assert!(scanned[..3].is_sorted_by_key(Event::at), "{round}");
        assert_eq!(ids(&subject.newest())[..2], ["a", "new"], "{round}");
        subject.reopen();
    }
}

fn expired_days_hold_nothing_more(subject: &mut Subject) {
    subject.take((0..4).map(|day| event(&format!("at={} id=d{day} event_id=e{day} k{day}=1", day * 86_400))));
    subject.seal(DAY, Box::new(|_| {}));
    subject.expire(Day(DAY.0 + 2), Day(DAY.0 - 9));
    for round in ["expired", "expired, reopened"] {
        assert_eq!(subject.days(), [state(2, 1, false, false), state(3, 1, false, false)], "{round}");
        assert_eq!(subject.rows(&events_by(&["id"])), ["d2 1", "d3 1"], "{round}");
        assert_eq!(ids(&subject.newest()), ["d3", "d2"], "{round}");
        assert_eq!(ids(&subject.scan(&Filter::All, all_time(), None)), ["d2", "d3"], "{round}");
        let days = (Day(DAY.0 - 9), Day(DAY.0 + 9));
        assert_eq!(subject.known("s", days, &["e0", "e1", "e2", "e3"]), [false, false, true, true], "{round}");
        let names: Vec<String> = subject.fields(days).iter().map(|field| field.key.name().to_owned()).collect();
        assert!(!names.contains(&"k0".to_owned()) && names.contains(&"k2".to_owned()), "{round}");
        assert_eq!(subject.position(), 4, "{round}");
        subject.reopen();
    }
    // Writing again what expired brings nothing back.
    subject.write_entries(subject.journal().0, 4);
    subject.flush();
    assert_eq!(subject.rows(&events_by(&["id"])), ["d2 1", "d3 1"]);
}

fn an_expired_day_may_come_back(subject: &mut Subject) {
    subject.take(events(&["at=1 id=old"]));
    subject.seal_as_it_is();
    subject.expire(Day(DAY.0 + 1), Day(DAY.0 - 9));
    subject.take(events(&["at=2 id=new"]));
    assert_eq!(subject.days(), [state(0, 1, false, false)]);
    subject.in_every_state(|subject, state| {
        assert_eq!(subject.rows(&events_by(&["id"])), ["new 1"], "{state}");
    });
}
