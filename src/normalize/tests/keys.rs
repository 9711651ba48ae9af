//! Keys with a meaning: types, fitting, what moves to `x.NAME`, names that others use.

use super::support::{World, holds, whole};
use crate::event::{RawEvent, Value};
use crate::normalize::{Reason, Receiver, SiteRules, Sites};

#[test]
fn nothing_is_required() {
    let event = World::tick().event("{}");
    let expected = r#"{"@timestamp":"2015-05-17T12:00:00.000Z","received_at":"2015-05-17T12:00:00.000Z","@version":"1",
        "site":"default","day":"2015-05-17","action":"view","channel":"Direct"}"#;
    holds(&event, expected, "{}");
    assert_eq!(event.fields().len(), 6, "{event:?}");
}

#[test]
fn objects_are_flattened_and_lists_kept() {
    World::tick().expect(&[
        (r#"{"a":{"b":{"c":1}}}"#, r#"{"a.b.c":1}"#),
        (r#"{"a":[1,"x",true,2.5]}"#, r#"{"a":[1,"x",true,2.5]}"#),
        (r#"{"a":[1,null,2]}"#, r#"{"a":[1,2]}"#),
        (r#"{"a":[{"b": 1},{"c":[2, null]}]}"#, r#"{"a":"[{\"b\":1},{\"c\":[2,null]}]"}"#),
        (r#"{"a":[1,[2]]}"#, r#"{"a":"[1,[2]]"}"#),
        (r#"{"a":null,"b":[],"c":{},"d":[null],"e":{"f":{}}}"#, r#"{"a":null,"b":null,"c":null,"d":null,"e":null}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":{"b":1},"a.b":2}"#, r#"{"a.b":2}"#),
        (r#"{"status":1,"status":2}"#, r#"{"status":2}"#),
        (r#"{"referrer":"a.org","referrer":"b.org"}"#, r#"{"referer":"b.org"}"#),
    ]);
}

#[test]
fn numbers_keep_their_worth() {
    World::tick().expect(&[
        (r#"{"n":9007199254740993}"#, r#"{"n":9007199254740993}"#),
        (r#"{"n":9223372036854775807}"#, r#"{"n":9223372036854775807}"#),
        (r#"{"n":18446744073709551615}"#, r#"{"n":18446744073709551615}"#),
        (r#"{"n":-9223372036854775808}"#, r#"{"n":-9223372036854775808}"#),
        (r#"{"n":18446744073709551616}"#, r#"{"n":18446744073709551616.0}"#),
        (r#"{"n":-0}"#, r#"{"n":0}"#),
        (r#"{"n":-0.0}"#, r#"{"n":0}"#),
        (r#"{"n":1.0}"#, r#"{"n":1}"#),
        (r#"{"n":1e3}"#, r#"{"n":1000}"#),
        (r#"{"n":0.1}"#, r#"{"n":0.1}"#),
        (r#"{"n":1e-999}"#, r#"{"n":0}"#),
    ]);
    for text in
        ["0.30000000000000004", "1.7976931348623157e+308", "5e-324", "123456789.12345679", "2.2250738585072014e-308"]
    {
        let event = World::tick().event(&format!(r#"{{"n":{text}}}"#));
        let number = event.get(&crate::event::Key::named("n")).map(|value| value.as_text().into_owned());
        assert_eq!(number.as_deref(), Some(text), "to the last digit");
    }
    World::tick().refuses(r#"{"n":1e999}"#, Reason::Number, &["line 1 column", "64-bit"]);
}

#[test]
fn what_does_not_fit_its_key_moves_to_x() {
    World::tick().expect(&[
        (r#"{"status":"paid"}"#, r#"{"status":null,"x.status":"paid"}"#),
        (r#"{"status":"200"}"#, r#"{"status":200}"#),
        (r#"{"status":" 200 "}"#, r#"{"status":200}"#),
        (r#"{"status":200.5}"#, r#"{"status":null,"x.status":200.5}"#),
        (r#"{"status":true}"#, r#"{"x.status":true}"#),
        (r#"{"status":[200]}"#, r#"{"x.status":[200]}"#),
        (r#"{"value":"9.90"}"#, r#"{"value":9.9}"#),
        (r#"{"value":"nine"}"#, r#"{"x.value":"nine"}"#),
        (r#"{"value":"1e999"}"#, r#"{"x.value":"1e999"}"#),
        (r#"{"value":"inf"}"#, r#"{"x.value":"inf"}"#),
        (r#"{"value":"1_000"}"#, r#"{"x.value":"1_000"}"#),
        (r#"{"bytes":18446744073709551615}"#, r#"{"bytes":18446744073709551615}"#),
        (r#"{"id":42}"#, r#"{"id":"42"}"#),
        (r#"{"id":1.5}"#, r#"{"id":"1.5"}"#),
        (r#"{"title":true}"#, r#"{"title":null,"x.title":true}"#),
        (r#"{"title":["a","b"]}"#, r#"{"x.title":["a","b"]}"#),
        (r#"{"interactive":false}"#, r#"{"interactive":false}"#),
        (r#"{"interactive":"false"}"#, r#"{"interactive":null,"x.interactive":"false"}"#),
        (r#"{"tags":["a",1]}"#, r#"{"tags":["a","1"]}"#),
        (r#"{"tags":"a"}"#, r#"{"tags":"a"}"#),
        (r#"{"tags":[true]}"#, r#"{"x.tags":[true]}"#),
        (r#"{"action":["a"]}"#, r#"{"action":"view","x.action":["a"]}"#),
        (r#"{"status":200,"status":"paid"}"#, r#"{"status":null,"x.status":"paid"}"#),
        (r#"{"x.status":1,"status":"paid"}"#, r#"{"x.status":1,"x.x.status":"paid"}"#),
        (r#"{"sent_at":"soon"}"#, r#"{"x.sent_at":"soon","sent_at":null}"#),
        (r#"{"url":"mailto:a@example.org"}"#, r#"{"x.url":"mailto:a@example.org","path":null}"#),
        (r#"{"url":"mailto:a@example.org?subject=secret"}"#, r#"{"x.url":"mailto:a@example.org"}"#),
        (r#"{"ip":["1.2.3.4","none"]}"#, r#"{"x.ip":["x.x.x.x","none"],"ip":null}"#),
        (r#"{"url":["/a"]}"#, r#"{"x.url":["/a"]}"#),
        (r#"{"ip":"1.2.3.4 or so"}"#, r#"{"x.ip":"x.x.x.x or so","ip":null}"#),
        (r#"{"referer":"somewhere"}"#, r#"{"referer":null,"x.referer":"somewhere"}"#),
    ]);
}

#[test]
fn derived_names_are_never_taken_from_the_sender() {
    let derived = [
        "day",
        "visit",
        "browser",
        "browser_version",
        "os",
        "device",
        "bot",
        "country",
        "region",
        "city",
        "source",
        "channel",
        "fingerprint",
        "received_at",
        "visit_at",
        "entry",
        "entry_id",
        "visitor_start",
        "visit_start",
        "engaged",
        "visit_ms",
        "previous",
        "dwell_ms",
        "counted",
        "unique",
        "own_origin",
        "extra",
    ];
    for name in derived {
        let event = World::tick().event(&format!(r#"{{"{name}":"mine"}}"#));
        holds(&event, &format!(r#"{{"x.{name}":"mine"}}"#), name);
        assert_ne!(event.to_json().get(name), Some(&"mine".into()), "{name}");
    }
}

#[test]
fn the_version_is_dropped() {
    let event = World::tick().event(r#"{"@version":"1"}"#);
    assert_eq!(event, World::tick().event("{}"));
    World::tick().expect(&[(r#"{"@version":"2"}"#, r#"{"@version":"1","x.@version":"2"}"#)]);
}

#[test]
fn empty_text_under_a_canonical_name_is_nothing() {
    World::tick().expect(&[
        (
            r#"{"id":"","path":"/a","site":"","action":"","status":"","ip":"","user_agent":""}"#,
            r#"{"id":"/a","path":"/a","site":"default","action":"view","status":null,"x.status":null,"x.ip":null}"#,
        ),
        (r#"{"own":""}"#, r#"{"own":""}"#),
    ]);
}

#[test]
fn names_that_others_use_are_read_everywhere() {
    World::tick().expect(&[
        (r#"{"timestamp":"2015-05-17T10:05:03Z"}"#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z","timestamp":null}"#),
        (r#"{"referrer":"https://www.arcgis.com/"}"#, r#"{"referer":"arcgis.com","referrer":null}"#),
        (r#"{"url":{"original":"https://a.org/b?c"}}"#, r#"{"path":"/b","url_host":"a.org"}"#),
        (r#"{"url":{"path":"/b/","domain":"A.org"}}"#, r#"{"path":"/b","url_host":"a.org"}"#),
        (r#"{"http":{"request":{"method":"GET","referrer":"https://b.org/x/"},"response":{"status_code":200,"body":{"bytes":7}}}}"#,
         r#"{"method":"GET","referer":"b.org/x","status":200,"bytes":7,"action":"view"}"#),
        (r#"{"event":{"duration":1500000,"id":"e1"}}"#, r#"{"duration_ms":1.5,"event_id":"e1"}"#),
        (r#"{"user":{"id":"u1"}}"#, r#"{"user":"u1","user.id":null}"#),
        (r#"{"error":{"type":"T","message":"m","stack_trace":"s"}}"#,
         r#"{"error_type":"T","message":"m","stack":"s","action":"error"}"#),
        (r#"{"host":{"name":"vm"},"hostname":"vm"}"#, r#"{"host.name":"vm","hostname":"vm","host":null}"#),
        (r#"{"host":"vm"}"#, r#"{"host":"vm"}"#),
        // A canonical name wins, and the loser keeps its own.
        (r#"{"referrer":"a.org","referer":"b.org"}"#, r#"{"referer":"b.org","referrer":"a.org"}"#),
        (r#"{"http.response.status_code":404,"status":200}"#, r#"{"status":200,"http.response.status_code":404}"#),
        (r#"{"referrer":"a.org","http.request.referrer":"b.org/?secret"}"#,
         r#"{"referer":"a.org","http.request.referrer":"b.org/"}"#),
        (r#"{"http.response.status_code":"none"}"#, r#"{"status":null,"http.response.status_code":"none"}"#),
        (r#"{"event.duration":"long"}"#, r#"{"duration_ms":null,"event.duration":"long"}"#),
    ]);
}

#[test]
fn addresses_and_agents_are_used_and_dropped() {
    let names = ["ip", "source.ip", "source.address", "client.ip", "client.address"];
    for name in names {
        let event = World::tick().event(&format!(r#"{{"{name}":"203.0.113.9","user_agent":"curl/8"}}"#));
        assert!(event.hash(crate::event::Known::Visitor).is_some(), "{name}");
        assert!(!whole(&event).contains("203.0.113.9") && !whole(&event).contains("curl"), "{}", whole(&event));
    }
    let all = r#"{"ip":"203.0.113.9","source.ip":"203.0.113.8","client.address":"203.0.113.7","user_agent.original":"UA","user_agent":"UB"}"#;
    let event = whole(&World::tick().event(all));
    assert!(!event.contains("203.0.113") && !event.contains("\"UA\""), "{event}");
    let mut world = World::tick();
    world.keep_user_agent = true;
    world.expect(&[(r#"{"user_agent.original":"My/1"}"#, r#"{"user_agent":"My/1"}"#)]);
}

#[test]
fn in_forms_everything_is_text() {
    let form = World::tick().form(&[
        ("status", "200"),
        ("interactive", "false"),
        ("own", "7"),
        ("title", "true"),
        ("value", "x"),
        ("id", "5"),
    ]);
    let expected = r#"{"status":200,"interactive":false,"own":"7","title":"true","x.value":"x","id":"5"}"#;
    holds(&form, expected, "form");
}

#[test]
fn query_parameters_are_defaults() {
    let mut world = World::tick();
    let defaults: Vec<(String, String)> = [
        ("site", "shop"),
        ("colour", "red"),
        ("status", "200"),
        ("interactive", "true"),
        ("referrer", "a.org"),
        ("source", "mine"),
        ("value", "x"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .to_vec();
    world.sender.defaults = Vec::leak(defaults);
    world.expect(&[
        ("{}", r#"{"site":"shop","colour":"red","status":200,"interactive":true,"referer":"a.org","x.source":"mine","x.value":"x"}"#),
        (r#"{"site":"s","colour":"blue","http.response.status_code":404,"interactive":false,"value":1}"#,
         r#"{"site":"s","colour":"blue","status":404,"interactive":false,"value":1,"x.value":null}"#),
    ]);
}

#[test]
fn query_parameters_keep_the_rules_of_events_among_themselves() {
    for (given, text, expected) in [
        (["own=1", "own=2"], "{}", r#"{"own":"2"}"#),
        (["status=404", "status=200"], "{}", r#"{"status":200}"#),
        (["referrer=a.org", "referer=b.org"], "{}", r#"{"referer":"b.org","referrer":"a.org"}"#),
        (
            ["http.request.referrer=a.org", "referrer=b.org"],
            "{}",
            r#"{"referer":"b.org","http.request.referrer":"a.org"}"#,
        ),
        (["referrer=a.org", "referer=b.org"], r#"{"referrer":"c.org"}"#, r#"{"referer":"c.org","referrer":null}"#),
        (["path=/d", "url.path=/e"], r#"{"url.path":"/u"}"#, r#"{"path":"/u","url.path":null}"#),
    ] {
        let mut world = World::tick();
        let pairs = given.map(|pair| pair.split_once('=').expect("a pair"));
        world.sender.defaults = Vec::leak(pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec());
        holds(&world.event(text), expected, &format!("{given:?} {text}"));
    }
}

#[test]
fn keys_are_checked_however_they_came() {
    let world = World::tick();
    for name in ["", "a\u{0}b", "a\nb", "a\u{85}b"] {
        let raw = RawEvent { fields: vec![(name.into(), Value::Int(1))], typed: true, ..RawEvent::default() };
        assert_eq!(world.raw(raw).map_err(|rejection| rejection.reason), Err(Reason::BadKey), "{name:?}");
    }
}

#[test]
fn a_write_key_writes_to_its_site() {
    let mut world = World::of(Receiver::Tick);
    world.sender.site = Some("shop");
    world.expect(&[("{}", r#"{"site":"shop"}"#), (r#"{"site":"other"}"#, r#"{"site":"other"}"#)]);
    world.sender.site_forced = true;
    world.expect(&[("{}", r#"{"site":"shop"}"#), (r#"{"site":"shop"}"#, r#"{"site":"shop"}"#)]);
    world.refuses(r#"{"site":"other"}"#, Reason::Site, &["site", "other", "shop"]);
}

#[test]
fn a_page_writes_to_sites_that_list_its_origin_or_none() {
    let mut shop = SiteRules::named("shop");
    shop.origins = vec!["https://shop.example".to_owned()];
    let mut world = World::tick();
    world.sites = Sites::new(vec![shop], SiteRules::named("default"));
    for (origin, taken) in [(None, true), (Some("https://shop.example"), true), (Some("https://a.example"), false)] {
        world.sender.origin = origin;
        world.event("{}");
        match taken {
            true => world.expect(&[(r#"{"site":"shop"}"#, r#"{"site":"shop"}"#)]),
            false => world.refuses(r#"{"site":"shop"}"#, Reason::Site, &["shop", "origin"]),
        }
    }
}
