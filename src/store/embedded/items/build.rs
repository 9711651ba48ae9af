//! Builder: makes an item table of events.
//! - Memory is bounded: past `bytes_max` the cells so far go to a run on disk, and `finish` merges the runs.
//! - The events of one visit come one after the other (as sealing reads them); else any order gives the same bytes.
//! - Ids of the visit at hand are held until it ends: as many as the visit has.
//! - Who is a bot and what counts stands on the events: `bot`, and the increments `visit_start`, `counted`, `unique`.

use super::cell::{Cell, Count, Counts, write_item};
use super::failed;
use super::merge::merge;
use super::write::{Writer, Written};
use crate::event::{Event, Known};
use crate::store::StoreError;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Memory a cell takes beside its key: its numbers, the map's slot.
const CELL_BYTES: usize = 96;

/// Adds up events to an item table.
pub struct Builder {
    path: PathBuf,
    bytes_max: usize,
    bytes: usize,
    cells: HashMap<Box<[u8]>, Counts>,
    runs: Vec<PathBuf>,
    visit: Option<u64>,
    /// Ids that the visit touched; the site as a whole is `""`.
    touched: HashSet<Box<str>>,
    key: Vec<u8>,
}

/// What one event adds to an item.
struct Share<'a> {
    event: &'a Event,
    click: Option<Click<'a>>,
    bot: bool,
}

/// A view or a download.
struct Click<'a> {
    cell: Cell<'a>,
    referer: Option<&'a str>,
    count: Count,
}

impl Builder {
    /// Will write the table to `path`, and runs beside it (`path` with `.0`, `.1` … behind) when its cells take more than
    /// `bytes_max` of memory.
    pub fn new(path: &Path, bytes_max: usize) -> Self {
        Self {
            path: path.to_owned(),
            bytes_max,
            bytes: 0,
            cells: HashMap::new(),
            runs: Vec::new(),
            visit: None,
            touched: HashSet::new(),
            key: Vec::new(),
        }
    }

    /// Adds an event, increments and all.
    pub fn add(&mut self, event: &Event) -> Result<(), StoreError> {
        let share = Share { event, click: Click::of(event), bot: event.known(Known::Bot).is_some() };
        let visit = event.hash(Known::Visit);
        if visit != self.visit {
            self.touched.clear();
            self.visit = visit;
        }
        self.add_to("", &share);
        if let Some(id) = event.text(Known::Id).filter(|id| !id.is_empty()) {
            self.add_to(id, &share);
        }
        if self.bytes > self.bytes_max {
            self.end_run()?;
        }
        Ok(())
    }

    /// Writes the table and syncs it; its runs are gone then.
    pub fn finish(mut self) -> Result<Written, StoreError> {
        if self.runs.is_empty() {
            return self.write(&self.path.clone());
        }
        self.end_run()?;
        let written = merge(&self.runs, &[], &self.path)?;
        for run in &self.runs {
            std::fs::remove_file(run).map_err(failed("remove run of item table", run))?;
        }
        Ok(written)
    }

    fn add_to(&mut self, id: &str, share: &Share<'_>) {
        let event = share.event;
        if let Some(click) = &share.click {
            self.count(id, click.cell, click.count, share);
            if let Some(referer) = click.referer {
                self.count(id, Cell::Referers(referer), click.count, share);
            }
        }
        if self.visit.is_some() && !self.touched.contains(id) {
            self.touched.insert(id.into());
            self.count(id, Cell::Visits, Count::all(1), share);
        }
        let entered =
            event.int(Known::VisitStart) == Some(1) && (!id.is_empty() || event.known(Known::Entry).is_some());
        if entered {
            self.count(id, Cell::Entries, Count::all(1), share);
        }
    }

    fn count(&mut self, id: &str, cell: Cell<'_>, count: Count, share: &Share<'_>) {
        self.key.clear();
        write_item(share.event.site(), id, &mut self.key);
        cell.write(&mut self.key);
        let counts = match share.bot {
            true => Counts { bots: count, ..Counts::default() },
            false => Counts { people: count, ..Counts::default() },
        };
        match self.cells.get_mut(self.key.as_slice()) {
            Some(sum) => sum.add(counts),
            None => {
                self.bytes += self.key.len() + CELL_BYTES;
                self.cells.insert(self.key.as_slice().into(), counts);
            }
        }
    }

    fn end_run(&mut self) -> Result<(), StoreError> {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}", self.runs.len()));
        let run = PathBuf::from(name);
        self.write(&run)?;
        self.runs.push(run);
        Ok(())
    }

    fn write(&mut self, path: &Path) -> Result<Written, StoreError> {
        let mut cells: Vec<_> = self.cells.drain().collect();
        self.bytes = 0;
        cells.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut writer = Writer::create(path)?;
        for (key, counts) in &cells {
            writer.push(key, counts)?;
        }
        writer.finish(&[])
    }
}

impl<'a> Click<'a> {
    fn of(event: &'a Event) -> Option<Self> {
        let cell = match event.action() {
            "view" => Cell::Views(event.day()),
            "download" => Cell::Downloads(event.text(Known::Format).unwrap_or("other")),
            _ => return None,
        };
        let counted = event.int(Known::Counted) == Some(1);
        let unique = counted && event.int(Known::Unique) == Some(1);
        let count = Count { raw: 1, counted: counted.into(), unique: unique.into() };
        Some(Self { cell, referer: event.text(Known::Referer), count })
    }
}
