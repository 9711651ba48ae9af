//! How fast the journal acknowledges, beside the disk's own limit: `cargo bench --bench journal`.
//! - Payloads are 300 B of seeded text with ids in it, as an event is.
//! - The rows "disk" write the same bytes, uncompressed, and sync: nothing that syncs so often can be faster on this disk,
//!   unless it writes less.
//! - Folders are made below the target folder, on whatever disk that is.

use metronome::journal::{Batch, Journal, Options};
use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const PAYLOAD_BYTES: usize = 300;
const RUN: Duration = Duration::from_secs(3);

/// What one run did.
struct Row {
    name: &'static str,
    payloads: u64,
    syncs: u64,
    sync_time: Duration,
    took: Duration,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let rows = [
        disk("disk, 1 x 300 B a sync", 1)?,
        journal("journal, 256 callers of 1", &runtime, 256, 1)?,
        disk("disk, 256 x 300 B a sync", 256)?,
        journal("journal, 1 caller of 1,000", &runtime, 1, 1000)?,
        disk("disk, 1,000 x 300 B a sync", 1000)?,
        journal("journal, 8 callers of 1,000", &runtime, 8, 1000)?,
        disk("disk, 8,000 x 300 B a sync", 8000)?,
        replay(&runtime)?,
    ];
    println!(
        "{:<28} {:>11} {:>7} {:>8} {:>12} {:>10}",
        "", "payloads/s", "MB/s", "syncs/s", "payloads/sync", "ms/sync"
    );
    for Row { name, payloads, syncs, sync_time, took } in rows {
        let seconds = took.as_secs_f64();
        let rate = payloads as f64 / seconds;
        println!(
            "{name:<28} {rate:>11.0} {:>7.1} {:>8.0} {:>13.1} {:>10.3}",
            rate * PAYLOAD_BYTES as f64 / 1e6,
            syncs as f64 / seconds,
            payloads as f64 / syncs.max(1) as f64,
            sync_time.as_secs_f64() * 1e3 / syncs.max(1) as f64,
        );
    }
    Ok(())
}

/// Payloads that differ as events do.
fn payloads(count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut one = || {
        let (id, item, visitor) = (next(), next() % 20_000, next());
        let mut text = format!(
            "{id:016x}{:016x} view https://example.org/articles/{item}?lang=en {visitor:016x} Firefox 128 Linux desktop \
             https://search.example/?q={} DE Berlin",
            next(),
            next() % 1000
        )
        .into_bytes();
        while text.len() < PAYLOAD_BYTES {
            text.extend_from_slice(["session ", "organic ", "article ", "catalog "][next() as usize % 4].as_bytes());
        }
        text.truncate(PAYLOAD_BYTES);
        text
    };
    (0..count).map(|_| one()).collect()
}

fn folder() -> std::io::Result<TempDir> {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))
}

/// Writes and syncs groups of payloads, nothing else.
fn disk(name: &'static str, group: usize) -> std::io::Result<Row> {
    let folder = folder()?;
    let mut file = File::create(folder.path().join("disk"))?;
    let groups: Vec<Vec<u8>> = (0..16).map(|seed| payloads(group, seed).concat()).collect();
    let (started, mut syncs, mut sync_time) = (Instant::now(), 0, Duration::ZERO);
    for bytes in groups.iter().cycle() {
        file.write_all(bytes)?;
        let syncing = Instant::now();
        file.sync_data()?;
        sync_time += syncing.elapsed();
        syncs += 1;
        if started.elapsed() > RUN {
            break;
        }
    }
    Ok(Row { name, payloads: syncs * group as u64, syncs, sync_time, took: started.elapsed() })
}

/// Appends from so many callers, each waiting for its acknowledgement before the next batch.
fn journal(
    name: &'static str,
    runtime: &Runtime,
    callers: u64,
    batch: usize,
) -> Result<Row, Box<dyn std::error::Error>> {
    let folder = folder()?;
    let (journal, _) = Journal::open(folder.path(), Options::default())?;
    let batches = |caller| -> Vec<Batch> {
        let all = payloads(batch * 16, caller);
        all.chunks(batch).map(|chunk| chunk.iter().map(Vec::as_slice).collect()).collect()
    };
    let batches: Vec<Vec<Batch>> = (0..callers).map(batches).collect();
    let started = Instant::now();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for batches in batches {
            let journal = journal.clone();
            tasks.spawn(async move {
                for batch in batches.iter().cycle().take_while(|_| started.elapsed() < RUN) {
                    journal.append(batch.clone()).await?;
                }
                Ok::<(), metronome::journal::JournalError>(())
            });
        }
        tasks.join_all().await.into_iter().collect::<Result<(), _>>()
    })?;
    let (took, facts) = (started.elapsed(), journal.facts());
    journal.close();
    Ok(Row { name, payloads: facts.synced, syncs: facts.syncs, sync_time: facts.sync_time, took })
}

/// Reads a journal of a million payloads from its beginning.
fn replay(runtime: &Runtime) -> Result<Row, Box<dyn std::error::Error>> {
    let folder = folder()?;
    let (journal, _) = Journal::open(folder.path(), Options::default())?;
    for seed in 0..100 {
        runtime.block_on(journal.append(payloads(10_000, seed).iter().map(Vec::as_slice).collect()))?;
    }
    let bytes = journal.facts().bytes;
    println!("a million payloads take {:.1} B each on disk", bytes as f64 / 1e6);
    let (started, mut reader, mut read, mut sum) = (Instant::now(), journal.reader(0)?, 0, 0);
    while let Some(block) = reader.read(1000)? {
        read += block.len() as u64;
        sum += block.iter().map(<[u8]>::len).sum::<usize>();
    }
    assert_eq!(sum as u64, read * PAYLOAD_BYTES as u64);
    Ok(Row {
        name: "replay of a million",
        payloads: read,
        syncs: 0,
        sync_time: Duration::ZERO,
        took: started.elapsed(),
    })
}
