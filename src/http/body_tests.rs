//! Bodies: codings, limits, pace and memory, each at its bound.

use super::*;
use axum::body::Body as Wire;
use axum::http::{HeaderValue, StatusCode};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::collections::VecDeque;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

const TEXT: &[u8] = b"{\"path\":\"/a\"}";

fn limits() -> BodyLimits {
    BodyLimits { bytes_max: 100_000, in_flight_bytes_max: 1 << 20, ..BodyLimits::default() }
}

fn headers(coding: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap());
    headers
}

fn coded(coding: &str, plain: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => finish(GzEncoder::new(Vec::new(), Compression::fast()), plain, |e| e.finish()),
        "zlib" => finish(ZlibEncoder::new(Vec::new(), Compression::fast()), plain, |e| e.finish()),
        "raw" => finish(DeflateEncoder::new(Vec::new(), Compression::fast()), plain, |e| e.finish()),
        "zstd" => zstd::encode_all(plain, 1).unwrap(),
        _ => plain.to_vec(),
    }
}

/// Brotli has no encoder here; these were made by its reference implementation (1.2, quality 5 and 9).
fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn finish<W: Write>(mut encoder: W, plain: &[u8], end: impl Fn(W) -> std::io::Result<Vec<u8>>) -> Vec<u8> {
    encoder.write_all(plain).unwrap();
    end(encoder).unwrap()
}

/// A body that arrives in pieces and then ends, or says nothing more.
struct Pieces {
    left: VecDeque<&'static [u8]>,
    ends: bool,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
        match self.left.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(piece))))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

fn pieces<const N: usize>(left: [&'static [u8]; N], ends: bool) -> Wire {
    Wire::new(Pieces { left: left.into(), ends })
}

async fn read(coding: &str, body: Vec<u8>) -> Result<Vec<u8>, StatusCode> {
    let bodies = Bodies::new(limits());
    let read = bodies.read(&headers(coding), Wire::from(body)).await;
    read.map(|body| body.to_vec()).map_err(|problem| problem.status())
}

#[tokio::test]
async fn every_coding_is_undone() {
    let twice = [TEXT, TEXT].concat();
    let table = [
        ("identity", TEXT.to_vec(), TEXT.to_vec()),
        ("gzip", coded("gzip", TEXT), TEXT.to_vec()),
        ("GZIP", coded("gzip", TEXT), TEXT.to_vec()),
        ("x-gzip", coded("gzip", TEXT), TEXT.to_vec()),
        ("deflate", coded("zlib", TEXT), TEXT.to_vec()),
        ("deflate", coded("raw", TEXT), TEXT.to_vec()),
        ("zstd", coded("zstd", TEXT), TEXT.to_vec()),
        ("gzip", [coded("gzip", TEXT), coded("gzip", TEXT)].concat(), twice.clone()),
        ("zstd", [coded("zstd", TEXT), coded("zstd", TEXT)].concat(), twice),
        ("br", hex("0b06807b2270617468223a222f61227d03"), TEXT.to_vec()),
        ("gzip", Vec::new(), Vec::new()),
    ];
    for (coding, body, plain) in table {
        assert_eq!(read(coding, body).await, Ok(plain), "{coding}");
    }
}

#[tokio::test]
async fn a_torn_or_false_coding_is_invalid_and_an_unknown_one_unsupported() {
    for (coding, name) in [("gzip", "gzip"), ("zlib", "deflate"), ("raw", "deflate"), ("zstd", "zstd")] {
        let mut body = coded(coding, TEXT);
        body.truncate(body.len() - 3);
        assert_eq!(read(name, body).await, Err(StatusCode::BAD_REQUEST), "torn {coding}");
        assert_eq!(read(name, b"no such thing".to_vec()).await, Err(StatusCode::BAD_REQUEST), "false {coding}");
    }
    assert_eq!(read("br", b"no such thing".to_vec()).await, Err(StatusCode::BAD_REQUEST));
    for coding in ["compress", "gzip, gzip", "?"] {
        assert_eq!(read(coding, TEXT.to_vec()).await, Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{coding}");
    }
}

#[tokio::test]
async fn the_limit_counts_what_comes_out() {
    for coding in ["gzip", "zlib", "raw", "zstd", "identity"] {
        let name = if matches!(coding, "zlib" | "raw") { "deflate" } else { coding };
        let full = vec![b' '; limits().bytes_max];
        assert_eq!(read(name, coded(coding, &full)).await.map(|body| body.len()), Ok(full.len()), "{coding}");
        let more = vec![b' '; limits().bytes_max + 1];
        assert_eq!(read(name, coded(coding, &more)).await, Err(StatusCode::PAYLOAD_TOO_LARGE), "{coding}");
        let bomb = vec![b' '; 50 << 20];
        assert_eq!(read(name, coded(coding, &bomb)).await, Err(StatusCode::PAYLOAD_TOO_LARGE), "{coding}");
    }
    let full = read("br", hex("5b9f86014002241e0b24cb2f00")).await;
    assert_eq!(full.map(|body| body.len()), Ok(limits().bytes_max));
    assert_eq!(read("br", hex("5ba086014002241e0b44cb2f00")).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
}

#[tokio::test]
async fn pieces_become_one_body() {
    let bodies = Bodies::new(limits());
    let body = bodies.read(&HeaderMap::new(), pieces([b"ab", b"", b"c", b"de"], true)).await.unwrap();
    assert_eq!(&*body, b"abcde");
}

#[tokio::test]
async fn an_announced_length_beyond_the_limit_is_refused_unread() {
    let bodies = Bodies::new(limits());
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("100001"));
    headers.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
    let problem = bodies.read(&headers, Wire::empty()).await.unwrap_err();
    assert_eq!(problem.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn bodies_share_one_budget_and_give_it_back() {
    let bodies = Bodies::new(BodyLimits { in_flight_bytes_max: 64 * 1024, ..limits() });
    let large = || Wire::from(vec![b' '; 40_000]);
    let held = bodies.read(&HeaderMap::new(), large()).await.unwrap();
    let problem = bodies.read(&HeaderMap::new(), large()).await.unwrap_err();
    assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(held);
    assert!(bodies.read(&HeaderMap::new(), large()).await.is_ok());
    // What a bomb needed until it was refused is free again too.
    let bomb = coded("gzip", &vec![b' '; 10 << 20]);
    assert!(bodies.read(&headers("gzip"), Wire::from(bomb)).await.is_err());
    assert!(bodies.read(&HeaderMap::new(), large()).await.is_ok());
}

#[tokio::test]
async fn few_bodies_are_worked_on_at_once_and_small_ones_need_no_turn() {
    let bodies = Bodies::new(BodyLimits { turn_bytes_max: 64 * 1024, ..limits() });
    let mut read = Vec::new();
    for bytes in [40_000, 40_000, 4_096, 90_000] {
        read.push(bodies.read(&HeaderMap::new(), Wire::from(vec![b' '; bytes])).await.unwrap());
    }
    let is_waiting = async |body| {
        tokio::select! { biased; turn = bodies.turn(body) => { turn.unwrap(); false }, () = std::future::ready(()) => true }
    };
    let first = bodies.turn(&read[0]).await.unwrap();
    assert!(is_waiting(&read[1]).await && !is_waiting(&read[2]).await && is_waiting(&read[3]).await);
    drop(first);
    assert!(!is_waiting(&read[1]).await && !is_waiting(&read[3]).await);
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up_after_the_grace() {
    let grace = Duration::from_millis(20);
    let bodies = Bodies::new(BodyLimits { grace, ..limits() });
    let start = Instant::now();
    let problem = bodies.read(&HeaderMap::new(), pieces([b"{"], false)).await.unwrap_err();
    assert_eq!(problem.status(), StatusCode::REQUEST_TIMEOUT);
    assert!(start.elapsed() >= grace);
}

#[test]
fn beyond_a_mebibyte_the_pace_counts() {
    let limits = BodyLimits::default();
    let start = Instant::now();
    let table = [(0, 30_000), (1 << 20, 30_000), ((1 << 20) + (64 << 10), 32_000), (16 << 20, 510_000)];
    for (received, ms) in table {
        assert_eq!(limits.deadline(start, received) - start, Duration::from_millis(ms), "{received}");
    }
}
