//! Inflating: packed entries that are gzip or zstd, several members or frames one after another too.
//! - Entries are handed on as they come out: no more is held than a window of them, however much there is in all.
//! - What comes out is counted, and comes out of the budget; nothing is believed of sizes.
//! - Bytes that are not whole are an error, behind the entries before it. Codings within codings are not undone.

use super::{FRAME_BYTES_MAX, INFLATED_BYTES_MAX};
use crate::net::Share;
use crate::receive::Broken;
use crate::receive::msgpack::{Malformed, Scanner};
use std::fmt;
use std::io::{self, Read};

/// Window a zstd frame may ask for: 8 MiB, what RFC 9659 allows in HTTP.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// How many bytes come out at once.
const STEP_BYTES: usize = 64 * 1024;
/// Bytes of entries that are handed on together, or a little more.
const WINDOW_BYTES: usize = 1 << 20;

/// How entries are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Zstd,
}

impl Coding {
    /// What the option `compressed` names; `text` and nothing are none.
    pub fn named(name: Option<&str>) -> Result<Option<Self>, Broken> {
        match name {
            None | Some("text") => Ok(None),
            Some("gzip") => Ok(Some(Self::Gzip)),
            Some("zstd") => Ok(Some(Self::Zstd)),
            Some(other) => {
                let shown = &other[..other.floor_char_boundary(32)];
                Err(Broken::new("inflate", format!("compressed is {shown:?}: it is one of text, gzip, zstd")))
            }
        }
    }

    fn torn(self, error: &io::Error) -> Broken {
        let name = match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        };
        Broken::new("inflate", format!("the entries are not whole {name}: {error}"))
    }
}

/// Inflates a message's entries.
pub(super) struct Inflater<'a> {
    coding: Coding,
    decoder: Box<dyn Read + Send + 'a>,
    /// Entries that were handed on, then what came out since.
    bytes: Vec<u8>,
    /// Where the last whole entry in `bytes` ends.
    whole: usize,
    scanner: Scanner,
    /// Bytes that came out in all.
    total: usize,
    is_over: bool,
    /// What is wrong behind the entries that are still to be handed on.
    broken: Option<Broken>,
}

impl fmt::Debug for Inflater<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}, {} bytes of it", self.coding, self.total)
    }
}

impl<'a> Inflater<'a> {
    /// Of coded bytes.
    pub fn new(coding: Coding, coded: &'a [u8]) -> Result<Self, Broken> {
        let decoder: Box<dyn Read + Send + 'a> = match coding {
            Coding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(coded)),
            Coding::Zstd => Box::new(zstd_decoder(coded).map_err(|error| coding.torn(&error))?),
        };
        let (bytes, scanner) = (Vec::new(), Scanner::default());
        Ok(Self { coding, decoder, bytes, whole: 0, scanner, total: 0, is_over: false, broken: None })
    }

    /// Memory it holds now.
    pub fn memory(&self) -> usize {
        let window = if self.coding == Coding::Zstd { 1 << ZSTD_WINDOW_LOG_MAX } else { 0 };
        self.bytes.capacity() + window
    }

    /// The next entries, each of them whole; `None` behind the last. The share holds `held` bytes besides.
    pub async fn next(&mut self, held: usize, share: &mut Share) -> Result<Option<&[u8]>, Broken> {
        self.bytes.drain(..self.whole);
        self.whole = 0;
        while !self.is_over && self.whole < WINDOW_BYTES {
            self.broken = self.find(held, share).err();
            self.is_over |= self.broken.is_some();
            tokio::task::yield_now().await;
        }
        if self.whole > 0 {
            return Ok(Some(&self.bytes[..self.whole]));
        }
        match self.broken.take() {
            Some(broken) => Err(broken),
            None if self.bytes.is_empty() => Ok(None),
            None => Err(Malformed::Short.into()),
        }
    }

    /// Looks for whole entries in what comes out, an error behind it or not.
    fn find(&mut self, held: usize, share: &mut Share) -> Result<(), Broken> {
        let stepped = self.step(held, share);
        while let Some(end) = self.scanner.scan(&self.bytes[self.whole..], FRAME_BYTES_MAX)? {
            self.whole += end;
        }
        stepped
    }

    fn step(&mut self, held: usize, share: &mut Share) -> Result<(), Broken> {
        if self.bytes.capacity() - self.bytes.len() < STEP_BYTES {
            self.bytes.reserve_exact(STEP_BYTES.max(self.bytes.len() / 4));
        }
        share.hold(held + self.memory()).map_err(|full| Broken::new("memory", full.to_string()))?;
        let Self { coding, decoder, bytes, .. } = self;
        let read = decoder.take(STEP_BYTES as u64).read_to_end(bytes).map_err(|error| coding.torn(&error))?;
        self.total += read;
        self.is_over = read < STEP_BYTES;
        if self.total > INFLATED_BYTES_MAX {
            return Err(Broken::new("inflate", format!("the entries inflate to more than {INFLATED_BYTES_MAX} bytes")));
        }
        Ok(())
    }
}

fn zstd_decoder(coded: &[u8]) -> io::Result<zstd::stream::read::Decoder<'_, &[u8]>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(coded)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}
