//! Request ids: one name for a request in the answer's `x-request-id` and in the log.
//! - A sender's own is taken if it is short and plain; anything else is replaced, never echoed.

use axum::http::{HeaderMap, HeaderValue};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Longest id taken from a sender.
const BYTES_MAX: usize = 64;

/// The header that carries it.
pub(super) const HEADER: &str = "x-request-id";

/// The name of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The sender's id where it is sane, else a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(given) if sane(given.as_bytes()) => Self(given.clone()),
            _ => Self::made(),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// A new id: unlike any other of this process, unlikely to be one of another.
    fn made() -> Self {
        static SEED: LazyLock<u64> = LazyLock::new(|| getrandom::u64().unwrap_or(0x9e37_79b9_7f4a_7c15));
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = mix(SEED.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)));
        Self(HeaderValue::from_str(&format!("{number:016x}")).unwrap_or(HeaderValue::from_static("-")))
    }
}

fn sane(id: &[u8]) -> bool {
    (1..=BYTES_MAX).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// A bijection of 64-bit numbers that leaves no pattern (Steele, Lea, Flood: SplitMix64, 2014).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_taken_and_any_other_replaced() {
        let table = [("abc-1.2_X", true), ("", false), ("a b", false), ("a\"b", false), (&"x".repeat(65), false)];
        for (given, taken) in table {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(given).unwrap());
            assert_eq!(RequestId::of(&headers).as_str() == given, taken, "{given}");
        }
    }

    #[test]
    fn made_ids_differ() {
        let made: std::collections::HashSet<_> = (0..1000).map(|_| RequestId::made().as_str().to_owned()).collect();
        assert_eq!(made.len(), 1000);
        assert!(made.iter().all(|id| id.len() == 16));
    }
}
