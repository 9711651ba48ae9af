//! Builder: makes an item table of events.
//! - Memory is bounded: past `bytes_max` the cells so far go to a run on disk, and `finish` merges the runs.
//! - Between the events of one visit come none of another (as sealing reads them); else any order gives the same bytes.
//! - Ids of the visit at hand are held until it ends: as many as the visit has.
//! - Who is a bot and what counts stands on the events: `bot`, and the increments `visit_start`, `counted`, `unique`.

use super::cell::{Cell, Count, Counts, write_item};
use super::failed;
use super::merge::merge;
use super::write::{Writer, Written};
use crate::event::{Event, Known};
use crate::store::StoreError;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Memory a cell takes: its numbers and the map's slot.
const CELL_BYTES: usize = 88;
/// Memory a name takes beside its bytes.
const NAME_BYTES: usize = 56;

/// Adds up events to an item table.
pub struct Builder {
    path: PathBuf,
    bytes_max: usize,
    items: Names,
    parts: Names,
    /// By the numbers of item and part.
    cells: FxHashMap<(u32, u32), Counts>,
    runs: Vec<PathBuf>,
    visit: Option<u64>,
    /// Numbers of the items that the visit touched; the site as a whole is one.
    touched: FxHashSet<u32>,
}

/// Byte strings by number, in order of their first use.
#[derive(Default)]
struct Names {
    numbers: HashMap<Box<[u8]>, u32>,
    bytes: usize,
    /// What is written together before it is looked up.
    name: Vec<u8>,
}

/// What one event adds to its item and to its site.
struct Share<'a> {
    event: &'a Event,
    click: Option<Click>,
    /// Whether it belongs to a visit.
    visited: bool,
}

/// A view or a download.
struct Click {
    /// The number of what it adds to.
    part: u32,
    /// The number of its referer.
    referer: Option<u32>,
    count: Count,
}

impl Builder {
    /// Will write the table to `path`, and runs beside it (`path` with `.0`, `.1` … behind) when its cells take more than
    /// `bytes_max` of memory.
    pub fn new(path: &Path, bytes_max: usize) -> Self {
        Self {
            path: path.to_owned(),
            bytes_max,
            items: Names::default(),
            parts: Names::default(),
            cells: FxHashMap::default(),
            runs: Vec::new(),
            visit: None,
            touched: FxHashSet::default(),
        }
    }

    /// Adds an event, increments and all.
    pub fn add(&mut self, event: &Event) -> Result<(), StoreError> {
        let visit = event.hash(Known::Visit);
        if visit.is_some() && visit != self.visit {
            self.touched.clear();
            self.visit = visit;
        }
        let click = self.click_of(event);
        let started = event.int(Known::VisitStart) == Some(1);
        let share = Share { event, click, visited: visit.is_some() };
        self.add_to("", &share, started && event.known(Known::Entry).is_some());
        if let Some(id) = event.text(Known::Id).filter(|id| !id.is_empty()) {
            self.add_to(id, &share, started);
        }
        let bytes = self.items.bytes + self.parts.bytes + self.cells.len() * CELL_BYTES;
        if bytes > self.bytes_max { self.end_run() } else { Ok(()) }
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

    fn click_of(&mut self, event: &Event) -> Option<Click> {
        let cell = match event.action() {
            "view" => Cell::Views(event.day()),
            "download" => Cell::Downloads(event.text(Known::Format).unwrap_or("other")),
            _ => return None,
        };
        let counted = event.int(Known::Counted) == Some(1);
        let unique = counted && event.int(Known::Unique) == Some(1);
        Some(Click {
            part: self.parts.number_of(|name| cell.write(name)),
            referer: event
                .text(Known::Referer)
                .map(|text| self.parts.number_of(|name| Cell::Referers(text).write(name))),
            count: Count { raw: 1, counted: counted.into(), unique: unique.into() },
        })
    }

    fn add_to(&mut self, id: &str, share: &Share<'_>, entered: bool) {
        let Share { event, click, visited } = share;
        if click.is_none() && !visited && !entered {
            return;
        }
        let item = self.items.number_of(|name| write_item(event.site(), id, name));
        let bot = event.known(Known::Bot).is_some();
        let mut count = |part, count| {
            let cell = self.cells.entry((item, part)).or_default();
            match bot {
                true => cell.bots.add(count),
                false => cell.people.add(count),
            }
        };
        if let Some(click) = click {
            count(click.part, click.count);
            if let Some(referer) = click.referer {
                count(referer, click.count);
            }
        }
        if *visited && self.touched.insert(item) {
            count(self.parts.number_of(|name| Cell::Visits.write(name)), Count::all(1));
        }
        if entered {
            count(self.parts.number_of(|name| Cell::Entries.write(name)), Count::all(1));
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

    /// Writes the cells so far and begins anew, in the visit at hand.
    fn write(&mut self, path: &Path) -> Result<Written, StoreError> {
        let (items, parts) = (std::mem::take(&mut self.items).sorted(), std::mem::take(&mut self.parts).sorted());
        let places = |names: &[(Box<[u8]>, u32)]| {
            let mut places = vec![0_u32; names.len()];
            for (place, (_, number)) in names.iter().enumerate() {
                places[*number as usize] = place as u32;
            }
            places
        };
        let (item_places, part_places) = (places(&items), places(&parts));
        let mut cells: Vec<_> = self
            .cells
            .drain()
            .map(|((item, part), counts)| (item_places[item as usize], part_places[part as usize], counts))
            .collect();
        cells.sort_unstable_by_key(|(item, part, _)| (*item, *part));
        let mut writer = Writer::create(path)?;
        for (item, part, counts) in &cells {
            writer.push(&items[*item as usize].0, &parts[*part as usize].0, counts)?;
        }
        for item in std::mem::take(&mut self.touched) {
            let key = &items[item_places[item as usize] as usize].0;
            self.touched.insert(self.items.number_of(|name| name.extend_from_slice(key)));
        }
        writer.finish(&[])
    }
}

impl Names {
    /// The number of what `write` writes.
    fn number_of(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
        self.name.clear();
        write(&mut self.name);
        if let Some(number) = self.numbers.get(self.name.as_slice()) {
            return *number;
        }
        // Memory runs out long before the numbers do.
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.bytes += self.name.len() + NAME_BYTES;
        self.numbers.insert(self.name.as_slice().into(), number);
        number
    }

    /// The names with their numbers, in order of the names.
    fn sorted(self) -> Vec<(Box<[u8]>, u32)> {
        let mut names: Vec<_> = self.numbers.into_iter().collect();
        names.sort_unstable();
        names
    }
}
