//! Many at once: group commit, readers that follow, closing.

use super::*;
use std::thread;
use tokio::task::JoinSet;

#[test]
fn what_arrives_during_a_sync_shares_the_next_one() {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, Options { record_bytes_max: 64 << 10, segment_bytes_max: 1 << 17, ..tiny() });
    let before = journal.facts().syncs;
    files.shut_gate();
    let ranges = runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for at in 0..1000u64 {
            let journal = journal.clone();
            tasks.spawn(async move { journal.append([&at.to_le_bytes()[..]].into_iter().collect()).await });
            tokio::task::yield_now().await;
            if at == 0 {
                files.until_a_sync_waits();
            }
        }
        files.open_gate();
        tasks.join_all().await
    });
    assert_eq!(journal.facts().syncs - before, 2);
    let mut positions: Vec<u64> = ranges.into_iter().map(|range| range.unwrap().start).collect();
    positions.sort_unstable();
    assert!(positions.into_iter().eq(0..1000));
    let mut reader = journal.reader(0).unwrap();
    let records = std::iter::from_fn(|| reader.read(usize::MAX).unwrap()).map(|block| block.len());
    assert_eq!(records.collect::<Vec<_>>(), [1, 999]);
}

#[test]
fn a_reader_sees_exactly_what_was_acknowledged_in_order() {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, tiny());
    const COUNT: u64 = 4000;
    let mut reader = journal.reader(0).unwrap();
    let mut synced = journal.synced();
    let follower = thread::spawn(move || {
        let mut seen = Vec::new();
        while (seen.len() as u64) < COUNT {
            match reader.read(100).unwrap() {
                Some(block) => {
                    assert_eq!(block.first, seen.len() as u64);
                    assert!(block.end() <= *synced.borrow());
                    seen.extend(block.iter().map(<[u8]>::to_vec));
                }
                None => runtime().block_on(async { synced.changed().await.unwrap() }),
            }
        }
        seen
    });
    let acknowledged = runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for caller in 0..40u64 {
            let journal = journal.clone();
            tasks.spawn(async move {
                let mut mine = Entries::new();
                for at in 0..COUNT / 80 {
                    let payloads = [(caller << 32 | at).to_le_bytes(), (caller << 32 | at | 1 << 31).to_le_bytes()];
                    let range = journal.append(payloads.iter().map(|payload| &payload[..]).collect()).await.unwrap();
                    mine.extend(range.zip(payloads.map(|payload| payload.to_vec())));
                }
                mine
            });
        }
        tasks.join_all().await
    });
    let mut acknowledged: Entries = acknowledged.into_iter().flatten().collect();
    acknowledged.sort();
    let seen: Entries = (0..).zip(follower.join().unwrap()).collect();
    assert_eq!(seen, acknowledged);
    assert!(files.names().len() > 10);
}

#[test]
fn close_finishes_what_was_taken() {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, tiny());
    files.shut_gate();
    let answers = runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for at in 0..50u8 {
            let journal = journal.clone();
            tasks.spawn(async move { journal.append([&[at][..]].into_iter().collect()).await });
        }
        tokio::task::yield_now().await;
        files.until_a_sync_waits();
        journal.owner.queue.close();
        files.open_gate();
        tasks.join_all().await
    });
    assert_eq!(answers.into_iter().filter(Result::is_ok).count(), 50);
    journal.close();
    let (journal, recovery) = open_in(&files, tiny());
    assert_eq!((recovery.end, read_whole(&journal, 0).len()), (50, 50));
}

#[test]
fn who_finds_the_queue_full_waits_for_room() {
    let files = Faulty::default();
    let (journal, _) = open_in(&files, Options { queue_batches_max: 2, queue_bytes_max: 100, ..tiny() });
    let answers = runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for at in 0..100u8 {
            let journal = journal.clone();
            // Some are larger than all the bytes that may wait.
            let payload = vec![at; 1 + usize::from(at) * 2];
            tasks.spawn(async move { journal.append([&payload[..]].into_iter().collect()).await });
        }
        tasks.join_all().await
    });
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(journal.facts().synced, 100);
}
