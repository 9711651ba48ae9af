//! Imports: log lines that come in by request, batch after batch, and are sealed at the end.
//! - A line's id is its bytes and its repetition number within its second ([`LineIds`]), over all of one import: the same
//!   lines add nothing when they come again, split or shuffled. An object that brings an id of its own keeps it.
//! - A live one is of lines as they are written, by `import --follow`: nothing is sealed at its end, if it has one, and it makes
//!   no salts for days past, because they would live as long as it does: lines that are more than 26 h late have no visitor.
//! - At most [`OPEN_MAX`] imports are open. One that is cut off keeps its salts, as the catalog says, and is run again; it makes
//!   room when nothing came for [`IDLE_MAX_MS`]. Of live ones the [`LIVE_MAX`] used last are known: who is told that his is
//!   not known begins it again, from the last seconds on, and ids tell what was there.
//! - Absent: files, formats found by looking, sorting: the shell's.

use super::JobError;
use crate::catalog::CatalogError;
use crate::catalog::salts::Salts;
use crate::clock::{Clock, Millis};
use crate::event::{Day, Value};
use crate::indexer::{Handle, Sealing};
use crate::ingest::{Ingest, Item, LineIds, LineOrder, Receipt};
use crate::normalize::access_line::{self, LineFormat};
use crate::normalize::{Limits, Receiver, Sender, time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use tokio::sync::Mutex;

/// Imports under way at once.
pub const OPEN_MAX: usize = 16;
/// How long an import stays that nothing comes of, where others want to begin, in ms.
pub const IDLE_MAX_MS: Millis = 3_600_000;
/// Live imports at once.
pub const LIVE_MAX: usize = 64;

/// How an import's lines come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming {
    /// From files that are complete, in order of time, with an end.
    Whole,
    /// As they are written.
    Live,
}

/// All imports under way; cheap to clone.
#[derive(Clone)]
pub struct Imports {
    ingest: Ingest,
    indexer: Handle,
    salts: Arc<Salts>,
    clock: Clock,
    limits: Limits,
    open: Arc<StdMutex<Open>>,
}

#[derive(Default)]
struct Open {
    last: u64,
    by_id: BTreeMap<u64, Entry>,
}

#[derive(Clone)]
struct Entry {
    coming: Coming,
    /// When it was last asked for.
    used_at: Millis,
    /// Of all requests for imports, which one that was.
    used: u64,
    import: Arc<Mutex<Import>>,
}

struct Import {
    site: String,
    days: BTreeSet<Day>,
    ids: LineIds,
}

impl Imports {
    /// None yet.
    pub fn new(ingest: Ingest, indexer: Handle, salts: Arc<Salts>, clock: Clock, limits: Limits) -> Self {
        Self { ingest, indexer, salts, clock, limits, open: Arc::default() }
    }

    /// Begins an import of lines that belong to `site` unless they name another; answers its id.
    pub async fn begin(&self, site: &str, coming: Coming) -> Result<u64, JobError> {
        let now = self.clock.now();
        if self.make_room(coming, now)? && coming == Coming::Whole {
            self.with_salts(|salts| salts.end_import()).await?;
        }
        let order = match coming {
            Coming::Whole => LineOrder::Sorted,
            Coming::Live => LineOrder::Interleaved,
        };
        let ids = self.ingest.line_ids(site, now, order)?;
        let ids = ids.ok_or_else(|| JobError::Busy("begin an import: too many sites have keys".to_owned()))?;
        if coming == Coming::Whole {
            self.with_salts(move |salts| salts.begin_import(now)).await?;
        }
        let import = Arc::new(Mutex::new(Import { site: site.to_owned(), days: BTreeSet::new(), ids }));
        let mut open = self.lock();
        open.last += 1;
        let id = open.last;
        open.by_id.insert(id, Entry { coming, used_at: now, used: id, import });
        Ok(id)
    }

    /// Lets one go that nobody asks for any more, where there are as many as may be; answers whether it did.
    fn make_room(&self, coming: Coming, now: Millis) -> Result<bool, JobError> {
        let mut open = self.lock();
        let alike = || open.by_id.iter().filter(|(_, entry)| entry.coming == coming);
        let most = if coming == Coming::Live { LIVE_MAX } else { OPEN_MAX };
        if alike().count() < most {
            return Ok(false);
        }
        let idle = alike().filter(|(_, entry)| coming == Coming::Live || entry.used_at <= now - IDLE_MAX_MS);
        let idle = idle.min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
        let id = idle.ok_or_else(|| JobError::Busy(format!("begin an import: {OPEN_MAX} are under way")))?;
        Ok(open.by_id.remove(&id).is_some())
    }

    /// The import of this id, which is asked for now.
    fn find(&self, id: u64) -> Result<Entry, JobError> {
        let mut open = self.lock();
        open.last += 1;
        let (used, used_at) = (open.last, self.clock.now());
        let entry = open.by_id.get_mut(&id).ok_or(JobError::NoImport(id))?;
        (entry.used, entry.used_at) = (used, used_at);
        Ok(entry.clone())
    }

    /// Takes lines of one format. A rejection's place is its line in `body`, from 1.
    pub async fn lines(&self, id: u64, format: LineFormat, body: &[u8]) -> Result<Receipt, JobError> {
        let Entry { coming, import, .. } = self.find(id)?;
        let mut import = import.lock().await;
        // A copy until the lines are taken: the same body sent again after an error has the same ids.
        let mut ids = import.ids.clone();
        let items = read(body, format, &self.limits, &mut ids);
        let sender = Sender { site: Some(&import.site), ..Sender::unknown(Receiver::File, self.clock.now()) };
        let receipt = self.ingest.take(items, sender).await?;
        import.ids = ids;
        if coming == Coming::Whole {
            import.days.extend(&receipt.days);
        }
        Ok(receipt)
    }

    /// Waits until all of it is indexed and seals the days it touched; answers them. One whose sealing fails stays open. Of a
    /// live one nothing is sealed: its days are still under way.
    pub async fn end(&self, id: u64) -> Result<Vec<Day>, JobError> {
        let Entry { coming, import, .. } = self.find(id)?;
        if coming == Coming::Live {
            self.lock().by_id.remove(&id);
            return Ok(Vec::new());
        }
        let days: Vec<Day> = import.lock().await.days.iter().copied().collect();
        self.indexer.seal(Sealing::Days(days.clone())).await?;
        if self.lock().by_id.remove(&id).is_some() {
            self.with_salts(|salts| salts.end_import()).await?;
        }
        Ok(days)
    }

    /// The catalog syncs: off the runtime's own threads.
    async fn with_salts<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Salts) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, JobError> {
        let salts = Arc::clone(&self.salts);
        let changed = tokio::task::spawn_blocking(move || change(&salts)).await;
        Ok(changed.map_err(|_| JobError::Busy("the server is stopping".to_owned()))??)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(body: &[u8], mut format: LineFormat, limits: &Limits, ids: &mut LineIds) -> Vec<Item> {
    let mut items = Vec::new();
    for (at, line) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let LineFormat::CloudFront(fields) = &mut format
            && let Some(named) = access_line::Fields::parse(line)
        {
            *fields = named;
        }
        if line.is_empty() || access_line::is_comment(line, &format) {
            continue;
        }
        let mut raw = access_line::read(line, &format, limits);
        if let Ok(raw) = &mut raw
            && let Some(id) = ids.id(line, time::said(raw), raw)
        {
            raw.fields.push(("event_id".into(), Value::Text(id)));
        }
        items.push(Item { at: at + 1, raw });
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(body: &str, ids: &mut LineIds) -> Vec<String> {
        let items = read(body.as_bytes(), LineFormat::Common, &Limits::default(), ids);
        let id = |item: Item| item.raw.expect("a line").get("event_id").expect("an id").as_text().into_owned();
        items.into_iter().map(id).collect()
    }

    fn none(key: u8) -> LineIds {
        LineIds::under([key; 16], LineOrder::Sorted)
    }

    const A: &str = "1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 1\n";
    const B: &str = "1.2.3.4 - - [17/May/2015:10:05:04 +0000] \"GET /a HTTP/1.1\" 200 1\n";

    #[test]
    fn a_line_that_repeats_within_its_second_is_told_from_its_copy() {
        let mut given = none(7);
        let first = ids(&format!("{A}{A}\n"), &mut given);
        let rest = ids(&format!("{A}{B}"), &mut given);
        assert!(
            first[0].ends_with("-0") && first[1].ends_with("-1") && rest[0].ends_with("-2") && rest[1].ends_with("-0")
        );
        assert_eq!(first[0].split('-').next(), rest[0].split('-').next());
    }

    #[test]
    fn the_same_lines_have_the_same_ids_however_they_are_cut() {
        let whole = ids(&format!("{A}{A}{B}"), &mut none(7));
        let mut given = none(7);
        let mut cut = ids(A, &mut given);
        cut.extend(ids(&format!("{A}{B}"), &mut given));
        assert_eq!(whole, cut);
    }

    #[test]
    fn an_id_is_for_ever() {
        assert_eq!(ids(A, &mut none(7)), ["47695ea4e297328862b7d8c58ef1b9ef-0"]);
    }

    #[test]
    fn an_id_cannot_be_worked_out_without_the_key() {
        assert_ne!(ids(A, &mut none(7)), ids(A, &mut none(8)));
    }

    #[test]
    fn lines_keep_their_numbers_and_objects_their_ids() {
        let body = b"\n{\"event_id\":\"mine\"}\n\n{}\nno JSON\n";
        let items = read(body, LineFormat::Json, &Limits::default(), &mut none(7));
        assert_eq!(items.iter().map(|item| item.at).collect::<Vec<_>>(), [2, 4, 5]);
        assert_eq!(items[0].raw.as_ref().expect("an event").get("event_id"), Some(&Value::text("mine")));
        assert!(items[2].raw.is_err());
    }
}
