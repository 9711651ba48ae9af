//! Merge: several tables as one, cell by cell in order, equal cells added up.
//! - Memory is a block a table, however long their items' lists are.
//! - The sum does not depend on how the events were split over the tables, as long as no visit was torn.

use super::Source;
use super::cell::Counts;
use super::cursor::Cursor;
use super::table::Table;
use super::write::{Writer, Written};
use crate::store::StoreError;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::path::Path;
use std::sync::Arc;

/// The cells of several tables in order.
pub struct Merge {
    cursors: BinaryHeap<Cursor>,
    key: Vec<u8>,
}

impl Merge {
    /// The cells whose keys are `from` or larger.
    pub fn seek(tables: impl IntoIterator<Item = Arc<Table>>, from: &[u8]) -> Result<Self, StoreError> {
        let mut cursors = Vec::new();
        for table in tables {
            let mut cursor = Cursor::new(table);
            cursor.go_to(from)?;
            cursors.push(cursor);
        }
        Ok(Self { cursors: cursors.into(), key: Vec::new() })
    }

    /// The next cell; `None` at the end.
    pub fn next(&mut self) -> Result<Option<(&[u8], Counts)>, StoreError> {
        let mut sum: Option<Counts> = None;
        while let Some(mut first) = self.cursors.peek_mut() {
            let Some((key, counts)) = first.cell() else {
                PeekMut::pop(first);
                continue;
            };
            match &mut sum {
                Some(sum) if key == self.key => sum.add(*counts),
                Some(_) => break,
                None => {
                    self.key.clear();
                    self.key.extend_from_slice(key);
                    sum = Some(*counts);
                }
            }
            first.advance()?;
        }
        Ok(sum.map(|sum| (self.key.as_slice(), sum)))
    }
}

/// Merges the tables at `parts` into one at `path`, which names `sources` as what it was made of.
pub fn merge(parts: &[impl AsRef<Path>], sources: &[Source], path: &Path) -> Result<Written, StoreError> {
    let tables = parts.iter().map(|part| Table::open(part.as_ref()).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let mut cells = Merge::seek(tables, &[])?;
    let mut writer = Writer::create(path)?;
    while let Some((key, counts)) = cells.next()? {
        writer.push(key, &counts)?;
    }
    writer.finish(sources)
}
