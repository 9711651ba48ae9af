//! Failing writes, syncs and disks: nothing is acknowledged that is not stored, and the journal comes back by itself.

use super::faulty::Fault;
use super::*;
use crate::error::Kind;

#[test]
fn after_any_failure_the_journal_reopens_itself_and_loses_nothing() {
    let roll = [7u8; 250];
    let cases = [
        vec![Fault::Write(0)],
        vec![Fault::Write(1)],
        vec![Fault::Write(40)],
        vec![Fault::Write(10_000)],
        vec![Fault::Sync],
        vec![Fault::Sync, Fault::Cut],
        vec![Fault::Sync, Fault::Cut, Fault::Cut, Fault::Read, Fault::Create, Fault::Sync, Fault::Rename],
        vec![Fault::Write(5), Fault::Write(100), Fault::Sync, Fault::SyncFolder],
    ];
    for faults in cases {
        for acknowledged in 0..6 {
            let files = Faulty::default();
            let (journal, _) = open_in(&files, tiny());
            let payloads: Vec<Vec<u8>> = (0..acknowledged).map(|at| [&[at as u8], &roll[..]].concat()).collect();
            for payload in &payloads {
                append(&journal, &[payload]).unwrap();
            }
            faults.iter().for_each(|&fault| files.fail_next(fault));
            let error = append(&journal, &[b"not acknowledged"]).unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable, "{faults:?}: {error}");
            assert!(std::error::Error::source(&error).is_some());
            healed(&journal);
            files.mend();
            let end = acknowledged as u64;
            assert_eq!(append(&journal, &[b"after"]).unwrap(), end..end + 1, "{faults:?}");
            let expected: Entries = (0..).zip(payloads.into_iter().chain([b"after".to_vec()])).collect();
            assert_eq!(read_whole(&journal, 0), expected, "{faults:?} after {acknowledged}");
            journal.close();
            assert_eq!(files.resyncs(), 0, "{faults:?}");
            let (journal, recovery) = open_in(&files.after_power_loss(acknowledged as u64), tiny());
            assert_eq!((read_whole(&journal, 0), recovery.damaged), (expected, vec![]), "{faults:?}");
        }
    }
}

#[test]
fn a_segment_that_cannot_be_made_poisons_too() {
    for fault in [Fault::Create, Fault::SyncFolder] {
        let (files, _) = folder_of(1, tiny());
        let (journal, _) = open_in(&files, tiny());
        files.fail_next(fault);
        let error = loop {
            if let Err(error) = append(&journal, &[&[9; 250], b"x"]) {
                break error;
            }
        };
        assert_eq!(error.kind(), Kind::Unavailable);
        healed(&journal);
        // What of the batch was synced before the segment was to be made has kept its positions.
        let end = journal.facts().synced;
        assert_eq!(append(&journal, &[b"after"]).unwrap(), end..end + 1);
        assert_eq!(read_whole(&journal, 0).len() as u64, end + 1);
    }
}

#[test]
fn a_full_disk_heals_when_there_is_room_and_is_read_meanwhile() {
    let (files, entries) = folder_of(10, tiny());
    let (journal, _) = open_in(&files, tiny());
    files.limit(Some(800));
    assert_eq!(append(&journal, &[b"no room"]).unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(append(&journal, &[b"still none"]).unwrap_err().kind(), Kind::Unavailable);
    assert!(journal.facts().poisoned);
    assert_eq!(read_whole(&journal, 0), entries);
    files.limit(None);
    healed(&journal);
    assert_eq!(append(&journal, &[b"room"]).unwrap(), 20..21);
    assert!(!journal.facts().poisoned);
}

#[test]
fn releasing_makes_room_on_a_full_disk() {
    let (files, _) = folder_of(40, tiny());
    let options = Options { recovery_bytes_max: 1, ..tiny() };
    let (journal, _) = open_in(&files, options);
    let held: usize = files.names().iter().map(|name| files.bytes_of(name).len()).sum();
    files.limit(Some(held.max(66 << 10)));
    files.fail_next(Fault::Sync);
    append(&journal, &[b"x"]).unwrap_err();
    journal.release(u64::MAX);
    healed(&journal);
    assert_eq!(append(&journal, &[b"room"]).unwrap(), 80..81);
}

#[test]
fn a_release_that_fails_is_done_by_a_later_one() {
    for fault in [Fault::Unlink, Fault::SyncFolder] {
        let (files, entries) = folder_of(40, tiny());
        let (journal, _) = open_in(&files, tiny());
        files.fail_next(fault);
        journal.release(40);
        runtime().block_on(async {
            while files.fails() {
                tokio::task::yield_now().await
            }
        });
        assert!(read(&journal, 0).1.len() <= 1, "{fault:?}");
        journal.release(41);
        runtime().block_on(async {
            while journal.facts().first == 0 {
                tokio::task::yield_now().await
            }
        });
        journal.clone().close();
        assert_eq!(read_whole(&journal, 41), entries[41..]);
        drop(journal);
        let (_, recovery) = open_in(&files, tiny());
        assert!(recovery.damaged.is_empty(), "{fault:?}: {recovery}");
    }
}

#[test]
fn a_read_that_fails_is_tried_again_by_the_next_call() {
    let (files, entries) = folder_of(10, tiny());
    let (journal, _) = open_in(&files, tiny());
    for _ in 0..3 {
        files.fail_next(Fault::Read);
        let (read, errors) = read(&journal, 0);
        assert_eq!((read, errors.len()), (entries.clone(), 1));
        assert_eq!(errors[0].kind(), Kind::Internal);
    }
}

#[test]
fn damage_that_cannot_be_copied_stays_and_the_journal_opens() {
    let (files, _) = folder_of(3, Options { segment_bytes_max: 1 << 19, ..tiny() });
    let name = files.names().remove(0);
    let mut bytes = files.bytes_of(&name);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let folder = files.with(&name, &bytes);
    folder.fail_next(Fault::Write(3));
    let (journal, recovery) = open_in(&folder, tiny());
    assert_eq!((recovery.damaged[0].aside.as_ref(), recovery.end), (None, 6));
    assert_eq!(append(&journal, &[b"next"]).unwrap(), 6..7);
    assert_eq!(folder.bytes_of(&name), bytes);
    let (read, errors) = read(&journal, 0);
    assert_eq!((read.len(), errors.len()), (5, 1));
}

#[test]
fn a_poisoned_journal_closes_at_once() {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, Options { reopen_wait: Duration::from_secs(3600), ..tiny() });
    files.fail_next(Fault::Sync);
    append(&journal, &[b"x"]).unwrap_err();
    journal.close();
    let (journal, recovery) = open_in(&files, tiny());
    assert_eq!((recovery.end, read_whole(&journal, 0)), (0, vec![]));
}
