//! Head: what a log file begins with, by which it is known again after it was renamed, copied or compressed.
//! - Whole lines within the first [`HEAD_BYTES_MAX`]; a file grows at its end alone, so that its head only gets longer.
//! - What is kept is a hash of them with addresses blotted out: nobody can try addresses until one fits.
//! - Absent: device and inode. They tell files apart while the process lives (`tail`), and are given to others afterwards.

use crate::normalize::access_line;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;

/// Bytes at the beginning of a file that tell it from others.
pub const HEAD_BYTES_MAX: usize = 4096;

/// A file's head as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many bytes it is of; 0 where there was no whole line yet.
    bytes: usize,
    hash: u64,
}

impl Head {
    /// The head of a file that begins so.
    pub fn of(beginning: &[u8]) -> Self {
        let bytes = match memchr::memrchr(b'\n', beginning) {
            Some(end) => end + 1,
            None if beginning.len() == HEAD_BYTES_MAX => HEAD_BYTES_MAX,
            None => return Self::default(),
        };
        let text = String::from_utf8_lossy(&beginning[..bytes]);
        let digest = Sha256::digest(access_line::masked(&text).as_bytes());
        let mut half = [0; 8];
        half.copy_from_slice(&digest[..8]);
        Self { bytes, hash: u64::from_le_bytes(half) }
    }

    /// Whether a file that begins so is the same, or one that it grew into. Without a line nothing is known of a file.
    pub fn is_of(&self, beginning: &[u8]) -> bool {
        self.bytes > 0 && beginning.get(..self.bytes).is_some_and(|head| Self::of_whole(head) == *self)
    }

    /// One that ends where the bytes do.
    fn of_whole(head: &[u8]) -> Self {
        Self { bytes: head.len(), ..Self::of(head) }
    }
}

/// What a file begins with, unpacked where it is compressed; where the file is read from next does not matter to others.
pub fn beginning(file: &File) -> io::Result<Vec<u8>> {
    if !is_packed(file)? {
        return read_up_to(file, HEAD_BYTES_MAX as u64);
    }
    let mut input = file.try_clone()?;
    input.rewind()?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES_MAX);
    unpacking(input)?.take(HEAD_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a file is gzip or zstd, by its first bytes.
pub fn is_packed(file: &File) -> io::Result<bool> {
    let first = read_up_to(file, 4)?;
    Ok(first.starts_with(&[0x1f, 0x8b]) || first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))
}

/// What a compressed file holds, from where it stands.
pub fn unpacking(mut input: File) -> io::Result<Box<dyn Read>> {
    input.rewind()?;
    let is_gzip = read_up_to(&input, 2)? == [0x1f, 0x8b];
    if is_gzip {
        return Ok(Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(input))));
    }
    Ok(Box::new(zstd::stream::read::Decoder::new(input)?))
}

fn read_up_to(file: &File, bytes_max: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len().min(bytes_max);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const LINES: &str =
        "203.0.113.7 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 1\n203.0.113.8 - - [17/May";

    #[test]
    fn a_file_is_known_again_when_it_has_grown_and_no_other_is() {
        let head = Head::of(LINES.as_bytes());
        let grown = format!("{LINES}/2015:10:05:04 +0000] \"GET /b HTTP/1.1\" 200 1\n");
        assert!(head.is_of(LINES.as_bytes()) && head.is_of(grown.as_bytes()));
        assert!(!Head::of(grown.as_bytes()).is_of(LINES.as_bytes()), "a shorter file is another");
        assert!(!head.is_of(LINES.replace("/a", "/c").as_bytes()));
    }

    #[test]
    fn without_a_whole_line_nothing_is_known_and_a_long_line_is_known_by_its_beginning() {
        let part = Head::of(b"203.0.113.7 - -");
        assert!(part == Head::default() && !part.is_of(b"203.0.113.7 - -") && !part.is_of(b""));
        let long = vec![b'x'; HEAD_BYTES_MAX];
        assert!(Head::of(&long).is_of(&long) && !Head::of(&long).is_of(&long[1..]));
    }

    #[test]
    fn no_address_can_be_found_by_trying() {
        assert_eq!(
            Head::of(LINES.as_bytes()),
            Head::of(LINES.replace("203.0.113.7", "198.51.100.1").as_bytes()).sized(69)
        );
    }

    impl Head {
        fn sized(self, bytes: usize) -> Self {
            Self { bytes, ..self }
        }
    }

    #[test]
    fn a_compressed_copy_begins_as_its_original() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(LINES.as_bytes()).expect("write");
        let packed = [gzip.finish().expect("finish"), zstd::stream::encode_all(LINES.as_bytes(), 1).expect("encode")];
        for bytes in packed.iter().map(Vec::as_slice).chain([LINES.as_bytes()]) {
            let mut file = tempfile::tempfile().expect("file");
            file.write_all(bytes).expect("write");
            assert_eq!(beginning(&file).expect("read"), LINES.as_bytes());
        }
    }
}
