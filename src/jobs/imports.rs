//! Imports: log lines that come in by request, batch after batch, and are sealed at the end.
//! - A line's id is its bytes and its repetition number within its second, over all of one import: the same lines add
//!   nothing when they come again, split or shuffled. Lines are best sent in order of time: repetitions are remembered for
//!   the second that is being read.
//! - The id is a hash under the permanent key of the import's site: a line holds an address, and nobody without the key can
//!   try addresses until one fits.
//! - An object that brings an id of its own keeps it.
//! - At most [`OPEN_MAX`] imports are open. One that is cut off keeps its salts, as the catalog says, and is run again.
//! - Absent: files, formats found by looking, sorting: the shell's.

use super::JobError;
use crate::catalog::CatalogError;
use crate::catalog::salts::{Salt, Salts};
use crate::clock::Clock;
use crate::event::{Day, RawEvent, Value};
use crate::indexer::{Handle, Sealing};
use crate::ingest::{Ingest, Item, Receipt};
use crate::normalize::access_line::{self, LineFormat};
use crate::normalize::{Limits, Receiver, Sender, time};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use tokio::sync::Mutex;

/// Imports under way at once.
pub const OPEN_MAX: usize = 16;
/// Different lines remembered of one second.
const REMEMBERED_MAX: usize = 100_000;

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
    by_id: BTreeMap<u64, Arc<Mutex<Import>>>,
}

struct Import {
    site: String,
    days: BTreeSet<Day>,
    repetitions: Repetitions,
}

impl Imports {
    /// None yet.
    pub fn new(ingest: Ingest, indexer: Handle, salts: Arc<Salts>, clock: Clock, limits: Limits) -> Self {
        Self { ingest, indexer, salts, clock, limits, open: Arc::default() }
    }

    /// Begins an import of lines that belong to `site` unless they name another; answers its id.
    pub async fn begin(&self, site: &str) -> Result<u64, JobError> {
        if self.lock().by_id.len() >= OPEN_MAX {
            return Err(JobError::Busy(format!("begin an import: {OPEN_MAX} are under way")));
        }
        let (now, whose) = (self.clock.now(), site.to_owned());
        let key = self.with_salts(move |salts| {
            let key = salts.permanent(&whose, now)?;
            salts.keep()?;
            if key.is_some() {
                salts.begin_import(now)?;
            }
            Ok(key)
        });
        let key = key.await?.ok_or_else(|| JobError::Busy("begin an import: too many sites have keys".to_owned()))?;
        let mut open = self.lock();
        open.last += 1;
        let id = open.last;
        let import = Import { site: site.to_owned(), days: BTreeSet::new(), repetitions: Repetitions::under(key) };
        open.by_id.insert(id, Arc::new(Mutex::new(import)));
        Ok(id)
    }

    /// Takes lines of one format. A rejection's place is its line in `body`, from 1.
    pub async fn lines(&self, id: u64, format: LineFormat, body: &[u8]) -> Result<Receipt, JobError> {
        let import = self.lock().by_id.get(&id).cloned().ok_or(JobError::NoImport(id))?;
        let mut import = import.lock().await;
        // A copy until the lines are taken: the same body sent again after an error has the same ids.
        let mut repetitions = import.repetitions.clone();
        let items = read(body, format, &self.limits, &mut repetitions);
        let sender = Sender { site: Some(&import.site), ..Sender::unknown(Receiver::File, self.clock.now()) };
        let receipt = self.ingest.take(items, sender).await?;
        import.repetitions = repetitions;
        import.days.extend(&receipt.days);
        Ok(receipt)
    }

    /// Waits until all of it is indexed and seals the days it touched; answers them. One whose sealing fails stays open.
    pub async fn end(&self, id: u64) -> Result<Vec<Day>, JobError> {
        let import = self.lock().by_id.get(&id).cloned().ok_or(JobError::NoImport(id))?;
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

fn read(body: &[u8], mut format: LineFormat, limits: &Limits, repetitions: &mut Repetitions) -> Vec<Item> {
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
        let raw = access_line::read(line, &format, limits).map(|raw| with_id(raw, line, repetitions));
        items.push(Item { at: at + 1, raw });
    }
    items
}

fn with_id(mut raw: RawEvent, line: &[u8], repetitions: &mut Repetitions) -> RawEvent {
    if raw.get("event_id").is_none() && raw.get("event.id").is_none() {
        let id = repetitions.id(line, &raw);
        raw.fields.push(("event_id".into(), Value::text(id)));
    }
    raw
}

/// How often each line of the second that is being read has come.
#[derive(Clone)]
struct Repetitions {
    key: Salt,
    second: i64,
    seen: HashMap<[u8; 16], u32>,
}

impl Repetitions {
    /// None yet, under a site's permanent key.
    fn under(key: Salt) -> Self {
        Self { key, second: 0, seen: HashMap::new() }
    }

    /// The first half of the SHA-256 of key and line in hex, and how often the line came before within its second.
    fn id(&mut self, line: &[u8], raw: &RawEvent) -> String {
        let names = ["@timestamp", "timestamp", "time", "ts", "date", "time_local", "time_iso8601"];
        let said = names.iter().find_map(|name| raw.get(name)).and_then(time::read);
        let second = said.map_or(self.second, |at| at.div_euclid(1000));
        if second != self.second || self.seen.len() >= REMEMBERED_MAX {
            self.second = second;
            self.seen.clear();
        }
        let mut half = [0; 16];
        let hash = Sha256::new().chain_update(self.key).chain_update(line).finalize();
        half.copy_from_slice(&hash[..16]);
        let before = self.seen.entry(half).or_default();
        let id = format!("{:032x}-{before}", u128::from_be_bytes(half));
        *before += 1;
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(body: &str, repetitions: &mut Repetitions) -> Vec<String> {
        let items = read(body.as_bytes(), LineFormat::Common, &Limits::default(), repetitions);
        let id = |item: Item| item.raw.expect("a line").get("event_id").expect("an id").as_text().into_owned();
        items.into_iter().map(id).collect()
    }

    const A: &str = "1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 1\n";
    const B: &str = "1.2.3.4 - - [17/May/2015:10:05:04 +0000] \"GET /a HTTP/1.1\" 200 1\n";

    #[test]
    fn a_line_that_repeats_within_its_second_is_told_from_its_copy() {
        let mut repetitions = Repetitions::under([7; 16]);
        let first = ids(&format!("{A}{A}\n"), &mut repetitions);
        let rest = ids(&format!("{A}{B}"), &mut repetitions);
        assert!(
            first[0].ends_with("-0") && first[1].ends_with("-1") && rest[0].ends_with("-2") && rest[1].ends_with("-0")
        );
        assert_eq!(first[0].split('-').next(), rest[0].split('-').next());
    }

    #[test]
    fn the_same_lines_have_the_same_ids_however_they_are_cut() {
        let whole = ids(&format!("{A}{A}{B}"), &mut Repetitions::under([7; 16]));
        let mut repetitions = Repetitions::under([7; 16]);
        let mut cut = ids(A, &mut repetitions);
        cut.extend(ids(&format!("{A}{B}"), &mut repetitions));
        assert_eq!(whole, cut);
    }

    #[test]
    fn an_id_cannot_be_worked_out_without_the_key() {
        assert_ne!(ids(A, &mut Repetitions::under([7; 16])), ids(A, &mut Repetitions::under([8; 16])));
    }

    #[test]
    fn lines_keep_their_numbers_and_objects_their_ids() {
        let body = b"\n{\"event_id\":\"mine\"}\n\n{}\nno JSON\n";
        let items = read(body, LineFormat::Json, &Limits::default(), &mut Repetitions::under([7; 16]));
        assert_eq!(items.iter().map(|item| item.at).collect::<Vec<_>>(), [2, 4, 5]);
        assert_eq!(items[0].raw.as_ref().expect("an event").get("event_id"), Some(&Value::text("mine")));
        assert!(items[2].raw.is_err());
    }
}
