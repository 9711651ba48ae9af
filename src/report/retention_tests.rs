//! Retention: cohorts worked out by hand, who is a person, and what cannot be said.

use super::*;
use crate::event::{Day, Event, Value};
use crate::store::Entry;
use crate::store::memory::Memory;
use jiff::tz::TimeZone;

const HOUR: i64 = 3_600_000;
/// A pseudonym's hash, and one of a daily salt.
const SENT: u64 = 1 << 63;
const SALTED: u64 = SENT - 1;

/// Who was active at which hour since 1970.
fn event((user, visitor, hour): &(Option<&str>, Option<u64>, i64)) -> Event {
    let mut fields = vec![
        (Key::named("@timestamp"), Value::Int(hour * HOUR)),
        (Key::named("day"), Value::Int(hour.div_euclid(24))),
        (Key::named("site"), Value::text("s")),
    ];
    fields.extend(user.map(|user| (Key::named("user"), Value::text(user))));
    fields.extend(visitor.map(|visitor| (Key::named("visitor"), Value::hash(visitor))));
    Event::from_fields(fields)
}

async fn asked(events: &[(Option<&str>, Option<u64>, i64)], question: &Question) -> Retention {
    let store = Memory::new();
    let entries = events.iter().zip(0..).map(|(one, position)| Entry { position, event: event(one) }).collect();
    store.write(entries, events.len() as u64).await.unwrap();
    retention(&store, question).await.unwrap()
}

fn question(by: Interval, zone: &str) -> Question {
    let range = Range::of_days(Day(0), Day(3), TimeZone::get(zone).unwrap());
    Question { site: "s".into(), by, range, bots: Bots::Exclude, only: Filter::All, limits: Limits::default() }
}

fn text(retention: &Retention) -> String {
    let Retention::Cohorts(cohorts, _) = retention else { return "nobody".to_owned() };
    let cohort = |Cohort { cohort, size, active }: &Cohort| format!("{cohort}={size} {active:?}");
    cohorts.iter().map(cohort).collect::<Vec<_>>().join("; ")
}

const USERS: [(Option<&str>, Option<u64>, i64); 8] = [
    (Some("anna"), Some(SALTED), 1),
    (Some("anna"), None, 2),
    (Some("anna"), None, 49),
    (Some("bert"), None, 5),
    (Some("cleo"), None, 23),
    (Some("cleo"), None, 30),
    (None, Some(SENT), 0),
    (Some("dora"), None, 73),
];

#[tokio::test]
async fn a_cohort_is_who_came_first_in_its_period() {
    let table = [
        (
            question(Interval::Day, "UTC"),
            "1970-01-01=3 [1.0, 0.3333333333333333, 0.3333333333333333, 0.0]; 1970-01-04=1 [1.0]",
        ),
        // An hour to the east cleo comes a day later, and hour 73 is still of the fourth day.
        (
            question(Interval::Day, "Etc/GMT-1"),
            "1970-01-01=2 [1.0, 0.0, 0.5, 0.0]; 1970-01-02=1 [1.0, 0.0, 0.0]; 1970-01-04=1 [1.0]",
        ),
        (question(Interval::Week, "UTC"), "1969-12-29=4 [1.0]"),
        (question(Interval::Month, "UTC"), "1970-01-01=4 [1.0]"),
        (
            Question { only: Filter::is(Known::User, "anna"), ..question(Interval::Day, "UTC") },
            "1970-01-01=1 [1.0, 0.0, 1.0, 0.0]",
        ),
    ];
    for (question, expected) in table {
        assert_eq!(text(&asked(&USERS, &question).await), expected, "{:?} {:?}", question.by, question.range.zone);
    }
}

#[tokio::test]
async fn a_senders_visitor_is_followed_and_one_of_a_daily_salt_never() {
    let by_day = question(Interval::Day, "UTC");
    let sent = [(None, Some(SENT), 1), (None, Some(SENT), 30), (None, Some(SALTED), 1), (None, None, 1)];
    assert_eq!(text(&asked(&sent, &by_day).await), "1970-01-01=1 [1.0, 1.0, 0.0, 0.0]");
    assert_eq!(text(&asked(&[(None, Some(u64::MAX), 1)], &by_day).await), "1970-01-01=1 [1.0, 0.0, 0.0, 0.0]");
    assert_eq!(asked(&[(None, Some(SALTED), 1), (None, Some(1), 2)], &by_day).await, Retention::NobodyToFollow);
    assert_eq!(asked(&[(None, None, 1)], &by_day).await, Retention::NobodyToFollow);
    assert_eq!(text(&asked(&[], &by_day).await), "");
}

#[tokio::test]
async fn more_periods_than_are_answered_are_refused() {
    let range = Range::of_days(Day(0), Day(400), TimeZone::UTC);
    let long = Question { range, ..question(Interval::Day, "UTC") };
    let error = retention(&Memory::new(), &long).await.unwrap_err();
    assert!(error.to_string().contains("more than 400 periods"), "{error}");
    let shorter = Question { by: Interval::Week, ..long };
    assert!(retention(&Memory::new(), &shorter).await.is_ok());
}

#[tokio::test]
async fn everybody_is_in_a_cohort_and_what_is_nobodys_is_told() {
    let by_day = question(Interval::Day, "UTC");
    let sums = |events: &'static [_]| {
        let by_day = by_day.clone();
        async move {
            let Retention::Cohorts(_, meta) = asked(events, &by_day).await else { panic!("nobody") };
            meta.sums.unwrap()
        }
    };
    assert_eq!(sums(&USERS).await, Sums::of(4, 4, Some(1), 0));
    assert_eq!(
        sums(&[(None, Some(SENT), 1), (None, Some(SALTED), 1), (None, None, 1)]).await,
        Sums::of(1, 1, Some(2), 0)
    );
    assert_eq!(sums(&[]).await, Sums::of(0, 0, Some(0), 0));
    let only = Question { bots: Bots::Only, ..by_day.clone() };
    let Retention::Cohorts(_, meta) = asked(&USERS, &only).await else { panic!("nobody") };
    assert_eq!(meta.sums, Some(Sums::of(0, 0, Some(0), 0)));
}
