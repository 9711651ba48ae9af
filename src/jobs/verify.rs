//! Verify: every checksum of journal and store read, and with `recount` every sum of a day derived again by the plain
//! oracle and held against what is stored.
//! - Reads beside everything else. What is damaged is set aside by the store; the journal's readers pass it over.
//! - With repair, damaged days are made whole afterwards where anything holds their events (`indexer` does it).

use super::JobError;
use super::registry::Progress;
use crate::event::Day;
use crate::indexer::{Handle, Loss, Source};
use crate::journal::{Journal, JournalError};
use crate::store::Store;
use crate::store::plan::{Filter, TimeKey, TimeRange};
use crate::visits::recount::{Difference, Recount};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Differences told; more are only counted.
const DIFFERENCES_MAX: usize = 100;
/// Events of the journal read at once.
const JOURNAL_EVENTS: usize = 8_192;
/// A day of the longest zone either side: whichever zone a day is of, its times lie within.
const DAY_MS: i64 = 86_400_000;

/// What was checked and what was found.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// Days read.
    pub days: u64,
    /// Events in them.
    pub events: u64,
    /// Days whose sums are provisional until they are sealed, and so were not derived again.
    pub provisional: Vec<String>,
    /// Damaged parts, by name, with what does not fit.
    pub damaged: Vec<String>,
    /// Sums that are not what the events say.
    pub differences: Vec<String>,
    /// How many there are.
    pub differences_total: u64,
    /// What became of the damaged days, where repair was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repaired: Option<Vec<Mended>>,
}

/// What became of a damaged day.
#[derive(Debug, Serialize)]
pub struct Mended {
    /// Which day; `the journal` for what is lost of it.
    pub day: String,
    /// `aside`, `journal`, `accepted` (it counts without what is lost) or `nothing` (it is still damaged).
    pub from: &'static str,
    /// Why not from what is better.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
}

/// How hard the disk is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it goes.
    Full,
    /// Most of the time at rest.
    Gentle,
}

/// Rest after a day that was read gently, in times of what reading it took, and at the most.
const REST: (u32, Duration) = (4, Duration::from_secs(60));

/// Checks the journal, and these days of the store, or all.
pub async fn verify(
    journal: &Journal,
    store: &dyn Store,
    days: &[Day],
    recount: bool,
    pace: Pace,
    progress: &Progress,
) -> Result<Findings, JobError> {
    let losses: Vec<String> = journal.losses().iter().map(ToString::to_string).collect();
    let (journal, first) = (journal.clone(), journal.facts().first);
    let read = tokio::task::spawn_blocking(move || read_journal(&journal, first)).await;
    let mut damaged = read.map_err(|_| JobError::Busy("the server is stopping".to_owned()))??;
    let mut held = store.days().await?;
    let is_asked = |day: &Day| days.is_empty() || days.contains(day);
    held.retain(|state| is_asked(&state.day));
    for day in store.damaged().await?.into_iter().filter(|damaged| is_asked(&damaged.day)) {
        // One of which nothing is left is not held.
        if held.iter().all(|state| state.day != day.day) {
            damaged.extend(day.parts);
        }
    }
    damaged.extend(losses);
    progress.count_on(held.iter().map(|state| state.events).sum());
    let mut findings = Findings { days: held.len() as u64, damaged, ..Findings::default() };
    for state in held {
        let begun = Instant::now();
        findings.damaged.extend(store.verify(state.day).await?);
        if pace == Pace::Gentle {
            tokio::time::sleep((begun.elapsed() * REST.0).min(REST.1)).await;
        }
        match (recount, state.sealed && !state.dirty) {
            (true, true) => recount_day(store, state.day, &mut findings).await?,
            (true, false) => findings.provisional.push(state.day.to_string()),
            (false, _) => {}
        }
        findings.events += state.events;
        progress.advance(state.events);
    }
    Ok(findings)
}

/// Makes these damaged days whole, or all where none is named, and says what became of each.
/// What the journal lost is of no day: it is accepted with all days.
pub async fn mend(journal: &Journal, indexer: &Handle, days: Vec<Day>, loss: Loss) -> Result<Vec<Mended>, JobError> {
    let losses: Vec<String> = journal.losses().iter().map(ToString::to_string).collect();
    let of_all = days.is_empty();
    let repaired = indexer.repair(days, loss).await?.into_iter();
    let mended = repaired.map(|repaired| Mended {
        day: repaired.day.to_string(),
        from: match repaired.source {
            Source::Aside => "aside",
            Source::Journal => "journal",
            Source::Accepted => "accepted",
            Source::None => "nothing",
        },
        why: repaired.why,
    });
    let mut mended: Vec<Mended> = mended.collect();
    if of_all && !losses.is_empty() {
        let accepted = loss == Loss::Accepted;
        if accepted {
            journal.accept_losses()?;
        }
        let from = if accepted { "accepted" } else { "nothing" };
        mended.push(Mended { day: "the journal".to_owned(), from, why: losses });
    }
    Ok(mended)
}

/// Reads all that is synced; damage is named and passed over.
fn read_journal(journal: &Journal, first: u64) -> Result<Vec<String>, JournalError> {
    let mut reader = journal.reader(first)?;
    let mut damaged = Vec::new();
    loop {
        match reader.read(JOURNAL_EVENTS) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(damaged),
            // Released while it was read: the store has it.
            Err(JournalError::Missing { to, .. }) if to <= journal.facts().first => {}
            Err(error @ (JournalError::Damaged(_) | JournalError::Missing { .. })) => damaged.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
}

async fn recount_day(store: &dyn Store, day: Day, findings: &mut Findings) -> Result<(), JobError> {
    let start = i64::from(day.0) * DAY_MS;
    let range = TimeRange { key: TimeKey::Timestamp, from: start - DAY_MS, to: start + 2 * DAY_MS };
    let mut scan = store.scan(&Filter::is(crate::event::Known::Day, day.to_string()), range, None).await?;
    let mut recount = Recount::default();
    while let Some(batch) = scan.recv().await {
        batch?.into_iter().for_each(|event| recount.push(event));
    }
    let recount = recount.finish();
    findings.differences_total += recount.differences_total;
    let room = DIFFERENCES_MAX.saturating_sub(findings.differences.len());
    findings.differences.extend(recount.differences.iter().take(room).map(|difference| words(day, difference)));
    Ok(())
}

fn words(day: Day, difference: &Difference) -> String {
    let whose = difference.visitor.map_or_else(|| "no visitor".to_owned(), |visitor| format!("visitor {visitor:016x}"));
    let Difference { site, sum, stored, derived, .. } = difference;
    format!("{day} {site}, {whose}: {sum} is stored as {stored}, the events say {derived}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Batch, Options};

    #[tokio::test]
    async fn what_is_released_while_it_is_read_is_no_damage() {
        let dir = tempfile::tempdir().expect("folder");
        let options =
            Options { record_bytes_max: 64, segment_bytes_max: 256, bytes_max: 1 << 20, ..Options::default() };
        let (journal, _) = Journal::open(dir.path(), options).expect("open");
        let append = async || {
            let mut batch = Batch::default();
            batch.push(&[7; 40]);
            journal.append(batch).await.expect("appended");
        };
        for _ in 0..20 {
            append().await;
        }
        journal.release(20);
        while journal.facts().first < 10 {
            append().await;
        }
        assert_eq!(read_journal(&journal, 0).expect("read"), Vec::<String>::new());
    }
}
