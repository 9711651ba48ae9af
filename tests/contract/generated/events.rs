//! Generated events: a realistic mix of visits, crawlers and logs on several sites, with every kind of value in them.
//! - They arrive out of order; increments are those that the indexer derives in order of arrival.
//! - What is the same on all events of a visitor in the product is so here: browser, place, bot.

use super::dice::{Dice, mixed};
use crate::events::{DAY_MS, at};
use metronome::event::{Day, Event, Key, Known, Value};
use metronome::visits::{VisitorDay, step};
use std::collections::HashMap;

/// Sites, and the hours that their days begin before those of UTC.
const SITES: [(&str, i64); 3] = [("default", 0), ("blog", 0), ("ünï", 2)];
const ACTIONS: [&str; 12] =
    ["view", "view", "view", "view", "download", "click", "engage", "error", "timing", "request", "log", "buy now"];
const PAGES: [&str; 9] = ["/", "/a", "/a/b", "/data/1", "/data/2", "/ü", "/A", "/very/long/path/of/a/page", "/z"];
const REFERERS: [&str; 5] = ["x.org", "x.org/page", "news.example/ünï", "y.org", "zz.example"];
const FORMATS: [&str; 4] = ["csv", "pdf", "zip", "geojson"];
const TAGS: [&str; 4] = ["red", "blue", "Red", "grün"];

/// Makes events.
pub struct Maker {
    dice: Dice,
    made: u64,
    last_at: i64,
    live: HashMap<(String, Day, u64), VisitorDay>,
}

impl Maker {
    pub fn new(dice: Dice) -> Self {
        Self { dice, made: 0, last_at: at(0.0), live: HashMap::new() }
    }

    /// Events in order of arrival, of the days from the first up to but without the second.
    pub fn batch(&mut self, events: usize, days: (i64, i64)) -> Vec<Event> {
        let mut batch: Vec<Event> = Vec::new();
        while batch.len() < events {
            let copied = batch.last().filter(|_| self.dice.one_in(40)).cloned();
            let event = copied.map_or_else(|| self.event(days), copy);
            batch.push(self.lived(event));
        }
        batch
    }

    /// The event with the increments of its arrival.
    fn lived(&mut self, mut event: Event) -> Event {
        let mut nobody = VisitorDay::default();
        let state = match event.hash(Known::Visitor) {
            Some(visitor) => self.live.entry((event.site().to_owned(), event.day(), visitor)).or_default(),
            None => &mut nobody,
        };
        step(state, &event).write(&mut event);
        event
    }

    fn event(&mut self, days: (i64, i64)) -> Event {
        self.made += 1;
        let (site, ahead) = *self.dice.pick_early(&SITES);
        let at = self.time(days);
        let mut event = Event::default();
        event.set(Known::Site, Value::text(site));
        event.set(Known::Timestamp, Value::Int(at));
        event.set(Known::ReceivedAt, Value::Int(at + self.dice.between(0, 5_000)));
        event.set(Known::Day, Value::Int((at + ahead * 3_600_000).div_euclid(DAY_MS)));
        event.set(Known::Action, Value::text(*self.dice.pick(&ACTIONS)));
        self.identify(&mut event);
        self.be_somebody(&mut event, site);
        self.say_what(&mut event);
        self.say_whence(&mut event);
        self.say_freely(&mut event);
        event
    }

    fn time(&mut self, days: (i64, i64)) -> i64 {
        if self.dice.one_in(8) && (at(days.0 as f64 * 86_400.0)..at(days.1 as f64 * 86_400.0)).contains(&self.last_at) {
            return self.last_at;
        }
        let seconds = self.dice.between(days.0 * 24, days.1 * 24) * 3_600 + self.dice.between(0, 900);
        let ms = if self.dice.one_in(2) { 0 } else { self.dice.between(0, 1_000) };
        self.last_at = at(seconds as f64) + ms;
        self.last_at
    }

    fn identify(&mut self, event: &mut Event) {
        let id = match self.dice.below(5) {
            0 | 1 => return,
            2 => format!("{:08x}-e29b-41d4-a716-446655440000", mixed(self.made) as u32),
            3 => format!("é-{}", self.made),
            _ => format!("{}", self.made),
        };
        event.set(Known::EventId, Value::text(id));
    }

    fn be_somebody(&mut self, event: &mut Event, site: &str) {
        let who = self.dice.below(16) as u64;
        let visitor = mixed(who * 31 + site.len() as u64);
        if who > 1 {
            event.set(Known::Visitor, Value::hash(visitor));
        }
        let of = |from: &[&str]| Value::text(from[(visitor % 1_000) as usize % from.len()]);
        event.set(Known::Browser, of(&["Firefox", "Chrome", "Safari"]));
        event.set(Known::Os, of(&["Linux", "Windows 11", "iOS", "Android"]));
        event.set(Known::Device, of(&["desktop", "mobile"]));
        if who.is_multiple_of(3) {
            event.set(Known::Country, of(&["DE", "FR", "JP", "BR", "KE"]));
        }
        if who.is_multiple_of(5) {
            event.set(Known::Bot, of(&["Googlebot", "curl"]));
        }
        if self.dice.one_in(4) {
            event.set(Known::User, Value::text(format!("user{}@x", self.dice.below(6))));
        }
    }

    fn say_what(&mut self, event: &mut Event) {
        let page = *self.dice.pick_early(&PAGES);
        if !self.dice.one_in(6) {
            event.set(Known::Path, Value::text(page));
        }
        if !self.dice.one_in(4) {
            let id = if self.dice.one_in(2) { page.to_owned() } else { format!("item-{}", self.dice.below(8)) };
            event.set(Known::Id, Value::text(id));
        }
        if event.action() == "download" && !self.dice.one_in(3) {
            event.set(Known::Format, Value::text(*self.dice.pick(&FORMATS)));
        }
        if self.dice.one_in(3) {
            event.set(Known::Status, Value::Int(*self.dice.pick(&[200, 304, 404, 500])));
            event.set(Known::Bytes, Value::Int(self.dice.between(0, 1 << 40)));
            event.set(Known::DurationMs, decimal(self.dice.between(0, 90_000), 10.0));
        }
        if self.dice.one_in(4) {
            event.set(Known::Tags, self.list(|dice| Value::text(*dice.pick(&TAGS))));
        }
        if event.action() == "error" {
            event.set(Known::Message, Value::text(format!("{} failed\nat line {}", page, self.dice.below(9))));
            event.set(Known::Fingerprint, Value::hash(mixed(self.dice.below(4) as u64)));
        }
        if event.action() == "engage" {
            event.set(Known::EngagedMs, Value::Int(self.dice.between(0, 60_000)));
        }
        if self.dice.one_in(12) {
            event.set(Known::Interactive, Value::Bool(self.dice.one_in(2)));
        }
    }

    fn say_whence(&mut self, event: &mut Event) {
        event.set(Known::Channel, Value::text("Direct"));
        if self.dice.one_in(3) {
            let referer = *self.dice.pick_early(&REFERERS);
            event.set(Known::Referer, Value::text(referer));
            event.set(Known::Source, Value::text(referer.split('/').next().unwrap_or_default()));
            event.set(Known::Channel, Value::text("Referral"));
        }
        if self.dice.one_in(10) {
            event.set(Known::UtmSource, Value::text("letter"));
            event.set(Known::UtmCampaign, Value::text(*self.dice.pick(&["spring", "Été \"25\""])));
        }
    }

    /// Keys of the application's own; `mixed` holds every kind.
    fn say_freely(&mut self, event: &mut Event) {
        let cents = self.dice.between(-500, 100_000);
        let amount = self.dice.between(-3, 40);
        let half = amount as f64 + 0.5;
        let values = [
            ("price", decimal(cents, 100.0)),
            ("amount", Value::Int(amount)),
            ("half", Value::Float(half)),
            ("big", big(&mut self.dice)),
            ("flag", Value::Bool(self.dice.one_in(2))),
            ("mixed", self.mixed()),
            ("labels", self.list(|dice| Value::text(*dice.pick(&TAGS)))),
            ("sizes", self.list(|dice| Value::Int(dice.between(0, 5)))),
            ("all", self.list(mixed_scalar)),
            ("nested.deep.key", Value::text(*self.dice.pick(&["x", "y"]))),
            ("ключ", Value::text(*self.dice.pick(&["значение", "", " "]))),
            ("x.visit", Value::text("0")),
            ("json", Value::text("[{\"a\":1},{\"b\":[true,null]}]")),
        ];
        for (name, value) in values {
            if self.dice.one_in(5) {
                event.set(Key::named(name), value);
            }
        }
        if self.dice.one_in(50) {
            event.set(Key::named(&format!("rare{}", self.dice.below(20))), Value::Int(1));
        }
    }

    fn mixed(&mut self) -> Value {
        if self.dice.one_in(4) { self.list(mixed_scalar) } else { mixed_scalar(&mut self.dice) }
    }

    fn list(&mut self, member: impl Fn(&mut Dice) -> Value) -> Value {
        let members = self.dice.below(4) + 1;
        Value::List((0..members).map(|_| member(&mut self.dice)).collect())
    }
}

/// The same once more, by a sender that gives no ids.
fn copy(mut event: Event) -> Event {
    event.remove(&Known::EventId.into());
    let received = event.int(Known::ReceivedAt).unwrap_or_default();
    event.set(Known::ReceivedAt, Value::Int(received + 1));
    event
}

fn decimal(number: i64, scale: f64) -> Value {
    Value::number(number as f64 / scale).expect("finite")
}

/// Whole numbers that 64-bit floats bend, beside small ones and fractions.
fn big(dice: &mut Dice) -> Value {
    match dice.below(5) {
        0 => Value::Int(9_007_199_254_740_993),
        1 => Value::Uint(u64::MAX),
        2 => Value::Int(i64::MAX),
        3 => Value::Float(0.5),
        _ => Value::Int(7),
    }
}

fn mixed_scalar(dice: &mut Dice) -> Value {
    match dice.below(8) {
        0 => Value::text("1"),
        1 => Value::Int(1),
        2 => Value::Bool(true),
        3 => Value::text("true"),
        4 => Value::Float(-2.5),
        5 => Value::text("ä"),
        6 => Value::Int(-40),
        _ => Value::Int(1_000_000),
    }
}
