//! Visit ids: those that do not stand in the table of visits, worked out from what they follow from.

use super::docs::Docs;
use super::hashes::Hashes;
use super::stored::Stored;
use crate::event::{Day, visit_id};
use std::sync::Arc;
use tantivy::columnar::{Dictionary, MonotonicallyMappableToU64};

/// What the ids of a segment's visits follow from.
pub struct VisitIds {
    /// The day.
    pub day: Day,
    /// The row of each document in the table of visits.
    pub rows: Arc<Stored>,
    /// When the visit of each row began.
    pub began: Arc<Stored>,
    /// The ids that stand in rows; where one does, nothing follows.
    pub written: Option<Arc<Stored>>,
    /// The documents' visitors, as ordinals of the day.
    pub visitors: (Arc<Stored>, Arc<Hashes>),
    /// The documents' sites.
    pub sites: (Arc<Stored>, Arc<Dictionary>),
}

impl VisitIds {
    /// Calls `each` with the place in `docs` and the id of every document whose visit's row has none.
    pub fn for_each(&self, docs: &Docs, mut each: impl FnMut(usize, u64)) {
        let mut site = Site::default();
        let (mut last, mut id) = (None, None);
        self.rows.for_each(docs, |place, row| {
            if last != Some(row) {
                last = Some(row);
                id = u32::try_from(row).ok().and_then(|row| self.follows(docs.at(place), row, &mut site));
            }
            id.iter().for_each(|id| each(place, *id));
        });
    }

    /// Whether every document has an id that follows.
    pub fn is_full(&self) -> bool {
        let columns = [&self.rows, &self.began, &self.visitors.0, &self.sites.0];
        self.written.is_none() && columns.iter().all(|column| column.is_full())
    }

    fn follows(&self, doc: u32, row: u32, site: &mut Site) -> Option<u64> {
        if self.written.as_ref().is_some_and(|written| written.first(row).is_some()) {
            return None;
        }
        let began = i64::from_u64(self.began.first(row)?);
        let visitor = usize::try_from(self.visitors.0.first(doc)?).ok()?;
        let ordinal = self.sites.0.first(doc)?;
        if site.ordinal != Some(ordinal) {
            site.name.clear();
            // A site that the dictionary lacks is damage, which its readers find.
            self.sites.1.ord_to_term(ordinal, &mut site.name).ok().filter(|found| *found)?;
            site.ordinal = Some(ordinal);
        }
        let name = std::str::from_utf8(&site.name).ok()?;
        Some(visit_id(name, self.day, self.visitors.1.get(visitor), began))
    }
}

/// The site looked up last.
#[derive(Default)]
struct Site {
    ordinal: Option<u64>,
    name: Vec<u8>,
}
