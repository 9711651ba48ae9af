//! Cursor: reads a table's cells in order, from any key on.
//! - One block in memory; a seek reads one block, two if the cells it wants go on in the next.
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
    /// Where the next cell begins in `block`.
    at: usize,
    key: Vec<u8>,
    counts: Counts,
    past: bool,
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
            key: Vec::new(),
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
            self.at = 0;
            self.block.clear();
            self.past = false;
            self.advance()?;
        }
        while !self.past && self.key.as_slice() < from {
            self.advance()?;
        }
        Ok(())
    }

    /// The cell it stands on; `None` past the last.
    pub fn cell(&self) -> Option<(&[u8], &Counts)> {
        (!self.past).then_some((self.key.as_slice(), &self.counts))
    }

    /// Goes on to the next cell.
    pub fn advance(&mut self) -> Result<(), StoreError> {
        if self.at == self.block.len() {
            if self.next == self.table.blocks() {
                self.past = true;
                return Ok(());
            }
            self.table.read_block(self.next, &mut self.decoder, &mut self.block)?;
            self.next += 1;
            self.at = 0;
            self.key.clear();
        }
        let mut from = &self.block[self.at..];
        match read_cell(&mut from, &mut self.key) {
            Some(counts) => self.counts = counts,
            None => return Err(self.table.damaged(self.next - 1, "malformed cell")),
        }
        self.at = self.block.len() - from.len();
        Ok(())
    }

    /// The error of damage where the cursor stands.
    pub fn damaged(&self, why: &str) -> StoreError {
        self.table.damaged(self.next.saturating_sub(1), why)
    }
}

fn read_cell(from: &mut &[u8], key: &mut Vec<u8>) -> Option<Counts> {
    let alike = usize::try_from(read_number(from)?).ok()?;
    let rest = usize::try_from(read_number(from)?).ok()?;
    let rest = take(from, rest)?;
    if alike > key.len() {
        return None;
    }
    key.truncate(alike);
    key.extend_from_slice(rest);
    Counts::read(from)
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
