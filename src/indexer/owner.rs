//! Owner: the one task that moves events from the journal into the store, and has days sealed.
//! - A pass begins at the store's position with nothing remembered, and ends with the first failure of the store;
//!   after a wait the next one begins. Requests live through passes.

use super::days::Days;
use super::derive::derive;
use super::duplicates::Duplicates;
use super::error::{Chain, IndexerError};
use super::follow::{Arrivals, Following};
use super::handle::{COMMANDS_MAX, Command, Expiry, Handle, Sealing, Shared};
use super::live::Live;
use super::refill::refill;
use super::repair::repair;
use super::requests::{Requests, WAITING_MAX};
use super::running::{self, Running, Taken, Writing, ended, join, taken};
use super::{Options, Parts};
use crate::event::Day;
use crate::journal::JournalError;
use crate::store::{DayState, StoreError};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// How a pass ended.
enum End {
    Shutdown,
    /// Try again from the store's position.
    Failed(IndexerError),
    /// No trying mends it.
    Given(IndexerError),
}

pub(super) struct Owner {
    parts: Parts,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    requests: Requests,
    sealing: Option<Running>,
    repairing: Option<JoinHandle<()>>,
    /// The batch that the store takes while the next one is worked on; one at a time.
    writing: Option<Writing>,
    days: Days,
    live: Live,
    duplicates: Duplicates,
    /// Everything before it was taken by the store in this pass.
    position: u64,
    /// Where the store's position stands behind that, and since when.
    behind: Option<(u64, Instant)>,
}

impl Owner {
    pub(super) fn new(parts: Parts) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let shared = Arc::new(Shared::default());
        let handle = Handle { commands: sender, shared: Arc::clone(&shared) };
        let Options { live_max, ids_max, batch_events_max, .. } = parts.options;
        let owner = Self {
            shared,
            commands,
            requests: Requests::default(),
            sealing: None,
            repairing: None,
            writing: None,
            days: Days::new(Arc::clone(&parts.zone_of)),
            live: Live::bounded(live_max),
            duplicates: Duplicates::bounded(ids_max, batch_events_max),
            position: 0,
            behind: None,
            parts,
        };
        (owner, handle)
    }

    pub(super) async fn run(
        &mut self,
        mut shutdown: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<(), IndexerError> {
        let mut wait = self.parts.options.retry;
        loop {
            let before = self.shared.indexed.load(Ordering::Relaxed);
            match self.pass(shutdown.as_mut()).await {
                End::Shutdown => return Ok(()),
                End::Given(error) => return Err(error),
                End::Failed(error) => {
                    tracing::error!(position = self.position, wait_ms = wait.as_millis(), error = %Chain(&error), "indexing failed");
                }
            }
            self.shared.failing.store(true, Ordering::Relaxed);
            tokio::select! {
                () = shutdown.as_mut() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
            let moved = self.shared.indexed.load(Ordering::Relaxed) > before;
            wait = if moved { self.parts.options.retry } else { (wait * 2).min(self.parts.options.retry_max) };
        }
    }

    /// Indexes until something ends it.
    async fn pass(&mut self, mut shutdown: Pin<&mut (impl Future<Output = ()> + Send)>) -> End {
        let mut following = tokio::select! {
            () = shutdown.as_mut() => return End::Shutdown,
            begun = self.begin() => match begun {
                Ok(following) => Some(following),
                Err(error) => return End::Failed(error),
            },
        };
        self.shared.failing.store(false, Ordering::Relaxed);
        let mut tick = tokio::time::interval(self.parts.options.tend_every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_room = self.requests.len() < WAITING_MAX;
            let done = tokio::select! {
                biased;
                () = shutdown.as_mut() => return self.finish().await,
                Some(command) = self.commands.recv(), if has_room => {
                    self.order(command);
                    Ok(())
                }
                (day, result) = join(&mut self.sealing) => {
                    self.sealed(day, result);
                    Ok(())
                }
                _ = tick.tick() => self.tend().await,
                taken = taken(&mut self.writing) => self.note(taken),
                () = ended(&mut self.repairing) => Ok(()),
                arrivals = next(&mut following), if self.repairing.is_none() => match arrivals {
                    Some(Ok(arrivals)) => self.index(arrivals).await,
                    Some(Err(error @ JournalError::Version { .. })) => return End::Given(error.into()),
                    // The shutdown is on its way.
                    Some(Err(JournalError::Closed)) => {
                        following = None;
                        Ok(())
                    }
                    Some(Err(error)) => Err(error.into()),
                    None => Err(IndexerError::Stopped),
                },
            };
            let done = match done {
                Ok(()) => self.proceed().await,
                failed => failed,
            };
            if let Err(error) = done {
                return End::Failed(error);
            }
        }
    }

    /// Forgets everything, begins at the store's position, and learns the visitors of open days again.
    async fn begin(&mut self) -> Result<Following, IndexerError> {
        let Options { live_max, ids_max, batch_events_max, refill_events_max, .. } = self.parts.options;
        // What came of it, the store's position says.
        drop(self.settle().await);
        self.behind = None;
        self.live = Live::bounded(live_max);
        self.duplicates = Duplicates::bounded(ids_max, batch_events_max);
        let store = Arc::clone(&self.parts.store);
        self.position = store.position().await.map_err(IndexerError::store("ask the store for its position"))?;
        self.shared.position.send_replace(self.position);
        let now = self.parts.clock.now();
        let refilled = refill(&*store, refill_events_max, &mut self.live, &mut self.days, now).await;
        refilled.map_err(IndexerError::store("read open days again"))?;
        Following::start(&self.parts.journal, self.position, batch_events_max, Arc::clone(&self.shared))
    }

    fn order(&mut self, command: Command) {
        let target = *self.parts.journal.synced().borrow();
        match command {
            Command::Seal(which, reply) => self.requests.add_seal(target, which, reply),
            Command::Flush(reply) => self.requests.add_flush(target, reply),
            Command::Expire(before, reply) => self.requests.add_expiry(before, reply),
            Command::Repair(days, loss, reply) => self.requests.add_repair(days, loss, reply),
        }
    }

    /// Takes the next events on to the store, which takes those before meanwhile.
    async fn index(&mut self, arrivals: Arrivals) -> Result<(), IndexerError> {
        let store = Arc::clone(&self.parts.store);
        let sifted = self.duplicates.sift(&*store, arrivals.events).await;
        let (mut entries, duplicates) = sifted.map_err(IndexerError::store("ask the store for ids"))?;
        for entry in &mut entries {
            self.live.step(&entry.event).write(&mut entry.event);
        }
        self.days.touch(entries.iter().map(|entry| &entry.event), self.parts.clock.now());
        self.shared.live.store(self.live.len(), Ordering::Relaxed);
        self.settle().await?;
        let (end, indexed) = (arrivals.end, entries.len() as u64);
        let write = async move { store.write(entries, end).await.map(|()| Taken { end, indexed, duplicates }) };
        self.writing = Some(running::begin(Box::pin(write)).await);
        Ok(())
    }

    /// Waits for the write that runs, if one does.
    async fn settle(&mut self) -> Result<(), IndexerError> {
        if self.writing.is_none() {
            return Ok(());
        }
        let taken = taken(&mut self.writing).await;
        self.note(taken)
    }

    fn note(&mut self, taken: Result<Taken, StoreError>) -> Result<(), IndexerError> {
        let Taken { end, indexed, duplicates } = taken.map_err(IndexerError::store("write to the store"))?;
        self.position = end;
        self.shared.position.send_replace(end);
        self.shared.indexed.fetch_add(indexed, Ordering::Relaxed);
        self.shared.duplicates.fetch_add(duplicates, Ordering::Relaxed);
        Ok(())
    }

    /// Releases the journal, and finds the days that are due.
    async fn tend(&mut self) -> Result<(), IndexerError> {
        let position = self.parts.store.position().await;
        let position = position.map_err(IndexerError::store("ask the store for its position"))?;
        self.parts.journal.release(position);
        self.keep_up(position).await?;
        let due = self.due().await?;
        self.requests.want(due);
        Ok(())
    }

    /// Asks after what the store took and does not come to hold: it may have forgotten it in a failure that it can only
    /// tell at the next write or flush, and no write may come for long.
    async fn keep_up(&mut self, position: u64) -> Result<(), IndexerError> {
        self.behind = match self.behind {
            _ if position >= self.position => None,
            Some((at, since)) if at == position => Some((at, since)),
            _ => Some((position, Instant::now())),
        };
        let overdue = |(_, since): &(u64, Instant)| since.elapsed() > self.parts.store.capabilities().visible_within;
        if self.behind.as_ref().is_some_and(overdue) {
            self.behind = None;
            self.parts.store.flush().await.map_err(IndexerError::store("flush the store"))?;
        }
        Ok(())
    }

    /// The days that a request is for, those passed over that are sealed.
    async fn days_of(&mut self, which: &Sealing) -> Result<Vec<Day>, IndexerError> {
        let is_asked = |day: &Day| match which {
            Sealing::Days(days) => days.contains(day),
            Sealing::All | Sealing::Due => true,
        };
        match which {
            Sealing::Due => self.due().await,
            Sealing::All | Sealing::Days(_) => {
                let unsealed = self.states().await?.into_iter().filter(|state| !state.sealed).map(|state| state.day);
                Ok(unsealed.filter(is_asked).collect())
            }
        }
    }

    async fn due(&mut self) -> Result<Vec<Day>, IndexerError> {
        let states = self.states().await?;
        Ok(self.days.due(&states, self.parts.clock.now()))
    }

    async fn states(&mut self) -> Result<Vec<DayState>, IndexerError> {
        let failed = || IndexerError::store("ask the store for its days");
        let damaged = self.parts.store.damaged().await.map_err(failed())?;
        let mut states = self.parts.store.days().await.map_err(failed())?;
        // They are sealed when they are repaired.
        states.retain(|state| damaged.iter().all(|damaged| damaged.day != state.day));
        Ok(states)
    }

    /// Answers the requests whose events are stored, and begins the next seal if none runs.
    async fn proceed(&mut self) -> Result<(), IndexerError> {
        let (seals, flushes) = self.requests.reached(self.position);
        if !seals.is_empty() || !flushes.is_empty() {
            let flushed = self.parts.store.flush().await.map_err(IndexerError::store("flush the store"));
            for reply in flushes {
                // Nobody may be listening any more.
                drop(reply.send(flushed.clone()));
            }
            flushed?;
        }
        for (which, reply) in seals {
            let days = self.days_of(&which).await?;
            self.requests.wait_for(days, reply);
        }
        if self.sealing.is_some() || self.repairing.is_some() {
            return Ok(());
        }
        if self.requests.want_repair() {
            // What a day holds stands still while it is made whole.
            self.settle().await?;
        }
        if let Some((days, loss, reply)) = self.requests.repair() {
            let (journal, store) = (self.parts.journal.clone(), Arc::clone(&self.parts.store));
            // Nobody may be listening any more.
            let task = async move { drop(reply.send(repair(&journal, &store, &days, loss).await)) };
            self.repairing = Some(tokio::spawn(task));
            return Ok(());
        }
        for (Expiry { events, items }, reply) in self.requests.expiries() {
            let expired = self.parts.store.expire(events, items).await;
            drop(reply.send(expired.map_err(IndexerError::store("expire days of the store"))));
        }
        if let Some(day) = self.requests.begin() {
            self.days.seal_begins(day);
            let store = Arc::clone(&self.parts.store);
            let task = tokio::spawn(async move { store.seal(day, derive()).await });
            self.sealing = Some(Running { day, task });
        }
        Ok(())
    }

    fn sealed(&mut self, day: Day, result: Result<(), StoreError>) {
        match result {
            Ok(()) => {
                self.shared.sealed.fetch_add(1, Ordering::Relaxed);
                self.requests.done(day);
            }
            Err(error) => {
                let source = Arc::new(error);
                tracing::error!(day = day.to_string(), error = %Chain(&*source), "sealing a day failed");
                self.days.seal_failed(day, self.parts.clock.now());
                self.requests.failed(day, &source);
            }
        }
    }

    async fn finish(&mut self) -> End {
        let finished = match self.settle().await {
            Ok(()) => self.parts.store.flush().await.map_err(IndexerError::store("flush the store")),
            failed => failed,
        };
        match finished {
            Ok(()) => End::Shutdown,
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the last flush failed; its events are read again from the journal");
                End::Shutdown
            }
        }
    }
}

/// Waits for the next batch, for ever once the journal has ended.
async fn next(following: &mut Option<Following>) -> Option<Result<Arrivals, JournalError>> {
    match following {
        Some(following) => following.next().await,
        None => std::future::pending().await,
    }
}
