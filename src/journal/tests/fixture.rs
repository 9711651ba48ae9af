//! A journal of format version 1, made once: every later build reads it.

use super::*;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journal/v1")
}

/// The payloads that the fixture holds, by their batches.
fn batches() -> Vec<Vec<Vec<u8>>> {
    let payload = |at: usize| match at % 5 {
        0 => Vec::new(),
        1 => format!("payload {at}").into_bytes(),
        2 => vec![at as u8; 150],
        3 => (0..=255).skip(at).take(90).collect(),
        _ => format!("{at} ünïcödé \0 {at}").into_bytes(),
    };
    (0..12).map(|batch| (0..batch % 4 + 1).map(|at| payload(batch * 4 + at)).collect()).collect()
}

#[test]
fn version_1_is_read_for_ever() {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    holds_the_batches(copy.path());
}

/// With `JOURNAL_FIXTURE` it makes the fixture in that folder, which was done once.
#[test]
fn what_is_written_today_reads_as_the_fixture_does() {
    let temporary = TempDir::new().unwrap();
    let made = std::env::var_os("JOURNAL_FIXTURE").map_or(temporary.path().to_owned(), PathBuf::from);
    fs::create_dir_all(&made).unwrap();
    let (journal, _) = Journal::open(&made, tiny()).unwrap();
    for batch in batches() {
        runtime().block_on(journal.append(batch.iter().map(Vec::as_slice).collect())).unwrap();
    }
    journal.close();
    fs::remove_file(made.join("lock")).unwrap();
    holds_the_batches(&made);
}

fn holds_the_batches(folder: &Path) {
    let (journal, recovery) = Journal::open(folder, tiny()).unwrap();
    let expected: Entries = (0..).zip(batches().into_iter().flatten()).collect();
    assert_eq!((recovery.end, recovery.cut, recovery.damaged), (expected.len() as u64, None, vec![]));
    assert!(recovery.segments > 1);
    assert_eq!(read_whole(&journal, 0), expected);
}
