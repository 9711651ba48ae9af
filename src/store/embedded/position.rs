//! Position: the store's promise, in a file of its own: everything before it is stored.
//! - It is raised after commits, never before; a lower one costs a replay, a higher one would cost events.

use super::aside;
use super::current::replace;
use super::error::{corrupt, file_error, why};
use crate::store::{Position, StoreError};
use std::path::Path;

const NAME: &str = "POSITION";

/// Reads the promise; `None` where none was ever made.
pub fn read(root: &Path) -> Result<Option<Position>, StoreError> {
    let path = root.join(NAME);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("read", &path)(error)),
    };
    let parts = text.trim_end().split_once(' ').and_then(|(position, sum)| {
        let sum = u32::from_str_radix(sum, 16).ok()?;
        (crc32c::crc32c(position.as_bytes()) == sum).then(|| position.parse().ok()).flatten()
    });
    parts.map(Some).ok_or_else(|| corrupt(&path, "checksum mismatch"))
}

/// Reads the promise; one that is lost is made anew from what the parts know of it, which may be a commit less.
pub fn read_or_make(root: &Path, promised: Position) -> Result<Position, StoreError> {
    match read(root) {
        Ok(Some(position)) => Ok(position),
        Ok(None) => Ok(promised),
        Err(error) if aside::is_damage(&error) => {
            aside::set_spare(root, &root.join(NAME), &why(&error)).and_then(|()| write(root, promised))?;
            Ok(promised)
        }
        Err(error) => Err(error),
    }
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
        assert_eq!(read(dir.path()).expect("none yet"), None);
        write(dir.path(), 1234).expect("written");
        assert_eq!(read(dir.path()).expect("read"), Some(1234));
        std::fs::write(dir.path().join(NAME), "1235 00000000\n").expect("file");
        assert!(matches!(read(dir.path()), Err(StoreError::Corrupt { .. })));
        assert_eq!(read_or_make(dir.path(), 1200).expect("made"), 1200);
        assert_eq!(read(dir.path()).expect("read"), Some(1200));
    }
}
