//! Book: every custom query there is: those of files, read at the start, and those that were put, in the catalog.
//! - A file goes before what was put under the same name, and is changed in its folder alone.
//! - What was put once and does not fit any more (a goal is gone, an older program put it) is kept and told as that.
//! - Calls block, for as long as the catalog takes.

use super::Definition;
use crate::catalog::CatalogError;
use crate::catalog::queries::{Put, Queries};
use crate::query::unfit::Unfit;
use std::collections::BTreeMap;

/// Where a query comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A file of the configured folder.
    File,
    /// A request.
    Stored,
}

impl Origin {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Stored => "stored",
        }
    }
}

/// A query of the book.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it asks, or why that cannot be told any more.
    pub definition: Result<Definition, Vec<Unfit>>,
}

/// Why a query is not changed.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// A file holds it.
    #[error("{name} is configured by a file, {name}.toml: it is changed there, and read when the server starts")]
    Filed {
        /// Which query.
        name: String,
    },
    /// The catalog could not.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// All custom queries.
#[derive(Debug)]
pub struct Book {
    files: BTreeMap<String, Definition>,
    stored: Queries,
}

impl Book {
    /// Those of files, and those that are stored.
    pub fn new(files: BTreeMap<String, Definition>, stored: Queries) -> Self {
        Self { files, stored }
    }

    /// The query of this name.
    pub fn get(&self, name: &str) -> Result<Option<Entry>, CatalogError> {
        if let Some(definition) = self.files.get(name) {
            return Ok(Some(filed(name, definition)));
        }
        Ok(self.stored.get(name)?.map(|written| stored(name.to_owned(), &written)))
    }

    /// Every query, by name.
    pub fn list(&self) -> Result<Vec<Entry>, CatalogError> {
        let files = self.files.iter().map(|(name, definition)| (name.clone(), filed(name, definition)));
        let stored = self.stored.list()?.into_iter().map(|(name, written)| (name.clone(), stored(name, &written)));
        Ok(stored.chain(files).collect::<BTreeMap<_, _>>().into_values().collect())
    }

    /// Keeps a query under a name, over what was put there before.
    pub fn put(&self, name: &str, definition: &Definition) -> Result<Put, BookError> {
        self.refuse_filed(name)?;
        Ok(self.stored.put(name, &definition.written)?)
    }

    /// Forgets a query. Answers whether there was one.
    pub fn remove(&self, name: &str) -> Result<bool, BookError> {
        self.refuse_filed(name)?;
        Ok(self.stored.remove(name)?)
    }

    fn refuse_filed(&self, name: &str) -> Result<(), BookError> {
        if self.files.contains_key(name) { Err(BookError::Filed { name: name.to_owned() }) } else { Ok(()) }
    }
}

fn filed(name: &str, definition: &Definition) -> Entry {
    Entry { name: name.to_owned(), origin: Origin::File, definition: Ok(definition.clone()) }
}

fn stored(name: String, written: &serde_json::Value) -> Entry {
    Entry { name, origin: Origin::Stored, definition: Definition::read(written) }
}
