//! What holds when nothing fails: order, restarts, limits, release, the lock.

use super::*;
use crate::error::Kind;
use std::fs;
use tempfile::TempDir;

#[test]
fn what_was_appended_is_read_again_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("not/yet/there");
    let (journal, recovery) = Journal::open(&dir, Options::default()).unwrap();
    assert_eq!(recovery, Recovery { segments: 1, ..Recovery::default() });
    assert_eq!(append(&journal, &[b"one", b"", b"three"]).unwrap(), 0..3);
    assert_eq!(append(&journal, &[]).unwrap(), 3..3);
    assert_eq!(append(&journal, &[b"four"]).unwrap(), 3..4);
    let before = read_whole(&journal, 0);
    assert_eq!(before.len(), 4);
    journal.close();
    let (journal, recovery) = Journal::open(&dir, Options::default()).unwrap();
    assert_eq!((recovery.end, &recovery.cut, &recovery.damaged), (4, &None, &Vec::new()));
    assert_eq!(recovery.to_string(), "positions 0..4 in 1 segments");
    assert_eq!(read_whole(&journal, 0), before);
    assert_eq!(read_whole(&journal, 2), before[2..]);
    assert_eq!(append(&journal, &[b"five"]).unwrap(), 4..5);
    assert!(dir.join("00000000000000000000.journal").exists());
}

#[test]
fn segments_roll_over_and_positions_go_on() {
    let (files, entries) = folder_of(40, tiny());
    let segments = files.names();
    assert!(segments.len() > 3 && segments.is_sorted(), "{segments:?}");
    let (journal, recovery) = open_in(&files, tiny());
    assert_eq!((recovery.first, recovery.end, recovery.segments), (0, 80, segments.len()));
    for from in 0..=80 {
        assert_eq!(read_whole(&journal, from as u64), entries[from..], "from {from}");
    }
    let facts = journal.facts();
    let bytes: usize = segments.iter().map(|name| files.bytes_of(name).len()).sum();
    assert_eq!((facts.first, facts.synced, facts.bytes, facts.poisoned), (0, 80, bytes as u64, false));
    assert!(segments.iter().all(|name| files.bytes_of(name).len() <= 700));
}

#[test]
fn a_batch_larger_than_a_record_is_spread_over_records_and_segments() {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, tiny());
    let mut random = faulty::Random(7);
    let payloads: Vec<Vec<u8>> = (0..30).map(|_| (0..60).map(|_| random.below(256) as u8).collect()).collect();
    let batch: Batch = payloads.iter().map(Vec::as_slice).collect();
    assert_eq!((batch.len(), batch.bytes()), (30, 1800));
    assert_eq!(runtime().block_on(journal.append(batch)).unwrap(), 0..30);
    assert!(files.names().len() > 2);
    assert_eq!(read_whole(&journal, 0), (0..).zip(payloads).collect::<Entries>());
}

#[test]
fn a_payload_that_fits_in_no_record_is_refused_with_its_batch() {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, tiny());
    assert_eq!(append(&journal, &[&[1; 252]]).unwrap(), 0..1);
    let error = append(&journal, &[b"small", &[1; 253]]).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Invalid, "append payload of 253 B: limit is 252 B"));
    assert_eq!(journal.facts().synced, 1);
}

#[test]
fn a_full_journal_says_so_until_it_is_released() {
    let options = Options { bytes_max: 2100, ..tiny() };
    let files = Faulty::default();
    let (journal, _) = open_in(&files, options.clone());
    let noise = |seed: u64| {
        let mut random = faulty::Random(seed);
        (0..200).map(|_| random.below(256) as u8).collect::<Vec<_>>()
    };
    for round in 0..5 {
        let mut appended = 0;
        let error = loop {
            match append(&journal, &[&noise(appended + 1)]) {
                Ok(_) => appended += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), Kind::Overloaded, "{error}");
        assert!(appended >= 1 && journal.facts().bytes <= 2100, "round {round}: {appended}");
        journal.release(journal.facts().synced);
        runtime().block_on(async {
            while journal.facts().segments > 1 {
                tokio::task::yield_now().await
            }
        });
    }
}

#[test]
fn release_keeps_what_is_not_before_and_the_position() {
    let (files, entries) = folder_of(40, tiny());
    let (journal, _) = open_in(&files, tiny());
    journal.release(31);
    runtime().block_on(async {
        while journal.facts().first == 0 {
            tokio::task::yield_now().await
        }
    });
    journal.clone().close();
    let first = journal.facts().first;
    assert!(first > 0 && first <= 31);
    assert_eq!(read_whole(&journal, 31), entries[31..]);
    let (_, errors) = read(&journal, 0);
    assert!(matches!(errors[..], [JournalError::Missing { from: 0, to }] if to == first), "{errors:?}");
    drop(journal);

    let (journal, recovery) = open_in(&files, tiny());
    assert_eq!((recovery.first, recovery.end), (first, 80));
    journal.release(u64::MAX);
    runtime().block_on(async {
        while journal.facts().segments > 1 {
            tokio::task::yield_now().await
        }
    });
    journal.close();
    let (journal, recovery) = open_in(&files, tiny());
    assert_eq!((recovery.end, recovery.segments, recovery.damaged.len()), (80, 1, 0));
    assert_eq!(append(&journal, &[b"next"]).unwrap(), 80..81);
}

#[test]
fn a_second_opener_is_refused_with_the_folders_name() {
    let folder = TempDir::new().unwrap();
    let (journal, _) = Journal::open(folder.path(), Options::default()).unwrap();
    let error = Journal::open(folder.path(), Options::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    journal.close();
    Journal::open(folder.path(), Options::default()).unwrap();
}

#[test]
fn bounds_that_do_not_fit_are_named() {
    let base = Options::default;
    let cases = [
        (Options { record_bytes_max: 1, ..base() }, "record_bytes_max is 1"),
        (Options { record_bytes_max: (64 << 20) + 1, ..base() }, "record_bytes_max is 67108865"),
        (Options { segment_bytes_max: 4 << 20, ..base() }, "segment_bytes_max is 4194304"),
        (Options { bytes_max: 100 << 20, ..base() }, "bytes_max is 104857600: must be 134217728"),
        (Options { queue_batches_max: 0, ..base() }, "queue_batches_max is 0"),
        (Options { queue_bytes_max: 0, ..base() }, "queue_bytes_max is 0"),
    ];
    for (options, message) in cases {
        let error = Journal::open_in(Arc::new(Faulty::default()), None, options).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_position_that_followers_hold_is_never_given_again() {
    let (files, _) = folder_of(3, tiny());
    for (options, end, damaged) in [(tiny(), 6, 0), (Options { position_min: 90, ..tiny() }, 90, 1)] {
        let (journal, recovery) = open_in(&files.after_kill(), options);
        assert_eq!((recovery.end, recovery.damaged.len()), (end, damaged), "{recovery}");
        assert_eq!(append(&journal, &[b"next"]).unwrap(), end..end + 1);
        let error = journal.reader(end + 2).unwrap_err();
        assert_eq!(error.to_string(), format!("read journal from position {}: it ends at {}", end + 2, end + 1));
    }
    let (journal, recovery) = open_in(&Faulty::default(), Options { position_min: 5, ..tiny() });
    assert_eq!((recovery.end, recovery.damaged[0].positions.clone()), (5, 0..5));
    assert_eq!(append(&journal, &[b"next"]).unwrap(), 5..6);
}

#[test]
fn a_closed_journal_takes_nothing_and_is_read_on() {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, tiny());
    append(&journal, &[b"one"]).unwrap();
    let other = journal.clone();
    journal.close();
    let error = append(&other, &[b"two"]).unwrap_err();
    assert_eq!((error.kind(), read_whole(&other, 0).len()), (Kind::Unavailable, 1));
}

#[test]
fn foreign_files_in_the_folder_are_left_alone() {
    let folder = TempDir::new().unwrap();
    for name in ["1.journal", "note.txt", "00000000000000000000.journal.damaged-7"] {
        fs::write(folder.path().join(name), b"mine").unwrap();
    }
    let (journal, recovery) = Journal::open(folder.path(), Options::default()).unwrap();
    assert_eq!(recovery.segments, 1);
    journal.close();
    assert_eq!(fs::read(folder.path().join("1.journal")).unwrap(), b"mine");
}
