//! Queries: definitions of custom queries that were put over the wire, by name, as JSON.
//! - Bounded: [`QUERIES_MAX`] of them, held in the transaction that puts one.
//! - Absent: what a definition means, and files that hold others (`query`).

use super::{Catalog, CatalogError, failed, text};
use rusqlite::params;
use serde_json::Value;
use std::sync::Arc;

/// Queries there may be at once.
pub const QUERIES_MAX: usize = 1_000;
const KIND: &str = "query";

/// What putting a query did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// There was none of this name.
    New,
    /// There was one.
    Replaced,
}

/// The queries in a catalog.
#[derive(Debug)]
pub struct Queries {
    catalog: Arc<Catalog>,
}

impl Queries {
    /// The queries that a catalog keeps.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog }
    }

    /// The definition under a name.
    pub fn get(&self, name: &str) -> Result<Option<Value>, CatalogError> {
        self.catalog.get(KIND, name)
    }

    /// Every definition, by name.
    pub fn list(&self) -> Result<Vec<(String, Value)>, CatalogError> {
        self.catalog.list(KIND, "")
    }

    /// Puts a definition under a name, over what stands there; it is synced.
    pub fn put(&self, name: &str, definition: &Value) -> Result<Put, CatalogError> {
        let value = text(KIND, name, definition)?;
        self.catalog.change("put", |change| {
            let (is_there, all): (bool, u32) = change
                .query_row(
                    "SELECT count(*) FILTER (WHERE name = ?2) > 0, count(*) FROM entry WHERE kind = ?1",
                    params![KIND, name],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .map_err(failed("put"))?;
            if !is_there && all as usize >= QUERIES_MAX {
                let message = format!("there are {QUERIES_MAX} queries already: delete one first");
                return Err(CatalogError::Invalid(message));
            }
            let sql = "INSERT INTO entry (kind, name, value) VALUES (?, ?, ?)
                ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value";
            change.execute(sql, params![KIND, name, value]).map_err(failed("put"))?;
            Ok(if is_there { Put::Replaced } else { Put::New })
        })
    }

    /// Removes a definition. Answers whether there was one.
    pub fn remove(&self, name: &str) -> Result<bool, CatalogError> {
        Ok(self.catalog.remove(KIND, &[name.to_owned()])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_put_stays_after_reopening_and_the_bound_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("catalog.db");
        let opened = || Queries::new(Arc::new(Catalog::open(&path).expect("open")));
        let queries = opened();
        assert_eq!(queries.put("a", &json!({"n": 1})).expect("put"), Put::New);
        assert_eq!(queries.put("a", &json!({"n": 2})).expect("put"), Put::Replaced);
        drop(queries);
        let queries = opened();
        assert_eq!(queries.get("a").expect("get"), Some(json!({"n": 2})));
        let others: Vec<(String, Value)> = (1..QUERIES_MAX).map(|n| (format!("q{n}"), json!(n))).collect();
        queries.catalog.put_if_absent(KIND, &others).expect("put");
        let error = queries.put("one-more", &json!(1)).expect_err("full");
        assert!(error.to_string().contains("1000 queries already"), "{error}");
        assert_eq!(queries.put("a", &json!({"n": 3})).expect("put"), Put::Replaced);
        assert!(queries.remove("a").expect("remove") && !queries.remove("a").expect("remove"));
        assert_eq!(queries.put("one-more", &json!(1)).expect("put"), Put::New);
        assert_eq!(queries.list().expect("list").len(), QUERIES_MAX);
    }
}
