use super::*;
use crate::catalog::Catalog;
use crate::error::Kind;
use crate::event::Day;
use crate::journal;
use crate::normalize::{Reason, Receiver, json};
use pace::EVENT_WAIT_MAX;
use std::time::Duration;

const DAY_MS: Millis = 86_400_000;
/// 2024-01-01T00:00:00Z.
const NOW: Millis = 1_704_067_200_000;

struct House {
    folder: tempfile::TempDir,
    journal: Journal,
    salts: Arc<Salts>,
    ingest: Ingest,
    stored: watch::Sender<u64>,
}

fn open(folder: tempfile::TempDir, options: &journal::Options) -> House {
    let (journal, _) = Journal::open(&folder.path().join("journal"), options.clone()).expect("open the journal");
    let catalog = Catalog::open(&folder.path().join("catalog.db")).expect("open the catalog");
    let salts = Arc::new(Salts::open(Arc::new(catalog)).expect("salts"));
    let stored = watch::Sender::new(0);
    let parts = Parts {
        journal: journal.clone(),
        stored: stored.subscribe(),
        salts: Arc::clone(&salts),
        sites: Arc::default(),
        places: None,
        limits: Limits::default(),
        keep_user_agent: false,
        options: Options { batch_events_max: 1_000, behind_events_max: 10, ..Options::default() },
    };
    let ingest = Ingest::open(parts).expect("open ingest");
    House { folder, journal, salts, ingest, stored }
}

fn house() -> House {
    open(tempfile::tempdir().expect("a folder"), &journal::Options::default())
}

fn items(texts: &[&str]) -> Vec<Item> {
    let read = |text: &&str| json::read(text.as_bytes(), &Limits::default());
    texts.iter().map(read).enumerate().map(|(at, raw)| Item { at, raw }).collect()
}

impl House {
    async fn take_at(&self, received_at: Millis, texts: &[&str]) -> Receipt {
        self.ingest.take(items(texts), Sender::unknown(Receiver::Tick, received_at)).await.expect("taken")
    }

    async fn take(&self, texts: &[&str]) -> Receipt {
        self.take_at(NOW, texts).await
    }

    fn journaled(&self) -> Vec<Event> {
        let mut reader = self.journal.reader(0).expect("a reader");
        let mut events = Vec::new();
        while let Some(block) = reader.read(1_000).expect("read") {
            events.extend(block.iter().map(|payload| Event::from_payload(payload).expect("an event").0));
        }
        events
    }

    fn reopen(self) -> Self {
        let Self { folder, journal, ingest, .. } = self;
        drop(ingest);
        journal.close();
        open(folder, &journal::Options::default())
    }
}

#[tokio::test]
async fn a_receipt_tells_what_became_of_each_event() {
    let house = house();
    let receipt = house
        .take(&[r#"{"event_id":"a"}"#, r#"{"event_id":"a"}"#, "[1", r#"{"k":1}"#, r#"{"@timestamp":"soon"}"#])
        .await;
    assert_eq!((receipt.accepted, receipt.duplicates, receipt.positions), (2, 1, 0..2));
    assert_eq!(receipt.days.into_iter().collect::<Vec<_>>(), [Day(19_723)]);
    let rejected: Vec<_> = receipt.rejected.iter().map(|it| (it.at, it.reason)).collect();
    assert_eq!(rejected, [(2, Reason::NotJson), (4, Reason::Time)]);
    let counts = house.ingest.counts();
    assert_eq!((counts[DEFAULT_SITE].accepted, counts[DEFAULT_SITE].duplicates), (2, 1));
    assert_eq!(counts[DEFAULT_SITE].rejected.values().sum::<u64>(), 2);
    let receipt = house.take(&[]).await;
    assert_eq!((receipt.accepted, receipt.positions), (0, 2..2));
}

#[tokio::test]
async fn what_is_accepted_is_in_the_journal_without_address_and_increments() {
    let house = house();
    let said = r#"{"path":"/x","ip":"203.0.113.77","user_agent":"Mozilla/5.0 Firefox/140.0","visit":"v","k":[1,"a"]}"#;
    assert_eq!(house.take(&[said, r#"{"visitor":"me"}"#]).await.accepted, 2);
    let events = house.journaled();
    assert_eq!(events[0].text(Known::Path), Some("/x"));
    assert!(events.iter().all(|event| event.known(Known::Visitor).is_some()));
    for event in &events {
        assert!(!event.to_json().to_string().contains("203.0.113.77"));
        assert!(
            event
                .fields()
                .iter()
                .all(|(key, _)| !matches!(key, crate::event::Key::Known(known) if known.is_increment()))
        );
    }
    let again = house.reopen();
    assert_eq!(again.journaled(), events);
}

#[tokio::test]
async fn an_id_is_known_among_the_days_that_its_time_says() {
    let timed = |day: i64, id: &str| format!(r#"{{"event_id":"{id}","@timestamp":{}}}"#, NOW + day * DAY_MS);
    let house = house();
    // By the sender's time the day decides; by the receiver's, two days around too.
    let rows: Vec<(i64, String, bool)> = vec![
        (0, timed(-9, "a"), false),
        (0, timed(-9, "a"), true),
        (0, timed(-8, "a"), false),
        (0, r#"{"event_id":"b"}"#.into(), false),
        (2, r#"{"event_id":"b"}"#.into(), true),
        (3, r#"{"event_id":"b"}"#.into(), false),
        (0, r#"{"event_id":"b","site":"other"}"#.into(), false),
        (2, format!(r#"{{"event_id":"c","@timestamp":{NOW},"sent_at":{NOW}}}"#), false),
        (3, format!(r#"{{"event_id":"c","@timestamp":{NOW},"sent_at":{NOW}}}"#), true),
    ];
    for (received, said, is_duplicate) in rows {
        let receipt = house.take_at(NOW + received * DAY_MS, &[&said]).await;
        assert_eq!(receipt.duplicates == 1, is_duplicate, "{said} at day {received}");
    }
}

#[tokio::test]
async fn ids_are_remembered_again_after_a_restart() {
    let house = house();
    house.take(&[r#"{"event_id":"a"}"#]).await;
    let house = house.reopen();
    let receipt = house.take(&[r#"{"event_id":"a"}"#, r#"{"event_id":"b"}"#]).await;
    assert_eq!((receipt.accepted, receipt.duplicates), (1, 1));
}

#[tokio::test]
async fn a_batch_beyond_its_limit_is_refused_whole() {
    let house = house();
    let error =
        house.ingest.take(items(&["{}"; 1_001]), Sender::unknown(Receiver::Tick, NOW)).await.expect_err("refused");
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::Invalid, "take a batch of 1001 events: limit is 1000")
    );
    assert!(house.journaled().is_empty());
    assert_eq!(house.take(&["{}"; 1_000]).await.accepted, 1_000);
}

#[tokio::test]
async fn a_full_journal_acknowledges_nothing_and_remembers_no_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = journal::Options {
        segment_bytes_max: 16 << 10,
        record_bytes_max: 8 << 10,
        bytes_max: 32 << 10,
        ..Default::default()
    };
    let house = open(folder, &options);
    let mut taken = 0;
    let (error, said) = loop {
        let said = format!(r#"{{"event_id":"{taken}","message":"{}"}}"#, noise(taken));
        match house.ingest.take(items(&[&said]), Sender::unknown(Receiver::Tick, NOW)).await {
            Ok(receipt) => taken += receipt.accepted,
            Err(error) => break (error, said),
        }
    };
    assert_eq!(error.kind(), Kind::Overloaded);
    assert_eq!(house.journaled().len() as u64, taken);
    let explained = house.ingest.explain(items(&[&said]), Sender::unknown(Receiver::Tick, NOW)).expect("explained");
    assert!(!explained[0].is_duplicate);
    assert_eq!(house.ingest.counts()[DEFAULT_SITE].accepted, taken);
}

/// 4,000 letters that do not compress to nothing.
fn noise(seed: u64) -> String {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + (state >> 59) as u8 % 26)
    };
    (0..4_000).map(|_| letter()).collect()
}

#[tokio::test]
async fn old_days_have_visitors_only_while_they_are_imported() {
    let house = house();
    let line = format!(r#"{{"@timestamp":{},"ip":"203.0.113.7","user_agent":"x"}}"#, NOW - 30 * DAY_MS);
    let by = |receiver| house.ingest.take(items(&[&line]), Sender::unknown(receiver, NOW));
    by(Receiver::Tick).await.expect("taken");
    by(Receiver::File).await.expect("taken");
    house.salts.begin_import(NOW).expect("begin");
    by(Receiver::Log).await.expect("taken");
    by(Receiver::File).await.expect("taken");
    by(Receiver::File).await.expect("taken");
    house.salts.end_import().expect("end");
    by(Receiver::File).await.expect("taken");
    let visitors: Vec<_> = house.journaled().iter().map(|event| event.hash(Known::Visitor)).collect();
    assert!(visitors[3].is_some() && visitors[3] == visitors[4]);
    assert_eq!(visitors.iter().flatten().count(), 2);
}

#[tokio::test]
async fn a_salt_is_written_before_what_was_made_with_it() {
    let house = house();
    house.take(&[r#"{"ip":"203.0.113.7","user_agent":"x"}"#]).await;
    assert!(!house.salts.has_new());
    let first = house.journaled()[0].hash(Known::Visitor);
    let house = house.reopen();
    house.take(&[r#"{"ip":"203.0.113.7","user_agent":"x"}"#]).await;
    assert_eq!(house.journaled()[1].hash(Known::Visitor), first);
}

#[tokio::test]
async fn an_explanation_stores_nothing() {
    let house = house();
    house.take(&[r#"{"event_id":"a"}"#]).await;
    let sender = Sender::unknown(Receiver::Tick, NOW);
    let explained = house.ingest.explain(items(&[r#"{"event_id":"a"}"#, "nonsense"]), sender).expect("explained");
    assert!(explained[0].is_duplicate && explained[0].event.is_ok() && !explained[0].notes.is_empty());
    assert_eq!(explained[1].event.as_ref().expect_err("rejected").reason, Reason::NotJson);
    assert_eq!(house.journaled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_the_store_is_behind_a_batch_waits_for_it_though_not_for_long() {
    let house = house();
    let begun = tokio::time::Instant::now();
    house.take(&[r#"{"k":"v"}"#; 11]).await;
    assert_eq!(begun.elapsed(), Duration::ZERO, "nothing is behind");

    house.take(&[r#"{"k":"v"}"#; 40]).await;
    assert_eq!(begun.elapsed(), 40 * EVENT_WAIT_MAX, "the store does not move");

    let waiting = tokio::spawn({
        let ingest = house.ingest.clone();
        async move { ingest.take(items(&[r#"{"k":"v"}"#; 400]), Sender::unknown(Receiver::Tick, NOW)).await }
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
    house.stored.send_replace(41);
    waiting.await.expect("no panic").expect("taken");
    assert_eq!(begun.elapsed(), 44 * EVENT_WAIT_MAX, "51 are synced and 10 may be behind");
}
