//! Ingest: THE write path, and the only one: limit → normalize → journal → acknowledge.
//! - A [`Receipt`] comes after the sync: what it calls accepted is on disk, what it calls a duplicate was before.
//! - All or nothing where the journal or the salts fail: an error means that nothing is acknowledged.
//! - An id counts as known only once its event is synced, and only as long as it is remembered: what is not known is
//!   accepted, and the indexer decides.
//! - Whoever sends more than the store takes is slowed, so that readers never fall far behind; nobody is held up for long,
//!   and nothing is refused for it.
//! - An address is in no payload; salts are written before anything that was made with them.
//! - Absent: protocols and bodies (`receive`), visits and the last word on duplicates (`indexer`).

mod counts;
mod error;
mod lines;
mod pace;
mod prepared;
mod receipt;
mod refill;
mod secrets;

pub use counts::{Counts, OTHERS, SiteCounts};
pub use error::IngestError;
pub use lines::{LineIds, LineOrder};
pub use receipt::{Explained, Item, Receipt, Rejected};

use crate::catalog::salts::Salts;
use crate::clock::Millis;
use crate::event::{Event, IdScope, Known, RawEvent, RecentIds};
use crate::journal::Journal;
use crate::normalize::places::Places;
use crate::normalize::site::DEFAULT_SITE;
use crate::normalize::{Context, Limits, Notes, Rejection, Sender, Sites, normalize};
use counts::Tally;
use prepared::Prepared;
use secrets::Secrets;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Events worked on before other tasks get their turn.
const TURN_EVENTS: usize = 256;

/// The bounds of the write path; the defaults are those of the events page.
#[derive(Debug, Clone)]
pub struct Options {
    /// Events of one batch.
    pub batch_events_max: usize,
    /// Ids remembered (some 40 B each).
    pub ids_max: usize,
    /// Newest events of the journal whose ids are remembered again at the start.
    pub refill_events_max: u64,
    /// Synced events that the store has not taken, beyond which senders are slowed.
    pub behind_events_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch_events_max: 10_000, ids_max: 1_000_000, refill_events_max: 500_000, behind_events_max: 65_536 }
    }
}

/// What the write path works with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where events go.
    pub journal: Journal,
    /// The position before which the store has taken everything, as it grows.
    pub stored: watch::Receiver<u64>,
    /// What visitors are hashed with.
    pub salts: Arc<Salts>,
    /// The rules of every site.
    pub sites: Arc<Sites>,
    /// The GeoIP database, where one is configured.
    pub places: Option<Arc<Places>>,
    /// The bounds of an event.
    pub limits: Limits,
    /// Whether `user_agent` is kept on the event.
    pub keep_user_agent: bool,
    /// Bounds.
    pub options: Options,
}

/// The write path; cheap to clone.
#[derive(Debug, Clone)]
pub struct Ingest {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parts: Parts,
    recent: Mutex<RecentIds>,
    tally: Mutex<Tally>,
}

impl Ingest {
    /// The write path into a journal, whose newest ids it remembers. Blocking.
    ///
    /// # Errors
    /// [`IngestError::Journal`] when the journal cannot be read.
    pub fn open(parts: Parts) -> Result<Self, IngestError> {
        let mut recent = RecentIds::bounded(parts.options.ids_max);
        refill::refill(&mut recent, &parts.journal, parts.options.refill_events_max)?;
        let inner = Inner { parts, recent: Mutex::new(recent), tally: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes a batch. Returns once all that it accepts is synced. A future that is dropped may still have stored the batch.
    ///
    /// # Errors
    /// [`IngestError::TooMany`]; [`IngestError::Journal`] and [`IngestError::Salts`]: nothing is acknowledged, the sender
    /// may send the same again.
    pub async fn take(&self, items: Vec<Item>, sender: Sender<'_>) -> Result<Receipt, IngestError> {
        let limit = self.inner.parts.options.batch_events_max;
        if items.len() > limit {
            return Err(IngestError::TooMany { events: items.len(), limit });
        }
        pace::keep(&self.inner.parts, items.len()).await;
        // Half of it holds a whole batch: nothing of one's own batch is ever forgotten.
        let mut own = self.inner.recent().beside(2 * items.len());
        let mut prepared = Prepared::default();
        let mut items = items.into_iter();
        while items.len() > 0 {
            self.prepare(items.by_ref().take(TURN_EVENTS), &sender, &mut own, &mut prepared)?;
            if items.len() > 0 {
                tokio::task::yield_now().await;
            }
        }
        self.keep_salts().await?;
        let positions = self.inner.parts.journal.append(prepared.batch).await?;
        let mut recent = self.inner.recent();
        for (id, day) in prepared.ids {
            recent.insert(id, day);
        }
        drop(recent);
        self.inner.tally().add(prepared.tally);
        Ok(Receipt {
            accepted: positions.end - positions.start,
            duplicates: prepared.duplicates.len() as u64,
            duplicates_at: prepared.duplicates,
            rejected: prepared.rejected,
            positions,
            bots: prepared.bots,
            days: prepared.days,
        })
    }

    /// How a batch would be taken; stores nothing.
    ///
    /// # Errors
    /// [`IngestError::TooMany`], [`IngestError::Salts`].
    pub fn explain(&self, items: Vec<Item>, sender: Sender<'_>) -> Result<Vec<Explained>, IngestError> {
        let limit = self.inner.parts.options.batch_events_max;
        if items.len() > limit {
            return Err(IngestError::TooMany { events: items.len(), limit });
        }
        let secrets = self.inner.secrets(&sender);
        let context = self.inner.context(sender, &secrets);
        let explain = |Item { at, raw }| {
            let mut notes = Notes::on();
            let read = raw.map(|raw| (has_sent_at(&raw, &sender), raw));
            let event = read.and_then(|(sent_at, raw)| Ok((normalize(raw, &context, &mut notes)?, sent_at)));
            let is_duplicate = event.as_ref().is_ok_and(|(event, sent_at)| self.is_known(event, *sent_at));
            Explained { at, event: event.map(|(event, _)| event), notes: notes.into_list(), is_duplicate }
        };
        let explained = items.into_iter().map(explain).collect();
        secrets.check()?;
        Ok(explained)
    }

    /// Whether an event of its id was taken lately. Locked for this event alone: whoever writes does not wait for who asks.
    fn is_known(&self, event: &Event, sent_at: bool) -> bool {
        let recent = self.inner.recent();
        recent.hash(event).is_some_and(|id| recent.contains(id, event.day(), scope_of(event, sent_at)))
    }

    /// Ids for lines that belong to `site` unless they name another; `None` when too many sites have keys. The key is
    /// written down with the first batch.
    ///
    /// # Errors
    /// [`IngestError::Salts`].
    pub fn line_ids(&self, site: &str, now: Millis, order: LineOrder) -> Result<Option<LineIds>, IngestError> {
        let key = self.inner.parts.salts.permanent(site, now)?;
        Ok(key.map(|key| LineIds::under(key, order)))
    }

    /// What was taken and what was not since the start, by site.
    pub fn counts(&self) -> Counts {
        self.inner.tally().counts()
    }

    fn prepare(
        &self,
        items: impl Iterator<Item = Item>,
        sender: &Sender<'_>,
        own: &mut RecentIds,
        prepared: &mut Prepared,
    ) -> Result<(), IngestError> {
        let secrets = self.inner.secrets(sender);
        let context = self.inner.context(*sender, &secrets);
        let mut events = Vec::with_capacity(TURN_EVENTS.min(items.size_hint().0));
        for Item { at, raw } in items {
            let site = site_said(&raw, sender);
            let read = raw.map(|raw| (has_sent_at(&raw, sender), raw));
            match read.and_then(|(sent_at, raw)| Ok((normalize(raw, &context, &mut Notes::off())?, sent_at))) {
                Ok((event, sent_at)) => events.push((at, event, sent_at)),
                Err(Rejection { reason, message, key }) => {
                    prepared.tally.rejected(&site, reason);
                    prepared.rejected.push(Rejected { at, key, reason, message });
                }
            }
        }
        secrets.check()?;
        let recent = self.inner.recent();
        events.into_iter().try_for_each(|(at, event, sent_at)| prepared.add(at, event, sent_at, &recent, own))
    }

    async fn keep_salts(&self) -> Result<(), IngestError> {
        let salts = &self.inner.parts.salts;
        if !salts.has_new() {
            return Ok(());
        }
        let salts = Arc::clone(salts);
        let kept = tokio::task::spawn_blocking(move || salts.keep()).await;
        kept.map_err(|_| IngestError::Stopped)?.map_err(IngestError::from)
    }
}

impl Inner {
    fn secrets(&self, sender: &Sender<'_>) -> Secrets<'_> {
        Secrets::new(&self.parts.salts, &self.parts.sites, sender)
    }

    fn context<'a>(&'a self, sender: Sender<'a>, salts: &'a Secrets<'_>) -> Context<'a> {
        let Parts { sites, places, limits, keep_user_agent, .. } = &self.parts;
        Context { sender, sites, salts, places: places.as_deref(), limits, keep_user_agent: *keep_user_agent }
    }

    fn recent(&self) -> MutexGuard<'_, RecentIds> {
        // Insertions are whole: a panic elsewhere leaves nothing half done, here and below.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the sender doubts its own clock.
fn has_sent_at(raw: &RawEvent, sender: &Sender<'_>) -> bool {
    raw.get("sent_at").is_some() || sender.defaults.iter().any(|(key, _)| key == "sent_at")
}

/// Among which days an id is looked for: where the time is the receiver's, the same event sent again may bear another day.
fn scope_of(event: &Event, sent_at: bool) -> IdScope {
    let is_receivers = event.known(Known::Timestamp) == event.known(Known::ReceivedAt);
    if sent_at || is_receivers { IdScope::DaysAround } else { IdScope::Day }
}

/// The site that a rejection is counted for: as far as it was said.
fn site_said(raw: &Result<RawEvent, Rejection>, sender: &Sender<'_>) -> String {
    let said = raw.as_ref().ok().and_then(|raw| raw.get("site")).map(|site| site.as_text().into_owned());
    let by_request = || sender.defaults.iter().find(|(key, _)| key == "site").map(|(_, site)| site.clone());
    said.or_else(by_request).or_else(|| sender.site.map(str::to_owned)).unwrap_or_else(|| DEFAULT_SITE.to_owned())
}

#[cfg(test)]
mod tests;
