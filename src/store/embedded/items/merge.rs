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

/// Cursors on several tables; the one on the smallest key comes first.
pub fn cursors(tables: impl IntoIterator<Item = Arc<Table>>, from: &[u8]) -> Result<BinaryHeap<Cursor>, StoreError> {
    let mut cursors = Vec::new();
    for table in tables {
        let mut cursor = Cursor::new(table);
        cursor.go_to(from)?;
        cursors.push(cursor);
    }
    Ok(cursors.into())
}

/// Merges the tables at `parts` into one at `path`, which names `sources` as what it was made of.
pub fn merge(parts: &[impl AsRef<Path>], sources: &[Source], path: &Path) -> Result<Written, StoreError> {
    let tables = parts.iter().map(|part| Table::open(part.as_ref()).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let mut cursors = cursors(tables, &[])?;
    let mut writer = Writer::create(path)?;
    let (mut item, mut part) = (Vec::new(), Vec::new());
    while let Some(cell) = cursors.peek().and_then(Cursor::cell) {
        item.clear();
        item.extend_from_slice(cell.item);
        part.clear();
        part.extend_from_slice(cell.part);
        let counts = take_cell(&mut cursors, &item, &part)?;
        writer.push(&item, &part, &counts)?;
    }
    writer.finish(sources)
}

/// The sum of one cell over all cursors that stand on it; they go on.
fn take_cell(cursors: &mut BinaryHeap<Cursor>, item: &[u8], part: &[u8]) -> Result<Counts, StoreError> {
    let mut sum = Counts::default();
    while let Some(mut first) = cursors.peek_mut() {
        match first.cell() {
            Some(cell) if cell.part == part && cell.item == item => sum.add(cell.counts),
            Some(_) => break,
            None => {
                PeekMut::pop(first);
                continue;
            }
        }
        first.advance()?;
    }
    Ok(sum)
}
