//! Tables: the item tables held open, the latest used.
//! - Bounded by number (open files) and by the memory of their indexes; the least lately used is closed first.
//! - A table is known by its path and its identity: what replaced it at its path is never taken for it.

use super::table::Table;
use crate::store::StoreError;
use lru::LruCache;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open tables at most.
const OPEN_MAX: usize = 256;
/// Memory of their indexes at most, in bytes.
const INDEX_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Opens tables and keeps them open.
pub struct Tables {
    held: Mutex<Held>,
}

struct Held {
    tables: LruCache<PathBuf, Arc<Table>>,
    index_bytes: usize,
}

impl Tables {
    /// The table of this identity at `path`; `None` if another is there.
    pub fn open(&self, path: &Path, identity: u64) -> Result<Option<Arc<Table>>, StoreError> {
        if let Some(table) = self.held().tables.get(path).filter(|table| table.identity() == identity) {
            return Ok(Some(Arc::clone(table)));
        }
        // Opened outside the lock: another may open it too, and the one that comes second stays.
        let table = Arc::new(Table::open(path)?);
        if table.identity() != identity {
            return Ok(None);
        }
        self.held().put(path, Arc::clone(&table));
        Ok(Some(table))
    }

    /// Closes what is open at `path` and anything below it.
    pub fn forget(&self, path: &Path) {
        let mut held = self.held();
        let gone: Vec<_> = held.tables.iter().map(|(at, _)| at).filter(|at| at.starts_with(path)).cloned().collect();
        for path in gone {
            held.take(&path);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn put(&mut self, path: &Path, table: Arc<Table>) {
        self.take(path);
        self.index_bytes += table.index_bytes();
        self.tables.put(path.to_owned(), table);
        while self.tables.len() > OPEN_MAX || self.index_bytes > INDEX_BYTES_MAX && self.tables.len() > 1 {
            let Some((_, table)) = self.tables.pop_lru() else { return };
            self.index_bytes -= table.index_bytes();
        }
    }

    fn take(&mut self, path: &Path) {
        if let Some(table) = self.tables.pop(path) {
            self.index_bytes -= table.index_bytes();
        }
    }
}

impl Default for Tables {
    fn default() -> Self {
        Self { held: Mutex::new(Held { tables: LruCache::unbounded(), index_bytes: 0 }) }
    }
}
