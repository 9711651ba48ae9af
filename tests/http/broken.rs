//! A store that answers so many questions and then fails at everything.

use async_trait::async_trait;
use metronome::event::{Day, Key};
use metronome::store::memory::Memory;
use metronome::store::plan::{Answer, Filter, Plan, TimeRange, UsageAnswer, UsagePlan};
use metronome::store::trails::{TrailPlan, Trails};
use metronome::store::{
    Capabilities, Cursor, Damaged, DayState, Derive, Entry, Field, Page, Position, Scan, Store, StoreError,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sound at first, then broken.
pub struct Broken {
    sound: Memory,
    left: AtomicUsize,
    why: fn() -> StoreError,
    damaged: Mutex<Vec<Damaged>>,
}

impl Broken {
    /// Fails at everything, with this.
    pub fn at_once(why: fn() -> StoreError) -> Self {
        Self::after(0, Memory::new(), why)
    }

    /// Lets another store answer so many calls before.
    pub fn after(calls: usize, sound: Memory, why: fn() -> StoreError) -> Self {
        Self { sound, left: AtomicUsize::new(calls), why, damaged: Mutex::default() }
    }

    /// Fails from now on.
    pub fn break_now(&self) {
        self.left.store(0, Ordering::Relaxed);
    }

    /// Something of a day is lost from now on.
    pub fn damage(&self, day: Day) {
        self.damaged.lock().unwrap().push(Damaged {
            day,
            parts: vec!["a part".to_owned()],
            from: None,
            is_plain: false,
        });
    }

    fn sound(&self) -> Result<&Memory, StoreError> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.map(|_| &self.sound).map_err(|_| (self.why)())
    }
}

#[async_trait]
impl Store for Broken {
    async fn write(&self, entries: Vec<Entry>, end: Position) -> Result<(), StoreError> {
        self.sound()?.write(entries, end).await
    }
    async fn position(&self) -> Result<Position, StoreError> {
        self.sound()?.position().await
    }
    async fn flush(&self) -> Result<(), StoreError> {
        self.sound()?.flush().await
    }
    async fn known(&self, site: &str, days: (Day, Day), ids: &[&str]) -> Result<Vec<bool>, StoreError> {
        self.sound()?.known(site, days, ids).await
    }
    async fn aggregate(&self, plan: &Plan) -> Result<Answer, StoreError> {
        self.sound()?.aggregate(plan).await
    }
    async fn usage(&self, plan: &UsagePlan) -> Result<UsageAnswer, StoreError> {
        self.sound()?.usage(plan).await
    }
    async fn events(
        &self,
        filter: &Filter,
        range: TimeRange,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.sound()?.events(filter, range, after, limit).await
    }
    async fn scan(&self, filter: &Filter, range: TimeRange, keys: Option<&[Key]>) -> Result<Scan, StoreError> {
        self.sound()?.scan(filter, range, keys).await
    }
    async fn trails(&self, plan: &TrailPlan) -> Result<Trails, StoreError> {
        self.sound()?.trails(plan).await
    }
    async fn fields(&self, days: (Day, Day)) -> Result<Vec<Field>, StoreError> {
        self.sound()?.fields(days).await
    }
    async fn days(&self) -> Result<Vec<DayState>, StoreError> {
        self.sound()?.days().await
    }
    async fn seal(&self, day: Day, derive: Derive) -> Result<(), StoreError> {
        self.sound()?.seal(day, derive).await
    }
    async fn expire(&self, events: Day, items: Day) -> Result<(), StoreError> {
        self.sound()?.expire(events, items).await
    }
    async fn verify(&self, day: Day) -> Result<Vec<String>, StoreError> {
        self.sound()?.verify(day).await
    }
    async fn damaged(&self) -> Result<Vec<Damaged>, StoreError> {
        Ok(self.damaged.lock().unwrap().clone())
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}
