//! Promises of `events`, `scan` and `fields`: what is stored can be seen, in order, once each.

use crate::events::{DAY, all_time, at, between, event, events, ids};
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Day, Event, Key, Known};
use metronome::store::plan::{Filter, TimeKey, TimeRange};
use metronome::store::{Cursor, StoreError};

pub const PROMISES: &[Promise] = promises![
    events_come_newest_first,
    pages_hold_every_event_once,
    pages_stay_whole_while_events_arrive,
    pages_of_a_filter_and_a_range,
    a_foreign_cursor_is_refused,
    scans_come_by_day_visitor_and_time,
    scans_order_ties_by_id_then_content,
    scans_give_the_keys_asked_for,
    long_scans_come_in_batches,
    a_scan_may_be_left_early,
    fields_tell_texts_from_numbers,
    fields_are_of_the_days_asked_for,
];

fn events_come_newest_first(subject: &mut Subject) {
    subject.write(events(&["at=5 id=a", "at=90000 id=b", "at=1 id=c", "at=86400 id=d", "at=9 id=e visitor=1"]));
    subject.in_every_state(|subject, state| {
        assert_eq!(ids(&subject.newest()), ["b", "d", "e", "a", "c"], "{state}");
        assert_eq!(ids(&subject.page(&Filter::All, all_time(), None, 2).events), ["b", "d"], "{state}");
    });
}

/// Many events with few times, over three days.
fn crowded(number: usize) -> Vec<Event> {
    (0..number).map(|n| event(&format!("at={} id={n:03} visitor={}", (n * 7 % 10) * 20_000, n % 5 + 1))).collect()
}

fn pages_hold_every_event_once(subject: &mut Subject) {
    subject.write(crowded(60));
    subject.in_every_state(|subject, state| {
        let all = subject.newest();
        assert!(all.is_sorted_by_key(|event| std::cmp::Reverse(event.at())), "{state}");
        for limit in [1, 7, 20, 59, 60, 61] {
            assert_eq!(subject.pages(&Filter::All, all_time(), limit), all, "{state}: pages of {limit}");
        }
        let mut seen = ids(&all);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 60, "{state}");
    });
}

fn pages_stay_whole_while_events_arrive(subject: &mut Subject) {
    subject.take(crowded(30));
    let all = subject.newest();
    let first = subject.page(&Filter::All, all_time(), None, 10);
    subject.take(events(&["at=500000 id=newer"]));
    let second = subject.page(&Filter::All, all_time(), first.next.as_ref(), 10);
    subject.seal_as_it_is();
    let third = subject.page(&Filter::All, all_time(), second.next.as_ref(), 10);
    assert_eq!([first.events, second.events, third.events].concat(), all);
    assert_eq!(third.next, None);
}

fn pages_of_a_filter_and_a_range(subject: &mut Subject) {
    subject.write(crowded(60));
    subject.in_every_state(|subject, state| {
        let filter = Filter::is(Known::Visitor, "0000000000000002");
        let expected: Vec<Event> =
            subject.newest().into_iter().filter(|event| event.hash(Known::Visitor) == Some(2)).collect();
        assert_eq!(subject.pages(&filter, all_time(), 5), expected, "{state}");
        assert_eq!(expected.len(), 12, "{state}");
        let range = between(20_000.0, 60_000.0);
        let within = |event: &Event| range.from <= event.at() && event.at() < range.to;
        let expected: Vec<Event> = subject.newest().into_iter().filter(within).collect();
        assert_eq!(subject.pages(&Filter::All, range, 5), expected, "{state}");
        assert_eq!(expected.len(), 12, "{state}");
    });
}

fn a_foreign_cursor_is_refused(subject: &mut Subject) {
    subject.take(events(&["at=1 id=a"]));
    for text in ["", "x", "1:2:3:4:5:6:7", "é\u{0}", "99999999999999999999:1"] {
        let page = subject.wait(subject.store().events(&Filter::All, all_time(), Some(&Cursor(text.into())), 1));
        assert!(matches!(page, Err(StoreError::Invalid(_))), "{text:?}: {page:?}");
    }
}

fn scans_come_by_day_visitor_and_time(subject: &mut Subject) {
    subject.write(events(&[
        "at=86401 id=g visitor=1",
        "at=50 id=f",
        "at=9 id=b visitor=2",
        "at=60 id=a visitor=1",
        "at=3 id=e",
        "at=90 id=c visitor=2",
        "at=1 id=d visitor=18446744073709551615",
    ]));
    subject.in_every_state(|subject, state| {
        let all = subject.scan(&Filter::All, all_time(), None);
        assert_eq!(ids(&all), ["a", "b", "c", "d", "e", "f", "g"], "{state}");
        let filter = Filter::Or(vec![Filter::is(Known::Id, "c"), Filter::is(Known::Id, "f")]);
        assert_eq!(ids(&subject.scan(&filter, all_time(), None)), ["c", "f"], "{state}");
        assert_eq!(ids(&subject.scan(&Filter::All, between(9.0, 60.0), None)), ["b", "f"], "{state}");
        let visits = TimeRange { key: TimeKey::VisitAt, from: at(0.0), to: at(99.0) };
        assert_eq!(ids(&subject.scan(&Filter::All, visits, None)), Vec::<&str>::new(), "{state}");
    });
}

fn scans_order_ties_by_id_then_content(subject: &mut Subject) {
    let table: Vec<String> = (0..6)
        .flat_map(|n| ["b", "Z", "é", "a", ""].map(|id| (n, id)))
        .map(|(n, id)| match id {
            "" => format!("at=7 visitor={} n={n} path=/{n}", n % 2 + 1),
            id => format!("at=7 visitor={} event_id={id}{n}", n % 2 + 1),
        })
        .collect();
    subject.write(table.iter().map(|text| event(text)));
    subject.in_every_state(|subject, state| {
        let all = subject.scan(&Filter::All, all_time(), None);
        assert_eq!(all.len(), 30, "{state}");
        let place = |event: &Event| event.hash(Known::Visitor);
        for pair in all.windows(2) {
            let order = place(&pair[0]).cmp(&place(&pair[1])).then_with(|| pair[0].in_order(&pair[1]));
            assert_eq!(order, std::cmp::Ordering::Less, "{state}: {pair:#?}");
        }
    });
}

fn scans_give_the_keys_asked_for(subject: &mut Subject) {
    subject.write(events(&["at=1 id=a path=/a free=1 other=2 visitor=1 event_id=e", "at=2 title=t"]));
    subject.in_every_state(|subject, state| {
        let names = |event: &Event| event.fields().iter().map(|(key, _)| key.name().to_owned()).collect::<Vec<_>>();
        let keys = [Key::named("free"), Known::Path.into(), Key::named("absent")];
        let events = subject.scan(&Filter::is(Known::Id, "a"), all_time(), Some(&keys));
        assert_eq!(names(&events[0]), ["@timestamp", "site", "day", "action", "path", "free"], "{state}");
        let events = subject.scan(&Filter::All, all_time(), Some(&[]));
        assert_eq!(events.len(), 2, "{state}");
        assert_eq!(names(&events[1]), ["@timestamp", "site", "day", "action"], "{state}");
    });
}

fn long_scans_come_in_batches(subject: &mut Subject) {
    subject.write((0..2_500).map(|n| event(&format!("at={} visitor={} n={n}", n * 60, n % 50 + 1))));
    subject.in_every_state(|subject, state| {
        let keys = [Known::Visitor.into(), Key::named("n")];
        let all = subject.scan(&Filter::All, all_time(), Some(&keys));
        assert_eq!(all.len(), 2_500, "{state}");
        let place = |event: &Event| (event.day(), event.hash(Known::Visitor), event.at());
        assert!(all.is_sorted_by_key(place), "{state}");
    });
}

fn a_scan_may_be_left_early(subject: &mut Subject) {
    subject.take((0..2_500).map(|n| event(&format!("at={n} visitor={}", n % 50 + 1))));
    for _ in 0..3 {
        subject.wait(async {
            let mut scan = subject.store().scan(&Filter::All, all_time(), None).await.expect("scan");
            assert!(scan.recv().await.is_some_and(|batch| !batch.expect("batch").is_empty()));
        });
    }
    assert_eq!(subject.count(Filter::All), 2_500);
}

fn fields_tell_texts_from_numbers(subject: &mut Subject) {
    subject.write(events(&[
        "at=1 visitor=1 id=a n=1 t=x b=true mixed=1 list=[1,\"x\"] path=/a status=200",
        "at=86401 mixed=y tags=[\"p\",\"q\"] k.é=0.5",
    ]));
    subject.in_every_state(|subject, state| {
        let fields = subject.fields((DAY, Day(DAY.0 + 1)));
        let found: Vec<String> = fields
            .iter()
            .map(|field| {
                let forms = [(field.texts, "t"), (field.numbers, "n")];
                let forms: String = forms.iter().filter(|(has, _)| *has).map(|(_, form)| *form).collect();
                format!("{}:{forms}", field.key.name())
            })
            .collect();
        let expected = [
            "@timestamp:tn",
            "action:t",
            "b:t",
            "day:tn",
            "id:t",
            "k.é:n",
            "list:tn",
            "mixed:tn",
            "n:n",
            "path:t",
            "received_at:tn",
            "site:t",
            "status:n",
            "t:t",
            "tags:t",
            "visitor:t",
        ];
        assert_eq!(found, expected, "{state}");
    });
}

fn fields_are_of_the_days_asked_for(subject: &mut Subject) {
    subject.write(events(&["at=1 first=1", "at=86401 second=1", "at=172801 third=1"]));
    subject.in_every_state(|subject, state| {
        let free = |from: i32, to: i32| -> Vec<String> {
            let fields = subject.fields((Day(DAY.0 + from), Day(DAY.0 + to)));
            let free = fields.into_iter().filter(|field| matches!(field.key, Key::Free(_)));
            free.map(|field| field.key.name().to_owned()).collect()
        };
        assert_eq!(free(0, 0), ["first"], "{state}");
        assert_eq!(free(1, 2), ["second", "third"], "{state}");
        assert_eq!(free(3, 9), Vec::<String>::new(), "{state}");
    });
}
