//! Catalog: everything small, shared and precious beside the events, in one transactional file.
//! - One contract for all of it: get, put if absent, compare and set, list, remove. Values are JSON, named by (kind, name).
//! - `Ok` means synced. Several processes may open the file; a writer waits for another one, up to [`BUSY_MS`].
//! - What is removed is in no file afterwards: deleted bytes are overwritten, and the rollback journal is unlinked at each
//!   commit (a write-ahead log would keep them).
//! - Calls block for as long as a sync takes. Typed rooms stand on top: [`salts`], [`keys`], [`queries`].
//! - Absent: what is large (events), what is rebuilt (caches).

pub mod keys;
pub mod queries;
pub mod salts;

use crate::error::Kind;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How long a call waits for another process's write, in ms.
pub const BUSY_MS: u64 = 5_000;
/// The version of the file's layout.
const VERSION: i64 = 1;
const LAYOUT: &str = "CREATE TABLE IF NOT EXISTS entry (
    kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID;
PRAGMA user_version = 1;";

/// The catalog's file, opened.
#[derive(Debug)]
pub struct Catalog {
    connection: Mutex<Connection>,
    path: PathBuf,
    /// Writes by this handle: `data_version` counts those of all others.
    own_writes: AtomicU64,
}

/// A state of the catalog: two that are equal saw the same entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    others: i64,
    own: u64,
}

impl Catalog {
    /// Opens the file at `path`, and makes it (readable by its owner alone) where there is none.
    pub fn open(path: &Path) -> Result<Self, CatalogError> {
        make_private(path).map_err(|source| CatalogError::Open { path: path.to_owned(), source })?;
        let connection = Connection::open(path).map_err(failed("open"))?;
        connection.busy_timeout(Duration::from_millis(BUSY_MS)).map_err(failed("open"))?;
        for pragma in ["secure_delete=ON", "journal_mode=DELETE", "synchronous=EXTRA", "temp_store=MEMORY"] {
            let (name, value) = pragma.split_once('=').unwrap_or_default();
            connection
                .pragma_update_and_check(None, name, value, |_| Ok(()))
                .or_else(no_row)
                .map_err(failed("open"))?;
        }
        let version: i64 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed("open"))?;
        match version {
            0 => connection.execute_batch(LAYOUT).map_err(failed("open"))?,
            VERSION => {}
            found => return Err(CatalogError::Version { path: path.to_owned(), found, newest: VERSION }),
        }
        Ok(Self { connection: Mutex::new(connection), path: path.to_owned(), own_writes: AtomicU64::new(0) })
    }

    /// The value under a name.
    pub fn get<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<T>, CatalogError> {
        let found: Option<String> = self
            .lock()
            .query_row("SELECT value FROM entry WHERE kind = ? AND name = ?", params![kind, name], |row| row.get(0))
            .optional()
            .map_err(failed("get"))?;
        found.map(|text| read(kind, name, &text)).transpose()
    }

    /// Puts values under names that have none; all or nothing is synced. Answers for each whether it was put.
    pub fn put_if_absent<T: Serialize>(&self, kind: &str, entries: &[(String, T)]) -> Result<Vec<bool>, CatalogError> {
        let sql = "INSERT INTO entry (kind, name, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        self.change("put", |change| {
            let mut put = change.prepare(sql).map_err(failed("put"))?;
            let one = |(name, value): &(String, T)| {
                let changed = put.execute(params![kind, name, text(kind, name, value)?]).map_err(failed("put"))?;
                Ok(changed > 0)
            };
            entries.iter().map(one).collect()
        })
    }

    /// Puts `new` under a name if `expected` stands there (`None`: nothing does). Answers whether it did.
    pub fn compare_and_set<T: Serialize>(
        &self,
        kind: &str,
        name: &str,
        expected: Option<&T>,
        new: &T,
    ) -> Result<bool, CatalogError> {
        let (new, Some(expected)) = (text(kind, name, new)?, expected) else {
            return Ok(self.put_if_absent(kind, &[(name.to_owned(), new)])?.contains(&true));
        };
        let sql = "UPDATE entry SET value = ? WHERE kind = ? AND name = ? AND value = ?";
        let old = text(kind, name, expected)?;
        self.change("set", |change| {
            change.execute(sql, params![new, kind, name, old]).map(|changed| changed > 0).map_err(failed("set"))
        })
    }

    /// All entries of a kind whose names begin with `prefix`, by name.
    pub fn list<T: DeserializeOwned>(&self, kind: &str, prefix: &str) -> Result<Vec<(String, T)>, CatalogError> {
        let connection = self.lock();
        let sql = "SELECT name, value FROM entry WHERE kind = ? AND substr(name, 1, length(?2)) = ?2 ORDER BY name";
        let mut all = connection.prepare(sql).map_err(failed("list"))?;
        let rows = all.query_map(params![kind, prefix], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        let rows: Vec<_> = rows.and_then(Iterator::collect).map_err(failed("list"))?;
        rows.into_iter().map(|(name, text)| Ok((name.clone(), read(kind, &name, &text)?))).collect()
    }

    /// Removes these names, all or none; their bytes are in no file afterwards. Answers how many there were.
    pub fn remove(&self, kind: &str, names: &[String]) -> Result<usize, CatalogError> {
        self.change("remove", |change| {
            let mut remove =
                change.prepare("DELETE FROM entry WHERE kind = ? AND name = ?").map_err(failed("remove"))?;
            names.iter().try_fold(0, |sum, name| {
                remove.execute(params![kind, name]).map(|removed| sum + removed).map_err(failed("remove"))
            })
        })
    }

    /// The state it is in; changes with every write of any process.
    pub fn version(&self) -> Result<Version, CatalogError> {
        let connection = self.lock();
        let others =
            connection.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(failed("look at"))?;
        Ok(Version { others, own: self.own_writes.load(Ordering::Acquire) })
    }

    /// When the file was last written, as the file system says; only to tell that it was not written lately.
    fn written_at(&self) -> Option<SystemTime> {
        std::fs::metadata(&self.path).and_then(|facts| facts.modified()).ok()
    }

    fn change<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let mut connection = self.lock();
        // Immediate: a lock taken later could not wait for another writer.
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed(operation))?;
        let done = work(&change)?;
        change.commit().map_err(failed(operation))?;
        self.own_writes.fetch_add(1, Ordering::Release);
        Ok(done)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves no half-done change: transactions roll back when dropped.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    // Only ever a new file: closing a second descriptor of an open one would drop this process's locks on it.
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

fn no_row(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        other => Err(other),
    }
}

fn failed(operation: &'static str) -> impl FnOnce(rusqlite::Error) -> CatalogError {
    move |source| CatalogError::Engine { operation, source }
}

fn read<T: DeserializeOwned>(kind: &str, name: &str, text: &str) -> Result<T, CatalogError> {
    let value = |source| CatalogError::Value { kind: kind.to_owned(), name: name.to_owned(), source };
    serde_json::from_str(text).map_err(value)
}

fn text<T: Serialize>(kind: &str, name: &str, value: &T) -> Result<String, CatalogError> {
    let failed = |source| CatalogError::Value { kind: kind.to_owned(), name: name.to_owned(), source };
    serde_json::to_string(value).map_err(failed)
}

/// Fills with random bytes of the operating system.
fn random<const N: usize>() -> Result<[u8; N], CatalogError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|source| CatalogError::Random { why: source.to_string() })?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why the catalog could not.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file cannot be opened.
    #[error("open catalog {}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A newer program wrote it.
    #[error("open catalog {}: its layout is {found}, this program reads up to {newest}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest that is known here.
        newest: i64,
    },
    /// The engine underneath failed.
    #[error("{operation} in the catalog")]
    Engine {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: rusqlite::Error,
    },
    /// A value is not what its kind holds.
    #[error("read {kind} {name} in the catalog")]
    Value {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// The operating system gives no random bytes.
    #[error("get random bytes: {why}")]
    Random {
        /// Why.
        why: String,
    },
    /// What was asked for does not fit.
    #[error("{0}")]
    Invalid(String),
}

impl CatalogError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        use rusqlite::ErrorCode;
        match self {
            Self::Invalid(_) => Kind::Invalid,
            Self::Version { .. } => Kind::Unsupported,
            Self::Value { .. } => Kind::Corrupt,
            Self::Open { .. } | Self::Random { .. } => Kind::Internal,
            Self::Engine { source, .. } => match source.sqlite_error_code() {
                Some(
                    ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::CannotOpen,
                ) => Kind::Unavailable,
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Kind::Corrupt,
                _ => Kind::Internal,
            },
        }
    }
}

#[cfg(test)]
mod tests;
