//! What is sent: events as a pure function of a life's seed and their number, and the days they fall on.

use super::dice::Dice;
use serde_json::{Value, json};
use std::fmt::Write;

pub const SITE: &str = "crash";
pub const DAY_MS: i64 = 86_400_000;
/// Days of events that an expiring round keeps.
pub const RETENTION_DAYS: i32 = 120;
/// Days ago: long past retention, in months that are over, and one of now.
const AGO: [i32; 9] = [201, 202, 203, 204, 71, 72, 73, 74, 1];

/// An event that a round sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    pub round: u32,
    pub within: u32,
}

impl Number {
    /// Whether it is sent with an id. Without one nobody but the store's own positions can tell it from itself.
    pub fn has_id(self) -> bool {
        self.within.is_multiple_of(2)
    }
}

/// One life's events.
#[derive(Debug, Clone, Copy)]
pub struct Events {
    pub seed: u64,
    /// The day the life began on.
    pub today: i32,
}

impl Events {
    pub fn begun_now(seed: u64) -> Self {
        let today = metronome::clock::Clock::System.now() / DAY_MS;
        Self { seed, today: i32::try_from(today).expect("a day") }
    }

    /// What every event bears, so that it is known again; one with an id has it as its id too.
    pub fn mark(self, number: Number) -> String {
        format!("{:x}-{}-{}", self.seed, number.round, number.within)
    }

    /// Every day that events fall on.
    pub fn days(self) -> impl Iterator<Item = i32> {
        AGO.into_iter().map(move |ago| self.today - ago)
    }

    /// The day of an event: one of three that its round touches, none that its round expires.
    pub fn day(self, number: Number, expires: bool) -> i32 {
        let mut days = Dice::new(self.seed, u64::from(number.round));
        let choice = days.below(1 << 20) + u64::from(number.within) % 3 * 3;
        let ago = if expires { &AGO[4..] } else { &AGO[..] };
        self.today - ago[(choice % ago.len() as u64) as usize]
    }

    /// The event as it is sent. Padded ones take 6 KB that no compression takes away, so that segments of the journal fill.
    pub fn json(self, number: Number, day: i32, padded: bool) -> Value {
        let Number { round, within } = number;
        let mut dice = Dice::new(self.seed, u64::from(round) << 32 | u64::from(within));
        let mut pad = String::new();
        while padded && pad.len() < 6_000 {
            // Writing to text cannot fail.
            let _ = write!(pad, "{:x}", dice.roll());
        }
        let mut event = json!({
            "@timestamp": i64::from(day) * DAY_MS + dice.below(DAY_MS as u64) as i64,
            "site": SITE,
            "mark": self.mark(number),
            "action": "view",
            "id": format!("item-{}", dice.below(20)),
            "path": format!("/a/{}", dice.below(50)),
            "visitor": self.mark(number),
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
            "score": dice.below(1000) as f64 / 8.0,
            "pad": pad,
        });
        if number.has_id() {
            event["event_id"] = self.mark(number).into();
        }
        event
    }
}
