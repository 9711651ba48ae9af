//! Lines: a log file as numbered lines, decompressed on the way.
//! - gzip (several members too) and zstd are told by their first bytes, not by the name; `-` is standard input.
//! - A line is what lies between line feeds, without a trailing carriage return; empty lines are passed over but numbered.
//! - A line longer than [`LINE_BYTES_MAX`] is handed over cut, and marked; nothing is held beyond it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of one line; what lies beyond is not read into memory.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its bytes, without its end.
    pub bytes: Vec<u8>,
    /// Whether it was longer than [`LINE_BYTES_MAX`].
    pub cut: bool,
}

/// The lines of one file.
pub struct Lines {
    input: Box<dyn BufRead + Send>,
    number: u64,
}

impl Lines {
    /// Opens a file, or so many of its first bytes, or standard input for `-`.
    pub fn open(path: &Path, bytes: Option<u64>) -> io::Result<Self> {
        if path == Path::new("-") {
            return Self::of(Box::new(io::stdin()));
        }
        Self::of(Box::new(File::open(path)?.take(bytes.unwrap_or(u64::MAX))))
    }

    /// The lines of any input.
    pub fn of(input: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(1 << 16, input);
        let start = input.fill_buf()?;
        let input: Box<dyn BufRead + Send> = match start {
            [0x1f, 0x8b, ..] => {
                Box::new(BufReader::with_capacity(1 << 16, flate2::bufread::MultiGzDecoder::new(input)))
            }
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(BufReader::new(zstd::stream::read::Decoder::with_buffer(input)?)),
            _ => Box::new(input),
        };
        Ok(Self { input, number: 0 })
    }

    /// The next line that is not empty; `None` at the end.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let mut bytes = Vec::new();
            let limit = LINE_BYTES_MAX as u64 + 1;
            if self.input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let whole = bytes.last() == Some(&b'\n');
            let cut = !whole && bytes.len() > LINE_BYTES_MAX;
            if cut {
                bytes.truncate(LINE_BYTES_MAX);
                self.skip_to_line_end()?;
            }
            while matches!(bytes.last(), Some(b'\n' | b'\r')) {
                bytes.pop();
            }
            if !bytes.is_empty() {
                return Ok(Some(Line { number: self.number, bytes, cut }));
            }
        }
    }

    fn skip_to_line_end(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let (used, done) = memchr::memchr(b'\n', chunk).map_or((chunk.len(), false), |at| (at + 1, true));
            self.input.consume(used);
            if done {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> Vec<(u64, String)> {
        let mut lines = Lines::of(Box::new(io::Cursor::new(bytes))).expect("open");
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().expect("read") {
            all.push((line.number, String::from_utf8(line.bytes).expect("text")));
        }
        all
    }

    #[test]
    fn empty_lines_are_passed_over_and_numbered() {
        let expected = vec![(1, "a".to_owned()), (3, "b".to_owned()), (5, "c".to_owned())];
        assert_eq!(read(b"a\r\n\nb\n\r\nc".to_vec()), expected);
        assert_eq!(read(Vec::new()), vec![]);
    }

    #[test]
    fn gzip_members_and_zstd_are_told_by_their_first_bytes() {
        let member = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).expect("write");
            encoder.finish().expect("finish")
        };
        let expected = vec![(1, "a".to_owned()), (2, "b".to_owned())];
        assert_eq!(read([member("a\n"), member("b\n")].concat()), expected);
        assert_eq!(read(zstd::stream::encode_all(&b"a\nb\n"[..], 1).expect("encode")), expected);
    }

    #[test]
    fn a_line_past_the_limit_is_cut_and_the_next_is_whole() {
        let mut bytes = vec![b'x'; 3 * LINE_BYTES_MAX];
        bytes.extend_from_slice(b"\nnext\n");
        let mut lines = Lines::of(Box::new(io::Cursor::new(bytes))).expect("open");
        let long = lines.next_line().expect("read").expect("a line");
        assert_eq!((long.bytes.len(), long.cut), (LINE_BYTES_MAX, true));
        let exact = lines.next_line().expect("read").expect("a line");
        assert_eq!((exact.number, exact.bytes.as_slice(), exact.cut), (2, &b"next"[..], false));
    }
}
