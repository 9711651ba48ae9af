//! What goes into the write path, and what comes out of it.

use crate::event::{Day, Event, RawEvent};
use crate::normalize::{Note, Reason, Rejection};
use std::collections::BTreeSet;
use std::ops::Range;

/// One event of a batch as its receiver read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its place in the batch, as the sender counts: index from 0, or line from 1.
    pub at: usize,
    /// What was said, or why it cannot be read.
    pub raw: Result<RawEvent, Rejection>,
}

/// An event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the batch.
    pub at: usize,
    /// The key concerned, where it is one.
    pub key: Option<String>,
    /// The class, for counts.
    pub reason: Reason,
    /// What is wrong, for the sender.
    pub message: String,
}

/// What became of a batch; everything in it is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Events taken.
    pub accepted: u64,
    /// Events left out because one of their id was taken before.
    pub duplicates: u64,
    /// Their places in the batch, in order.
    pub duplicates_at: Vec<usize>,
    /// Events that were not taken, in order.
    pub rejected: Vec<Rejected>,
    /// The positions of the taken ones in the journal.
    pub positions: Range<u64>,
    /// How many of the taken ones are of bots.
    pub bots: u64,
    /// The days of the taken ones.
    pub days: BTreeSet<Day>,
}

/// How one event would be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Its place in the batch.
    pub at: usize,
    /// The event as it would be stored, without increments, or why it would not.
    pub event: Result<Event, Rejection>,
    /// Why it was read so.
    pub notes: Vec<Note>,
    /// Whether an event of its id was taken lately.
    pub is_duplicate: bool,
}
