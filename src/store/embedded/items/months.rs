//! Months: one table for all days of a month, so that an item costs a seek a month.
//! - A month's table is made of its days' tables and names them; it is read only where a question wants exactly these.
//!   So one that is outdated, or cut by the question's range, is passed over and the days are read.
//! - It can always be made again: a damaged or half-written one is removed at start.
//! - Written beside its name, synced, renamed, the folder synced: a crash leaves the old one or the new.
//! - Absent: when a month is over and all of its days are sealed; the caller knows.

use super::cell::Cell;
use super::cursor::Cursor;
use super::merge::merge;
use super::table::Table;
use super::tables::Tables;
use super::{Source, failed};
use crate::event::Day;
use crate::folder::make_durably;
use crate::store::StoreError;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tracing::warn;

const SUFFIX: &str = ".items.tbl";
const HALF_WRITTEN: &str = ".tmp";

/// A day's table and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTable {
    /// Which day, and the table's identity.
    pub source: Source,
    /// Its file.
    pub path: PathBuf,
}

impl DayTable {
    /// Reads all of it against its checksums.
    pub fn scrub(&self) -> Result<(), StoreError> {
        let table = Table::open(&self.path)?;
        if table.identity() != self.source.identity {
            return Err(self.is_another());
        }
        read_all(table)
    }

    fn is_another(&self) -> StoreError {
        StoreError::Corrupt {
            object: self.path.display().to_string(),
            why: format!("it is not the item table that day {} was sealed with", self.source.day),
        }
    }
}

/// The tables of months.
pub struct Months {
    folder: PathBuf,
    tables: Tables,
    /// By a month's first day.
    made: RwLock<BTreeMap<Day, Made>>,
}

/// A month's table that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    identity: u64,
    sources: Vec<Source>,
}

impl Months {
    /// The months in `folder`, which is made if it is not there; leftovers of a crash are removed.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        make_durably(folder).map_err(failed("make folder", folder))?;
        let mut made = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(failed("list folder", folder))? {
            let path = entry.map_err(failed("list folder", folder))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if name.ends_with(HALF_WRITTEN) {
                std::fs::remove_file(&path).map_err(failed("remove half-written item table", &path))?;
            } else if let Some(month) = month_named(name) {
                match Table::open(&path) {
                    Ok(table) => {
                        made.insert(month, Made { identity: table.identity(), sources: table.sources().to_vec() });
                    }
                    Err(error) => {
                        warn!(file = %path.display(), %error, "removed a damaged month's item table; its days are read");
                        std::fs::remove_file(&path).map_err(failed("remove item table", &path))?;
                    }
                }
            }
        }
        Ok(Self { folder: folder.to_owned(), tables: Tables::default(), made: RwLock::new(made) })
    }

    /// The fewest tables that hold exactly what `days` (ascending) hold.
    pub fn tables_of(&self, days: &[DayTable]) -> Result<Vec<Arc<Table>>, StoreError> {
        let mut tables = Vec::new();
        for days in days.chunk_by(|a, b| month_of(a.source.day) == month_of(b.source.day)) {
            match self.table_of(days)? {
                Some(table) => tables.push(table),
                None => {
                    for day in days {
                        tables.push(self.table_of_day(day)?);
                    }
                }
            }
        }
        Ok(tables)
    }

    /// Makes the table of a month of `days`, all of one month, all that it has, ascending; nothing if it stands already.
    pub fn make(&self, days: &[DayTable]) -> Result<(), StoreError> {
        let Some(first) = days.first() else { return Ok(()) };
        let month = month_of(first.source.day);
        if self.made_of(month, days).is_some() {
            return Ok(());
        }
        let sources: Vec<_> = days.iter().map(|day| day.source).collect();
        let parts: Vec<_> = days.iter().map(|day| &day.path).collect();
        let path = self.path_of(month);
        let mut half_written = path.clone().into_os_string();
        half_written.push(HALF_WRITTEN);
        let half_written = PathBuf::from(half_written);
        let identity = merge(&parts, &sources, &half_written)?.identity;
        std::fs::rename(&half_written, &path).map_err(failed("rename item table to", &path))?;
        self.sync()?;
        self.made.write().unwrap_or_else(PoisonError::into_inner).insert(month, Made { identity, sources });
        self.tables.forget(&path);
        Ok(())
    }

    /// Removes the tables that hold days before `first`: what is left of such a month is read by its days.
    pub fn expire(&self, first: Day) -> Result<(), StoreError> {
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<_> = made
            .iter()
            .filter(|(_, made)| made.sources.iter().any(|source| source.day < first))
            .map(|(month, _)| *month)
            .collect();
        for month in &gone {
            let path = self.path_of(*month);
            std::fs::remove_file(&path).map_err(failed("remove item table", &path))?;
            self.tables.forget(&path);
            made.remove(month);
        }
        if gone.is_empty() { Ok(()) } else { self.sync() }
    }

    /// Reads the table of a day's month, where there is one, against its checksums; answers how it is damaged.
    pub fn scrub(&self, day: Day) -> Option<StoreError> {
        let month = month_of(day);
        let is_made = self.made.read().unwrap_or_else(PoisonError::into_inner).contains_key(&month);
        if !is_made {
            return None;
        }
        Table::open(&self.path_of(month)).and_then(read_all).err()
    }

    /// Drops a month's table that an error names as damaged; its days are read from now on. Answers whether it was one.
    pub fn drop_damaged(&self, error: &StoreError) -> bool {
        let StoreError::Corrupt { object, .. } = error else { return false };
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        let Some(month) = made.keys().copied().find(|month| *object == self.path_of(*month).display().to_string())
        else {
            return false;
        };
        let path = self.path_of(month);
        warn!(file = %path.display(), %error, "removed a damaged month's item table; its days are read");
        made.remove(&month);
        self.tables.forget(&path);
        // What cannot be removed is not read, and is found again at the next start.
        let _ = std::fs::remove_file(&path);
        true
    }

    /// Closes the tables of days in this folder, which goes.
    pub fn forget(&self, folder: &Path) {
        self.tables.forget(folder);
    }

    fn table_of(&self, days: &[DayTable]) -> Result<Option<Arc<Table>>, StoreError> {
        let Some(month) = days.first().map(|day| month_of(day.source.day)) else { return Ok(None) };
        match self.made_of(month, days) {
            Some(identity) if days.len() > 1 => self.tables.open(&self.path_of(month), identity),
            _ => Ok(None),
        }
    }

    fn table_of_day(&self, day: &DayTable) -> Result<Arc<Table>, StoreError> {
        self.tables.open(&day.path, day.source.identity)?.ok_or_else(|| day.is_another())
    }

    /// The identity of the month's table, if it was made of exactly these.
    fn made_of(&self, month: Day, days: &[DayTable]) -> Option<u64> {
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        let made = made.get(&month)?;
        made.sources.iter().eq(days.iter().map(|day| &day.source)).then_some(made.identity)
    }

    fn path_of(&self, month: Day) -> PathBuf {
        self.folder.join(format!("{}{SUFFIX}", month.date().strftime("%Y-%m")))
    }

    fn sync(&self) -> Result<(), StoreError> {
        let folder = &self.folder;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync folder", folder))
    }
}

/// The first day of a day's month.
pub fn month_of(day: Day) -> Day {
    Day(day.0 - i32::from(day.date().day()) + 1)
}

fn read_all(table: Table) -> Result<(), StoreError> {
    let mut cursor = Cursor::new(Arc::new(table));
    cursor.go_to(&[])?;
    while let Some(cell) = cursor.cell() {
        if Cell::read(cell.part).is_none() {
            return Err(cursor.damaged("a cell that says nothing"));
        }
        cursor.advance()?;
    }
    Ok(())
}

fn month_named(name: &str) -> Option<Day> {
    Day::parse(&format!("{}-01", name.strip_suffix(SUFFIX)?))
}
