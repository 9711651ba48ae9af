//! Ask: what tables, and whatever else is gathered with them, answer to a usage question.
//! - Tables are read one after the other, an item a seek; ids in order, so that near ones share a block.
//! - The busiest items are found by one pass over the merged tables of the site; memory is a block a table.
//! - Bounded by the plan: entries of the answer, and time.

use super::cell::{Cell, read_text, write_item, write_site};
use super::cursor::Cursor;
use super::merge::cursors;
use super::table::Table;
use crate::event::Day;
use crate::store::StoreError;
use crate::store::plan::{Items, Limits, Tally, Usage, UsageAnswer, UsagePlan};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Cells looked at between two looks at the time.
const CELLS_PER_LOOK: usize = 4096;

/// Usage of some items as it is gathered, from tables and from what is not in tables yet.
pub struct Gathering<'a> {
    plan: &'a UsagePlan,
    ids: Vec<String>,
    usages: Vec<Gathered>,
    entries: usize,
    watch: Watch,
}

/// A usage whose texts are not in order yet: the same few come again from every table.
#[derive(Default)]
struct Gathered {
    views: BTreeMap<Day, u64>,
    downloads: HashMap<Box<str>, u64>,
    referers: HashMap<Box<str>, u64>,
}

impl Gathered {
    fn usage(self) -> Usage {
        let (downloads, referers) = (self.downloads.into_iter().collect(), self.referers.into_iter().collect());
        Usage { views: self.views, downloads, referers }
    }
}

impl<'a> Gathering<'a> {
    /// Nothing yet, of `ids`: those of the plan, the busiest that were found, or for the site as a whole `""`.
    pub fn new(plan: &'a UsagePlan, ids: Vec<String>) -> Self {
        let usages = ids.iter().map(|_| Gathered::default()).collect();
        Self { plan, ids, usages, entries: 0, watch: Watch::new(plan.limits) }
    }

    /// The ids, in the order asked.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Adds `number` to a cell of the id at place `at`; views outside the plan's days are passed over.
    pub fn add(&mut self, at: usize, cell: Cell<'_>, number: u64) -> Result<(), StoreError> {
        if number == 0 {
            return Ok(());
        }
        let usage = &mut self.usages[at];
        let (first, last) = self.plan.days;
        let new = match cell {
            Cell::Views(day) if first <= day && day <= last => add_day(&mut usage.views, day, number),
            Cell::Downloads(format) => add_text(&mut usage.downloads, format, number),
            Cell::Referers(referer) => add_text(&mut usage.referers, referer, number),
            Cell::Views(_) | Cell::Visits | Cell::Entries => false,
        };
        self.entries += usize::from(new);
        let limit = self.plan.limits.rows_max;
        match self.entries > limit {
            true => Err(StoreError::Limit {
                operation: "answer usage of items",
                limit: limit as u64,
                of: "days, formats and referers",
            }),
            false => Ok(()),
        }
    }

    /// Adds what the tables hold.
    pub fn add_tables(&mut self, tables: &[Arc<Table>]) -> Result<(), StoreError> {
        let mut wanted: Vec<(Vec<u8>, usize)> = Vec::with_capacity(self.ids.len());
        for (at, id) in self.ids.iter().enumerate() {
            // No item has an empty id; in the tables it stands for the site.
            if id.is_empty() && self.plan.items != Items::Site {
                continue;
            }
            let mut key = Vec::new();
            write_item(&self.plan.site, id, &mut key);
            wanted.push((key, at));
        }
        wanted.sort_unstable();
        let mut cursor: Option<Cursor> = None;
        for table in tables {
            let cursor = match &mut cursor {
                Some(cursor) => {
                    cursor.turn_to(Arc::clone(table));
                    cursor
                }
                none => none.insert(Cursor::new(Arc::clone(table))),
            };
            for (key, at) in &wanted {
                self.add_item(cursor, key, *at)?;
            }
        }
        Ok(())
    }

    /// The usage by id, in the order asked.
    pub fn answer(self) -> UsageAnswer {
        self.ids.into_iter().zip(self.usages.into_iter().map(Gathered::usage)).collect()
    }

    fn add_item(&mut self, cursor: &mut Cursor, key: &[u8], at: usize) -> Result<(), StoreError> {
        cursor.go_to(key)?;
        while let Some(found) = cursor.cell().filter(|found| found.item == key) {
            let Some(cell) = Cell::read(found.part) else { return Err(cursor.damaged("a cell that says nothing")) };
            self.add(at, cell, found.counts.number(self.plan.bots, self.plan.counting))?;
            self.watch.look()?;
            cursor.advance()?;
        }
        self.watch.look()
    }
}

fn add_day(days: &mut BTreeMap<Day, u64>, day: Day, number: u64) -> bool {
    let before = days.len();
    let sum = days.entry(day).or_default();
    *sum = sum.saturating_add(number);
    days.len() > before
}

fn add_text(texts: &mut HashMap<Box<str>, u64>, text: &str, number: u64) -> bool {
    if let Some(sum) = texts.get_mut(text) {
        *sum = sum.saturating_add(number);
        return false;
    }
    texts.insert(text.into(), number);
    true
}

/// The `count` ids with most of `tally` in the tables and in `beside` (the same numbers of what is in no table), largest
/// first, ties by id ascending; ids with none are left out.
pub fn busiest(
    plan: &UsagePlan,
    (tally, count): (Tally, usize),
    tables: &[Arc<Table>],
    mut beside: HashMap<String, u64>,
) -> Result<Vec<String>, StoreError> {
    let mut best = Best { ids: BinaryHeap::new(), count };
    let mut site = Vec::new();
    write_site(&plan.site, &mut site);
    // Past the site as a whole, before the first id.
    let first = [site.as_slice(), &[0, 0, 0xFF]].concat();
    let mut watch = Watch::new(plan.limits);
    let mut cursors = cursors(tables.iter().cloned(), &first)?;
    let mut item = Vec::new();
    let mut sum = 0_u64;
    while let Some(mut next) = cursors.peek_mut() {
        let Some(found) = next.cell().filter(|found| found.item.starts_with(&site)) else { break };
        if found.item != item {
            best.offer_written(&item, site.len(), sum, &mut beside);
            item.clear();
            item.extend_from_slice(found.item);
            sum = 0;
        }
        sum = sum.saturating_add(take_tally(&mut next, &item, (plan, tally))?);
        watch.look()?;
    }
    best.offer_written(&item, site.len(), sum, &mut beside);
    for (id, sum) in beside {
        best.offer(id, sum);
    }
    Ok(best.ids.into_sorted_vec().into_iter().map(|Reverse((_, Reverse(id)))| id).collect())
}

/// What the item has of the tally in one table, or in one block of it; the cursor goes on past it.
fn take_tally(cursor: &mut Cursor, item: &[u8], (plan, tally): (&UsagePlan, Tally)) -> Result<u64, StoreError> {
    let mut sum = 0_u64;
    while let Some(found) = cursor.cell().filter(|found| found.item == item) {
        let number = found.counts.number(plan.bots, plan.counting);
        match (Cell::read(found.part), tally) {
            (None, _) => return Err(cursor.damaged("a cell that says nothing")),
            (Some(Cell::Views(day)), Tally::Views) if plan.days.0 <= day && day <= plan.days.1 => {
                sum = sum.saturating_add(number);
            }
            (Some(Cell::Downloads(_)), Tally::Downloads) => sum = sum.saturating_add(number),
            (Some(Cell::Views(_) | Cell::Downloads(_)), _) => {}
            // Nothing that tallies comes after these.
            (Some(Cell::Visits | Cell::Entries | Cell::Referers(_)), _) => {
                cursor.pass_item()?;
                continue;
            }
        }
        cursor.advance()?;
    }
    Ok(sum)
}

/// The largest sums so far; the smallest of them on top.
struct Best {
    ids: BinaryHeap<Reverse<(u64, Reverse<String>)>>,
    count: usize,
}

impl Best {
    /// Offers an item of the tables by its key, which begins with its site's; with what stands beside the tables.
    fn offer_written(&mut self, item: &[u8], site_len: usize, sum: u64, beside: &mut HashMap<String, u64>) {
        // Most items of a large site are too small to be read as text.
        let small = self.ids.len() == self.count && self.ids.peek().is_none_or(|Reverse((least, _))| sum < *least);
        if small && beside.is_empty() {
            return;
        }
        if let Some(id) = item.get(site_len..).and_then(read_text) {
            let sum = sum.saturating_add(beside.remove(&id).unwrap_or(0));
            self.offer(id, sum);
        }
    }

    fn offer(&mut self, id: String, sum: u64) {
        if sum == 0 || id.is_empty() {
            return;
        }
        self.ids.push(Reverse((sum, Reverse(id))));
        if self.ids.len() > self.count {
            self.ids.pop();
        }
    }
}

/// Looks at the time now and then.
struct Watch {
    end: Option<Instant>,
    limits: Limits,
    cells: usize,
}

impl Watch {
    fn new(limits: Limits) -> Self {
        Self { end: Instant::now().checked_add(limits.time_max), limits, cells: 0 }
    }

    fn look(&mut self) -> Result<(), StoreError> {
        self.cells += 1;
        let late = self.cells.is_multiple_of(CELLS_PER_LOOK) && self.end.is_some_and(|end| Instant::now() > end);
        if !late {
            return Ok(());
        }
        let limit = u64::try_from(self.limits.time_max.as_millis()).unwrap_or(u64::MAX);
        Err(StoreError::Limit { operation: "answer usage of items", limit, of: "ms" })
    }
}
