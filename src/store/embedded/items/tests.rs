//! Tests of the item tables: format, damage, building, months, questions; each against a plain recount of events.

mod building;
mod damage;
mod format;
mod months;
mod questions;

use super::cell::{Count, Counts};
use super::cursor::{Cursor, Standing};
use super::write::Written;
use super::*;
use crate::event::{Event, Known, Value};
use std::sync::Arc;

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// Visits of a day, each the events of one visit (or one event without a visit), with increments that fit.
pub fn visits(dice: &mut Dice, day: Day, count: u64) -> Vec<Vec<Event>> {
    (0..count)
        .map(|number| {
            let visit = (dice.below(4) > 0).then_some(number + 1000 * day.0.unsigned_abs() as u64);
            let site = ["default", "other", "oth\0er"][dice.below(3) as usize];
            let bot = dice.below(4) == 0;
            let events = if visit.is_some() { 1 + dice.below(5) } else { 1 };
            (0..events).map(|at| event(dice, (day, site, bot), visit, at == 0)).collect()
        })
        .collect()
}

fn event(dice: &mut Dice, (day, site, bot): (Day, &str, bool), visit: Option<u64>, first: bool) -> Event {
    let mut event = Event::default();
    event.set(Known::Timestamp, Value::Int(i64::from(day.0) * 86_400_000));
    event.set(Known::Day, Value::Int(day.0.into()));
    event.set(Known::Site, Value::text(site));
    event.set(Known::Action, Value::text(["view", "view", "download", "click"][dice.below(4) as usize]));
    if dice.below(8) > 0 {
        let id = dice.below(12);
        event.set(
            Known::Id,
            Value::text(
                ["/a", "/a/b", "a\0", "a\0\u{1}", "é"][id.min(4) as usize].to_owned() + &"x".repeat(id as usize),
            ),
        );
    }
    if dice.below(2) == 0 {
        event.set(Known::Referer, Value::text(format!("site{}.example", dice.below(5))));
    }
    if event.action() == "download" && dice.below(4) > 0 {
        event.set(Known::Format, Value::text(["csv", "kml"][dice.below(2) as usize]));
    }
    if bot {
        event.set(Known::Bot, Value::text("crawler"));
    }
    if dice.below(3) > 0 && event.action() != "click" {
        event.set(Known::Counted, Value::Int(1));
        if dice.below(2) > 0 {
            event.set(Known::Unique, Value::Int(1));
        }
    }
    if let Some(visit) = visit {
        event.set(Known::Visit, Value::hash(visit));
        if first {
            event.set(Known::VisitStart, Value::Int(1));
        }
        if dice.below(2) > 0 {
            event.set(Known::Entry, Value::text("/entry"));
        }
    }
    event
}

/// Makes the table of these events.
pub fn build(path: &Path, events: impl IntoIterator<Item = Event>, bytes_max: usize) -> Written {
    let mut builder = Builder::new(path, bytes_max);
    for event in events {
        builder.add(&event).unwrap();
    }
    builder.finish().unwrap()
}

/// The length of the site's text at the start of a key.
pub fn site_len(key: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += key[at..].iter().position(|byte| *byte == 0).unwrap() + 2;
        if key[at - 1] == 0 {
            return at;
        }
    }
}

/// Every cell of a table as text, a line each.
pub fn dump(path: &Path) -> Result<String, StoreError> {
    let mut cursor = Cursor::new(Arc::new(Table::open(path)?));
    cursor.go_to(&[])?;
    let mut lines = String::new();
    while let Some(Standing { item, part, counts }) = cursor.cell() {
        let (site, id) = item.split_at(site_len(item));
        let texts = (cell::read_text(site).unwrap(), cell::read_text(id).unwrap(), Cell::read(part).unwrap());
        let number = |count: Count| format!("{}/{}/{}", count.raw, count.counted, count.unique);
        lines += &format!("{texts:?} people {} bots {}\n", number(counts.people), number(counts.bots));
        cursor.advance()?;
    }
    Ok(lines)
}
