use super::*;

#[test]
fn the_table_of_canonical_keys_is_in_the_order_of_their_numbers() {
    for (at, known) in Known::all().enumerate() {
        assert_eq!(known as usize, at, "{known:?}");
        assert_eq!(Known::named(known.name()), Some(known));
    }
    assert_eq!(Known::all().len(), Known::OwnOrigin as usize + 1);
}

#[test]
fn numbers_have_one_form() {
    let rows = [
        (1.0, "1"),
        (-0.0, "0"),
        (1e3, "1000"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (5e-324, "5e-324"),
        (9_007_199_254_740_992.0, "9007199254740992"),
    ];
    for (number, text) in rows {
        assert_eq!(Value::number(number).expect("finite").as_text(), text);
    }
    assert_eq!(Value::number(f64::INFINITY), None);
    assert_eq!(Value::Uint(u64::MAX).as_text(), "18446744073709551615");
}

#[test]
fn of_a_key_given_twice_the_last_value_stays() {
    let key = || Key::named("colour");
    let event = Event::from_fields(vec![
        (key(), Value::text("red")),
        (Known::Site.into(), Value::text("s")),
        (key(), Value::text("blue")),
    ]);
    assert_eq!(event.get(&key()), Some(&Value::text("blue")));
    assert_eq!(event.fields().len(), 2);
}

#[test]
fn set_get_and_remove_find_known_and_free_keys() {
    let mut event = Event::default();
    event.set(Key::named("zebra"), Value::Int(1));
    event.set(Known::Unique, Value::Int(1));
    event.set(Known::Timestamp, Value::Int(7));
    event.set(Key::named("a"), Value::Bool(true));
    assert_eq!(event.at(), 7);
    assert_eq!(event.int(Known::Unique), Some(1));
    assert_eq!(event.known(Known::Path), None);
    assert_eq!(event.get(&Key::named("a")), Some(&Value::Bool(true)));
    assert_eq!(event.remove(&Key::named("zebra")), Some(Value::Int(1)));
    assert_eq!(event.get(&Key::named("zebra")), None);
}

#[test]
fn readers_see_times_days_and_hashes_as_text() {
    let mut event = Event::default();
    event.set(Known::Timestamp, Value::Int(1_431_857_103_000));
    event.set(Known::Day, Value::Int(16_572));
    event.set(Known::Visitor, Value::hash(u64::MAX));
    event.set(Known::Status, Value::Int(200));
    let json = event.to_json();
    assert_eq!(json["@timestamp"], "2015-05-17T10:05:03.000Z");
    assert_eq!(json["day"], "2015-05-17");
    assert_eq!(json["visitor"], "ffffffffffffffff");
    assert_eq!(json["status"], 200);
    assert_eq!(json["@version"], "1");
    assert_eq!(Day::parse("2015-05-17"), Some(Day(16_572)));
}

#[test]
fn an_event_survives_its_binary_form() {
    let event = Event::from_fields(vec![
        (Known::Site.into(), Value::text("s")),
        (
            Key::named("k"),
            Value::List(vec![Value::Int(-1), Value::Float(0.5), Value::Uint(u64::MAX), Value::Bool(false)]),
        ),
    ]);
    let bytes = postcard::to_stdvec(&event).expect("encode");
    assert_eq!(postcard::from_bytes::<Event>(&bytes).expect("decode"), event);
}

fn event_of(fields: &[(&str, &str)]) -> Event {
    Event::from_fields(fields.iter().map(|(name, text)| (Key::named(name), Value::text(*text))).collect())
}

#[test]
fn an_events_own_origin_survives_its_visits() {
    for own in
        [event_of(&[("channel", "Direct")]), event_of(&[("source", "x.org"), ("utm_term", "a\"b")]), event_of(&[])]
    {
        let (mut event, hash) = (own.clone(), own.content_hash());
        let visit = event_of(&[("source", "y.org"), ("channel", "Referral")]).own_origin();
        for _ in 0..2 {
            let said = event.own_origin();
            event.set(Known::Visit, Value::Int(1));
            event.bear_origin(&visit);
            event.replace(Known::OwnOrigin, Known::OwnOrigin, said.aside().map(|aside| (Known::OwnOrigin, aside)));
            assert_eq!(event.text(Known::Source), Some("y.org"));
            assert_eq!(event.text(Known::UtmTerm), None);
        }
        assert_eq!(event.content_hash(), hash);
        let said = event.own_origin();
        event.bear_origin(&said);
        event.replace(Known::Visit, Known::OwnOrigin, []);
        assert_eq!(event, own);
    }
}

#[test]
fn a_visitors_events_are_ordered_by_time_then_id_then_content() {
    let row = |at: i64, id: Option<&str>, path: &str, received: i64| {
        let mut event = event_of(&[("path", path)]);
        event.set(Known::Timestamp, Value::Int(at));
        event.set(Known::ReceivedAt, Value::Int(received));
        if let Some(id) = id {
            event.set(Known::EventId, Value::text(id));
        }
        event
    };
    use std::cmp::Ordering::{Equal, Less};
    assert_eq!(row(1, None, "/", 9).in_order(&row(2, Some("a"), "/", 0)), Less);
    assert_eq!(row(1, Some("B"), "/", 9).in_order(&row(1, Some("a"), "/", 0)), Less);
    assert_eq!(row(1, Some("z"), "/", 9).in_order(&row(1, None, "/", 0)), Less);
    assert_eq!(row(1, None, "/", 9).in_order(&row(1, None, "/", 0)), Equal);
    assert_ne!(row(1, None, "/a", 0).in_order(&row(1, None, "/b", 0)), Equal);
}

#[test]
fn a_day_starts_where_its_zone_says() {
    let rows = [("UTC", "2015-05-17", 1_431_820_800_000), ("America/New_York", "2015-05-17", 1_431_835_200_000)];
    for (zone, day, start) in rows {
        let zone = jiff::tz::TimeZone::get(zone).expect("a zone");
        assert_eq!(Day::parse(day).expect("a day").start(&zone), start);
    }
    let berlin = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    let clocks_back = Day::parse("2015-10-25").expect("a day");
    assert_eq!(clocks_back.next().start(&berlin) - clocks_back.start(&berlin), 25 * 3_600_000);
}

#[test]
fn an_event_survives_the_journal_with_the_scope_of_its_id() {
    let event = event_of(&[("site", "s"), ("free", "x"), ("event_id", "1")]);
    for scope in [IdScope::Day, IdScope::DaysAround] {
        let payload = event.to_payload(scope).expect("encode");
        assert_eq!(Event::from_payload(&payload).expect("decode"), (event.clone(), scope));
    }
    let written_by_version_0 = [1, 2, 0, 2, 0, 1, b's', 1, 1, b'k', 1, 4];
    let (event, scope) = Event::from_payload(&written_by_version_0).expect("decode");
    assert_eq!((event.site(), event.get(&Key::named("k")), scope), ("s", Some(&Value::Int(2)), IdScope::DaysAround));
    for (bytes, kind) in [
        (&[][..], crate::error::Kind::Corrupt),
        (&[0], crate::error::Kind::Corrupt),
        (&[2, 0], crate::error::Kind::Unsupported),
    ] {
        assert_eq!(Event::from_payload(bytes).expect_err("refused").kind(), kind);
    }
}

fn with_id(site: &str, day: i64, id: &str) -> Event {
    let mut event = event_of(&[("site", site), ("event_id", id)]);
    event.set(Known::Day, Value::Int(day));
    event
}

fn remember(ids: &mut RecentIds, event: &Event) -> bool {
    let id = ids.hash(event).expect("an id");
    ids.insert(id, event.day())
}

fn knows(ids: &RecentIds, event: &Event, scope: IdScope) -> bool {
    ids.contains(ids.hash(event).expect("an id"), event.day(), scope)
}

#[test]
fn an_id_is_known_on_its_site_and_day_or_two_days_around() {
    let mut ids = RecentIds::bounded(100);
    assert!(remember(&mut ids, &with_id("s", 10, "a")));
    assert!(!remember(&mut ids, &with_id("s", 10, "a")));
    let rows = [("s", 10, "a", true, true), ("s", 10, "b", false, false), ("t", 10, "a", false, false)];
    let days = [(7, false), (8, true), (9, true), (11, true), (12, true), (13, false)];
    let rows = rows.into_iter().chain(days.map(|(day, around)| ("s", day, "a", false, around)));
    for (site, day, id, within, around) in rows {
        let event = with_id(site, day, id);
        assert_eq!(knows(&ids, &event, IdScope::Day), within, "{site} {day} {id}");
        assert_eq!(knows(&ids, &event, IdScope::DaysAround), around, "{site} {day} {id}");
    }
    assert!(ids.hash(&event_of(&[("site", "s")])).is_none());
    assert!(
        knows(&ids, &with_id("s", 10, "a"), IdScope::Day)
            && !knows(&ids.beside(100), &with_id("s", 10, "a"), IdScope::Day)
    );
}

#[test]
fn recent_ids_are_bounded_and_the_newest_stay() {
    let mut ids = RecentIds::bounded(100);
    for number in 0..1_000 {
        remember(&mut ids, &with_id("s", 1, &number.to_string()));
        assert!(ids.len() <= 100);
    }
    assert!((951..1_000).all(|number| knows(&ids, &with_id("s", 1, &number.to_string()), IdScope::Day)));
    assert!(!knows(&ids, &with_id("s", 1, "0"), IdScope::Day));
}
