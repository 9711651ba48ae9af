//! Payload: what an open part's last commit promised, carried by the commit itself under a checksum of its own.
//! - Tantivy keeps it in `meta.json`, which has no checksum.

use super::error::engine;
use super::keys::Columns;
use crate::store::{Position, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Where a partition's own promise stands: it has everything before `end`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Payload {
    /// Everything of the day before it is here.
    pub end: Position,
    /// The store's own promise when this was written: everything of all days before it was stored.
    pub promised: Position,
    /// The free keys that have columns.
    pub keys: Columns,
}

#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    crc32c: u32,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl Payload {
    /// Its text.
    pub fn write(&self) -> Result<String, StoreError> {
        let text = serde_json::to_string(self).map_err(engine("write payload"))?;
        let payload = RawValue::from_string(text).map_err(engine("write payload"))?;
        let sealed = Sealed { crc32c: crc32c::crc32c(payload.get().as_bytes()), payload: &payload };
        serde_json::to_string(&sealed).map_err(engine("write payload"))
    }

    /// Reads its text.
    pub fn read(text: &str) -> Result<Self, StoreError> {
        let damaged = |why: String| StoreError::Corrupt { object: "the payload of an open part".to_owned(), why };
        let sealed: Sealed<'_> = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if crc32c::crc32c(sealed.payload.get().as_bytes()) != sealed.crc32c {
            return Err(damaged("checksum mismatch".to_owned()));
        }
        serde_json::from_str(sealed.payload.get()).map_err(|error| damaged(error.to_string()))
    }

    /// What this and another part of the day promise together.
    pub fn merge(&mut self, other: Self) {
        self.end = self.end.max(other.end);
        self.promised = self.promised.max(other.promised);
        self.keys.merge(other.keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_comes_back_and_a_flipped_bit_is_found() {
        let payload = Payload { end: 123, promised: 100, ..Payload::default() };
        let text = payload.write().expect("written");
        assert_eq!(Payload::read(&text).expect("read").end, 123);
        for at in 0..text.len() {
            let mut bent = text.clone().into_bytes();
            bent[at] ^= 1;
            let bent = String::from_utf8(bent).expect("still ASCII");
            assert!(Payload::read(&bent).is_err(), "byte {at}: {bent}");
        }
    }
}
