//! Scrub: every byte of a day read and held against its checksum, and of its month's item table with the first of its days.
//! - Tantivy's own files by Tantivy's checksums, which it checks only when asked; all others by ours.
//! - What is damaged is named; the scrub goes on behind it. It repairs nothing.

use super::error::engine;
use super::parts::{DayView, Days};
use super::shared::Shared;
use crate::event::Day;
use crate::store::StoreError;
use std::path::Path;
use tantivy::Index;

/// What is damaged of a day.
pub fn scrub(shared: &Shared, days: &Days, day: Day) -> Result<Vec<StoreError>, StoreError> {
    let Some(view) = days.get(&day) else { return Ok(Vec::new()) };
    let mut damage = open_parts(view)?;
    if let Some(generation) = &view.generation {
        damage.extend(generation.scrub()?);
    }
    let month = |day: Day| day.date().first_of_month();
    let is_first = days.range(..day).next_back().is_none_or(|(before, _)| month(*before) != month(day));
    if is_first {
        damage.extend(shared.months.scrub(day));
    }
    Ok(damage)
}

fn open_parts(view: &DayView) -> Result<Vec<StoreError>, StoreError> {
    let mut damage = Vec::new();
    for part in &view.open {
        match Index::open_in_dir(part.folder.path()) {
            Ok(index) => damage.extend(bent(&index, part.folder.path())?),
            Err(error) => damage.push(super::error::corrupt(part.folder.path(), error.to_string())),
        }
    }
    Ok(damage)
}

/// Files of an index that do not fit their checksums.
pub fn bent(index: &Index, folder: &Path) -> Result<Vec<StoreError>, StoreError> {
    let files = index.validate_checksum().map_err(engine("check index"))?;
    Ok(files.into_iter().map(|file| super::error::corrupt(&folder.join(file), "checksum mismatch")).collect())
}
