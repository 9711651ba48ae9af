//! Items: what each item of a site was used for, a day or a month in one sorted file, read by a seek.
//! - A table holds for each (site, id): views by day, downloads by format, referers (each raw, counted and unique, people
//!   and bots apart), visits and entries; and the same for the site as a whole under the id `""`.
//! - Made of a day's events when it is sealed, it outlives them: nothing in it is about a person.
//! - A month's table is its days' merged; what was merged stands in it, so that an outdated one is never read.
//! - A seek costs one read of a block, however many events and other items there are.
//! - Absent: open days (their index answers), which files a day consists of, when days are sealed.

mod ask;
mod build;
mod cell;
mod cursor;
mod format;
mod merge;
mod months;
mod table;
mod tables;
mod write;

pub use ask::{Gathering, busiest};
pub use build::Builder;
pub use cell::Cell;
pub use merge::merge;
pub use months::{DayTable, Months, month_of};
pub use table::Table;

use crate::event::Day;
use crate::store::StoreError;
use std::path::Path;

/// A day's table that went into a month's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Which day.
    pub day: Day,
    /// The identity of its table.
    pub identity: u64,
}

/// Turns a failure of the file system into the store's error.
fn failed(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let object = path.display().to_string();
    move |source| StoreError::Io { operation, object, source }
}

#[cfg(test)]
mod tests;
