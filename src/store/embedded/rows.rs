//! Rows: a columnar file of an open part in the making, a column a key, rows in order of arrival.
//! - Columns are named as those of sealed segments, so that one way of reading serves both.

use super::row::{self, Dynamic, Scalar, Sink, Way};
use super::schema::{POSITION, column_name};
use crate::event::{Event, Known, Shape};
use crate::store::Position;
use tantivy::columnar::{ColumnType, ColumnarReader, ColumnarWriter, MergeRowOrder, StackMergeOrder, merge_columnar};

/// The rows so far.
#[derive(Default)]
pub struct Rows {
    columns: Columns,
}

#[derive(Default)]
struct Columns {
    writer: ColumnarWriter,
    /// The row that is written, and how many there are.
    row: u32,
    /// A dynamic column's name is put together here.
    name: String,
}

impl Rows {
    /// Adds an event.
    pub fn add(&mut self, event: &Event, position: Position) {
        row::write(&mut self.columns, event, &|_| None, |_| Way::Typed);
        self.columns.writer.record_numerical(self.columns.row, POSITION, position);
        self.columns.row += 1;
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.columns.row
    }

    /// Memory that they take, in bytes.
    pub fn memory(&self) -> usize {
        self.columns.writer.mem_usage()
    }

    /// The file.
    pub fn finish(mut self) -> std::io::Result<Vec<u8>> {
        for (name, column) in required() {
            self.columns.writer.record_column_type(&name, column, false);
        }
        let mut bytes = Vec::new();
        self.columns.writer.serialize(self.columns.row, None, &mut bytes)?;
        Ok(bytes)
    }
}

/// The rows of several files, one after the other.
pub fn merge(files: &[&ColumnarReader]) -> std::io::Result<Vec<u8>> {
    let order = MergeRowOrder::Stack(StackMergeOrder::stack(files));
    let mut bytes = Vec::new();
    merge_columnar(files, &required(), order, &mut bytes)?;
    Ok(bytes)
}

/// Columns whose numbers are not what the smallest fitting type would make of them.
fn required() -> Vec<(String, ColumnType)> {
    let hashes = Known::all().filter(|known| known.shape() == Shape::Hash);
    let named = hashes.map(|known| (known.name().to_owned(), ColumnType::U64));
    named.chain([(POSITION.to_owned(), ColumnType::U64)]).collect()
}

impl Sink for Columns {
    fn known(&mut self, known: Known, scalar: Scalar<'_>) {
        record(&mut self.writer, self.row, known.name(), scalar);
    }

    fn dynamic(&mut self, family: Dynamic, name: &str, scalar: Scalar<'_>) {
        column_name(family, name, &mut self.name);
        record(&mut self.writer, self.row, &self.name, scalar);
    }
}

fn record(writer: &mut ColumnarWriter, row: u32, name: &str, scalar: Scalar<'_>) {
    match scalar {
        Scalar::Text(text) => writer.record_str(row, name, text),
        Scalar::Int(number) => writer.record_numerical(row, name, number),
        Scalar::Uint(number) => writer.record_numerical(row, name, number),
        Scalar::Float(number) => writer.record_numerical(row, name, number),
        Scalar::Bool(truth) => writer.record_bool(row, name, truth),
    }
}
