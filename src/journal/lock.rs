//! The folder's lock: one journal per folder, over all processes.
//! - The folder is made here, durably, where there is none.
//! - It is held by an open file (`flock`): it goes with the process, however that ends; the file stays and means nothing.

use super::error::JournalError;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

const NAME: &str = "lock";

/// Holds a folder until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    folder: PathBuf,
}

impl Lock {
    /// Takes the lock of `folder`, made when it is not there; or says at once that another has it.
    ///
    /// # Errors
    /// [`JournalError::Locked`], [`JournalError::Io`].
    pub fn take(folder: &Path) -> Result<Self, JournalError> {
        crate::folder::make_durably(folder).map_err(|source| JournalError::io("make", &folder.display(), source))?;
        let path = folder.join(NAME);
        let failed = |source| JournalError::io("lock", &path.display(), source);
        let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file, folder: folder.to_owned() }),
            Err(TryLockError::WouldBlock) => Err(JournalError::Locked { folder: folder.display().to_string() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}
