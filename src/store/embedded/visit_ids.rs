//! Visit ids: those that do not stand in the table of visits, worked out from what they follow from.

use super::columns::{Docs, own};
use super::hashes::Hashes;
use crate::event::{Day, visit_id};
use std::sync::Arc;
use tantivy::columnar::{Column, Dictionary, MonotonicallyMappableToU64};

/// What the ids of a segment's visits follow from.
pub struct VisitIds {
    /// The day.
    pub day: Day,
    /// The row of each document in the table of visits.
    pub rows: Column<u64>,
    /// When the visit of each row began.
    pub began: Column<u64>,
    /// The ids that stand in rows; where one does, nothing follows.
    pub written: Option<Column<u64>>,
    /// The documents' visitors, as ordinals of the day.
    pub visitors: (Column<u64>, Arc<Hashes>),
    /// The documents' sites.
    pub sites: (Column<u64>, Arc<Dictionary>),
}

impl VisitIds {
    /// Calls `each` with the place in `docs` and the id of every document whose visit's row has none.
    pub fn for_each(&self, docs: &Docs, mut each: impl FnMut(usize, u64)) {
        let mut site = Site::default();
        let (mut last, mut id) = (None, None);
        own(&self.rows, docs, |place, row| {
            if last != Some(row) {
                last = Some(row);
                id = u32::try_from(row).ok().and_then(|row| self.follows(docs.at(place), row, &mut site));
            }
            id.iter().for_each(|id| each(place, *id));
        });
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
