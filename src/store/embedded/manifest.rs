//! Manifest: `day.json`, what a sealed part of a day consists of, written last and checked first.
//! - Segments stand here in the order of the day; Tantivy lists its own in another.
//! - Every file beside Tantivy's own has its length and CRC-32C here (an item table its identity); the manifest has one over itself.

use super::checked;
use super::error::corrupt;
use super::keys::Columns;
use super::payload::Payload;
use crate::clock::Millis;
use crate::event::Day;
use crate::store::{Position, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

const NAME: &str = "day.json";
/// The layout that this build writes; it reads no other.
const VERSION: u32 = 1;

/// What a sealed part consists of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout.
    pub version: u32,
    /// The day.
    pub day: Day,
    /// Events in it.
    pub events: u64,
    /// Its partition has everything before this position.
    pub end: Position,
    /// What the store as a whole promised when the part was begun.
    pub promised: Position,
    /// The first and last `@timestamp`.
    pub times: (Millis, Millis),
    /// The first and last `visit_at`.
    pub visits: Option<(Millis, Millis)>,
    /// The segments, in order of the day.
    pub segments: Vec<SegmentFacts>,
    /// The open parts whose events are in it.
    pub absorbed: Vec<u32>,
    /// The free keys that have columns.
    pub keys: Columns,
    /// Its item tables: that of its events, and that of events that expired.
    pub tables: Vec<TableFacts>,
    /// Length and CRC-32C of each other file that is not Tantivy's, by its path in the part.
    pub files: BTreeMap<String, (u64, u32)>,
}

/// What is told of an item table; it carries its own checksums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// Its file.
    pub file: String,
    /// Which table it is.
    pub identity: u64,
}

/// What is told of a segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SegmentFacts {
    /// Its folder.
    pub folder: String,
    /// Events in it.
    pub events: u32,
    /// Powers of ten under which numbers are whole, by key.
    pub scales: BTreeMap<String, u8>,
}

impl Manifest {
    /// Of an empty part.
    pub fn new(day: Day) -> Self {
        Self {
            version: VERSION,
            day,
            events: 0,
            end: 0,
            promised: 0,
            times: (Millis::MAX, Millis::MIN),
            visits: None,
            segments: Vec::new(),
            absorbed: Vec::new(),
            keys: Columns::default(),
            tables: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// What its partition promises.
    pub fn promise(&self) -> Payload {
        Payload { end: self.end, promised: self.promised, keys: self.keys.clone() }
    }

    /// Takes over what a partition promises.
    pub fn set_promise(&mut self, payload: &Payload) {
        (self.end, self.promised, self.keys) = (payload.end, payload.promised, payload.keys.clone());
    }

    /// Writes it into a part's folder; durable when it returns.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        checked::write(dir, NAME, self)
    }

    /// Reads it from a part's folder.
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        let manifest: Self = checked::read(dir, NAME)?;
        match manifest.version == VERSION {
            true => Ok(manifest),
            false => Err(corrupt(&dir.join(NAME), format!("layout {} is unknown to this build", manifest.version))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_comes_back_and_a_flipped_bit_is_found() {
        let dir = tempfile::tempdir().expect("folder");
        let mut manifest = Manifest::new(Day(16_000));
        manifest.events = 7;
        manifest.files.insert("visitors.u64".to_owned(), (8, 1));
        manifest.write(dir.path()).expect("written");
        let read = Manifest::read(dir.path()).expect("read");
        assert_eq!((read.events, &read.files), (7, &manifest.files));
        let path = dir.path().join(NAME);
        let mut bytes = std::fs::read(&path).expect("file");
        let at = bytes.iter().position(|byte| *byte == b'7').expect("the count");
        bytes[at] = b'6';
        std::fs::write(&path, bytes).expect("file");
        assert!(matches!(Manifest::read(dir.path()), Err(StoreError::Corrupt { .. })));
    }
}
