//! Recommendations over the oracle: worked out by hand at the bounds, and recounted by the definition.

use super::*;
use crate::event::{Day, Event, Value};
use crate::store::Entry;
use crate::store::memory::Memory;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const DAY_MS: i64 = 86_400_000;

/// A visit: when it began, and its items in order.
type Visit<'a> = (i64, Vec<&'a str>);

/// An event of a user's visit that began then, so many ms later.
fn event(began: i64, later: i64, id: &str, user: &str) -> Event {
    let mut event = Event::default();
    event.set(Known::Site, Value::text("s"));
    event.set(Known::Action, Value::text(if later % 2 == 0 { "view" } else { "download" }));
    event.set(Known::Day, Value::Int(began.div_euclid(DAY_MS)));
    event.set(Known::Timestamp, Value::Int(began + later));
    event.set(Known::Id, Value::text(id));
    event.set(Known::User, Value::text(user));
    event.set(Known::Visitor, Value::hash(began as u64 + 1));
    event.set(Known::VisitAt, Value::Int(began));
    event.set(Known::Visit, Value::hash(began as u64 + 7));
    event
}

async fn holding(events: Vec<Event>) -> Memory {
    let (store, end) = (Memory::new(), events.len() as u64);
    let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, end).await.unwrap();
    store
}

async fn store(visits: &[Visit<'_>]) -> Memory {
    let of_visit = |(began, items): &Visit<'_>| {
        items.iter().zip(0..).map(|(id, later)| event(*began, later, id, &format!("u{began}"))).collect::<Vec<_>>()
    };
    holding(visits.iter().flat_map(of_visit).collect()).await
}

fn question(item: &str) -> Question {
    Question {
        site: "s".to_owned(),
        item: item.to_owned(),
        over: Over::Visit,
        range: Range::of_days(Day(0), Day(40), TimeZone::UTC),
        site_zone: TimeZone::UTC,
        only: Filter::All,
        bots: Bots::Exclude,
        limit: 1_000,
        limits: Limits::default(),
    }
}

/// Results as text: `id together/support`, and `popular` before busy items.
fn brief(found: &Recommendations) -> String {
    let one = |one: &Recommended| match (one.together, one.support) {
        (Some(together), Some(support)) => format!("{} {together}/{support}", one.id),
        _ => format!("{} {:?}", one.id, one.views),
    };
    let results: Vec<String> = found.results.iter().map(one).collect();
    let method = if found.method == Method::Popular { "popular: " } else { "" };
    format!("{method}{}", results.join(", "))
}

async fn found(store: &Memory, question: &Question) -> String {
    brief(&recommend(store, question).await.unwrap())
}

/// Three visits with both of two items, and three with others alone.
fn visits<'a>() -> Vec<Visit<'a>> {
    let day = |n: i64| n * DAY_MS + 50;
    let both = (0..3).map(|n| (day(n), vec!["a", "b", "a", "d"]));
    both.chain((3..5).map(|n| (day(n), vec!["c", "d"]))).chain([(day(5), vec!["a", "c"])]).collect()
}

#[tokio::test]
async fn what_is_together_by_chance_is_left_out() {
    let store = store(&visits()).await;
    // d is in five of six baskets, and in three of the four of a: less than chance has it.
    let answer = recommend(&store, &question("a")).await.unwrap();
    assert_eq!((brief(&answer).as_str(), answer.support, answer.baskets), ("b 3/3", 4, Some(6)));
    assert_eq!(found(&store, &question("b")).await, "a 3/4, d 3/5");
    assert_eq!(found(&store, &Question { limit: 1, ..question("b") }).await, "a 3/4");
    assert_eq!(found(&store, &question("c")).await, "popular: a Some(7)", "b and d were downloaded");
}

#[tokio::test]
async fn baskets_are_of_the_range_the_filter_and_the_site() {
    let store = store(&visits()).await;
    let shorter = Question { range: Range::of_days(Day(0), Day(1), TimeZone::UTC), ..question("a") };
    assert!(found(&store, &shorter).await.starts_with("popular"));
    let views = Question { only: of_actions(&["view"]), ..question("a") };
    assert!(found(&store, &views).await.starts_with("popular"));
    let elsewhere = Question { site: "t".to_owned(), ..question("a") };
    assert_eq!(found(&store, &elsewhere).await, "popular: ");
    let far = Range::of_days(Day(-4_000_000), Day(2_000_000), TimeZone::UTC);
    assert_eq!(found(&store, &Question { range: far, ..question("a") }).await, "b 3/3");
}

#[tokio::test]
async fn a_user_is_a_basket_over_all_of_its_visits() {
    let of_users = [("u1", 0), ("u2", 1), ("u3", 2)];
    let mut events: Vec<Event> = of_users.iter().map(|(user, day)| event(day * DAY_MS, 0, "a", user)).collect();
    events.extend(of_users.iter().map(|(user, day)| event((9 - day) * DAY_MS, 0, "b", user)));
    events.extend([event(20 * DAY_MS, 0, "c", "u4"), event(21 * DAY_MS, 0, "c", "u4")]);
    let store = holding(events).await;
    let answer = recommend(&store, &Question { over: Over::User, ..question("a") }).await.unwrap();
    assert_eq!((brief(&answer).as_str(), answer.support, answer.baskets), ("b 3/3", 3, Some(4)));
    assert_eq!(found(&store, &question("a")).await, "popular: b Some(3), c Some(2)");
}

#[tokio::test]
async fn the_newest_baskets_count_wherever_they_lie() {
    // 300 newer visits of a with b, 250 older ones with c; ten in between of d alone.
    let newer = (0..300).map(|n| (20 * DAY_MS + n * 100_000, vec!["a", "b"]));
    let older = (0..250).map(|n| (DAY_MS + n * 1_000, vec!["a", "c"]));
    let between = (0..10).map(|n| (9 * DAY_MS + n, vec!["d"]));
    let visits: Vec<Visit<'_>> = older.chain(newer).chain(between).collect();
    let store = store(&visits).await;
    for over in [Over::Visit, Over::User] {
        let answer = recommend(&store, &Question { over, ..question("a") }).await.unwrap();
        // Of c the newest 200 are read; 50 more stand among all other baskets.
        assert_eq!((answer.support, answer.baskets), (500, Some(560)), "{over:?}");
        assert_eq!(brief(&answer), "b 300/300", "{over:?}: c is less together than chance has it");
        let notes = answer.meta.notes.join("; ");
        assert!(notes.contains("the newest 500 baskets of the item are read"), "{notes}");
    }
}

#[tokio::test]
async fn a_basket_ends_with_its_five_hundredth_item() {
    let names: Vec<String> = (0..600).map(|n| format!("i{n:03}")).collect();
    let items: Vec<&str> = names.iter().map(String::as_str).collect();
    let long = |began: i64| (began, items.iter().flat_map(|item| [*item, "i000"]).collect());
    let others = (10..20).map(|n| (n * DAY_MS, vec!["z"]));
    let visits: Vec<Visit<'_>> = (0..3).map(|n| long(n * DAY_MS)).chain(others).collect();
    let store = store(&visits).await;
    for over in [Over::Visit, Over::User] {
        let answer = recommend(&store, &Question { over, ..question("i000") }).await.unwrap();
        let ids: Vec<&str> = answer.results.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((ids.len(), ids[0], ids[498]), (499, "i001", "i499"), "{over:?}");
        let past = recommend(&store, &Question { over, ..question("i500") }).await.unwrap();
        assert_eq!((past.method, past.support), (Method::Popular, 0), "{over:?}: it is in no basket");
    }
}

#[test]
fn no_more_items_are_scored_than_may_be() {
    let names: Vec<String> = (0..SCORED_MAX + 7).map(|n| format!("i{n:05}")).collect();
    let chunk = |items: &[String]| items.iter().map(|item| item.as_str().into()).chain(["a".into()]).collect();
    let mut baskets: Vec<basket::Basket> = names.chunks(400).map(chunk).collect();
    baskets = [baskets.clone(), baskets.clone(), baskets].concat();
    baskets.push(vec!["i09999".into(), "rare".into()]);
    let (scored, rest) = basket::together(&baskets, "a");
    assert_eq!((scored.len(), rest), (SCORED_MAX, 7));
    assert_eq!((&*scored[0].0, scored[0].1, &*scored[1].0, scored[1].1), ("i09999", 4, "i00000", 3));
}

/// What is to be found, by the definition alone: baskets by what they hold, every pair counted.
fn recounted(visits: &[(i64, Vec<u8>)], item: u8) -> Vec<(String, u64, u64)> {
    let baskets: Vec<BTreeSet<u8>> = visits.iter().map(|(_, items)| items.iter().copied().collect()).collect();
    let all = baskets.iter().filter(|basket| !basket.is_empty()).count() as u64;
    let with = |one: u8| baskets.iter().filter(move |basket| basket.contains(&one));
    let own = with(item).count() as u64;
    let scored = (0..10).filter(|other| *other != item).filter_map(|other| {
        let (together, support) =
            (with(other).filter(|basket| basket.contains(&item)).count() as u64, with(other).count() as u64);
        (together >= 3 && together * all > own * support).then(|| (format!("i{other}"), together, support))
    });
    scored.collect()
}

proptest! {
    #[test]
    fn scored_items_are_those_of_the_definition(
        visits in proptest::collection::vec((0..40_i64, proptest::collection::vec(0..10_u8, 0..7)), 0..40),
        item in 0..10_u8,
    ) {
        // Visits of one day begin one after the other.
        let visits: Vec<(i64, Vec<u8>)> =
            visits.into_iter().enumerate().map(|(at, (day, items))| (day * DAY_MS + at as i64 * 1_000, items)).collect();
        let named: Vec<(i64, Vec<String>)> =
            visits.iter().map(|(began, items)| (*began, items.iter().map(|one| format!("i{one}")).collect())).collect();
        let texts: Vec<Visit<'_>> =
            named.iter().map(|(began, items)| (*began, items.iter().map(String::as_str).collect())).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let expected: BTreeMap<_, _> =
            recounted(&visits, item).into_iter().map(|(id, together, support)| (id, (together, support))).collect();
        for over in [Over::Visit, Over::User] {
            let found = runtime.block_on(async {
                recommend(&store(&texts).await, &Question { over, ..question(&format!("i{item}")) }).await
            }).unwrap();
            let scored = found.results.iter().filter_map(|one| Some((one.id.clone(), (one.together?, one.support?))));
            prop_assert_eq!(scored.collect::<BTreeMap<_, _>>(), expected.clone(), "{:?}", over);
            prop_assert!(found.results.windows(2).all(|pair| pair[0].score >= pair[1].score));
            prop_assert!(found.results.iter().filter_map(|one| one.score).all(|score| score > 0.0));
        }
    }
}
