//! Extensions of MessagePack: the moments that loggers write so, and a text form for all others.
//! - Moments: EventTime of Fluentd (type 0, 8 bytes), the timestamp of MessagePack (type -1), Go's `time.Time` by
//!   `tinylib/msgp` (type 5).

use crate::clock::Millis;
use jiff::Timestamp;
use serde::de::{Deserializer, SeqAccess, Visitor};
use std::fmt;

/// The moment that an extension is, in seconds and nanoseconds; `None` where it is none.
pub fn moment(kind: i8, bytes: &[u8]) -> Option<(i64, u32)> {
    match (kind, bytes.len()) {
        (0, 8) => Some((i64::from(number(&bytes[..4])? as u32), number(&bytes[4..])? as u32)),
        (-1, 4) => Some((number(bytes)? as i64, 0)),
        (-1, 8) => {
            let packed = number(bytes)?;
            Some(((packed & ((1 << 34) - 1)) as i64, (packed >> 34) as u32))
        }
        (-1, 12) => Some((number(&bytes[4..])? as i64, number(&bytes[..4])? as u32)),
        (5, 12) => Some((number(&bytes[..8])? as i64, number(&bytes[8..])? as u32)),
        _ => None,
    }
}

/// A moment in milliseconds; `None` where it lies beyond them.
pub fn millis((seconds, nanoseconds): (i64, u32)) -> Option<Millis> {
    seconds.checked_mul(1000)?.checked_add(i64::from(nanoseconds / 1_000_000))
}

/// The text of an extension: RFC 3339 of a moment, else its bytes in hex.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    from.deserialize_any(Parts)
}

fn text(kind: i8, bytes: &[u8]) -> String {
    let moment = moment(kind, bytes).and_then(|(seconds, nanoseconds)| {
        Timestamp::new(seconds, i32::try_from(nanoseconds).ok().filter(|ns| *ns < 1_000_000_000)?).ok()
    });
    moment.map_or_else(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect(), |moment| moment.to_string())
}

fn number(bytes: &[u8]) -> Option<u64> {
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// Type and bytes, as `rmp-serde` hands an extension on.
struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an extension")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<String, A::Error> {
        let kind = parts.next_element::<i8>()?.unwrap_or_default();
        let bytes = parts.next_element::<&serde_bytes::Bytes>()?;
        Ok(text(kind, bytes.map_or(&[], |bytes| bytes.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_what_is_none() {
        let rows: [(i8, &[u8], &str); 9] = [
            (0, &[0x69, 0x24, 0x81, 0, 0x0e, 0xe6, 0xb2, 0x80], "2025-11-24T16:00:00.25Z"),
            (0, &[0xff; 8], "ffffffffffffffff"),
            (0, &[1, 2], "0102"),
            (-1, &[0x69, 0x24, 0x81, 0], "2025-11-24T16:00:00Z"),
            (-1, &[0x3b, 0x9a, 0xca, 0, 0x69, 0x24, 0x81, 0], "2025-11-24T16:00:00.25Z"),
            (-1, &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "1969-12-31T23:59:59.000000001Z"),
            (5, &[0, 0, 0, 0, 0x69, 0x24, 0x81, 0, 0x0e, 0xe6, 0xb2, 0x80], "2025-11-24T16:00:00.25Z"),
            (5, &[0x7f; 12], "7f7f7f7f7f7f7f7f7f7f7f7f"),
            (7, b"\xab", "ab"),
        ];
        for (kind, bytes, expected) in rows {
            assert_eq!(text(kind, bytes), expected, "{kind} {bytes:?}");
        }
        assert_eq!(moment(0, &[0, 0, 0, 1, 0, 0x1e, 0x84, 0x80]).and_then(millis), Some(1002));
        assert_eq!(millis((i64::MAX, 0)), None);
    }
}
