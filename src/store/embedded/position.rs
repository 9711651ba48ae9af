//! Position: the store's promise, in a file of its own: everything before it is stored.
//! - It is raised after commits, never before; a lower one costs a replay, a higher one would cost events.

use super::current::replace;
use super::error::{corrupt, file_error};
use crate::store::{Position, StoreError};
use std::path::Path;

const NAME: &str = "POSITION";

/// Reads the promise; 0 where none was ever made.
pub fn read(root: &Path) -> Result<Position, StoreError> {
    let path = root.join(NAME);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(file_error("read", &path)(error)),
    };
    let parts = text.trim_end().split_once(' ').and_then(|(position, sum)| {
        let sum = u32::from_str_radix(sum, 16).ok()?;
        (crc32c::crc32c(position.as_bytes()) == sum).then(|| position.parse().ok()).flatten()
    });
    parts.ok_or_else(|| corrupt(&path, "checksum mismatch"))
}

/// Makes the promise; durable when it returns.
pub fn write(root: &Path, position: Position) -> Result<(), StoreError> {
    let position = position.to_string();
    replace(root, NAME, format!("{position} {:08x}\n", crc32c::crc32c(position.as_bytes())).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_and_a_flipped_bit_is_found() {
        let dir = tempfile::tempdir().expect("folder");
        assert_eq!(read(dir.path()).expect("none yet"), 0);
        write(dir.path(), 1234).expect("written");
        assert_eq!(read(dir.path()).expect("read"), 1234);
        std::fs::write(dir.path().join(NAME), "1235 00000000\n").expect("file");
        assert!(matches!(read(dir.path()), Err(StoreError::Corrupt { .. })));
    }
}
