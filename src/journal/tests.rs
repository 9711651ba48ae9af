//! Tests of the journal on a real folder.

use super::*;
use std::fs;
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn open(folder: &TempDir, options: Options) -> (Journal, Recovery) {
    Journal::open(folder.path(), options).unwrap()
}

fn append(journal: &Journal, payloads: &[&[u8]]) -> Result<Range<u64>, JournalError> {
    runtime().block_on(journal.append(payloads.iter().copied().collect()))
}

fn read_all(journal: &Journal, from: u64) -> Vec<(u64, Vec<u8>)> {
    let mut reader = journal.reader(from).unwrap();
    let mut all = Vec::new();
    while let Some(block) = reader.read(7).unwrap() {
        all.extend(block.iter().enumerate().map(|(at, payload)| (block.first + at as u64, payload.to_vec())));
    }
    all
}

#[test]
fn what_was_appended_is_read_again_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let (journal, recovery) = open(&folder, Options::default());
    assert_eq!(recovery, Recovery { segments: 1, ..Recovery::default() });
    assert_eq!(append(&journal, &[b"one", b"", b"three"]).unwrap(), 0..3);
    assert_eq!(append(&journal, &[]).unwrap(), 3..3);
    assert_eq!(append(&journal, &[b"four"]).unwrap(), 3..4);
    let before = read_all(&journal, 0);
    assert_eq!(before.len(), 4);
    journal.close();
    let (journal, recovery) = open(&folder, Options::default());
    assert_eq!((recovery.end, recovery.cut, recovery.damaged), (4, None, Vec::new()));
    assert_eq!(read_all(&journal, 0), before);
    assert_eq!(read_all(&journal, 2), before[2..]);
    assert_eq!(append(&journal, &[b"five"]).unwrap(), 4..5);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name == "00000000000000000000.journal"), "{names:?}");
}
