//! The folder's lock: one journal per folder, over all processes.
//! - It is held by an open file (`flock`): it goes with the process, however that ends; the file stays and means nothing.

use super::error::JournalError;
use std::fs::{File, TryLockError};
use std::path::Path;

const NAME: &str = "lock";

/// Holds a folder until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`, or says at once who cannot have it.
    pub(super) fn take(folder: &Path) -> Result<Self, JournalError> {
        let path = folder.join(NAME);
        let failed = |source| JournalError::io("lock", &path.display(), source);
        let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(JournalError::Locked { folder: folder.display().to_string() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
