//! Promises of `trails`: each visitor's day whole and in order, with the marks, visits and texts asked for.

use crate::events::{all_time, at, between, event, events};
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Key, Known};
use metronome::store::StoreError;
use metronome::store::plan::{Filter, TimeKey, TimeRange};
use metronome::store::trails::{TrailBatch, TrailLimits, TrailPlan, Visits};

pub const PROMISES: &[Promise] = promises![
    trails_are_the_days_of_visitors_in_order,
    trails_order_ties_by_id_then_content,
    trails_hold_what_a_mark_matches,
    trails_of_a_filter_and_a_range,
    trails_name_visits,
    trails_of_visits_with_some_event,
    trails_have_the_texts_asked_for,
    trails_of_late_events_are_whole,
    long_trails_are_never_cut,
    one_event_too_many_is_an_error,
    marks_are_one_to_sixty_four,
    trails_may_be_left_early,
];

/// Everything, with its ids.
pub fn everything() -> TrailPlan {
    TrailPlan {
        filter: Filter::All,
        range: all_time(),
        marks: vec![Filter::All],
        labels: vec![Known::Id.into()],
        visits: Visits::Left,
        visits_with: None,
        limits: TrailLimits::default(),
    }
}

/// A trail as text: day and visitor, then its events.
pub type Shown = (String, Vec<String>);

/// The trails of a batch as text, and the columns held to each other.
pub fn shown(batch: &TrailBatch, plan: &TrailPlan) -> Vec<Shown> {
    let many = batch.at.len();
    assert_eq!(batch.marks.len(), many, "marks");
    assert_eq!(batch.visits.len(), if plan.visits == Visits::Given { many } else { 0 }, "visits");
    assert_eq!(batch.labels.len(), plan.labels.len(), "labels");
    assert!(batch.labels.iter().all(|labels| labels.codes.len() == many), "codes");
    let event = |place: usize| {
        let mut text = format!("{}:{:b}", (batch.at[place] - at(0.0)) as f64 / 1_000.0, batch.marks[place]);
        if let Some(visit) = batch.visits.get(place) {
            let visit = visit.map(|visit| format!("{:x}@{}", visit.id, (visit.at - at(0.0)) as f64 / 1_000.0));
            text += &format!(" {}", visit.unwrap_or("-".into()));
        }
        batch.labels.iter().for_each(|labels| text += &format!(" {}", labels.of(place).join("+")));
        text
    };
    let trail = |trail: &metronome::store::trails::Trail| {
        let whose = trail.visitor.map_or("nobody".to_owned(), |visitor| format!("{visitor:x}"));
        (format!("{} {whose}", trail.day), trail.events.clone().map(event).collect())
    };
    batch.trails.iter().map(trail).collect()
}

/// All trails, by day and visitor; a visitor's day is there once. Those of a day without a visitor are put together, by
/// time.
pub fn trails(subject: &Subject, plan: &TrailPlan) -> Vec<Shown> {
    let batches = subject.trails(plan).unwrap_or_else(|error| panic!("{error}: {plan:#?}"));
    let mut trails: Vec<Shown> = batches.iter().flat_map(|batch| shown(batch, plan)).collect();
    trails.sort();
    trails.dedup_by(|(whose, more), (first, events)| {
        let is_of_nobody = whose == first && whose.ends_with("nobody");
        if is_of_nobody {
            events.append(more);
            events.sort_by_key(|event| event.split(':').next().map(|at| (at.len(), at.to_owned())));
        }
        is_of_nobody
    });
    assert!(trails.windows(2).all(|pair| pair[0].0 != pair[1].0), "a trail was cut: {trails:#?}");
    trails
}

/// Holds the trails to lines such as `2024-01-10 1 | 5:1 a | 9:1 b`.
fn holds(subject: &Subject, plan: &TrailPlan, expected: &[&str], state: &str) {
    let lines: Vec<String> =
        trails(subject, plan).into_iter().map(|(whose, events)| [vec![whose], events].concat().join(" | ")).collect();
    assert_eq!(lines, expected, "{state}: {plan:#?}");
}

fn key(name: &str) -> Key {
    Key::named(name)
}

fn trails_are_the_days_of_visitors_in_order(subject: &mut Subject) {
    subject.write(events(&[
        "at=9 id=b visitor=1",
        "at=5 id=a visitor=1",
        "at=7 id=x",
        "at=6 id=c visitor=255",
        "at=86400 id=d visitor=1",
        "at=3 id=y",
        "at=86401 visitor=1",
    ]));
    subject.in_every_state(|subject, state| {
        let expected = [
            "2024-01-10 1 | 5:1 a | 9:1 b",
            "2024-01-10 ff | 6:1 c",
            "2024-01-10 nobody | 3:1 y | 7:1 x",
            "2024-01-11 1 | 86400:1 d | 86401:1 ",
        ];
        holds(subject, &everything(), &expected, state);
    });
}

fn trails_order_ties_by_id_then_content(subject: &mut Subject) {
    let tied = ["event_id=b", "event_id=a", "event_id=Z", "x=1", "x=2", "event_id=é"];
    subject.write(tied.iter().map(|text| event(&format!("at=5 visitor=1 id={} {text}", text.replace('=', "-")))));
    subject.write(tied.iter().map(|text| event(&format!("at=5 id={} {text}", text.replace('=', "-")))));
    subject.in_every_state(|subject, state| {
        let mut scanned = subject.scan(&Filter::is(Known::Visitor, "0000000000000001"), all_time(), None);
        let expected: Vec<String> =
            scanned.drain(..).map(|event| format!("5:1 {}", crate::events::ids(&[event])[0])).collect();
        let trails = trails(subject, &everything());
        let sent = ["5:1 event_id-Z", "5:1 event_id-a", "5:1 event_id-b", "5:1 event_id-é"];
        assert_eq!(trails[0].1[..4], sent, "{state}");
        assert_eq!(trails[0].1, expected, "{state}");
        assert_eq!((trails.len(), trails[1].1.len()), (2, 6), "{state}");
    });
}

fn trails_hold_what_a_mark_matches(subject: &mut Subject) {
    subject.write(events(&[
        "at=1 id=a visitor=1",
        "at=2 id=b visitor=1 action=download",
        "at=3 id=c visitor=1 action=click",
        "at=4 id=a visitor=1 action=download",
        "at=5 id=c visitor=2 action=click",
    ]));
    let marks = vec![Filter::is(Known::Id, "a"), Filter::is(Known::Id, "none"), Filter::is(Known::Action, "download")];
    subject.in_every_state(|subject, state| {
        let plan = TrailPlan { marks: marks.clone(), ..everything() };
        holds(subject, &plan, &["2024-01-10 1 | 1:1 a | 2:100 b | 4:101 a"], state);
        let not = Filter::Not(Box::new(Filter::is(Known::Id, "a")));
        let plan = TrailPlan { marks: vec![not], ..everything() };
        holds(subject, &plan, &["2024-01-10 1 | 2:1 b | 3:1 c", "2024-01-10 2 | 5:1 c"], state);
        let plan = TrailPlan { marks: vec![Filter::is(Known::Id, "none")], ..everything() };
        holds(subject, &plan, &[], state);
        let all = TrailPlan { marks: vec![Filter::All; 64], ..everything() };
        assert!(trails(subject, &all)[0].1[0].starts_with(&format!("1:{:b}", u64::MAX)), "{state}");
    });
}

fn trails_of_a_filter_and_a_range(subject: &mut Subject) {
    subject.write((0..12).map(|n| event(&format!("at={n} id=i{n} visitor={} site=s{}", n % 2 + 1, n % 3))));
    subject.in_every_state(|subject, state| {
        let plan = TrailPlan { filter: Filter::is(Known::Site, "s1"), range: between(1.0, 10.0), ..everything() };
        holds(subject, &plan, &["2024-01-10 1 | 4:1 i4", "2024-01-10 2 | 1:1 i1 | 7:1 i7"], state);
        holds(subject, &TrailPlan { range: between(20.0, 30.0), ..everything() }, &[], state);
    });
}

fn trails_name_visits(subject: &mut Subject) {
    subject.write(events(&[
        "at=1 id=a visitor=1 visit=9 visit_at=1",
        "at=2 id=b visitor=1",
        "at=3 id=c visitor=1 visit=9 visit_at=1 source=x",
        "at=4 id=d visitor=1 visit=18446744073709551615 visit_at=4",
        "at=5 id=e",
    ]));
    subject.in_every_state(|subject, state| {
        let plan = TrailPlan { visits: Visits::Given, ..everything() };
        let expected = [
            "2024-01-10 1 | 1:1 9@1 a | 2:1 - b | 3:1 9@1 c | 4:1 ffffffffffffffff@4 d",
            "2024-01-10 nobody | 5:1 - e",
        ];
        holds(subject, &plan, &expected, state);
        let range = TimeRange { key: TimeKey::VisitAt, from: at(1.0), to: at(2.0) };
        holds(subject, &TrailPlan { range, ..everything() }, &["2024-01-10 1 | 1:1 a | 3:1 c"], state);
    });
}

fn trails_of_visits_with_some_event(subject: &mut Subject) {
    subject.write(events(&[
        "at=1 id=a visitor=1 visit=9 visit_at=1",
        "at=2 id=b visitor=1",
        "at=3 id=c visitor=1 visit=9 visit_at=1 source=x",
        "at=4 id=d visitor=1 visit=10 visit_at=4",
        "at=5 id=a visitor=1 visit=10 visit_at=4 action=click",
        "at=6 id=d visitor=2 visit=11 visit_at=6",
        "at=7 id=c visitor=3 visit=12 visit_at=7",
        "at=8 id=a visitor=3",
        "at=8 id=c",
        "at=9 id=d visitor=4 visit=13 visit_at=9",
        "at=9 id=c visitor=4 visit=13 visit_at=9",
        "at=86401 id=c visitor=2 visit=14 visit_at=86401",
        "at=86402 id=x visitor=2 visit=14 visit_at=86401",
    ]));
    let views = Filter::is(Known::Action, "view");
    let with = |id: &str| TrailPlan {
        filter: views.clone(),
        marks: vec![Filter::Not(Box::new(Filter::is(Known::Id, "b")))],
        visits_with: Some(Filter::is(Known::Id, id)),
        ..everything()
    };
    subject.in_every_state(|subject, state| {
        let expected = [
            "2024-01-10 1 | 1:1 a | 3:1 c",
            "2024-01-10 3 | 7:1 c",
            "2024-01-10 4 | 9:1 d | 9:1 c",
            "2024-01-11 2 | 86401:1 c | 86402:1 x",
        ];
        holds(subject, &with("c"), &expected, state);
        holds(subject, &with("a"), &["2024-01-10 1 | 1:1 a | 3:1 c"], state);
        holds(subject, &with("none"), &[], state);
        let marked = TrailPlan { marks: vec![Filter::is(Known::Id, "a")], visits: Visits::Given, ..with("c") };
        holds(subject, &marked, &["2024-01-10 1 | 1:1 9@1 a"], state);
        let range = TimeRange { key: TimeKey::VisitAt, from: at(2.0), to: at(8.0) };
        holds(subject, &TrailPlan { range, ..with("c") }, &["2024-01-10 3 | 7:1 c"], state);
        let all = TrailPlan { filter: Filter::All, ..with("a") };
        let expected = ["2024-01-10 1 | 1:1 a | 3:1 c | 4:1 d | 5:1 a"];
        holds(subject, &all, &expected, state);
        let limits = TrailLimits { events_max: 4, ..TrailLimits::default() };
        holds(subject, &TrailPlan { limits, ..all.clone() }, &expected, state);
        let limits = TrailLimits { events_max: 3, ..TrailLimits::default() };
        let refused = subject.trails(&TrailPlan { limits, ..all });
        assert!(matches!(refused, Err(StoreError::Limit { limit: 3, .. })), "{state}: {refused:?}");
    });
}

fn trails_have_the_texts_asked_for(subject: &mut Subject) {
    subject.write(events(&[
        "at=1 visitor=1 tags=[\"q\",\"p\",\"q\"] status=200 mixed=[1,\"b\",true]",
        "at=2 visitor=1 tags=[\"p\",\"q\"] status=404 mixed=\"1\"",
        "at=3 visitor=1 tags=\"p\" interactive=false",
        "at=4 visitor=1 status=200 mixed=0.5",
    ]));
    subject.in_every_state(|subject, state| {
        let labels = ["tags", "status", "mixed", "interactive", "absent", "day"].map(key).to_vec();
        let expected = "2024-01-10 1 | 1:1 p+q 200 1+b+true   2024-01-10 | 2:1 p+q 404 1   2024-01-10 \
                        | 3:1 p   false  2024-01-10 | 4:1  200 0.5   2024-01-10";
        holds(subject, &TrailPlan { labels, ..everything() }, &[expected], state);
    });
}

fn trails_of_late_events_are_whole(subject: &mut Subject) {
    subject.take(events(&["at=1 id=a visitor=1", "at=5 id=c visitor=1", "at=2 id=x visitor=2", "at=9 id=z visitor=3"]));
    subject.seal_as_it_is();
    subject.take(events(&["at=3 id=b visitor=1", "at=5 id=C visitor=1 event_id=first"]));
    let expected = ["2024-01-10 1 | 1:1 a | 3:1 b | 5:1 C | 5:1 c", "2024-01-10 2 | 2:1 x", "2024-01-10 3 | 9:1 z"];
    subject.in_every_state(|subject, state| holds(subject, &everything(), &expected, state));
}

fn long_trails_are_never_cut(subject: &mut Subject) {
    subject
        .write((0..400).map(|n| event(&format!("at={} id=i{n:03} visitor={}", 400 - n, if n < 300 { 1 } else { n }))));
    subject.in_every_state(|subject, state| {
        let trails = trails(subject, &everything());
        assert_eq!((trails.len(), trails[0].1.len()), (101, 300), "{state}");
        assert_eq!((trails[0].1[0].as_str(), trails[0].1[299].as_str()), ("101:1 i299", "400:1 i000"), "{state}");
    });
}

fn one_event_too_many_is_an_error(subject: &mut Subject) {
    subject.write((0..20).map(|n| event(&format!("at={} visitor={n}", n * 10_000))));
    subject.in_every_state(|subject, state| {
        let bounded =
            |events_max| TrailPlan { limits: TrailLimits { events_max, ..TrailLimits::default() }, ..everything() };
        assert_eq!(trails(subject, &bounded(20)).len(), 20, "{state}");
        let refused = subject.trails(&bounded(19));
        assert!(matches!(refused, Err(StoreError::Limit { limit: 19, .. })), "{state}: {refused:?}");
    });
}

fn marks_are_one_to_sixty_four(subject: &mut Subject) {
    for marks in [0, 65] {
        let refused = subject.trails(&TrailPlan { marks: vec![Filter::All; marks], ..everything() });
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{marks}: {refused:?}");
    }
}

fn trails_may_be_left_early(subject: &mut Subject) {
    subject.take((0..50).map(|n| event(&format!("at={} visitor={n}", n * 10_000))));
    let mut left = subject.wait(subject.store().trails(&everything())).expect("trails");
    assert!(subject.wait(left.recv()).is_some());
    drop(left);
    assert_eq!(trails(subject, &everything()).len(), 50);
}
