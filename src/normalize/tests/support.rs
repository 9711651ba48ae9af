//! A world for tables: a moment, a sender, sites, salts that are there or not; and rows that are checked against it.

use crate::clock::Millis;
use crate::event::{Day, Event, RawEvent};
use crate::normalize::{
    Context, Limits, Notes, Reason, Receiver, Rejection, Salts, Sender, SiteRules, Sites, json, normalize,
};

/// Receive time of every row: 2015-05-17T12:00:00.000Z.
pub const NOW: Millis = 1_431_864_000_000;

pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// Salts that are a function of site and day; gone before `gone_before`.
pub struct TestSalts {
    pub gone_before: Day,
}

impl Salts for TestSalts {
    fn daily(&self, site: &str, day: Day) -> Option<[u8; 16]> {
        (day >= self.gone_before).then(|| {
            let mut salt = [0; 16];
            salt[..4].copy_from_slice(&day.0.to_le_bytes());
            salt[4] = site.len() as u8;
            salt
        })
    }

    fn permanent(&self, site: &str) -> Option<[u8; 16]> {
        (site != "unkeyed").then_some([7; 16])
    }
}

pub struct World {
    pub sender: Sender<'static>,
    pub sites: Sites,
    pub limits: Limits,
    pub salts: TestSalts,
    pub keep_user_agent: bool,
}

impl World {
    pub fn of(receiver: Receiver) -> Self {
        Self {
            sender: Sender::unknown(receiver, NOW),
            sites: Sites::default(),
            limits: Limits::default(),
            salts: TestSalts { gone_before: Day(i32::MIN) },
            keep_user_agent: false,
        }
    }

    pub fn tick() -> Self {
        Self::of(Receiver::Tick)
    }

    pub fn log() -> Self {
        Self::of(Receiver::Log)
    }

    /// One whose every site has these rules.
    pub fn with_rules(mut self, change: impl FnOnce(&mut SiteRules)) -> Self {
        let mut rules = SiteRules::named("default");
        change(&mut rules);
        self.sites = Sites::new(Vec::new(), rules);
        self
    }

    /// A person's browser on the other end.
    pub fn with_browser(mut self) -> Self {
        self.sender.ip = Some("203.0.113.9".parse().expect("an address"));
        self.sender.user_agent = Some(FIREFOX);
        self
    }

    pub fn context(&self) -> Context<'_> {
        Context {
            sender: self.sender,
            sites: &self.sites,
            salts: &self.salts,
            places: None,
            limits: &self.limits,
            keep_user_agent: self.keep_user_agent,
        }
    }

    pub fn raw(&self, raw: RawEvent) -> Result<Event, Rejection> {
        let quiet = normalize(raw.clone(), &self.context(), &mut Notes::off());
        let noted = normalize(raw, &self.context(), &mut Notes::on());
        assert_eq!(quiet, noted, "notes change nothing");
        quiet
    }

    pub fn read(&self, text: &str) -> Result<Event, Rejection> {
        self.raw(json::read(text.as_bytes(), &self.limits)?)
    }

    pub fn event(&self, text: &str) -> Event {
        self.read(text).unwrap_or_else(|rejection| panic!("{text}: {rejection}"))
    }

    pub fn form(&self, pairs: &[(&str, &str)]) -> Event {
        let fields = pairs.iter().map(|(k, v)| ((*k).into(), crate::event::Value::text(*v))).collect();
        self.raw(RawEvent { fields, typed: false, ..RawEvent::default() }).expect("a form")
    }

    /// Checks rows of (event, keys expected in it); `null` expects a key to be absent.
    pub fn expect(&self, rows: &[(&str, &str)]) {
        for (text, expected) in rows {
            holds(&self.event(text), expected, text);
        }
    }

    /// Checks that an event is refused for a reason, by a message that holds all these words.
    pub fn refuses(&self, text: &str, reason: Reason, words: &[&str]) {
        let shown: String = text.chars().take(120).collect();
        let rejection = match self.read(text) {
            Err(rejection) => rejection,
            Ok(event) => panic!("{shown}: taken as {}", event.to_json()),
        };
        assert_eq!(rejection.reason, reason, "{shown}: {rejection}");
        for word in words {
            assert!(rejection.message.contains(word), "{shown}: {word:?} is not in {rejection}");
        }
    }
}

/// Whether an event holds the keys of a JSON object; `null` stands for absence.
pub fn holds(event: &Event, expected: &str, row: &str) {
    let event = event.to_json();
    let expected: serde_json::Map<String, serde_json::Value> = serde_json::from_str(expected).expect(expected);
    for (key, value) in expected {
        let found = event.get(&key).unwrap_or(&serde_json::Value::Null);
        assert_eq!(*found, value, "{key} of {row}: {event}");
    }
}

/// The keys of an event, for what must not be there.
pub fn whole(event: &Event) -> String {
    event.to_json().to_string()
}
