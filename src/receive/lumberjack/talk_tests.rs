//! Who waits for whom, with time that stands still and a write path of the test's.

use super::*;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, DuplexStream, ReadBuf, duplex, join};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const ROOM: usize = 4 << 20;

/// What is said of each part: how many events, how long it takes, and whether it is taken.
type Rule = fn(usize) -> (Duration, bool);

struct Wire {
    stream: DuplexStream,
    taken: Arc<Mutex<Vec<usize>>>,
    talk: JoinHandle<Result<(), Broken>>,
    stop: watch::Sender<()>,
}

fn wire(budget_bytes: usize, events_max: usize, rule: Rule) -> Wire {
    let (stream, other) = duplex(ROOM);
    wire_over(stream, other, budget_bytes, events_max, rule)
}

fn wire_over<S>(stream: DuplexStream, other: S, budget_bytes: usize, events_max: usize, rule: Rule) -> Wire
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let taken = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&taken);
    let take = move |items: Vec<Item>| {
        let seen = Arc::clone(&seen);
        async move {
            let (time, is_taken) = rule(items.len());
            seen.lock().unwrap().push(items.len());
            tokio::time::sleep(time).await;
            if is_taken { Ok(()) } else { Err(Broken::new("unavailable", "no room")) }
        }
    };
    let bounds = Bounds { budget: Budget::new(budget_bytes), limits: Limits::default(), events_max };
    let (stop, stopped) = watch::channel(());
    let talk = tokio::spawn(Talk::new(bounds, other, take).run(Stopping(stopped)));
    Wire { stream, taken, talk, stop }
}

fn window(count: u32) -> Vec<u8> {
    let mut bytes = [b"2W".as_slice(), &count.to_be_bytes()].concat();
    for number in 1..=count {
        bytes.extend_from_slice(b"2J");
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(b"\0\0\0\x02{}");
    }
    bytes
}

impl Wire {
    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    async fn hear(&mut self) -> u32 {
        let mut frame = [0; 6];
        self.stream.read_exact(&mut frame).await.unwrap();
        assert_eq!(&frame[..2], b"2A");
        u32::from_be_bytes(frame[2..].try_into().unwrap())
    }

    fn taken(&self) -> Vec<usize> {
        self.taken.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_hears_every_two_seconds_that_its_window_is_under_way() {
    let mut wire = wire(ROOM, 100, |_| (Duration::from_secs(7), true));
    wire.send(&window(3)).await;
    let start = Instant::now();
    let mut before = start;
    let mut quiet = 0;
    loop {
        let number = wire.hear().await;
        assert!(before.elapsed() <= Duration::from_secs(2), "{:?} of silence", before.elapsed());
        before = Instant::now();
        match number {
            0 => quiet += 1,
            number => break assert_eq!(number, 3),
        }
    }
    assert_eq!((quiet, start.elapsed().as_secs()), (4, 7));
    // And nothing while nothing is under way.
    let silence = tokio::time::timeout(Duration::from_secs(60), wire.hear()).await;
    assert!(silence.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_taken_first_is_not_acknowledged_before_the_one_sent_first() {
    let mut wire = wire(ROOM, 100, |events| (Duration::from_millis(if events == 2 { 900 } else { 10 }), true));
    wire.send(&[window(2), window(1), window(3)].concat()).await;
    assert_eq!([wire.hear().await, wire.hear().await, wire.hear().await], [2, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_from_the_first_that_cannot_be_taken_on() {
    let mut wire = wire(ROOM, 100, |events| (Duration::from_millis(10), events != 2));
    wire.send(&[window(1), window(2), window(3)].concat()).await;
    assert_eq!(wire.hear().await, 1);
    let broken = wire.talk.await.unwrap().unwrap_err();
    assert_eq!(broken.reason, "unavailable");
    assert_eq!(wire.stream.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_connection_broke_is_finished_and_acknowledged() {
    let mut wire = wire(ROOM, 100, |_| (Duration::from_secs(1), true));
    wire.send(&[window(2), window(2)[..20].to_vec(), b"nonsense, this".to_vec()].concat()).await;
    assert_eq!(wire.hear().await, 2);
    assert_eq!(wire.talk.await.unwrap().unwrap_err().reason, "frame");
    assert_eq!(*wire.taken.lock().unwrap(), [2]);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_under_way_than_the_bound() {
    let mut wire = wire(ROOM, 100, |_| (Duration::from_secs(1), true));
    wire.send(&window(1).repeat(50)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(wire.taken(), [1; UNDER_WAY_MAX]);
    for _ in 0..50 {
        assert_eq!(wire.hear().await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_is_taken_in_parts_where_it_is_large_or_memory_is_short() {
    let mut wire_of_four = wire(ROOM, 4, |_| (Duration::from_millis(1), true));
    wire_of_four.send(&window(10)).await;
    assert_eq!([wire_of_four.hear().await, wire_of_four.hear().await, wire_of_four.hear().await], [4, 8, 10]);
    // Room for its bytes and some events: the rest is taken when the first are done.
    let mut short = wire(64 * 1024, 1_000, |_| (Duration::from_millis(1), true));
    short.send(&window(100)).await;
    let mut last = 0;
    while last < 100 {
        last = short.hear().await;
    }
    assert!(short.taken().len() > 1, "{:?}", short.taken());
    assert_eq!(short.taken().iter().sum::<usize>(), 100);
}

#[tokio::test(start_paused = true)]
async fn stopping_acknowledges_what_is_under_way_and_takes_no_more() {
    let mut wire = wire(ROOM, 100, |_| (Duration::from_secs(1), true));
    wire.send(&window(2)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(wire.stop);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut frame = [0; 6];
    wire.stream.write_all(&window(1)).await.unwrap();
    wire.stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(&frame, b"2A\0\0\0\x02");
    assert_eq!(wire.talk.await.unwrap(), Ok(()));
    assert_eq!(*wire.taken.lock().unwrap(), [2]);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_does_not_end_in_time_closes_the_connection_and_one_that_is_not_begun_does_not() {
    let mut wire = wire(ROOM, 100, |_| (Duration::from_secs(60), true));
    wire.send(&window(1)).await;
    while wire.hear().await == UNDER_WAY {}
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let start = Instant::now();
    for piece in window(3)[..27].chunks(1) {
        wire.send(piece).await;
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    assert_eq!(wire.talk.await.unwrap().unwrap_err().reason, "slow");
    assert_eq!(start.elapsed().as_secs(), 30, "from its first byte");
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_nothing_is_read_is_not_the_senders() {
    let mut wire = wire(ROOM, 1, |_| (Duration::from_secs(60), true));
    wire.send(&window(9)).await;
    let mut last = 0;
    while last < 9 {
        last = last.max(wire.hear().await);
    }
    wire.send(&window(1)).await;
    while wire.hear().await == UNDER_WAY {}
}

/// Cannot be read.
struct Reset;

impl AsyncRead for Reset {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_when_reading_fails_is_finished_and_acknowledged() {
    let (stream, other) = duplex(ROOM);
    let sent = io::Cursor::new(window(2)).chain(Reset);
    let mut wire = wire_over(stream, join(sent, other), ROOM, 100, |_| (Duration::from_secs(1), true));
    assert_eq!(wire.hear().await, 2);
    assert_eq!(wire.talk.await.unwrap().unwrap_err().reason, "io");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_memory_hears_of_what_is_under_way() {
    let mut wire = wire(48 * 1024, 100, |_| (Duration::from_secs(5), true));
    let mut event = window(2)[..16].to_vec();
    event[12..].copy_from_slice(&60_000u32.to_be_bytes());
    event.resize(60_000, b' ');
    wire.send(&[window(1), event].concat()).await;
    assert_eq!([wire.hear().await, wire.hear().await, wire.hear().await, wire.hear().await], [0, 0, 0, 1]);
    assert_eq!(wire.talk.await.unwrap().unwrap_err().reason, "memory");
}
