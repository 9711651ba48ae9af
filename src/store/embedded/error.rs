//! Error: how failures below become the store's own.

use crate::store::StoreError;
use std::fmt::Display;
use std::path::Path;

/// A failure of the engine while doing `operation`.
pub fn engine<E: std::error::Error + Send + Sync + 'static>(operation: &'static str) -> impl Fn(E) -> StoreError {
    move |source| StoreError::Engine { operation, source: Box::new(source) }
}

/// A failure of the file system while doing `operation` on `object`.
pub fn io_error(operation: &'static str, object: impl Display) -> impl Fn(std::io::Error) -> StoreError {
    move |source| StoreError::Io { operation, object: object.to_string(), source }
}

/// A failure of the file system on a path.
pub fn file_error<'a>(operation: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> StoreError + 'a {
    move |source| StoreError::Io { operation, object: path.display().to_string(), source }
}

/// Damage of a file.
pub fn corrupt(path: &Path, why: impl Into<String>) -> StoreError {
    StoreError::Corrupt { object: path.display().to_string(), why: why.into() }
}

/// Why something failed, with all that caused it.
pub fn why(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
