//! Scrub: every byte of a day read and held against its checksum, and of its month's item table with the first of its days.
//! - Tantivy's own files (of sealed segments) by Tantivy's checksums, which it checks only when asked; all others by ours.
//! - What is damaged is named by the part it belongs to; the scrub goes on behind it. It changes nothing.

use super::committed::Committed;
use super::error::why;
use super::parts::{DayView, Days, OpenPart};
use super::shared::Shared;
use crate::event::Day;
use crate::store::StoreError;
use std::path::{Path, PathBuf};

/// A part that is damaged, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The part's folder.
    pub part: PathBuf,
    /// What does not fit, a line a file.
    pub findings: Vec<String>,
}

/// What is damaged of a day.
pub fn scrub(view: &DayView) -> Result<Vec<Damaged>, StoreError> {
    let mut damaged = Vec::new();
    for part in &view.open {
        note(part.folder.path(), scrub_open(part)?, &mut damaged);
    }
    if let Some(generation) = &view.generation {
        note(generation.folder.path(), generation.scrub()?, &mut damaged);
    }
    Ok(damaged)
}

/// Reads a month's item table with the first of its days; a damaged one is dropped, for its days can be read.
pub fn scrub_month(shared: &Shared, days: &Days, day: Day) -> Option<String> {
    let month = |day: Day| day.date().first_of_month();
    let is_first = days.range(..day).next_back().is_none_or(|(before, _)| month(*before) != month(day));
    let damage = shared.months.scrub(day).filter(|_| is_first)?;
    shared.months.drop_damaged(&damage);
    Some(why(&damage))
}

fn note(part: &Path, damage: Vec<StoreError>, damaged: &mut Vec<Damaged>) {
    if !damage.is_empty() {
        damaged.push(Damaged { part: part.to_owned(), findings: damage.iter().map(why).collect() });
    }
}

/// What is damaged of an open part.
pub fn scrub_open(part: &OpenPart) -> Result<Vec<StoreError>, StoreError> {
    let folder = part.folder.path();
    let checked = Committed::read(folder).and_then(|committed| committed.bent(folder));
    match checked {
        Err(error) if super::aside::is_damage(&error) => Ok(vec![error]),
        checked => checked,
    }
}
