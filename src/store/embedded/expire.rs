//! Expire: what stays of a day whose events go: one item table, in a part that holds no event.
//! - The day's folder stays and the part counts by the same swap as a sealed one: before it or after it, never between.
//! - Events that come later are open parts beside it; sealing them carries the table over, and expiring them adds theirs.
//! - Absent: months' tables, and which days go whole.

use super::current::sync_dir;
use super::error::file_error;
use super::filter;
use super::generation::Generation;
use super::items::{Builder, merge};
use super::keys::Columns;
use super::manifest::{Manifest, TableFacts};
use super::owner::Frozen;
use super::parts::{DayView, Folder};
use super::scan::{BATCH, Ordered};
use super::seal::{ITEMS_BYTES_MAX, begin_part};
use super::texts::Texts;
use crate::store::StoreError;
use crate::store::plan::{Filter, TimeKey, TimeRange};
use std::path::{Path, PathBuf};

/// The item table of events that expired, in a part.
pub const EXPIRED: &str = "expired.tbl";

/// Writes the part that stays of a day.
pub fn strip(frozen: &Frozen) -> Result<Generation, StoreError> {
    let dir = begin_part(frozen)?;
    let mut tables: Vec<PathBuf> = frozen.view.tables().into_iter().map(|table| table.path).collect();
    let late = dir.join("late.tbl");
    if frozen.view.late() > 0 {
        write_late(&frozen.view, &late)?;
        tables.push(late.clone());
    }
    let written = merge(&tables, &[], &dir.join(EXPIRED))?;
    if late.exists() {
        std::fs::remove_file(&late).map_err(file_error("remove", &late))?;
    }
    sync_dir(&dir)?;
    let mut manifest = Manifest::new(frozen.view.day);
    manifest.set_promise(&frozen.payload);
    // No event is there whose keys have columns.
    manifest.keys = Columns::default();
    manifest.absorbed = frozen.view.open.iter().map(|part| part.number).collect();
    manifest.tables.push(TableFacts { file: EXPIRED.to_owned(), identity: written.identity });
    manifest.write(&dir)?;
    sync_dir(&frozen.dir)?;
    Ok(Generation::new(frozen.generation, Folder::new(dir), manifest))
}

/// Lets the table of events that expired stay in a part that is being sealed.
pub fn carry_over(view: &DayView, dir: &Path, manifest: &mut Manifest) -> Result<(), StoreError> {
    let Some(before) = &view.generation else { return Ok(()) };
    for table in before.manifest.tables.iter().filter(|table| table.file == EXPIRED) {
        let (from, to) = (before.folder.path().join(EXPIRED), dir.join(EXPIRED));
        std::fs::hard_link(&from, &to).map_err(file_error("link", &to))?;
        manifest.tables.push(table.clone());
    }
    Ok(())
}

/// Makes the item table of the open parts, by the increments they have.
fn write_late(view: &DayView, path: &Path) -> Result<(), StoreError> {
    let all = TimeRange { key: TimeKey::Timestamp, from: i64::MIN, to: i64::MAX };
    let ordered = Ordered::of(&view.without_sealed(), &filter::compile(&Filter::All)?, all)?;
    let mut builder = Builder::new(path, ITEMS_BYTES_MAX);
    let (mut from, end, mut texts) = (0, ordered.spots().len(), Texts::default());
    while from < end {
        let to = ordered.batch_end(from, BATCH);
        for event in ordered.events(from..to, None, &mut texts)? {
            builder.add(&event)?;
        }
        from = to;
    }
    builder.finish().map(drop)
}
