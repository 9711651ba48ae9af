//! Promises of `usage`: what items were used, before and after their events expired, as worked out by hand.

use crate::events::{DAY, event, events};
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Day, Event, Known, Value};
use metronome::store::plan::{Bots, Counting, Items, Limits, Tally, Usage, UsagePlan};
use std::collections::BTreeMap;

pub const PROMISES: &[Promise] = promises![
    usage_is_as_worked_out_by_hand,
    usage_is_of_the_days_and_the_site_asked_for,
    usage_comes_in_the_order_asked,
    the_busiest_items_come_first,
    an_item_may_be_busiest_over_days_and_of_none,
    items_may_have_any_name,
    usage_adds_up_over_many_days,
    usage_counts_late_events,
    usage_outlives_events_until_its_own_bound,
    usage_of_a_day_that_comes_back_adds_up,
];

const EVENTS: [&str; 12] = [
    "at=1 id=a path=/a referer=x.org visitor=1 counted=1 unique=1",
    "at=2 id=a path=/a visitor=1",
    "at=3 id=b path=/b referer=y.org visitor=2 counted=1",
    "at=4 action=download id=a format=csv referer=x.org visitor=2 counted=1",
    "at=5 action=download id=b visitor=3 counted=1",
    "at=6 id=a visitor=9 bot=crawler referer=z.org counted=1",
    "at=7 path=/home referer=x.org visitor=1",
    "at=8 action=error id=a referer=e.org visitor=1",
    "at=9 action=click id=a referer=e.org visitor=1 counted=1",
    "at=86401 id=a referer=x.org visitor=1 counted=1",
    "at=86402 action=download id=a format=csv visitor=1 counted=1",
    "at=86403 action=download id=a format=zip visitor=1",
];

/// Views by day from [`DAY`], downloads by format, referers.
fn used(views: &[(i32, u64)], downloads: &[(&str, u64)], referers: &[(&str, u64)]) -> Usage {
    let counts = |pairs: &[(&str, u64)]| pairs.iter().map(|(text, count)| ((*text).into(), *count)).collect();
    let views: BTreeMap<Day, u64> = views.iter().map(|(day, count)| (Day(DAY.0 + day), *count)).collect();
    Usage { views, downloads: counts(downloads), referers: counts(referers) }
}

fn plan(items: Items) -> UsagePlan {
    let days = (Day(DAY.0 - 400), Day(DAY.0 + 400));
    let (bots, counting, limits) = (Bots::Exclude, Counting::Raw, Limits::default());
    UsagePlan { site: "s".into(), items, days, bots, counting, limits }
}

fn of(ids: &[&str]) -> Items {
    Items::Ids(ids.iter().map(|id| (*id).to_owned()).collect())
}

fn ids(subject: &Subject, plan: &UsagePlan) -> Vec<String> {
    subject.usage(plan).into_iter().map(|(id, _)| id).collect()
}

/// The same checks while events are there, and after they expired and the store was opened again.
fn with_and_without_events(subject: &mut Subject, check: impl Fn(&Subject, &str)) {
    subject.in_every_state(&check);
    subject.expire(Day(DAY.0 + 399), Day(DAY.0 - 400));
    assert_eq!(subject.days(), []);
    check(subject, "expired");
    subject.reopen();
    check(subject, "expired, reopened");
}

fn usage_is_as_worked_out_by_hand(subject: &mut Subject) {
    use {Bots::*, Counting::*};
    subject.write(events(&EVENTS));
    let people = used(&[(0, 2), (1, 1)], &[("csv", 2), ("zip", 1)], &[("x.org", 3)]);
    let all = used(&[(0, 3), (1, 1)], &[("csv", 2), ("zip", 1)], &[("x.org", 3), ("z.org", 1)]);
    let counted = used(&[(0, 1), (1, 1)], &[("csv", 2)], &[("x.org", 3)]);
    let site = used(&[(0, 4), (1, 1)], &[("csv", 2), ("other", 1), ("zip", 1)], &[("x.org", 4), ("y.org", 1)]);
    let site_counted = used(&[(0, 2), (1, 1)], &[("csv", 2), ("other", 1)], &[("x.org", 3), ("y.org", 1)]);
    let bots = used(&[(0, 1)], &[], &[("z.org", 1)]);
    let rows = [
        (of(&["a"]), Exclude, Raw, "a", people),
        (of(&["a"]), Include, Raw, "a", all),
        (of(&["a"]), Only, Raw, "a", bots.clone()),
        (of(&["a"]), Exclude, Counter, "a", counted),
        (of(&["b"]), Exclude, Raw, "b", used(&[(0, 1)], &[("other", 1)], &[("y.org", 1)])),
        (of(&["b"]), Only, Raw, "b", Usage::default()),
        (of(&["none"]), Include, Raw, "none", Usage::default()),
        (of(&["/home"]), Include, Raw, "/home", Usage::default()),
        (Items::Site, Exclude, Raw, "", site),
        (Items::Site, Exclude, Counter, "", site_counted),
        (Items::Site, Only, Raw, "", bots),
    ];
    with_and_without_events(subject, |subject, state| {
        for (items, bots, counting, id, expected) in &rows {
            let plan = UsagePlan { bots: *bots, counting: *counting, ..plan(items.clone()) };
            assert_eq!(subject.usage(&plan), [((*id).to_owned(), expected.clone())], "{state}: {plan:?}");
        }
    });
}

fn usage_is_of_the_days_and_the_site_asked_for(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    subject.write(events(&["at=1 site=t id=a format=x referer=t.org", "at=1 site=t id=c"]));
    with_and_without_events(subject, |subject, state| {
        let usage = |site: &str, from: i32, to: i32| {
            let days = (Day(DAY.0 + from), Day(DAY.0 + to));
            subject.usage(&UsagePlan { site: site.into(), days, ..plan(of(&["a"])) }).remove(0).1
        };
        let first = used(&[(0, 2)], &[("csv", 1)], &[("x.org", 2)]);
        let second = used(&[(1, 1)], &[("csv", 1), ("zip", 1)], &[("x.org", 1)]);
        assert_eq!(usage("s", 0, 0), first, "{state}");
        assert_eq!(usage("s", 1, 1), second, "{state}");
        assert_eq!(usage("s", 2, 9), Usage::default(), "{state}");
        assert_eq!(usage("s", -9, -1), Usage::default(), "{state}");
        assert_eq!(usage("t", 0, 9), used(&[(0, 1)], &[], &[("t.org", 1)]), "{state}");
        assert_eq!(usage("none", 0, 9), Usage::default(), "{state}");
        let site = UsagePlan { site: "none".into(), ..plan(Items::Site) };
        assert_eq!(subject.usage(&site), [(String::new(), Usage::default())], "{state}");
    });
}

fn usage_comes_in_the_order_asked(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    with_and_without_events(subject, |subject, state| {
        assert_eq!(ids(subject, &plan(of(&["z", "b", "a", "b", "é"]))), ["z", "b", "a", "b", "é"], "{state}");
        assert_eq!(subject.usage(&plan(of(&[]))), [], "{state}");
        let answer = subject.usage(&plan(of(&["b", "a", "b"])));
        assert_eq!(answer[0], answer[2], "{state}");
    });
}

fn the_busiest_items_come_first(subject: &mut Subject) {
    // Views: c 3, a and b 2, é 1, only by a bot 1; downloads: b 2, d 1.
    subject.write(events(&[
        "at=1 id=c",
        "at=2 id=c",
        "at=86403 id=c counted=1",
        "at=4 id=b counted=1",
        "at=86405 id=b counted=1",
        "at=6 id=a counted=1",
        "at=7 id=a",
        "at=8 id=é",
        "at=9 id=robot bot=x",
        "at=10 id=b action=download",
        "at=11 id=b action=download",
        "at=12 id=d action=download",
        "at=13 path=/without",
        "at=14 site=t id=t",
    ]));
    let rows: [(Tally, usize, Bots, Counting, &[&str]); 7] = [
        (Tally::Views, 10, Bots::Exclude, Counting::Raw, &["c", "a", "b", "é"]),
        (Tally::Views, 2, Bots::Exclude, Counting::Raw, &["c", "a"]),
        (Tally::Views, 0, Bots::Exclude, Counting::Raw, &[]),
        (Tally::Views, 10, Bots::Include, Counting::Raw, &["c", "a", "b", "robot", "é"]),
        (Tally::Views, 10, Bots::Only, Counting::Raw, &["robot"]),
        (Tally::Views, 10, Bots::Exclude, Counting::Counter, &["b", "a", "c"]),
        (Tally::Downloads, 10, Bots::Exclude, Counting::Raw, &["b", "d"]),
    ];
    with_and_without_events(subject, |subject, state| {
        for (tally, most, bots, counting, expected) in rows {
            let plan = UsagePlan { bots, counting, ..plan(Items::Busiest(tally, most)) };
            assert_eq!(ids(subject, &plan), expected, "{state}: {plan:?}");
        }
        let answer = subject.usage(&plan(Items::Busiest(Tally::Downloads, 1)));
        assert_eq!(answer, [("b".to_owned(), used(&[(0, 1), (1, 1)], &[("other", 2)], &[]))], "{state}");
        let second = UsagePlan { days: (Day(DAY.0 + 1), Day(DAY.0 + 1)), ..plan(Items::Busiest(Tally::Views, 9)) };
        assert_eq!(ids(subject, &second), ["b", "c"], "{state}");
    });
}

fn an_item_may_be_busiest_over_days_and_of_none(subject: &mut Subject) {
    for day in 0..10 {
        let table = (0..8).map(|n| match n {
            0..2 => format!("at={} id=steady", day * 86_400 + n),
            _ => format!("at={} id=d{day}-{}", day * 86_400 + n, n % 2),
        });
        subject.write(table.map(|text| event(&text)));
    }
    with_and_without_events(subject, |subject, state| {
        assert_eq!(ids(subject, &plan(Items::Busiest(Tally::Views, 2))), ["steady", "d0-0"], "{state}");
    });
}

fn items_may_have_any_name(subject: &mut Subject) {
    let long = "/x".repeat(1_024);
    let near = format!("{}y", &long[..long.len() - 1]);
    let names = ["a", "ab", "a b", "a\u{0}", "a\u{0}b", "/", "é", "e\u{301}", "\u{1F600}", "\u{10FFFF}", &long, &near];
    subject.write(names.iter().enumerate().flat_map(|(n, name)| {
        (0..=n).map(move |_| {
            let mut event = event("at=1 action=download");
            event.set(Known::Id, Value::text(*name));
            event.set(Known::Format, Value::text(*name));
            event.set(Known::Referer, Value::text(*name));
            event
        })
    }));
    with_and_without_events(subject, |subject, state| {
        for (n, name) in names.iter().enumerate() {
            let times = n as u64 + 1;
            let expected = used(&[], &[(name, times)], &[(name, times)]);
            assert_eq!(subject.usage(&plan(of(&[name]))), [((*name).to_owned(), expected)], "{state}");
        }
        assert_eq!(subject.usage(&plan(of(&["", "a\u{0}bc"])))[1].1, Usage::default(), "{state}");
        let busiest = ids(subject, &plan(Items::Busiest(Tally::Downloads, 3)));
        assert_eq!(busiest, [near.as_str(), long.as_str(), "\u{10FFFF}"], "{state}");
    });
}

/// Three views of `hot` a day for 70 days, over three months.
fn daily() -> Vec<Event> {
    (0..70 * 3).map(|n| event(&format!("at={} id=hot referer=r{}", n * 28_800, n % 3))).collect()
}

fn usage_adds_up_over_many_days(subject: &mut Subject) {
    subject.write(daily());
    let check = |subject: &Subject, state: &str| {
        for (from, to) in [(0, 69), (3, 40), (21, 49), (22, 50), (30, 30), (-5, 100)] {
            let days = (Day(DAY.0 + from), Day(DAY.0 + to));
            let (first, last) = (from.max(0), to.min(69));
            let views: Vec<(i32, u64)> = (first..=last).map(|day| (day, 3)).collect();
            let each = (last - first + 1) as u64;
            let expected = used(&views, &[], &[("r0", each), ("r1", each), ("r2", each)]);
            let plan = UsagePlan { days, ..plan(of(&["hot"])) };
            assert_eq!(subject.usage(&plan), [("hot".to_owned(), expected)], "{state}: {from}..={to}");
        }
    };
    subject.flush();
    check(subject, "open");
    subject.seal_as_it_is();
    subject.reopen();
    check(subject, "sealed");
    // A part of the days expires, in the midst of a month.
    subject.expire(Day(DAY.0 + 30), Day(DAY.0 - 9));
    check(subject, "partly expired");
    subject.reopen();
    check(subject, "partly expired, reopened");
}

fn usage_counts_late_events(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    subject.seal_as_it_is();
    subject.take(events(&["at=50 id=a referer=late.org", "at=51 id=new", "at=52 action=download id=a format=csv"]));
    let expected = used(&[(0, 3), (1, 1)], &[("csv", 3), ("zip", 1)], &[("late.org", 1), ("x.org", 3)]);
    with_and_without_events(subject, |subject, state| {
        let answer = subject.usage(&plan(of(&["a", "new"])));
        assert_eq!(answer[0].1, expected, "{state}");
        assert_eq!(answer[1].1, used(&[(0, 1)], &[], &[]), "{state}");
        assert_eq!(ids(subject, &plan(Items::Busiest(Tally::Views, 3))), ["a", "b", "new"], "{state}");
    });
}

fn usage_outlives_events_until_its_own_bound(subject: &mut Subject) {
    subject.take((0..5).map(|day| event(&format!("at={} id=a", day * 86_400))));
    subject.seal(DAY, Box::new(|_| {}));
    let days = |subject: &Subject| -> Vec<i32> {
        let usage = subject.usage(&plan(of(&["a"]))).remove(0).1;
        usage.views.keys().map(|day| day.0 - DAY.0).collect()
    };
    subject.expire(Day(DAY.0 + 3), Day(DAY.0 + 1));
    assert_eq!(days(subject), [1, 2, 3, 4]);
    // A table never goes before its events.
    subject.expire(Day(DAY.0 + 3), Day(DAY.0 + 5));
    assert_eq!(days(subject), [3, 4]);
    subject.reopen();
    assert_eq!(days(subject), [3, 4]);
    subject.expire(Day(DAY.0 + 5), Day(DAY.0 + 5));
    assert_eq!(days(subject), Vec::<i32>::new());
}

fn usage_of_a_day_that_comes_back_adds_up(subject: &mut Subject) {
    subject.take(events(&["at=1 id=a", "at=2 id=a"]));
    subject.expire(Day(DAY.0 + 1), Day(DAY.0 - 1));
    subject.take(events(&["at=3 id=a referer=x.org"]));
    let expected = used(&[(0, 3)], &[], &[("x.org", 1)]);
    with_and_without_events(subject, |subject, state| {
        assert_eq!(subject.usage(&plan(of(&["a"])))[0].1, expected, "{state}");
    });
}
