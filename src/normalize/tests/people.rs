//! Who sent it: client, bot, visitor, privacy, networks.

use super::support::World;
use crate::event::{Day, Event, Known};
use crate::normalize::{Gpc, Reason, Receiver, visitor};

const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const CURL: &str = "curl/8.0";

fn visitor_of(event: &Event) -> Option<u64> {
    event.hash(Known::Visitor)
}

#[test]
fn the_connection_speaks_for_tick_and_pixel_where_the_event_brings_neither() {
    for (receiver, text, has_visitor, has_browser) in [
        (Receiver::Tick, "{}", true, true),
        (Receiver::Pixel, "{}", true, true),
        (Receiver::Log, "{}", false, false),
        (Receiver::File, "{}", false, false),
        (Receiver::Tick, r#"{"ip":"198.51.100.1"}"#, true, false),
        (
            Receiver::Tick,
            r#"{"user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}"#,
            false,
            true,
        ),
        (Receiver::Log, r#"{"ip":"198.51.100.1"}"#, true, false),
    ] {
        let event = World::of(receiver).with_browser().event(text);
        assert_eq!(visitor_of(&event).is_some(), has_visitor, "{receiver:?} {text}");
        assert_eq!(event.text(Known::Browser), has_browser.then_some("Firefox"), "{receiver:?} {text}");
        assert_eq!(event.text(Known::Device).is_some(), has_browser, "{receiver:?} {text}");
    }
}

#[test]
fn a_library_on_tick_is_an_application() {
    let mut world = World::tick().with_browser();
    world.sender.user_agent = Some(CURL);
    let bare = world.event("{}");
    assert_eq!((visitor_of(&bare), bare.text(Known::Bot), bare.text(Known::Os)), (None, None, None));
    let with_ip = world.event(r#"{"ip":"198.51.100.1"}"#);
    assert!(visitor_of(&with_ip).is_some() && with_ip.text(Known::Bot).is_none());
    let own_agent = world.event(r#"{"ip":"198.51.100.1","user_agent":"curl/8.0"}"#);
    assert!(visitor_of(&own_agent).is_some() && own_agent.text(Known::Bot).is_none());
    let pseudonym = world.event(r#"{"visitor":"anna"}"#);
    assert!(visitor_of(&pseudonym).is_some_and(visitor::is_from_pseudonym));
    // In an access line it is a bot, in any other line of a log not.
    let line = r#"{"request":"GET /a","status":200,"user_agent":"curl/8.0","ip":"198.51.100.1"}"#;
    let event = World::log().event(line);
    assert!(event.text(Known::Bot).is_some() && event.text(Known::Device) == Some("bot"));
    assert_eq!(World::log().event(r#"{"user_agent":"curl/8.0"}"#).text(Known::Bot), None);
}

#[test]
fn bots_are_named_and_visitors_of_their_own() {
    let mut world = World::tick().with_browser();
    let person = world.event("{}");
    world.sender.user_agent = Some(GOOGLEBOT);
    let bot = world.event("{}");
    assert_eq!(bot.text(Known::Bot), Some("Googlebot"));
    assert_eq!((bot.text(Known::Device), bot.text(Known::Browser)), (Some("bot"), None));
    assert_ne!(visitor_of(&bot), visitor_of(&person));
    let pseudonyms = [FIREFOX_EVENT, BOT_EVENT].map(|text| visitor_of(&World::tick().event(text)));
    assert!(pseudonyms[0].is_some() && pseudonyms[0] != pseudonyms[1]);
}

const FIREFOX_EVENT: &str =
    r#"{"visitor":"a","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}"#;
const BOT_EVENT: &str =
    r#"{"visitor":"a","user_agent":"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}"#;

#[test]
fn a_visitor_is_one_of_site_day_address_and_agent() {
    let of = |text: &str| visitor_of(&World::tick().event(text)).expect(text);
    let base = of(r#"{"ip":"198.51.100.1","user_agent":"A"}"#);
    assert_eq!(of(r#"{"ip":"198.51.100.1","user_agent":"A","path":"/x"}"#), base);
    assert_eq!(of(r#"{"ip":"::ffff:198.51.100.1","user_agent":"A"}"#), base);
    assert_eq!(of(r#"{"ip":"198.51.100.1:4711","user_agent":"A"}"#), base);
    assert_eq!(of(r#"{"ip":"198.51.100.1, 10.0.0.1","user_agent":"A"}"#), base);
    assert_eq!(of(r#"{"client.ip":"198.51.100.1","user_agent.original":"A"}"#), base);
    for other in [
        r#"{"ip":"198.51.100.2","user_agent":"A"}"#,
        r#"{"ip":"198.51.100.1","user_agent":"B"}"#,
        r#"{"ip":"198.51.100.1"}"#,
        r#"{"ip":"198.51.100.1","user_agent":"A","site":"shop"}"#,
        r#"{"ip":"198.51.100.1","user_agent":"A","@timestamp":"2015-05-16T12:00:00Z"}"#,
    ] {
        assert_ne!(of(other), base, "{other}");
    }
    assert!(!visitor::is_from_pseudonym(base));
}

#[test]
fn a_pseudonym_needs_neither_salt_nor_address() {
    let mut world = World::tick();
    world.salts.gone_before = Day(i32::MAX);
    let of = |text: &str| visitor_of(&world.event(text));
    assert_eq!(of(r#"{"ip":"198.51.100.1"}"#), None);
    let base = of(r#"{"visitor":"anna"}"#);
    assert!(base.is_some_and(visitor::is_from_pseudonym));
    assert_eq!(of(r#"{"visitor":"anna","@timestamp":"2015-05-01T00:00:00Z","ip":"198.51.100.1"}"#), base);
    assert_ne!(of(r#"{"visitor":"otto"}"#), base);
    assert_ne!(of(FIREFOX_EVENT), of(r#"{"visitor":"a"}"#));
    assert_eq!(of(r#"{"visitor":7}"#), of(r#"{"visitor":"7"}"#));
    assert_eq!(of(r#"{"visitor":"anna","site":"unkeyed"}"#), None);
    assert_eq!(of(r#"{"visitor":""}"#), None);
    let moved = world.event(r#"{"visitor":true}"#).to_json();
    assert_eq!((moved.get("visitor"), moved.get("x.visitor")), (None, Some(&true.into())));
}

#[test]
fn the_privacy_signal_does_what_the_site_says() {
    let text = r#"{"user":"u","visitor":"v","path":"/a"}"#;
    for (gpc, signal, has) in [(Gpc::Count, false, true), (Gpc::Ignore, true, true), (Gpc::Count, true, false)] {
        let mut world = World::tick().with_browser().with_rules(|rules| rules.gpc = gpc);
        world.sender.privacy_signal = signal;
        for text in [text, "{}"] {
            let event = world.event(text);
            assert_eq!(visitor_of(&event).is_some(), has, "{gpc:?} {signal} {text}");
            assert_eq!(event.text(Known::User).is_some(), has && text != "{}", "{gpc:?} {signal} {text}");
            assert_eq!(event.text(Known::Browser), Some("Firefox"));
        }
    }
    let mut twice = World::tick();
    twice.sender.privacy_signal = true;
    for text in [r#"{"user":"who-a","user.id":"who-b"}"#, r#"{"user":["who-a"],"visitor":["who-b"]}"#] {
        assert!(!twice.event(text).to_json().to_string().contains("who-"), "{text}");
    }
    let mut drops = World::tick().with_rules(|rules| rules.gpc = Gpc::Drop);
    drops.event("{}");
    drops.sender.privacy_signal = true;
    drops.refuses("{}", Reason::Privacy, &["asked not to be followed"]);
}

#[test]
fn internal_networks_are_left_out() {
    let network = "203.0.113.0/24".parse::<ipnet::IpNet>().expect("a network");
    let world = World::tick().with_browser().with_rules(|rules| rules.internal_networks = vec![network]);
    world.refuses("{}", Reason::InternalNetwork, &["network"]);
    world.refuses(r#"{"ip":"203.0.113.77"}"#, Reason::InternalNetwork, &["network"]);
    world.event(r#"{"ip":"198.51.100.1"}"#);
    // An application's own address is no person's.
    let mut application = world;
    application.sender.user_agent = Some(CURL);
    application.event("{}");
}
