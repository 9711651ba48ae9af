use super::*;
use crate::catalog::Catalog;
use crate::catalog::salts::Salts;
use crate::clock::Clock;
use crate::event::Event;
use crate::ingest::{self, Ingest};
use crate::journal::{self, Journal};
use crate::net::{Budget, Stopping};
use crate::normalize::Limits;
use crate::receive::forward::session::Session;
use crate::receive::forward::{ACK_WAIT_MAX, Security};
use crate::receive::{Broken, Counts, Intake, Parts};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;

struct House {
    _folder: tempfile::TempDir,
    journal: Journal,
    intake: Intake,
    _stored: watch::Sender<u64>,
    running: watch::Sender<()>,
}

fn house() -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, _) = Journal::open(&folder.path().join("journal"), journal::Options::default()).expect("a journal");
    let catalog = Catalog::open(&folder.path().join("catalog.db")).expect("a catalog");
    let stored = watch::Sender::new(0);
    let parts = ingest::Parts {
        journal: journal.clone(),
        stored: stored.subscribe(),
        salts: Arc::new(Salts::open(Arc::new(catalog)).expect("salts")),
        sites: Arc::default(),
        places: None,
        limits: Limits::default(),
        keep_user_agent: false,
        options: ingest::Options { batch_events_max: 100, ..ingest::Options::default() },
    };
    let parts = Parts {
        ingest: Ingest::open(parts).expect("ingest"),
        limits: Limits::default(),
        batch_events_max: 100,
        clock: Clock::manual(NOW),
        budget: Budget::new(64 << 20),
    };
    let intake = Intake { parts: Arc::new(parts), site: Some("s".to_owned()), counts: Arc::new(Counts::of("forward")) };
    House { _folder: folder, journal, intake, _stored: stored, running: watch::channel(()).0 }
}

impl House {
    /// A connection, and what becomes of it.
    fn connect(&self, security: Option<Security>) -> (DuplexStream, JoinHandle<Result<(), Broken>>) {
        let (ours, theirs) = duplex(1 << 20);
        let session = Session::new(&self.intake, theirs, Stopping(self.running.subscribe()));
        (ours, tokio::spawn(async move { session.run(security.as_ref()).await }))
    }

    /// Sends all and hears what is answered to the end, and how the connection ended.
    async fn say(&self, bytes: &[u8]) -> (Vec<u8>, Result<(), Broken>) {
        let (mut stream, ending) = self.connect(None);
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        (answer, ending.await.expect("an end"))
    }

    fn events(&self) -> Vec<Event> {
        let mut reader = self.journal.reader(0).expect("a reader");
        let mut events = Vec::new();
        while let Some(block) = reader.read(1_000).expect("read") {
            events.extend(block.iter().map(|payload| Event::from_payload(payload).expect("an event").0));
        }
        events
    }
}

#[tokio::test]
async fn a_chunk_is_acknowledged_once_it_is_taken_and_counts_once() {
    let house = house();
    let chunk = packed("t", &entries(0, 250), json!({ "chunk": "c\n" }));
    for _ in 0..2 {
        assert_eq!(house.say(&chunk).await, (b"\x81\xa3ack\xa2c\n".to_vec(), Ok(())));
        assert_eq!(house.events().len(), 250, "in three batches, each number once");
    }
    let counted = house.intake.counts.now();
    assert_eq!((counted.accepted, counted.duplicates, counted.rejected), (250, 250, 0));
    assert_eq!(house.events()[7].site(), "s");
}

#[tokio::test]
async fn messages_of_all_kinds_are_answered_in_their_order() {
    let house = house();
    let stream = [
        pack(("t", 5, json!({ "id": "a" }))),
        pack(("t", 5, json!({ "id": "b" }), json!({ "chunk": "1" }))),
        vec![0xc0],
        packed("t", &gzip(&entries(0, 3)), json!({ "chunk": "2", "compressed": "gzip" })),
        packed("t", &gzip(&entries(3, 3)), json!({ "compressed": "gzip" })),
        pack(("t", [(5, "no record")], json!({ "chunk": "3" }))),
        packed("t", b"traces", json!({ "chunk": "4", "fluent_signal": 2 })),
    ];
    let acks = ["1", "2", "3", "4"].map(|chunk| pack(json!({ "ack": chunk }))).concat();
    assert_eq!(house.say(&stream.concat()).await, (acks, Ok(())));
    assert_eq!(house.events().len(), 8);
    assert_eq!(house.intake.counts.now().rejected, 1);
    let json = br#"["t",5,{"id":"c"},{"chunk":"j1"}]["t",[[5,{"id":"d"}]],{"chunk":"j2"}]
"#;
    assert_eq!(house.say(json).await, (br#"{"ack":"j1"}{"ack":"j2"}"#.to_vec(), Ok(())));
    assert_eq!(house.events().len(), 10);
}

#[tokio::test]
async fn what_is_too_long_for_an_event_is_refused_alone_and_acknowledged() {
    let house = house();
    let long = json!({ "v": "v".repeat(4 << 20) });
    let stream = [
        pack(("t", [(5, &long), (6, &json!({ "id": "a" }))], json!({ "chunk": "1" }))),
        pack(("t", [((5, &long), json!({ "id": "b" }))], json!({ "chunk": "2" }))),
    ];
    let acks = ["1", "2"].map(|chunk| pack(json!({ "ack": chunk }))).concat();
    // Twenty times as much is more than the budget has.
    assert_eq!(house.say(&stream.concat()).await, (acks, Ok(())));
    assert_eq!((house.events().len(), house.intake.counts.now().rejected), (1, 2));
}

#[tokio::test]
async fn what_came_before_a_bad_frame_is_kept_and_the_connection_closed() {
    let house = house();
    let good = packed("t", &entries(0, 2), json!({ "chunk": "c" }));
    let torn = packed("t", &[&entries(2, 3), &[0x92, 0x05][..]].concat(), json!({ "chunk": "d" }));
    let torn_gzip = gzip(&entries(5, 3));
    let torn_gzip = &torn_gzip[..torn_gzip.len() - 1];
    let rows = [
        (vec![0xc1], "frame", 2),
        (torn, "frame", 5),
        (packed("t", b"no gzip", json!({ "compressed": "gzip", "chunk": "e" })), "inflate", 5),
        (packed("t", &gzip(&entries(0, 1))[1..], json!({ "compressed": "gzip" })), "inflate", 5),
        (packed("t", torn_gzip, json!({ "compressed": "gzip", "chunk": "f" })), "inflate", 8),
        (packed("t", &gzip(&[&entries(8, 2), &[0xc1][..]].concat()), json!({ "compressed": "gzip" })), "frame", 10),
        (good[..good.len() - 1].to_vec(), "frame", 10),
    ];
    for (bad, reason, kept) in rows {
        let (answer, ending) = house.say(&[good.clone(), bad].concat()).await;
        assert_eq!(answer, b"\x81\xa3ack\xa1c", "what was whole is acknowledged, nothing else");
        assert_eq!(ending.expect_err("a bad frame").reason, reason);
        assert_eq!(house.events().len(), kept);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_is_not_acknowledged_and_closes_the_connection() {
    let house = house();
    house.journal.clone().close();
    let begun = tokio::time::Instant::now();
    for chunk in [
        packed("t", &entries(0, 150), json!({ "chunk": "c" })),
        packed("t", &gzip(&entries(0, 150)), json!({ "chunk": "c", "compressed": "gzip" })),
    ] {
        let (answer, ending) = house.say(&chunk).await;
        assert_eq!((answer, ending.expect_err("no room").reason), (Vec::new(), "unavailable"));
    }
    assert!(begun.elapsed() <= 2 * ACK_WAIT_MAX, "what fails is not tried again at the end: {:?}", begun.elapsed());
    // A sender that hears nothing anyway is held, until the server stops.
    let (mut stream, ending) = house.connect(None);
    stream.write_all(&packed("t", &entries(0, 150), json!({}))).await.expect("sent");
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    assert!(!ending.is_finished());
    let House { running, intake, .. } = house;
    drop(running);
    assert_eq!(ending.await.expect("an end").expect_err("lost").reason, "unavailable");
    assert_eq!(intake.counts.now().lost.get("stopped"), Some(&100), "the first batch, once");
}

#[tokio::test(start_paused = true)]
async fn a_message_must_end_in_time_and_silence_is_no_fault() {
    let house = house();
    let (mut stream, ending) = house.connect(None);
    tokio::time::sleep(std::time::Duration::from_secs(86_400)).await;
    stream.write_all(&[0xc0]).await.expect("a heartbeat");
    tokio::time::sleep(std::time::Duration::from_secs(86_400)).await;
    assert!(!ending.is_finished());
    stream.write_all(&[0x93, 0xa1]).await.expect("a beginning");
    assert_eq!(ending.await.expect("an end").expect_err("slow").reason, "slow");
    // Byte by byte is no faster.
    let (mut stream, ending) = house.connect(None);
    let begun = tokio::time::Instant::now();
    while stream.write_all(&[0x93]).await.is_ok() && begun.elapsed().as_secs() < 300 {
        tokio::time::sleep(std::time::Duration::from_secs(29)).await;
    }
    assert_eq!(ending.await.expect("an end").expect_err("slow").reason, "slow");
    assert!(begun.elapsed().as_secs() < 100, "{:?}", begun.elapsed());
    let (_stream, ending) = house.connect(Some(Security { shared_key: "k".to_owned(), users: Vec::new() }));
    assert_eq!(ending.await.expect("an end").expect_err("slow").reason, "slow");
    let (_stream, ending) = house.connect(None);
    drop(house);
    assert_eq!(ending.await.expect("an end"), Ok(()), "the server stops");
}
