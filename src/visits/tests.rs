use super::recount::{Recount, derived, stored};
use super::*;
use crate::event::{Key, Value};
use proptest::prelude::*;

const MINUTE: Millis = 60_000;
const SECOND: Millis = 1_000;

/// Events, and marks that say which of them bear two of the increments.
type Row<'a> = (&'a [(Millis, &'a str)], &'a str, &'a str);

/// An event of visitor 7 of the site `s`: `view /path`, `download =id`, `click`, and `key=value` for the rest.
fn event(at: Millis, words: &str) -> Event {
    let mut event = Event::default();
    let mut words = words.split(' ');
    event.set(Known::Timestamp, Value::Int(at));
    event.set(Known::Site, Value::text("s"));
    event.set(Known::Day, Value::Int(at.div_euclid(86_400_000)));
    event.set(Known::Action, Value::text(words.next().expect("an action")));
    event.set(Known::Visitor, Value::hash(7));
    event.set(Known::Channel, Value::text("Direct"));
    for word in words {
        match word.split_once('=') {
            Some(("", id)) => event.set(Known::Id, Value::text(id)),
            Some(("status", status)) => event.set(Known::Status, Value::Int(status.parse().expect("a number"))),
            Some(("interactive", _)) => event.set(Known::Interactive, Value::Bool(false)),
            Some(("visitor", _)) => drop(event.remove(&Known::Visitor.into())),
            Some((key, text)) => event.set(Key::named(key), Value::text(text)),
            None => {
                event.set(Known::Path, Value::text(word));
                event.set(Known::Id, Value::text(word));
            }
        }
    }
    event
}

/// Steps the events in the order given and writes their increments.
fn stepped(rows: &[(Millis, &str)]) -> Vec<Event> {
    let mut state = VisitorDay::default();
    rows.iter()
        .map(|(at, words)| {
            let mut event = event(*at, words);
            step(&mut state, &event).write(&mut event);
            event
        })
        .collect()
}

fn ints(events: &[Event], known: Known) -> Vec<Option<i64>> {
    events.iter().map(|event| event.int(known)).collect()
}

fn ones(events: &[Event], known: Known) -> String {
    events.iter().map(|event| if event.known(known).is_some() { '1' } else { '.' }).collect()
}

#[test]
fn clicks_within_thirty_seconds_of_their_neighbour_are_one() {
    const AT: Millis = 10 * 60 * MINUTE + MINUTE;
    let rows: &[Row<'_>] = &[
        (&[(0, "view =a"), (20 * SECOND, "view =a"), (40 * SECOND, "view =a")], "1..", "1.."),
        (&[(AT, "view =a"), (AT + 29 * SECOND, "view =a")], "1.", "1."),
        (&[(AT, "view =a"), (AT + 35 * SECOND, "view =a")], "11", "1."),
        (&[(AT, "view =a"), (AT + 30 * SECOND, "view =a")], "1.", "1."),
        (&[(AT, "view =a"), (AT + 30 * SECOND + 1, "view =a")], "11", "1."),
        (&[(0, "view =a"), (1, "download =a"), (2, "view =b")], "111", "111"),
        (&[(0, "view =a status=200"), (1, "view =b status=304"), (2, "view =c status=206")], "11.", "11."),
        (&[(0, "view =a status=500"), (1, "view =a")], ".1", ".1"),
        (&[(0, "view path=/p"), (1, "click =a"), (2, "request =a")], "...", "..."),
        (&[(0, "view =a visitor=none"), (1, "view =a visitor=none")], "11", "11"),
        (&[(0, "view =a interactive=false"), (MINUTE, "view =a interactive=false")], "11", "11"),
        (
            &[(0, "view =a interactive=false"), (9, "view =a"), (MINUTE, "view =a"), (2 * MINUTE, "view =a")],
            "1.11",
            "1.1.",
        ),
        (&[(0, "view =a"), (40 * MINUTE, "view =a"), (41 * MINUTE, "view =a")], "111", "11."),
    ];
    for (clicks, counted, unique) in rows {
        let events = stepped(clicks);
        assert_eq!(
            (ones(&events, Known::Counted).as_str(), ones(&events, Known::Unique).as_str()),
            (*counted, *unique),
            "{clicks:?}"
        );
    }
}

#[test]
fn a_visit_ends_thirty_minutes_after_its_last_starting_or_extending_event() {
    let half = VISIT_IDLE_MS;
    let rows: &[Row<'_>] = &[
        (&[(0, "view /"), (half, "view /")], "1.", "11"),
        (&[(0, "view /"), (half + 1, "view /")], "11", "11"),
        (&[(0, "view /"), (half, "engage /"), (2 * half, "view /")], "1..", "111"),
        (&[(0, "view /"), (half, "error /"), (half + 1, "timing /"), (half + 2, "click")], "1..1", "11.1"),
        (&[(0, "view /"), (half, "view / interactive=false"), (half + 1, "engage /")], "1..", "11."),
        (&[(0, "view /"), (half, "engage / interactive=false"), (half + 1, "log")], "1..", "11."),
        (&[(0, "request /"), (0, "log"), (0, "timing"), (0, "error"), (0, "engage")], ".....", "....."),
        (&[(0, "view / interactive=false"), (1, "signup")], ".1", ".1"),
        (&[(0, "view / visitor=none"), (1, "view /")], ".1", ".1"),
    ];
    for (rows, starts, within) in rows {
        let events = stepped(rows);
        assert_eq!(
            (ones(&events, Known::VisitStart).as_str(), ones(&events, Known::Visit).as_str()),
            (*starts, *within),
            "{rows:?}"
        );
        assert_eq!(ones(&events, Known::VisitAt), *within);
    }
}

#[test]
fn a_visit_is_engaged_by_its_second_view_or_its_first_other_start() {
    let rows: &[(&[(Millis, &str)], &str)] = &[
        (&[(0, "download =a")], "1"),
        (&[(0, "view /"), (1, "view /")], ".1"),
        (&[(0, "view /"), (1, "view /"), (2, "click"), (3, "view /")], ".1.."),
        (&[(0, "view /"), (1, "engage /"), (2, "error"), (3, "view /x interactive=false")], "...."),
        (&[(0, "view /"), (1, "click interactive=false"), (2, "click")], "..1"),
        (&[(0, "click"), (1, "view /"), (2, "view /")], "1.."),
    ];
    for (rows, engaged) in rows {
        assert_eq!(ones(&stepped(rows), Known::Engaged), *engaged, "{rows:?}");
    }
}

#[test]
fn every_moving_event_but_the_first_measures_the_time_since_the_one_before() {
    let events =
        stepped(&[(5, "view /"), (9, "log"), (25, "engage /"), (30, "click"), (30, "view / interactive=false")]);
    assert_eq!(ints(&events, Known::VisitMs), [None, None, Some(20), Some(5), None]);
    assert_eq!(ints(&events, Known::VisitorStart), [Some(1), None, None, None, None]);
}

#[test]
fn a_page_view_knows_the_page_before_it() {
    let events = stepped(&[
        (0, "click"),
        (10, "view /a"),
        (30, "view title=t"),
        (35, "download =f"),
        (40, "view =b interactive=false"),
        (40, "view /c"),
        (MINUTE * 60, "view /d"),
    ]);
    let previous: Vec<_> = events.iter().map(|event| event.text(Known::Previous)).collect();
    assert_eq!(previous, [None, None, None, None, Some("/a"), Some("b"), None]);
    assert_eq!(ints(&events, Known::DwellMs), [None, None, None, None, Some(30), Some(0), None]);
}

#[test]
fn a_visits_origin_is_that_of_its_first_event_on_all_of_them() {
    let events = stepped(&[
        (0, "error =e source=kept.org"),
        (1, "view /in source=x.org channel=Referral utm_medium=m"),
        (2, "view /b source=y.org utm_term=t"),
        (3, "log"),
        (MINUTE * 60, "view /c source=z.org"),
    ]);
    let of = |known| events.iter().map(|event| event.text(known)).collect::<Vec<_>>();
    assert_eq!(of(Known::Source), [Some("kept.org"), Some("x.org"), Some("x.org"), Some("x.org"), Some("z.org")]);
    assert_eq!(of(Known::UtmTerm), [None; 5]);
    assert_eq!(of(Known::UtmMedium), [None, Some("m"), Some("m"), Some("m"), None]);
    assert_eq!(of(Known::Entry), [None, Some("/in"), Some("/in"), Some("/in"), Some("/c")]);
    assert_eq!(of(Known::EntryId), of(Known::Entry));
    assert_eq!(
        of(Known::OwnOrigin),
        [None, None, Some(r#"{"channel":"Direct","source":"y.org","utm_term":"t"}"#), None, None]
    );
}

#[test]
fn events_out_of_order_never_measure_negative_time() {
    let events = stepped(&[
        (100 * MINUTE, "view /a"),
        (90 * MINUTE, "view /b"),
        (101 * MINUTE, "engage /a"),
        (10 * MINUTE, "view /c"),
        (102 * MINUTE, "view =a"),
        (102 * MINUTE - 9, "view =a"),
    ]);
    for known in [Known::VisitMs, Known::DwellMs] {
        assert!(ints(&events, known).into_iter().flatten().all(|ms| ms >= 0), "{known:?}");
    }
    assert_eq!(ones(&events, Known::VisitStart), "1..11.");
    assert_eq!(ones(&events, Known::Counted), "11.11.");
}

#[test]
fn a_visitor_with_many_items_is_remembered_within_a_bound() {
    let mut clicks = Clicks::bounded(100);
    for item in 0..10_000 {
        assert_eq!(clicks.count(item, item as Millis, Some(1)), (true, true));
        assert!(clicks.len() <= 100);
    }
    assert_eq!(clicks.count(9_999, 10_000, Some(1)), (false, false));
}

#[test]
fn a_recount_names_the_sum_that_is_wrong() {
    let mut events = stepped(&[(0, "view /a"), (10, "view /b"), (20, "view /c")]);
    events[2].set(Known::VisitMs, Value::Int(11));
    events[1].remove(&Known::Engaged.into());
    let mut recount = Recount::default();
    events.into_iter().chain(stepped(&[(0, "view =x visitor=none")])).for_each(|event| recount.push(event));
    let recount = recount.finish();
    let found: Vec<_> = recount.differences.iter().map(|it| (it.sum.as_str(), it.stored, it.derived)).collect();
    assert_eq!(found, [("engaged", 0, 1), ("visit_ms", 21, 20)]);
    assert_eq!((recount.events, recount.differences_total), (4, 2));
}

fn any_event() -> impl Strategy<Value = Event> {
    let action = prop::sample::select(vec![
        "view",
        "view",
        "view",
        "download",
        "click",
        "engage",
        "request",
        "log",
        "error",
        "signup",
        "view interactive=false",
        "engage interactive=false",
        "view status=500",
    ]);
    let place = prop::sample::select(vec!["/a", "/b", "/c", "=d", "=/a", "title=t"]);
    let origin = prop::sample::select(vec!["", " source=x.org", " utm_source=n utm_medium=mail"]);
    let at = prop_oneof![
        0..200 * SECOND,
        (0..40i64).prop_map(|steps| steps * 10 * MINUTE),
        (0..200i64).prop_map(|steps| steps * MINUTE)
    ];
    (at, action, place, origin, prop::option::of(0..5u8)).prop_map(|(at, action, place, origin, id)| {
        let mut event = event(at, &format!("{action} {place}{origin}"));
        if let Some(id) = id {
            event.set(Known::EventId, Value::text(id.to_string()));
        }
        event
    })
}

fn restep(events: &mut [Event]) {
    events.sort_by(Event::in_order);
    let mut state = VisitorDay::default();
    for event in events {
        step(&mut state, event).write(event);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_order_the_increments_are_what_a_recount_derives(mut events in prop::collection::vec(any_event(), 1..60)) {
        restep(&mut events);
        prop_assert_eq!(stored(&events), derived(&mut events));
    }

    #[test]
    fn stepping_again_in_order_mends_whatever_arrival_made(events in prop::collection::vec(any_event(), 1..40), by in any::<prop::sample::Index>()) {
        let mut straight = events.clone();
        restep(&mut straight);
        let mut bent = events;
        let by = by.index(bent.len());
        bent.rotate_left(by);
        let mut state = VisitorDay::default();
        for event in &mut bent {
            step(&mut state, event).write(event);
        }
        restep(&mut bent);
        prop_assert_eq!(bent, straight);
    }

    #[test]
    fn sums_reconcile(mut events in prop::collection::vec(any_event(), 1..60)) {
        restep(&mut events);
        let visits: std::collections::BTreeSet<_> = events.iter().filter_map(|event| event.hash(Known::Visit)).collect();
        let sum = |known| ints(&events, known).into_iter().flatten().sum::<i64>();
        prop_assert_eq!(sum(Known::VisitStart), visits.len() as i64);
        prop_assert!(sum(Known::Engaged) <= sum(Known::VisitStart));
        let mut spans = 0;
        let mut views = 0;
        for visit in &visits {
            let of = || events.iter().filter(|event| event.hash(Known::Visit) == Some(*visit));
            let moving = || of().filter(|event| Role::of(event) != Role::Joins).map(Event::at);
            spans += moving().max().expect("a start") - moving().min().expect("a start");
            views += of().filter_map(page_of).count().saturating_sub(1);
        }
        prop_assert_eq!(sum(Known::VisitMs), spans);
        prop_assert_eq!(ones(&events, Known::Previous).matches('1').count(), views);
        // Each page's views within visits are its inflow; events whose previous it is, and its exits, are its outflow.
        let exits = events.iter().filter(|event| page_of(event).is_some() && event.known(Known::Visit).is_some()).count() - views;
        let with_pages = visits.iter().filter(|visit| events.iter().any(|event| event.hash(Known::Visit) == Some(**visit) && page_of(event).is_some()));
        prop_assert_eq!(exits, with_pages.count());
    }
}
