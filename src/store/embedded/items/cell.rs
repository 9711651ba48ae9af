//! Cell: one number of one item, the unit that tables hold, sort and add up.
//! - A cell's key is (site, id, what), as bytes that sort as the three do; the id `""` is the site as a whole.
//! - Site and id end with two zero bytes; a zero within is followed by 0xFF. So no key is the beginning of another item's.
//! - Within an item the small cells come first (views, downloads, visits, entries), referers last.
//! - `raw` ≥ `counted` ≥ `unique`, by the way events are added; stored as differences, so no damage can break it.

use crate::event::Day;
use crate::store::plan::{Bots, Counting};

/// What a number of an item says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Views of a day.
    Views(Day),
    /// Downloads in a format.
    Downloads(&'a str),
    /// Visits that touched the item; `raw`, `counted` and `unique` are the same.
    Visits,
    /// Visits that began with the item (for the site: that have an entry); the three are the same.
    Entries,
    /// Views and downloads that came from a referer.
    Referers(&'a str),
}

const VIEWS: u8 = 1;
const DOWNLOADS: u8 = 2;
const VISITS: u8 = 3;
const ENTRIES: u8 = 4;
const REFERERS: u8 = 5;

impl<'a> Cell<'a> {
    /// Writes the cell's part of a key behind its item's.
    pub fn write(self, key: &mut Vec<u8>) {
        match self {
            Self::Views(day) => {
                key.push(VIEWS);
                // The sign is turned over: days before 1970 sort first.
                key.extend_from_slice(&(day.0.cast_unsigned() ^ (1 << 31)).to_be_bytes());
            }
            Self::Downloads(format) => {
                key.push(DOWNLOADS);
                key.extend_from_slice(format.as_bytes());
            }
            Self::Visits => key.push(VISITS),
            Self::Entries => key.push(ENTRIES),
            Self::Referers(referer) => {
                key.push(REFERERS);
                key.extend_from_slice(referer.as_bytes());
            }
        }
    }

    /// Reads the cell's part of a key; `None` if it is none.
    pub fn read(part: &'a [u8]) -> Option<Self> {
        let (kind, rest) = part.split_first()?;
        match *kind {
            VIEWS => Some(Self::Views(Day((u32::from_be_bytes(rest.try_into().ok()?) ^ (1 << 31)).cast_signed()))),
            DOWNLOADS => Some(Self::Downloads(std::str::from_utf8(rest).ok()?)),
            VISITS => rest.is_empty().then_some(Self::Visits),
            ENTRIES => rest.is_empty().then_some(Self::Entries),
            REFERERS => Some(Self::Referers(std::str::from_utf8(rest).ok()?)),
            _ => None,
        }
    }
}

/// Writes the beginning of every key of a site.
pub fn write_site(site: &str, key: &mut Vec<u8>) {
    write_text(site, key);
}

/// Writes the beginning of every key of an item, of the site as a whole with the id `""`.
pub fn write_item(site: &str, id: &str, key: &mut Vec<u8>) {
    write_text(site, key);
    write_text(id, key);
}

fn write_text(text: &str, key: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(zero) = memchr::memchr(0, rest) {
        key.extend_from_slice(&rest[..=zero]);
        key.push(0xFF);
        rest = &rest[zero + 1..];
    }
    key.extend_from_slice(rest);
    key.extend_from_slice(&[0, 0]);
}

/// The text that [`write_site`] and [`write_item`] wrote, its two zero bytes included in `written`.
pub fn read_text(written: &[u8]) -> Option<String> {
    let inner = written.strip_suffix(&[0, 0])?;
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        text.push(*byte);
        if *byte == 0 {
            bytes.next();
        }
    }
    String::from_utf8(text).ok()
}

/// How often, by each way of counting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Events.
    pub raw: u64,
    /// Those that COUNTER counts; not more than `raw`.
    pub counted: u64,
    /// Those of them that are the first of their visit; not more than `counted`.
    pub unique: u64,
}

impl Count {
    /// The same by every way of counting.
    pub fn all(number: u64) -> Self {
        Self { raw: number, counted: number, unique: number }
    }

    /// Adds another number of the same cell.
    pub fn add(&mut self, other: Self) {
        self.raw = self.raw.saturating_add(other.raw);
        self.counted = self.counted.saturating_add(other.counted);
        self.unique = self.unique.saturating_add(other.unique);
    }

    fn by(self, counting: Counting) -> u64 {
        match counting {
            Counting::Raw => self.raw,
            Counting::Counter => self.counted,
        }
    }
}

/// A cell's numbers: people and bots apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// By people.
    pub people: Count,
    /// By bots.
    pub bots: Count,
}

impl Counts {
    /// Adds other numbers of the same cell.
    pub fn add(&mut self, other: Self) {
        self.people.add(other.people);
        self.bots.add(other.bots);
    }

    /// The number a question asks for.
    pub fn number(&self, bots: Bots, counting: Counting) -> u64 {
        let (people, machines) = (self.people.by(counting), self.bots.by(counting));
        match bots {
            Bots::Exclude => people,
            Bots::Include => people.saturating_add(machines),
            Bots::Only => machines,
        }
    }

    /// Writes the numbers: a byte that says which follow, then these.
    pub fn write(&self, out: &mut Vec<u8>) {
        let at = out.len();
        out.push(0);
        out[at] = write_count(self.people, out) | write_count(self.bots, out) << 3;
    }

    /// Reads the numbers off the front of `from`; `None` if they are none.
    pub fn read(from: &mut &[u8]) -> Option<Self> {
        let (mask, rest) = from.split_first()?;
        *from = rest;
        let people = read_count(mask & 7, from)?;
        let bots = read_count(mask >> 3, from)?;
        Some(Self { people, bots })
    }
}

const RAW: u8 = 1;
const NOT_COUNTED: u8 = 2;
const NOT_UNIQUE: u8 = 4;

fn write_count(count: Count, out: &mut Vec<u8>) -> u8 {
    let numbers = [
        (RAW, count.raw),
        (NOT_COUNTED, count.raw.saturating_sub(count.counted)),
        (NOT_UNIQUE, count.counted.saturating_sub(count.unique)),
    ];
    numbers.into_iter().filter(|(_, number)| *number > 0).fold(0, |mask, (bit, number)| {
        write_number(number, out);
        mask | bit
    })
}

fn read_count(mask: u8, from: &mut &[u8]) -> Option<Count> {
    let mut number = |bit| if mask & bit == 0 { Some(0) } else { read_number(from) };
    let raw = number(RAW)?;
    let counted = raw.checked_sub(number(NOT_COUNTED)?)?;
    let unique = counted.checked_sub(number(NOT_UNIQUE)?)?;
    (mask <= 7).then_some(Count { raw, counted, unique })
}

/// Writes a number in groups of seven bits, the smallest first; the top bit says that more follow (LEB128).
pub fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads such a number off the front of `from`; `None` if it is cut off or beyond 64 bits.
pub fn read_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7F).checked_mul(1 << shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes `bytes` off the front of `from`; `None` if there are fewer.
pub fn take<'a>(from: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(bytes)?;
    *from = rest;
    Some(taken)
}

/// How many bytes `a` and `b` begin alike.
pub fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
