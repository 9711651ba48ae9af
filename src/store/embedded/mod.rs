//! Embedded: the store on this machine, a folder a day, columns and no stored source.
//! - `owner` alone writes; readers work on views that never change.
//! - A day is open parts (arrival order) and at most one sealed part (its own order, increments derived anew).
//! - A question whose caller no longer waits is given up.
//! - All blocking work runs on threads of this room or on the runtime's blocking ones.
//!
//! The way of a write: `owner` → `partition` → `rows` → `committed` → `parts` → `shared`.
//! The way of a question: `ask` → `collect` (`filter` → `groups` → `measure`) → `answer`.

mod answer;
mod aside;
mod ask;
mod asked;
mod bits;
mod cache;
mod care;
mod checked;
mod collect;
mod columns;
mod committed;
mod current;
mod deadline;
mod distinct;
mod docs;
mod document;
mod error;
mod expire;
mod filter;
mod filter_text;
mod gathered;
mod generation;
mod groups;
mod hashes;
mod ids;
mod index;
pub mod items;
mod kept;
mod keys;
mod labels;
mod manifest;
mod measure;
mod mend;
mod newest;
mod open_ids;
mod owner;
mod partition;
mod parts;
mod payload;
mod position;
mod ranges;
mod read;
mod rebuild;
mod row;
mod rows;
mod scales;
mod scan;
mod schema;
mod scrub;
mod seal;
mod seer;
mod segment;
mod shared;
mod stored;
mod texts;
mod through;
mod trail_labels;
mod trails;
mod usage;
mod values;
mod visit_ids;
mod visits_table;
mod whole_visits;
mod words;

pub use keys::{DAY_KEYS_MAX, SITE_KEYS_MAX};
pub use shared::EmbeddedOptions;

use super::plan::{Answer, Filter, Plan, TimeRange, UsageAnswer, UsagePlan};
use super::trails::{TrailPlan, Trails};
use super::{
    Capabilities, Cursor, Damaged, DayState, Derive, Entry, Field, Page, Position, Remedy, Scan, Store, StoreError,
};
use crate::event::{Day, Key};
use crate::folder::make_durably;
use crate::store::forms;
use async_trait::async_trait;
use deadline::Deadline;
use error::file_error;
use items::Months;
use owner::{Command, Done, Mended, Owner};
use parts::{DayView, Days};
use shared::Shared;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Commands that wait for the owner.
const COMMANDS_MAX: usize = 16;
/// Batches of a scan that wait for its reader.
const SCAN_BATCHES_MAX: usize = 2;
/// The operation of an error that was a panic.
const BROKE_OFF: &str = "work that broke off";
/// Time that a page of events may take.
const EVENTS_TIME_MAX: Duration = Duration::from_secs(30);

/// The store in a folder of this machine.
pub struct Embedded {
    shared: Arc<Shared>,
    commands: SyncSender<Command>,
    owner: Mutex<Option<std::thread::JoinHandle<()>>>,
    sealing: tokio::sync::Mutex<()>,
    /// Held open: its lock keeps a second process out.
    _lock: File,
}

impl Embedded {
    /// Opens the store in `dir`, or begins one; removes what was cut short.
    pub fn open(dir: &Path, options: EmbeddedOptions) -> Result<Self, StoreError> {
        make_durably(&dir.join("days")).map_err(file_error("create", dir))?;
        let lock = lock(dir)?;
        let found = read::read_all(&dir.join("days"))?;
        let months = Months::open(&dir.join("months"))?;
        let position = position::read_or_make(dir, found.promised)?;
        let shared = Arc::new(Shared::new(dir.to_owned(), options, months, found, position));
        let (commands, receiver) = sync_channel(COMMANDS_MAX);
        let owner = Owner::new(shared.clone());
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || owner.run(&receiver));
        let owner = Mutex::new(Some(thread.map_err(file_error("start the owner of", dir))?));
        Ok(Self { shared, commands, owner, sealing: tokio::sync::Mutex::default(), _lock: lock })
    }

    /// The highest position that some part was found to have an event before, or the store's own: none may be given again.
    pub fn reached(&self) -> Position {
        self.shared.reached
    }

    /// Merges the item tables of months that are ready for it.
    async fn make_months(&self) -> Result<(), StoreError> {
        let (shared, days) = (self.shared.clone(), self.shared.days());
        blocking(move || {
            usage::make_months(&shared, &days);
            Ok(())
        })
        .await
    }

    /// Hands the owner a command and waits until it is done.
    async fn tell<T>(&self, command: impl FnOnce(Done<T>) -> Command) -> Result<T, StoreError> {
        let (done, answer) = oneshot::channel();
        match self.commands.try_send(command(done)) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(_)) => return Err(StoreError::Stopped),
            Err(TrySendError::Full(command)) => {
                let commands = self.commands.clone();
                blocking(move || commands.send(command).map_err(|_| StoreError::Stopped)).await?;
            }
        }
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Runs something that blocks with the state and the days as they are now.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Days) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (shared, days) = (self.shared.clone(), self.shared.days());
        let done = blocking(move || work(&shared, &days)).await;
        if let Err(error) = &done {
            self.look_into(error).await;
        }
        done
    }

    /// The same, given up past its time, or as soon as the caller no longer waits.
    async fn ask<T: Send + 'static>(
        &self,
        time_max: Duration,
        work: impl FnOnce(&Shared, &Days, Deadline) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let deadline = Deadline::after(time_max);
        let _waiting = deadline.waiting();
        self.read(move |shared, days| work(shared, days, deadline)).await
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Whoever wants the last second kept has flushed.
        let _ = self.commands.send(Command::Stop);
        if let Some(owner) = self.owner.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = owner.join();
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| match error.is_panic() {
        // Deep in the engine, on bytes that are not what it wrote.
        true => StoreError::Engine { operation: BROKE_OFF, source: Box::new(error) },
        false => StoreError::Stopped,
    })?
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("LOCK");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(file_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::Error(error)) => Err(file_error("lock", &path)(error)),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(StoreError::Invalid(format!("store {}: another process has it open", dir.display())))
        }
    }
}

#[async_trait]
impl Store for Embedded {
    async fn write(&self, entries: Vec<Entry>, end: Position) -> Result<(), StoreError> {
        self.tell(|done| Command::Write(entries, end, done)).await
    }

    async fn position(&self) -> Result<Position, StoreError> {
        Ok(self.shared.position())
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.tell(Command::Flush).await
    }

    async fn known(&self, site: &str, days: (Day, Day), ids: &[&str]) -> Result<Vec<bool>, StoreError> {
        let site = site.to_owned();
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.read(move |shared, _| ids::known(shared, &site, days, &ids)).await
    }

    async fn aggregate(&self, plan: &Plan) -> Result<Answer, StoreError> {
        let plan = plan.clone();
        self.ask(plan.limits.time_max, move |shared, days, deadline| {
            let views: Vec<Arc<DayView>> = days.values().cloned().collect();
            ask::ask(shared, &views, &plan, deadline)
        })
        .await
    }

    async fn usage(&self, plan: &UsagePlan) -> Result<UsageAnswer, StoreError> {
        // A month's table that is found damaged is passed over the second time: its days have the same.
        self.read({
            let plan = plan.clone();
            move |shared, days| match usage::usage(shared, days, &plan) {
                Err(error) if shared.months.drop_damaged(&error) => usage::usage(shared, days, &plan),
                answer => answer,
            }
        })
        .await
    }

    async fn events(
        &self,
        filter: &Filter,
        range: TimeRange,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let filter = filter::compile(filter)?;
        let after = after.cloned();
        self.ask(EVENTS_TIME_MAX, move |_, days, deadline| {
            newest::page(days, &filter, range, after.as_ref(), limit, deadline)
        })
        .await
    }

    async fn scan(&self, filter: &Filter, range: TimeRange, keys: Option<&[Key]>) -> Result<Scan, StoreError> {
        let filter = filter::compile(filter)?;
        let keys: Option<Vec<Key>> = keys.map(<[Key]>::to_vec);
        // Damage is found here, where it is looked into, and not on the way.
        self.read(move |_, days| days.values().try_for_each(|view| view.segments_within(range).map(drop))).await?;
        let days = self.shared.days();
        let (sender, receiver) = tokio::sync::mpsc::channel(SCAN_BATCHES_MAX);
        tokio::task::spawn_blocking(move || {
            let scanned =
                scan::scan(&days, &filter, range, keys.as_deref(), |batch| sender.blocking_send(Ok(batch)).is_ok());
            if let Err(error) = scanned {
                // A reader that left does not want to know.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Ok(receiver)
    }

    async fn trails(&self, plan: &TrailPlan) -> Result<Trails, StoreError> {
        let question = trails::Question::of(plan)?;
        let range = plan.range;
        self.read(move |_, days| days.values().try_for_each(|view| view.segments_within(range).map(drop))).await?;
        let (days, threads) = (self.shared.days(), self.shared.options.threads);
        let (sender, receiver) = tokio::sync::mpsc::channel(SCAN_BATCHES_MAX);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = trails::trails(&days, threads, &question, &sender) {
                // A reader that left does not want to know.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Ok(receiver)
    }

    async fn fields(&self, days: (Day, Day)) -> Result<Vec<Field>, StoreError> {
        self.read(move |_, held| {
            let mut fields: BTreeMap<String, Field> = BTreeMap::new();
            for (_, view) in held.range(days.0..=days.1.max(days.0)).filter(|(day, _)| **day <= days.1) {
                for segment in view.segments()? {
                    add_fields(&segment, &mut fields)?;
                }
            }
            Ok(fields.into_values().collect())
        })
        .await
    }

    async fn days(&self) -> Result<Vec<DayState>, StoreError> {
        Ok(self.shared.states())
    }

    async fn seal(&self, day: Day, mut derive: Derive) -> Result<(), StoreError> {
        // One day at a time: memory is bounded for one.
        let _one = self.sealing.lock().await;
        if self.shared.day(day).is_some_and(|view| !view.damaged.is_empty()) {
            return Err(StoreError::Damaged { days: vec![day] });
        }
        // What is sealed gets checksums anew: what they would be of is looked at first.
        if let Some(damage) = self.verify_held(day).await?.into_iter().next() {
            return Err(StoreError::Corrupt { object: format!("day {day}"), why: damage });
        }
        let Some(frozen) = self.tell(|done| Command::Freeze(day, done)).await? else { return Ok(()) };
        let (most, open) = (self.shared.options.segment_events_max, frozen.open);
        let generation = blocking(move || seal::seal(&frozen, most, &mut derive)).await?;
        self.tell(|done| Command::Swap(Arc::new(generation), open, Mended::No, done)).await?;
        self.make_months().await
    }

    async fn expire(&self, events: Day, items: Day) -> Result<(), StoreError> {
        // The part that stays of a day would be where one that is being sealed is written.
        let _one = self.sealing.lock().await;
        self.tell(|done| Command::Expire(events, items, done)).await?;
        self.make_months().await
    }

    async fn verify(&self, day: Day) -> Result<Vec<String>, StoreError> {
        self.verify_day(day).await
    }

    async fn damaged(&self) -> Result<Vec<Damaged>, StoreError> {
        Ok(care::damaged(&self.shared))
    }

    async fn repair(&self, day: Day, remedy: Remedy, derive: Derive) -> Result<(), StoreError> {
        self.repair_day(day, remedy, derive).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            distinct_error: distinct::DISTINCT_ERROR,
            distinct_exact: distinct::DISTINCT_EXACT as u64,
            percentile_error: measure::PERCENTILE_ERROR,
            visible_within: self.shared.options.commit_every + Duration::from_secs(1),
        }
    }
}

/// Adds the keys that a segment has values of.
fn add_fields(segment: &segment::Segment, fields: &mut BTreeMap<String, Field>) -> Result<(), StoreError> {
    for key in segment.keys()? {
        let field = fields.entry(key.name().to_owned());
        let field = field.or_insert_with(|| Field { key: key.clone(), texts: false, numbers: false });
        for part in &segment.columns(key)?.parts {
            let sample = part.form.sample();
            field.texts |= forms::is_text(key, &sample);
            field.numbers |= forms::number(key, &sample).is_some();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
