//! Cursor: reads a table's cells in order, from any key on.
//! - One block in memory; a seek reads one block, two if the cells it wants go on in the next.
//! - Items before the key that is sought are passed over by their length, their cells unread.
//! - It stands on a cell, or past the last.

use super::cell::{Counts, read_number, take};
use super::table::{Decoder, Table};
use crate::store::StoreError;
use std::cmp::Ordering;
use std::sync::Arc;

/// A place in a table.
pub struct Cursor {
    table: Arc<Table>,
    decoder: Decoder,
    block: Vec<u8>,
    /// The block to read next.
    next: usize,
    /// Where the next cell begins in `block`, and where the item at hand ends there.
    at: usize,
    item_end: usize,
    /// The key of the cell it stands on: its item's, then its own part.
    key: Vec<u8>,
    item_len: usize,
    counts: Counts,
    past: bool,
}

/// A cell that a cursor stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The key of its item.
    pub item: &'a [u8],
    /// What it says.
    pub part: &'a [u8],
    /// Its numbers.
    pub counts: Counts,
}

impl Cursor {
    /// Stands nowhere in `table` yet.
    pub fn new(table: Arc<Table>) -> Self {
        Self {
            table,
            decoder: Decoder::new(),
            block: Vec::new(),
            next: 0,
            at: 0,
            item_end: 0,
            key: Vec::new(),
            item_len: 0,
            counts: Counts::default(),
            past: true,
        }
    }

    /// Turns to another table, with the buffers it has.
    pub fn turn_to(&mut self, table: Arc<Table>) {
        self.table = table;
        self.past = true;
    }

    /// Goes to the first cell whose key is `from` or larger; on in the block it has where it can.
    pub fn go_to(&mut self, from: &[u8]) -> Result<(), StoreError> {
        let block = self.table.block_of(from);
        let stay = !self.past && self.key.as_slice() <= from && block + 1 == self.next;
        if !stay {
            self.next = block;
            self.leave_block();
            self.advance_past(from)?;
        }
        while !self.past && self.key.as_slice() < from {
            self.advance_past(from)?;
        }
        Ok(())
    }

    /// The cell it stands on; `None` past the last.
    pub fn cell(&self) -> Option<Standing<'_>> {
        let (item, part) = self.key.split_at(self.item_len);
        (!self.past).then_some(Standing { item, part, counts: self.counts })
    }

    /// Goes on to the next cell.
    pub fn advance(&mut self) -> Result<(), StoreError> {
        self.advance_past(&[])
    }

    /// Goes on to the next item, or to where this one goes on in the next block.
    pub fn pass_item(&mut self) -> Result<(), StoreError> {
        self.at = self.item_end;
        self.advance()
    }

    /// The error of damage where the cursor stands.
    pub fn damaged(&self, why: &str) -> StoreError {
        self.table.damaged(self.next.saturating_sub(1), why)
    }

    /// Goes on to the next cell, or a later one if those between are smaller than `from`.
    fn advance_past(&mut self, from: &[u8]) -> Result<(), StoreError> {
        while self.at == self.item_end {
            if self.at == self.block.len() {
                if self.next == self.table.blocks() {
                    self.past = true;
                    return Ok(());
                }
                self.leave_block();
                self.table.read_block(self.next, &mut self.decoder, &mut self.block)?;
                self.next += 1;
            }
            self.read_item().ok_or_else(|| self.damaged("malformed item"))?;
            // Every cell of an item that `from` does not begin with is on the same side of it.
            if self.key.as_slice() < from && !from.starts_with(&self.key) {
                self.at = self.item_end;
            }
        }
        self.read_cell().ok_or_else(|| self.damaged("malformed cell"))
    }

    fn leave_block(&mut self) {
        self.block.clear();
        (self.at, self.item_end, self.item_len, self.past) = (0, 0, 0, false);
        self.key.clear();
    }

    fn read_item(&mut self) -> Option<()> {
        let mut from = self.block.get(self.at..)?;
        self.key.truncate(self.item_len);
        read_shared(&mut from, 0, &mut self.key)?;
        self.item_len = self.key.len();
        let cells = usize::try_from(read_number(&mut from)?).ok().filter(|cells| *cells > 0 && *cells <= from.len())?;
        self.at = self.block.len() - from.len();
        self.item_end = self.at + cells;
        Some(())
    }

    fn read_cell(&mut self) -> Option<()> {
        let mut from = self.block.get(self.at..self.item_end)?;
        read_shared(&mut from, self.item_len, &mut self.key)?;
        self.counts = Counts::read(&mut from)?;
        self.at = self.item_end - from.len();
        Some(())
    }
}

/// Reads a text that shares its beginning with the one that stands in `key` behind its first `kept` bytes.
fn read_shared(from: &mut &[u8], kept: usize, key: &mut Vec<u8>) -> Option<()> {
    let alike = usize::try_from(read_number(from)?).ok()?;
    let rest = usize::try_from(read_number(from)?).ok()?;
    let rest = take(from, rest)?;
    if alike > key.len() - kept {
        return None;
    }
    key.truncate(kept + alike);
    key.extend_from_slice(rest);
    Some(())
}

/// Cursors are ordered by the keys they stand on, the smallest the greatest: a heap gives it first.
impl Ord for Cursor {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.past, &other.key).cmp(&(self.past, &self.key))
    }
}

impl PartialOrd for Cursor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Cursor {}
