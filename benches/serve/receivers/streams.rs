//! Streams: pieces written to several connections, as many under way on each as the protocol's senders have; and datagrams.

use super::ways::{Answer, Way};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 4;
/// Pieces of one connection that are not answered yet.
const UNDER_WAY: usize = 4;
/// Datagrams sent at once, before time is looked at.
const BURST: usize = 32;

/// Sends all of it, and hears every answer where there are any.
pub fn send(way: Way, address: SocketAddr, pieces: &[Vec<u8>], rate: Option<f64>) {
    if way == Way::SyslogUdp {
        return datagrams(address, pieces, rate.unwrap_or(50_000.0));
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| connection(address, pieces, &next, way.answer()));
        }
    });
}

fn connection(address: SocketAddr, pieces: &[Vec<u8>], next: &AtomicUsize, answer: Answer) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let answers = stream.try_clone().expect("a socket");
    let (under_way, sent) = sync_channel(UNDER_WAY);
    std::thread::scope(|scope| {
        if !matches!(answer, Answer::None) {
            scope.spawn(move || hear(answers, answer, &sent));
        }
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !matches!(answer, Answer::None) {
                under_way.send(()).expect("answers are heard");
            }
            stream.write_all(piece).expect("it is read");
        }
        drop(under_way);
    });
}

/// Hears an answer for each piece that was sent.
fn hear(mut stream: TcpStream, answer: Answer, sent: &Receiver<()>) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
    while sent.recv().is_ok() {
        match answer {
            Answer::None => {}
            Answer::Bytes(count) => stream.read_exact(&mut vec![0; count]).expect("an answer"),
            Answer::Sequence(last) => loop {
                let mut frame = [0; 6];
                stream.read_exact(&mut frame).expect("an answer");
                assert_eq!(&frame[..2], b"2A");
                if frame[2..] == last.to_be_bytes() {
                    break;
                }
            },
        }
    }
}

fn datagrams(address: SocketAddr, pieces: &[Vec<u8>], rate: f64) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let begun = Instant::now();
    for (at, burst) in pieces.chunks(BURST).enumerate() {
        let due = Duration::from_secs_f64((at * BURST) as f64 / rate);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        for piece in burst {
            socket.send_to(piece, address).expect("a datagram");
        }
    }
}
