//! Time: the ways in which senders write a moment.
//! - RFC 3339 (a space for the `T` and an offset without colon too), `17/May/2015:10:05:03 +0000`, and numbers: seconds,
//!   milliseconds, microseconds or nanoseconds since 1970, told apart by their size.
//! - Fractions of a millisecond are cut; a leap second is the second before it.
//! - A time without an offset is none: nobody knows when it was.

use crate::clock::Millis;
use crate::event::{RawEvent, Value};

/// Whether a moment can be told as a date: it lies in the years −9999 to 9999.
pub fn is_date(at: Millis) -> bool {
    RANGE.contains(&at)
}

/// The years −9999 to 9999, as far as any zone can tell them.
const RANGE: std::ops::RangeInclusive<i64> = -377_705_023_201_000..=253_402_207_200_999;

const DAY_SECONDS: i64 = 86_400;
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The moment that a value names.
pub fn read(value: &Value) -> Option<Millis> {
    match value {
        Value::Text(text) => read_text(text),
        Value::Int(number) => from_int(*number),
        Value::Uint(number) => from_float(*number as f64),
        Value::Float(number) => from_float(*number),
        Value::Bool(_) | Value::List(_) => None,
    }
}

/// The moment that a text names.
pub fn read_text(text: &str) -> Option<Millis> {
    let text = text.trim_ascii();
    rfc3339(text.as_bytes()).or_else(|| common_log(text.as_bytes())).or_else(|| numeric(text))
}

/// Corrects a doubtful clock: what the sender's clock said it was on sending, against when it was received.
pub fn corrected(at: Millis, sent_at: Millis, received_at: Millis) -> Millis {
    received_at.saturating_sub(sent_at.saturating_sub(at))
}

fn numeric(text: &str) -> Option<Millis> {
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
        return None;
    }
    text.parse().map_or_else(|_| text.parse().ok().and_then(from_float), from_int)
}

fn from_int(number: i64) -> Option<Millis> {
    let at = match number.unsigned_abs() {
        0..100_000_000_000 => number * 1000,
        100_000_000_000..100_000_000_000_000 => number,
        100_000_000_000_000..100_000_000_000_000_000 => number.div_euclid(1000),
        _ => number.div_euclid(1_000_000),
    };
    RANGE.contains(&at).then_some(at)
}

fn from_float(number: f64) -> Option<Millis> {
    let ms = match number.abs() {
        size if size < 1e11 => number * 1e3,
        size if size < 1e14 => number,
        size if size < 1e17 => number / 1e3,
        _ => number / 1e6,
    };
    // Seconds with a fraction lie a little beside their millisecond as floats.
    let at = (ms + 0.000_5).floor();
    (at.abs() < 9e15).then_some(at as i64).filter(|at| RANGE.contains(at))
}

/// `2015-05-17T10:05:03.123+02:00`.
fn rfc3339(text: &[u8]) -> Option<Millis> {
    let (date, rest) = text.split_at_checked(10)?;
    if date[4] != b'-' || date[7] != b'-' || !matches!(rest.first()?, b'T' | b't' | b' ') {
        return None;
    }
    let days = days(number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?)?;
    let (clock, rest) = rest[1..].split_at_checked(8)?;
    let (fraction_ms, rest) = fraction(rest)?;
    moment(days, seconds(clock)?, fraction_ms, rest)
}

/// `17/May/2015:10:05:03 +0000`, in brackets or not.
fn common_log(text: &[u8]) -> Option<Millis> {
    let text = text.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")).unwrap_or(text);
    let (date, rest) = text.split_at_checked(12)?;
    if date[2] != b'/' || date[6] != b'/' || date[11] != b':' {
        return None;
    }
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(&date[3..6]))?;
    let days = days(number(&date[7..11])?, month as i64 + 1, number(&date[..2])?)?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let (fraction_ms, rest) = fraction(rest)?;
    moment(days, seconds(clock)?, fraction_ms, rest.strip_prefix(b" ")?)
}

fn moment(days: i64, seconds: i64, fraction_ms: i64, offset: &[u8]) -> Option<Millis> {
    let at = (days * DAY_SECONDS + seconds - offset_seconds(offset)?) * 1000 + fraction_ms;
    RANGE.contains(&at).then_some(at)
}

/// Digits alone, as a number.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

/// `10:05:03`, a leap second as the second before it.
fn seconds(clock: &[u8]) -> Option<i64> {
    if clock[2] != b':' || clock[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (number(&clock[..2])?, number(&clock[3..5])?, number(&clock[6..])?);
    (hour < 24 && minute < 60 && second <= 60).then(|| hour * 3600 + minute * 60 + second.min(59))
}

/// A fraction of a second in milliseconds, the rest cut, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".").or_else(|| text.strip_prefix(b",")) else { return Some((0, text)) };
    let length = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    if length == 0 {
        return None;
    }
    let ms = (0..3).fold(0, |sum, at| sum * 10 + digits[..length].get(at).map_or(0, |digit| i64::from(digit - b'0')));
    Some((ms, &digits[length..]))
}

/// `Z`, `+02:00` or `+0200`.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        b"Z" | b"z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        5 if digits[2] == b':' => (&digits[..2], &digits[3..]),
        4 => (&digits[..2], &digits[2..]),
        _ => return None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then(|| sign * (hours * 3600 + minutes * 60))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Counted in years that begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(before + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// When an event of a log line says that it happened, by the first of the names that lines use. Ids of lines and the order
/// in which an import sends them go by it: both look here.
pub fn said(raw: &RawEvent) -> Option<Millis> {
    let names = ["@timestamp", "timestamp", "time", "ts", "date", "time_local", "time_iso8601"];
    names.iter().find_map(|name| raw.get(name)).and_then(read)
}

#[cfg(test)]
#[path = "tests/time.rs"]
mod tests;
