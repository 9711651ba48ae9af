//! Tests of the journal, and what they share.

mod basics;
mod damage;
mod faults;
mod faulty;
mod fixture;
mod group;
mod random;

use super::*;
use faulty::Faulty;
use tokio::runtime::Runtime;

/// Limits under which rolling over takes a handful of records, and healing no time.
fn tiny() -> Options {
    Options {
        segment_bytes_max: 700,
        bytes_max: 1 << 20,
        queue_batches_max: 2048,
        record_bytes_max: 256,
        reopen_wait: Duration::from_millis(1),
        reopen_wait_max: Duration::from_millis(1),
        ..Options::default()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn open_in(files: &Faulty, options: Options) -> (Journal, Recovery) {
    Journal::open_in(Arc::new(files.clone()), None, options).unwrap()
}

fn append(journal: &Journal, payloads: &[&[u8]]) -> Result<Range<u64>, JournalError> {
    runtime().block_on(journal.append(payloads.iter().copied().collect()))
}

/// Waits until the journal has reopened itself.
fn healed(journal: &Journal) {
    let mut poisoned = journal.poisoned();
    runtime().block_on(async { poisoned.wait_for(|poisoned| !poisoned).await.map(drop).unwrap() });
}

/// Payloads with their positions.
type Entries = Vec<(u64, Vec<u8>)>;

/// Everything from `from` on, and the errors met on the way.
fn read(journal: &Journal, from: u64) -> (Entries, Vec<JournalError>) {
    let mut reader = journal.reader(from).unwrap();
    let (mut entries, mut errors) = (Entries::new(), Vec::new());
    loop {
        match reader.read(3) {
            Ok(Some(block)) => {
                assert!(!block.is_empty() && block.len() <= 3 && block.len() == block.iter().len());
                entries
                    .extend(block.iter().enumerate().map(|(at, payload)| (block.first + at as u64, payload.to_vec())));
                assert_eq!(reader.position(), block.end());
            }
            Ok(None) => return (entries, errors),
            Err(error) => {
                assert!(errors.len() < 100, "no progress at {}: {error:?}", reader.position());
                errors.push(error);
            }
        }
    }
}

fn read_whole(journal: &Journal, from: u64) -> Entries {
    let (entries, errors) = read(journal, from);
    assert!(errors.is_empty(), "{errors:?}");
    entries
}

/// A folder that holds `count` records of two payloads each, and the payloads.
fn folder_of(count: u64, options: Options) -> (Faulty, Entries) {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, options);
    let mut entries = Entries::new();
    for at in 0..count {
        let payloads = [format!("payload {at}, the first").into_bytes(), vec![at as u8; at as usize % 40]];
        let range = append(&journal, &[&payloads[0], &payloads[1]]).unwrap();
        entries.extend(range.zip(payloads));
    }
    journal.close();
    (files, entries)
}
