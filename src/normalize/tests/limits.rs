//! Every limit at its bound and one beyond.

use super::support::{World, holds};
use crate::event::Known;
use crate::normalize::{Reason, json};

fn text(length: usize) -> String {
    "a".repeat(length)
}

#[test]
fn what_must_not_be_cut_is_refused() {
    let rows = [("id", 2048), ("event_id", 128), ("site", 64), ("user", 256), ("action", 64)];
    for (key, limit) in rows {
        let event = World::tick().event(&format!(r#"{{"{key}":"{}"}}"#, text(limit)));
        assert_eq!(event.text(Known::named(key).expect(key)).map(str::len), Some(limit), "{key}");
        let beyond = format!(r#"{{"{key}":"{}"}}"#, text(limit + 1));
        let (length, limit) = ((limit + 1).to_string(), limit.to_string());
        World::tick().refuses(&beyond, Reason::TooLong, &[key, "a text of", &length, &limit]);
    }
    let path = |length: usize| format!(r#"{{"id":"x","path":"/{}/?{}"}}"#, text(length - 1), text(3000));
    assert_eq!(World::tick().event(&path(2048)).text(Known::Path).map(str::len), Some(2048));
    World::tick().refuses(&path(2049), Reason::TooLong, &["path", "2049", "2048"]);
    World::tick().refuses(&format!(r#"{{"id":"x","url":"https://a.org/{}"}}"#, text(2048)), Reason::TooLong, &["path"]);
    World::tick().refuses(&format!(r#"{{"path":"/{}"}}"#, text(2048)), Reason::TooLong, &["path is a text", "2049"]);
    World::tick().refuses(&format!(r#"{{"event.id":"{}"}}"#, text(129)), Reason::TooLong, &["event_id"]);
}

#[test]
fn other_text_is_cut_and_says_so() {
    let rows = [("title", 8192), ("own", 8192), ("message", 32_768), ("stack", 32_768)];
    for (key, limit) in rows {
        let at = World::tick().event(&format!(r#"{{"{key}":"{}"}}"#, text(limit)));
        holds(&at, &format!(r#"{{"{key}":"{}","truncated":null}}"#, text(limit)), key);
        let beyond = World::tick().event(&format!(r#"{{"{key}":"{}"}}"#, text(limit + 1)));
        holds(&beyond, &format!(r#"{{"{key}":"{}","truncated":true}}"#, text(limit)), key);
    }
    // At a character boundary, in lists and in JSON text too.
    let event = World::tick().event(&format!(r#"{{"own":"{}é"}}"#, text(8191)));
    holds(&event, &format!(r#"{{"own":"{}","truncated":true}}"#, text(8191)), "boundary");
    let event = World::tick().event(&format!(r#"{{"own":["x","{}"]}}"#, text(9000)));
    holds(&event, &format!(r#"{{"own":["x","{}"],"truncated":true}}"#, text(8192)), "list");
    let event = World::tick().event(&format!(r#"{{"own":[{{"a":"{}"}}],"status":"{}"}}"#, text(9000), text(9000)));
    let json = event.to_json();
    for key in ["own", "x.status"] {
        assert_eq!(json.get(key).and_then(|value| value.as_str()).map(str::len), Some(8192), "{key}");
    }
}

#[test]
fn one_event_has_its_bytes() {
    let of = |length: usize| {
        let part = text(8000);
        let keys: String = (0..8).map(|n| format!(r#""k{n}":"{part}","#)).collect();
        let start = format!(r#"{{{keys}"z":""#);
        format!(r#"{start}{}"}}"#, text(length - start.len() - 2))
    };
    assert_eq!(of(65_536).len(), 65_536);
    World::tick().event(&of(65_536));
    World::tick().refuses(&of(65_537), Reason::EventTooLarge, &["65537", "65536"]);
}

#[test]
fn one_event_has_its_keys() {
    let of = |count: usize| {
        let keys: Vec<String> = (0..count).map(|n| format!(r#""k{n}":{n}"#)).collect();
        format!("{{{}}}", keys.join(","))
    };
    World::tick().event(&of(128));
    World::tick().refuses(&of(129), Reason::TooManyKeys, &["129", "128"]);
    let same = format!("{{{}\"a\":1}}", "\"a\":0,".repeat(500));
    holds(&World::tick().event(&same), r#"{"a":1}"#, "one key, many times");
    let nothing = format!("{{{}\"a\":1}}", (0..500).map(|n| format!(r#""n{n}":null,"#)).collect::<String>());
    holds(&World::tick().event(&nothing), r#"{"a":1}"#, "null is no key");
    let mut world = World::tick();
    world.sender.defaults = Vec::leak((0..128).map(|n| (format!("k{n}"), "x".to_owned())).collect());
    world.event(&of(128));
    world.refuses(r#"{"one":"more"}"#, Reason::TooManyKeys, &["129", "128"]);
}

#[test]
fn a_key_is_short_and_plain() {
    World::tick().event(&format!(r#"{{"{}":1}}"#, text(128)));
    World::tick().refuses(&format!(r#"{{"{}":1}}"#, text(129)), Reason::BadKey, &["129", "128"]);
    let nested = |length: usize| format!(r#"{{"{}":{{"b":1}}}}"#, text(length));
    World::tick().event(&nested(126));
    World::tick().refuses(&nested(127), Reason::BadKey, &["129", "128"]);
    World::tick().refuses(r#"{"":1}"#, Reason::BadKey, &["empty"]);
    World::tick().refuses(r#"{"a":{"":1}}"#, Reason::BadKey, &["empty", "\"a\""]);
    World::tick().refuses("{\"a\\u0000\":1}", Reason::BadKey, &["control character"]);
    World::tick().refuses("{\"a\\n\":1}", Reason::BadKey, &["control character"]);
    World::tick().refuses("{\"a\\u0085\":1}", Reason::BadKey, &["control character"]);
    World::tick().refuses(&format!(r#"{{"{}":1}}"#, "é".repeat(65)), Reason::BadKey, &["130"]);
    holds(&World::tick().event(r#"{"Ünï code":1}"#), r#"{"Ünï code":1}"#, "any letters");
}

#[test]
fn nesting_has_its_depth() {
    let of = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    World::tick().event(&of(32));
    World::tick().refuses(&of(33), Reason::TooDeep, &["32"]);
    let lists = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    World::tick().event(&lists(31));
    World::tick().refuses(&lists(32), Reason::TooDeep, &["32"]);
}

#[test]
fn parameters_of_an_address_are_bounded() {
    let world = World::tick().with_rules(|rules| rules.kept_parameters = vec!["*".to_owned()]);
    let query: String = (0..1000).map(|n| format!("p{n}=1&")).collect();
    let event = world.event(&format!(r#"{{"url":"/a?{query}%00=1&{}=2"}}"#, text(200)));
    assert!(event.fields().len() < 140, "{}", event.fields().len());
    assert!(
        event
            .fields()
            .iter()
            .all(|(key, _)| json::read(format!("{{\"{}\":1}}", key.name()).as_bytes(), &world.limits).is_ok())
    );
}
