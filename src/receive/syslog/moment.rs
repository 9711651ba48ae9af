//! Moments of RFC 3164: `Nov 24 10:11:12`, without a year and without a zone.
//! - The year is the one nearest to now; the zone is the configured one. A time that daylight saving skips is the one that the
//!   clock then showed, of one that it shows twice the first is meant.
//! - A year between day and time, and a fraction behind the seconds, are read where they stand.

use crate::clock::Millis;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// What a time without year and zone is read by.
#[derive(Debug, Clone, Copy)]
pub struct Calendar<'a> {
    /// When the message was received.
    pub now: Millis,
    /// The zone of senders' clocks.
    pub zone: &'a TimeZone,
}

impl Calendar<'_> {
    /// The moment at the beginning of `bytes`, and what follows it.
    pub fn read<'a>(&self, bytes: &'a [u8]) -> Option<(Millis, &'a [u8])> {
        let (month, rest) = bytes.split_at_checked(3)?;
        let month = 1 + MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
        let rest = rest.strip_prefix(b" ")?;
        let (day, rest) = number(rest.strip_prefix(b" ").unwrap_or(rest), 1..=2)?;
        let rest = rest.strip_prefix(b" ")?;
        let (year, rest) = match number(rest, 4..=4) {
            Some((year, after)) => (Some(year), after.strip_prefix(b" ")?),
            None => (None, rest),
        };
        let (clock, rest) = clock(rest)?;
        let on = |year: i16| self.moment(Date::new(year, month as i8, day as i8).ok()?, clock);
        let at = match year {
            Some(year) => on(year)?,
            None => {
                let now = self.zone.to_datetime(Timestamp::from_millisecond(self.now).ok()?).year();
                let years = [now - 1, now, now + 1];
                years.into_iter().filter_map(on).min_by_key(|at| self.now.abs_diff(*at))?
            }
        };
        Some((at, rest))
    }

    fn moment(&self, date: Date, [hour, minute, second, ms]: [i16; 4]) -> Option<Millis> {
        // A leap second is the second before it.
        let time = date.at(hour as i8, minute as i8, second.min(59) as i8, i32::from(ms) * 1_000_000);
        Some(self.zone.to_ambiguous_timestamp(time).compatible().ok()?.as_millisecond())
    }
}

/// `10:11:12`, or with a fraction; hours, minutes, seconds and milliseconds.
fn clock(bytes: &[u8]) -> Option<([i16; 4], &[u8])> {
    let (hour, rest) = number(bytes, 2..=2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2..=2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2..=2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let Some(digits) = rest.strip_prefix(b".") else { return Some(([hour, minute, second, 0], rest)) };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ms = (0..3).fold(0, |sum, at| sum * 10 + digits[..length].get(at).map_or(0, |digit| i16::from(digit - b'0')));
    (length > 0).then(|| ([hour, minute, second, ms], &digits[length..]))
}

/// A number of so many digits.
fn number(bytes: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<(i16, &[u8])> {
    let length = bytes.iter().take(digits.end() + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if !digits.contains(&length) {
        return None;
    }
    let number = bytes[..length].iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    Some((number, &bytes[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(now: &str, zone: &str, text: &str) -> Option<(String, String)> {
        let now = now.parse::<Timestamp>().expect("a time").as_millisecond();
        let zone = TimeZone::get(zone).expect("a zone");
        let (at, rest) = Calendar { now, zone: &zone }.read(text.as_bytes())?;
        let at = Timestamp::from_millisecond(at).expect("a time").to_string();
        Some((at, String::from_utf8_lossy(rest).into_owned()))
    }

    fn at(now: &str, zone: &str, text: &str) -> String {
        read(now, zone, text).unwrap_or_else(|| panic!("{text} is no time")).0
    }

    #[test]
    fn the_year_is_the_nearest_to_now() {
        let utc = |now: &str, text: &str| at(now, "UTC", text);
        assert_eq!(utc("2026-06-01T00:00:00Z", "Jun  1 00:00:01"), "2026-06-01T00:00:01Z");
        assert_eq!(utc("2026-01-01T00:00:05Z", "Dec 31 23:59:59"), "2025-12-31T23:59:59Z");
        assert_eq!(utc("2025-12-31T23:59:55Z", "Jan  1 00:00:01"), "2026-01-01T00:00:01Z");
        assert_eq!(utc("2026-01-10T00:00:00Z", "Jul 10 00:00:00"), "2026-07-10T00:00:00Z");
        assert_eq!(utc("2026-01-08T00:00:00Z", "Jul 10 00:00:00"), "2025-07-10T00:00:00Z");
    }

    #[test]
    fn a_leap_day_is_of_a_leap_year() {
        assert_eq!(at("2028-03-01T00:00:00Z", "UTC", "Feb 29 12:00:00"), "2028-02-29T12:00:00Z");
        assert_eq!(at("2029-01-01T00:00:00Z", "UTC", "Feb 29 12:00:00"), "2028-02-29T12:00:00Z");
        assert_eq!(read("2026-03-01T00:00:00Z", "UTC", "Feb 29 12:00:00"), None);
    }

    #[test]
    fn the_zone_is_the_configured_one() {
        assert_eq!(at("2026-11-24T12:00:00Z", "Europe/Berlin", "Nov 24 10:11:12"), "2026-11-24T09:11:12Z");
        assert_eq!(at("2026-07-01T12:00:00Z", "Europe/Berlin", "Jul 1 10:11:12"), "2026-07-01T08:11:12Z");
        // New Year in Auckland, thirteen hours before UTC's.
        assert_eq!(at("2025-12-31T11:30:00Z", "Pacific/Auckland", "Jan  1 00:29:59"), "2025-12-31T11:29:59Z");
        assert_eq!(at("2026-03-29T01:30:00Z", "Europe/Berlin", "Mar 29 02:30:00"), "2026-03-29T01:30:00Z", "skipped");
        assert_eq!(at("2026-10-25T01:30:00Z", "Europe/Berlin", "Oct 25 02:30:00"), "2026-10-25T00:30:00Z", "twice");
    }

    #[test]
    fn years_and_fractions_are_read_where_they_stand() {
        let (at, rest) = read("2026-06-01T00:00:00Z", "UTC", "Nov 24 2019 10:11:12.3456 host").expect("a time");
        assert_eq!((at.as_str(), rest.as_str()), ("2019-11-24T10:11:12.345Z", " host"));
        assert_eq!(self::at("2026-06-01T00:00:00Z", "UTC", "Jun 30 23:59:60"), "2026-06-30T23:59:59Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        let broken = [
            "",
            "Nov",
            "Nov 24",
            "Now 24 10:11:12",
            "Nov 32 10:11:12",
            "Nov 24 24:11:12",
            "Nov 24 10:60:12",
            "Nov 24 10:11:61",
            "Nov 24 10:11",
            "Nov 24 10:11:12.",
            "Nov24 10:11:12",
            "Nov 124 10:11:12",
            "24 Nov 10:11:12",
        ];
        for text in broken {
            assert_eq!(read("2026-06-01T00:00:00Z", "UTC", text), None, "{text}");
        }
    }
}
