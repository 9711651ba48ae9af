//! Checked: a small JSON file under a checksum of its own, replaced whole by one rename.

use super::current::replace;
use super::error::{corrupt, engine, file_error};
use crate::store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::path::Path;

#[derive(Serialize, Deserialize)]
struct Checked<'a> {
    crc32c: u32,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// Writes it; durable when it returns.
pub fn write(dir: &Path, name: &str, body: &impl Serialize) -> Result<(), StoreError> {
    let text = serde_json::to_string(body).and_then(RawValue::from_string);
    let body = text.map_err(engine("write JSON"))?;
    let checked = Checked { crc32c: crc32c::crc32c(body.get().as_bytes()), body: &body };
    replace(dir, name, serde_json::to_string(&checked).map_err(engine("write JSON"))?.as_bytes())
}

/// Reads it; [`StoreError::Corrupt`] where it is not what was written.
pub fn read<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<T, StoreError> {
    let path = dir.join(name);
    let bytes = std::fs::read(&path).map_err(file_error("read", &path))?;
    let checked: Checked<'_> = serde_json::from_slice(&bytes).map_err(|error| corrupt(&path, error.to_string()))?;
    if crc32c::crc32c(checked.body.get().as_bytes()) != checked.crc32c {
        return Err(corrupt(&path, "checksum mismatch"));
    }
    serde_json::from_str(checked.body.get()).map_err(|error| corrupt(&path, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_every_flipped_bit_is_found() {
        let dir = tempfile::tempdir().expect("folder");
        write(dir.path(), "x.json", &vec![123, 100]).expect("written");
        assert_eq!(read::<Vec<u32>>(dir.path(), "x.json").expect("read"), [123, 100]);
        let whole = std::fs::read(dir.path().join("x.json")).expect("file");
        for bit in 0..whole.len() * 8 {
            let mut bent = whole.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(dir.path().join("x.json"), &bent).expect("file");
            assert!(matches!(read::<Vec<u32>>(dir.path(), "x.json"), Err(StoreError::Corrupt { .. })), "bit {bit}");
        }
    }
}
