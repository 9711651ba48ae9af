//! Through: a file read from end to end before it is mapped.
//! - A sector that cannot be read is an error here; under a mapping it is a signal that ends the process.
//! - Absent: what goes bad, or is cut, after that.

use super::error::file_error;
use crate::store::StoreError;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// Length and CRC-32C of a file.
pub fn read(path: &Path) -> Result<(u64, u32), StoreError> {
    let sum = || {
        let (mut file, mut chunk) = (File::open(path)?, vec![0; CHUNK]);
        let (mut bytes, mut sum) = (0, 0);
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok((bytes, sum)),
                read => (bytes, sum) = (bytes + read as u64, crc32c::crc32c_append(sum, &chunk[..read])),
            }
        }
    };
    sum().map_err(file_error("read", path))
}

#[cfg(test)]
mod tests {
    use super::super::aside::is_damage;
    use super::*;

    #[test]
    fn a_file_has_one_sum_however_long() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x");
        for length in [0, 1, CHUNK, 2 * CHUNK + 1] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            std::fs::write(&path, &bytes).expect("file");
            assert_eq!(read(&path).expect("read"), (length as u64, crc32c::crc32c(&bytes)));
        }
    }

    #[test]
    fn what_cannot_be_read_is_damage() {
        let dir = tempfile::tempdir().expect("folder");
        assert!(is_damage(&read(&dir.path().join("gone")).expect_err("gone")));
        // The kernel answers EIO for memory that is not there: none is at the beginning.
        if cfg!(target_os = "linux") {
            assert!(is_damage(&read(Path::new("/proc/self/mem")).expect_err("no memory is there")));
        }
    }
}
