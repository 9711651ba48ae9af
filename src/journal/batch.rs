//! Batches go in, blocks come out: many payloads in one piece of memory.
//! - Payloads may be empty and hold any bytes.
//! - Absent: bounds; the journal checks them when a batch is appended.

use std::ops::Range;
use std::sync::Arc;

/// Payloads to be appended together, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    /// Adds one payload at the end.
    pub fn push(&mut self, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        self.ends.push(self.bytes.len());
    }

    /// How many payloads it holds.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all payloads together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The payloads, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let payload = &self.bytes[start..end];
            start = end;
            payload
        })
    }
}

impl<'a> FromIterator<&'a [u8]> for Batch {
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(payloads: T) -> Self {
        let mut batch = Self::default();
        for payload in payloads {
            batch.push(payload);
        }
        batch
    }
}

/// The payloads of one record, as decompressed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Payloads {
    bytes: Vec<u8>,
    /// Where each begins in `bytes`, and where the last ends.
    borders: Vec<usize>,
}

impl Payloads {
    /// `borders` holds at least one place, grows, and ends within `bytes`: `record` has checked it.
    pub(super) fn new(bytes: Vec<u8>, borders: Vec<usize>) -> Self {
        Self { bytes, borders }
    }

    pub(super) fn len(&self) -> usize {
        self.borders.len() - 1
    }

    fn get(&self, at: usize) -> &[u8] {
        &self.bytes[self.borders[at]..self.borders[at + 1]]
    }
}

/// Payloads that were read, with consecutive positions; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The position of its first payload.
    pub first: u64,
    payloads: Arc<Payloads>,
    range: Range<usize>,
}

impl Block {
    pub(super) fn new(first: u64, payloads: Arc<Payloads>, range: Range<usize>) -> Self {
        Self { first, payloads, range }
    }

    /// How many payloads it holds.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether it holds none: never, when a reader gave it.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The position past its last payload.
    pub fn end(&self) -> u64 {
        self.first + self.range.len() as u64
    }

    /// The payloads, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.range.clone().map(|at| self.payloads.get(at))
    }
}
