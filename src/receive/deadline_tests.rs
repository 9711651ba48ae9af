//! By when something has to be whole, and the receivers that have no other bound of time; time stands still.

use super::*;
use crate::catalog::Catalog;
use crate::catalog::salts::Salts;
use crate::clock::Clock;
use crate::ingest::{self, Ingest};
use crate::journal::{self, Journal};
use crate::net::{Budget, Connection, Patient, Stopping, Stream};
use crate::normalize::Limits;
use crate::receive::{Counts, Intake, Lines, Parts, Protocol, Syslog};
use jiff::tz::TimeZone;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

const HOUR: Duration = Duration::from_secs(3600);

/// After how many seconds it passes.
async fn seconds(deadline: &Deadline) -> Option<u64> {
    let start = Instant::now();
    let broken = timeout(HOUR, deadline.passed()).await.ok()?;
    assert_eq!(broken.reason, "slow");
    Some((start.elapsed() + Duration::from_millis(500)).as_secs())
}

#[tokio::test(start_paused = true)]
async fn time_runs_from_the_first_byte_and_longer_for_more() {
    let mut deadline = Deadline::default();
    assert_eq!(seconds(&deadline).await, None, "nothing is begun");
    deadline.came(1);
    tokio::time::sleep(Duration::from_secs(10)).await;
    deadline.came(GRACE_BYTES - 1);
    assert_eq!(seconds(&deadline).await, Some(20), "not from the last");
    deadline.came(5 * PACE_MIN as usize);
    assert_eq!(seconds(&deadline).await, Some(5));
    deadline.put_off();
    assert_eq!(seconds(&deadline).await, Some(35));
    deadline.ended(true);
    assert_eq!(seconds(&deadline).await, Some(30));
    deadline.ended(false);
    deadline.put_off();
    assert_eq!(seconds(&deadline).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_begun_and_not_ended_closes_the_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let (journal, _) = Journal::open(&folder.path().join("journal"), journal::Options::default()).expect("a journal");
    let catalog = Catalog::open(&folder.path().join("catalog.db")).expect("a catalog");
    let stored = watch::Sender::new(0);
    let parts = ingest::Parts {
        journal,
        stored: stored.subscribe(),
        salts: Arc::new(Salts::open(Arc::new(catalog)).expect("salts")),
        sites: Arc::default(),
        places: None,
        limits: Limits::default(),
        keep_user_agent: false,
        options: ingest::Options::default(),
    };
    let parts = Arc::new(Parts {
        ingest: Ingest::open(parts).expect("ingest"),
        limits: Limits::default(),
        batch_events_max: 100,
        clock: Clock::manual(1_767_225_600_000),
        budget: Budget::new(1 << 20),
    });
    let intake = |name| Intake { parts: Arc::clone(&parts), site: None, counts: Arc::new(Counts::of(name)) };
    let syslog = Syslog::new(intake("syslog"), TimeZone::UTC);
    for begun in ["<13>a", "17", "17 <13>a"] {
        assert_eq!(closed(&syslog, begun).await, "slow", "{begun}");
    }
    let lines = Lines::new(intake("lines"));
    for begun in ["{\"a\":", "\n\n{\"a\":1", "text"] {
        assert_eq!(closed(&lines, begun).await, "slow", "{begun}");
    }
}

/// Why a connection is closed that says this, and no more.
async fn closed(protocol: &dyn Protocol, begun: &str) -> &'static str {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let mut sender = TcpStream::connect(address).await.expect("a connection");
    let (stream, peer) = listener.accept().await.expect("the same");
    sender.write_all(begun.as_bytes()).await.expect("to be taken");
    let running = watch::Sender::new(());
    let stopping = Stopping(running.subscribe());
    let connection = Connection { stream: Patient::new(Stream::Plain(stream), HOUR), peer, stopping };
    protocol.connection(connection).await.expect_err("closed").reason
}
