//! Tests of questions that are given up: nobody waits for them any more, or they hold too much.

use super::*;
use std::sync::mpsc::sync_channel;

#[tokio::test]
async fn work_ends_when_its_future_is_dropped() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    let ((started, has_started), (ended, has_ended)) = (sync_channel(1), sync_channel(1));
    // It would go on for an hour.
    let work = store.ask(Duration::from_secs(3600), move |_, _, deadline| {
        started.send(deadline.check("aggregate").is_ok()).expect("somebody listens");
        while deadline.check("aggregate").is_ok() {
            std::thread::yield_now();
        }
        ended.send(deadline.check("aggregate")).expect("somebody listens");
        Ok(())
    });
    {
        let mut work = std::pin::pin!(work);
        assert!(polled(work.as_mut()).is_pending());
        assert!(has_started.recv().expect("it started"), "somebody waits");
    }
    let ended = has_ended.recv_timeout(Duration::from_secs(60)).expect("it ended");
    assert!(matches!(ended, Err(StoreError::Stopped)), "{ended:?}");
}

/// Polls once, for nobody.
fn polled<T>(work: std::pin::Pin<&mut impl Future<Output = T>>) -> std::task::Poll<T> {
    work.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_was_left_reads_no_segment_and_keeps_no_answer() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    store.write((0..20).map(entry).collect(), 20).await.expect("write");
    store.seal(DAY, Box::new(|_| {})).await.expect("seal");
    let deadline = Deadline::after(Duration::from_secs(3600));
    let views: Vec<Arc<DayView>> = store.shared.days().values().cloned().collect();
    let by_id = plan(vec![Group::Key(Known::Id.into())]);
    let waiting = deadline.waiting();
    assert!(ask::ask(&store.shared, &views, &by_id, deadline.clone()).is_ok());
    drop(waiting);
    let asked = ask::ask(&store.shared, &views, &by_id, deadline.clone());
    assert!(matches!(asked, Err(StoreError::Stopped)), "{asked:?}");
    let filter = filter::compile(&Filter::All).expect("a filter");
    let page = newest::page(&store.shared.days(), &filter, all_time(), None, 9, deadline);
    assert!(matches!(page, Err(StoreError::Stopped)), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_holds_no_more_memory_than_it_may() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    let of = |number: u64| {
        let mut entry = entry(number);
        entry.event.set(Known::Visitor, Value::hash(number));
        entry
    };
    store.write((0..900).map(of).collect(), 900).await.expect("write");
    store.flush().await.expect("flush");
    let refused = async |bytes_max: usize| {
        let metrics = vec![Metric::of(Measure::Distinct(Known::Visitor.into()))];
        let limits = Limits { bytes_max, ..Limits::default() };
        match store.aggregate(&Plan { metrics, limits, ..plan(vec![]) }).await {
            Ok(_) => false,
            Err(StoreError::Limit { limit, of: "bytes of rows", .. }) if limit == bytes_max as u64 => true,
            Err(error) => panic!("{error}"),
        }
    };
    // One row: what it holds is its 900 hashes.
    let (mut least, mut most) = (0, 1 << 20);
    while most - least > 1 {
        let middle = usize::midpoint(least, most);
        *(if refused(middle).await { &mut least } else { &mut most }) = middle;
    }
    assert!((900 * 8..900 * 32).contains(&most), "{most} B");
}
