//! Funnels over the oracle, counted by hand.

use super::*;
use crate::event::{Day, Event, Value};
use crate::store::Entry;
use crate::store::memory::Memory;
use jiff::tz::TimeZone;
use std::time::Duration;

/// An event of day 0: second, visitor (0: none), visit, path, and a user.
fn event(second: i64, visitor: u64, visit: u64, path: &str, user: &str) -> Event {
    let mut event = Event::default();
    event.set(Known::Site, Value::text("s"));
    event.set(Known::Action, Value::text("view"));
    event.set(Known::Day, Value::Int(0));
    event.set(Known::Timestamp, Value::Int(second * 1_000));
    event.set(Known::Path, Value::text(path));
    event.set(Known::Country, Value::text(if visitor == 1 { "DE" } else { "FR" }));
    if visitor > 0 {
        event.set(Known::Visitor, Value::hash(visitor));
        event.set(Known::Visit, Value::hash(visit));
        event.set(Known::VisitAt, Value::Int(0));
    }
    if !user.is_empty() {
        event.set(Known::User, Value::text(user));
    }
    event
}

async fn store() -> Memory {
    let events = [
        event(0, 1, 11, "/a", "u"),
        event(10, 1, 11, "/b", ""),
        event(30, 1, 12, "/c", "u"),
        event(0, 2, 21, "/a", ""),
        event(5, 2, 21, "/c", ""),
        event(40, 2, 21, "/b", ""),
        event(7, 3, 31, "/a", "w"),
        event(9, 0, 0, "/b", "w"),
        event(9, 0, 0, "/a", ""),
    ];
    let mut bot = event(3, 4, 41, "/a", "");
    bot.set(Known::Bot, Value::text("Robot"));
    let store = Memory::new();
    let events = events.into_iter().chain([bot]);
    let entries = events.zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, 10).await.unwrap();
    store
}

fn question() -> Question {
    Question {
        site: "s".to_owned(),
        range: Range::of_days(Day(0), Day(0), TimeZone::UTC),
        bots: Bots::Exclude,
        only: Filter::All,
        definition: Definition {
            steps: ["/a", "/b", "/c"].map(|path| Filter::is(Known::Path, path)).to_vec(),
            window: None,
            between: Between::Anything,
            over: Over::Visitor,
            by: None,
        },
        limit: 100,
        limits: Limits::default(),
    }
}

/// The same funnel otherwise.
fn with(change: impl FnOnce(&mut Definition)) -> Question {
    let mut question = question();
    change(&mut question.definition);
    question
}

async fn reached(question: Question) -> Vec<u64> {
    funnel(&store().await, &question).await.unwrap().steps.iter().map(|step| step.reached).collect()
}

#[tokio::test]
async fn who_comes_how_far_depends_on_who_is_counted() {
    let base = question();
    assert_eq!(reached(base.clone()).await, [3, 2, 1]);
    assert_eq!(reached(with(|funnel| funnel.over = Over::Visit)).await, [3, 2, 0]);
    // `u` looked at /a and /c, `w` at /a as a visitor and at /b as nobody.
    assert_eq!(reached(with(|funnel| funnel.over = Over::User)).await, [2, 1, 0]);
    assert_eq!(reached(with(|funnel| funnel.window = Some(Duration::from_secs(30)))).await, [3, 1, 1]);
    assert_eq!(reached(with(|funnel| funnel.window = Some(Duration::from_secs(29)))).await, [3, 1, 0]);
    assert_eq!(reached(with(|funnel| funnel.between = Between::NoView)).await, [3, 1, 1]);
    assert_eq!(reached(Question { only: Filter::is(Known::Country, "DE"), ..base.clone() }).await, [1, 1, 1]);
    let other = Question { site: "t".to_owned(), ..base };
    let steps = funnel(&store().await, &other).await.unwrap().steps;
    assert_eq!(steps[1], Step { reached: 0, rate: None, rate_from_previous: None, median_ms: None });
}

#[tokio::test]
async fn steps_have_rates_medians_and_rows() {
    let by = with(|funnel| funnel.by = Some(Known::Country.into()));
    let Funnel { steps, rows, .. } = funnel(&store().await, &by).await.unwrap();
    let step = |reached, rate, rate_from_previous, median_ms| Step { reached, rate, rate_from_previous, median_ms };
    assert_eq!(steps[0], step(3, Some(1.0), None, None));
    assert_eq!(steps[1], step(2, Some(2.0 / 3.0), Some(2.0 / 3.0), Some(25_000.0)));
    assert_eq!(steps[2], step(1, Some(1.0 / 3.0), Some(0.5), Some(20_000.0)));
    let rows: Vec<(String, Vec<u64>)> = rows
        .into_iter()
        .map(|(label, steps)| (label.unwrap(), steps.iter().map(|step| step.reached).collect()))
        .collect();
    assert_eq!(rows, [("FR".to_owned(), vec![2, 1, 0]), ("DE".to_owned(), vec![1, 1, 1])]);
    let cut = funnel(&store().await, &Question { limit: 1, ..by }).await.unwrap();
    assert_eq!((cut.rows.len(), cut.steps[0].reached), (1, 3));
}

#[tokio::test]
async fn a_funnel_has_two_to_twenty_steps() {
    for steps in [0, 1, 21, 100] {
        let refused = funnel(&store().await, &with(|funnel| funnel.steps = vec![Filter::All; steps])).await;
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(&format!("{steps} filters; there may be 2 to 20")), "{text}");
    }
    assert_eq!(reached(with(|funnel| funnel.steps = vec![Filter::All; 20])).await[..3], [3, 2, 2]);
}

#[tokio::test]
async fn who_reached_the_first_step_is_accounted_for() {
    let mut tagged = event(1, 5, 51, "/a", "");
    tagged.set(Known::Tags, Value::List(vec![Value::text("x"), Value::text("y")]));
    let store = store().await;
    store.write(vec![Entry { position: 10, event: tagged }], 11).await.unwrap();
    let by = |key: Known| with(|funnel| funnel.by = Some(key.into()));
    let table = [
        (question(), Sums::of(4, 4, Some(1), 1)),
        (with(|funnel| funnel.over = Over::Visit), Sums::of(4, 4, Some(1), 1)),
        // Of /a three were nobody's by `user`: two visitors', and one without a visitor.
        (with(|funnel| funnel.over = Over::User), Sums::of(2, 2, Some(3), 0)),
        (Question { limit: 1, ..by(Known::Country) }, Sums::of(4, 3, Some(1), 1)),
        (Question { bots: Bots::Include, limit: 1, ..by(Known::Country) }, Sums::of(5, 4, Some(1), 1)),
        (Question { limit: 1, ..by(Known::Tags) }, Sums { rest: None, ..Sums::of(4, 3, Some(1), 1) }),
    ];
    for (question, sums) in table {
        let meta = funnel(&store, &question).await.unwrap().meta;
        assert_eq!(meta.sums, Some(sums), "{:?}", question.definition);
    }
}
