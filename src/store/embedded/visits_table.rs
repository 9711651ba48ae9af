//! Visits table: what is the same on every event of a visit, written once for each visit of a segment.
//! - A row is a visit with all these values; an event that differs in one of them begins a row of its own, so whatever
//!   increments were derived come back as they were.
//! - The table is a columnar file: a column a key, a row a visit. An id that follows from the event ([`Event::visit_id`]), as all
//!   do that were derived, is not written: it would be as large as all the rest.

use crate::event::{Event, Known, Shape, Value};
use tantivy::columnar::{ColumnType, ColumnarWriter};

/// The keys that stand in the table, `visit` first.
pub const MOVED: [Known; 11] = [
    Known::Visit,
    Known::VisitAt,
    Known::Entry,
    Known::EntryId,
    Known::Source,
    Known::Channel,
    Known::UtmSource,
    Known::UtmMedium,
    Known::UtmCampaign,
    Known::UtmTerm,
    Known::UtmContent,
];

type Row = [Option<Value>; MOVED.len()];

/// Collects the visits of one segment.
#[derive(Default)]
pub struct VisitsTable {
    writer: ColumnarWriter,
    rows: u32,
    /// The row written last, and whether its id follows from its events.
    last: Option<(Row, bool)>,
}

impl VisitsTable {
    /// The row of the event's visit; `None` for an event that has none, or whose values do not fit the table.
    pub fn row(&mut self, event: &Event) -> Option<u64> {
        let row: Row = MOVED.map(|known| event.known(known).cloned());
        if row[0].is_none() || !MOVED.iter().zip(&row).all(|(known, value)| fits(*known, value.as_ref())) {
            return None;
        }
        let follows = event.hash(Known::Visit) == event.visit_id();
        if self.last.as_ref().is_none_or(|last| (&last.0, last.1) != (&row, follows)) {
            for (known, value) in MOVED.iter().zip(&row).skip(usize::from(follows)) {
                self.record(*known, value.as_ref());
            }
            self.last = Some((row, follows));
            self.rows += 1;
        }
        Some(u64::from(self.rows - 1))
    }

    fn record(&mut self, known: Known, value: Option<&Value>) {
        let (row, name) = (self.rows, known.name());
        match (known.shape(), value) {
            (Shape::Hash, Some(Value::Uint(hash))) => self.writer.record_numerical(row, name, *hash),
            (Shape::Hash, Some(Value::Int(hash))) => self.writer.record_numerical(row, name, hash.unsigned_abs()),
            (_, Some(Value::Int(number))) => self.writer.record_numerical(row, name, *number),
            (_, Some(Value::Text(text))) => self.writer.record_str(row, name, text),
            _ => {}
        }
    }

    /// The file.
    pub fn finish(mut self) -> std::io::Result<Vec<u8>> {
        self.writer.record_column_type(Known::Visit.name(), ColumnType::U64, false);
        let mut bytes = Vec::new();
        self.writer.serialize(self.rows, None, &mut bytes)?;
        Ok(bytes)
    }
}

fn fits(known: Known, value: Option<&Value>) -> bool {
    match (known.shape(), value) {
        (_, None) | (Shape::Hash, Some(Value::Uint(_))) | (Shape::Time, Some(Value::Int(_))) => true,
        (Shape::Hash, Some(Value::Int(hash))) => *hash >= 0,
        (Shape::Text, Some(Value::Text(_))) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(visit: u64, source: Option<&str>) -> Event {
        let mut event = Event::default();
        event.set(Known::Visit, Value::hash(visit));
        if let Some(source) = source {
            event.set(Known::Source, Value::text(source));
        }
        event
    }

    #[test]
    fn a_row_is_a_visit_and_a_differing_event_begins_another() {
        let mut table = VisitsTable::default();
        let given =
            [event(1, None), event(1, None), event(u64::MAX, Some("a")), event(u64::MAX, Some("b")), Event::default()];
        let rows: Vec<Option<u64>> = given.iter().map(|event| table.row(event)).collect();
        assert_eq!(rows, [Some(0), Some(0), Some(1), Some(2), None]);
        let mut first = event(1, None);
        first.set(Known::Site, Value::text("s"));
        first.set(Known::Visitor, Value::hash(7));
        first.set(Known::VisitAt, Value::Int(5));
        first.set(Known::Visit, Value::hash(first.visit_id().expect("an id")));
        let mut other = first.clone();
        other.set(Known::Visitor, Value::hash(8));
        let rows = [&first, &first, &other].map(|event| table.row(event));
        assert_eq!(rows, [Some(3), Some(3), Some(4)], "another visitor's id does not follow from the row");
        let mut bent = event(1, None);
        bent.set(Known::Source, Value::Int(1));
        assert_eq!(table.row(&bent), None);
        assert!(!table.finish().expect("memory").is_empty());
    }
}
