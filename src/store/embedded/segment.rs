//! Segment: one immutable piece of a day, opened once and read by many.
//! - Columns are opened when a question first names their key, and kept.
//! - A sealed segment brings what stands beside it: scales, the table of its visits, the day's visitors.

use super::columns::{Form, KeyColumns, Source, Values, open};
use super::docs::Docs;
use super::error::{engine, io_error};
use super::hashes::Hashes;
use super::parts::sealed_fields;
use super::row::Dynamic;
use super::schema::{POSITION, WITHIN, column_name};
use super::stored::Stored;
use super::visit_ids::VisitIds;
use crate::event::{Day, Key, Known, Shape};
use crate::store::StoreError;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tantivy::columnar::{ColumnarReader, DynamicColumnHandle, MonotonicallyMappableToU64};
use tantivy::directory::FileSlice;
use tantivy::index::SegmentComponent;
use tantivy::schema::Field;
use tantivy::{SegmentReader, Term};

/// What stands beside a sealed segment.
pub struct Beside {
    /// Powers of ten of keys whose numbers are decimals.
    pub scales: BTreeMap<String, u8>,
    /// The visits of the segment, a row each.
    pub visits: ColumnarReader,
    /// The visitors of the day.
    pub visitors: Arc<Hashes>,
}

/// One opened segment.
pub struct Segment {
    /// The day it belongs to.
    pub day: Day,
    /// Which part of the day: a sealed segment has something beside it.
    pub beside: Option<Beside>,
    /// Its inverted indexes, where it has some.
    indexes: Option<SegmentReader>,
    columnar: ColumnarReader,
    opened: Mutex<HashMap<Key, Arc<KeyColumns>>>,
    keys: OnceLock<Vec<Key>>,
}

impl Segment {
    /// Opens a sealed segment.
    pub fn sealed(day: Day, segment: &tantivy::Segment, beside: Beside) -> Result<Self, StoreError> {
        let indexes = SegmentReader::open(segment).map_err(engine("open segment"))?;
        let file = segment.open_read(SegmentComponent::FastFields).map_err(engine("open columns"))?;
        Self::of(day, file, Some(indexes), Some(beside))
    }

    /// Opens a columnar file of an open part.
    pub fn open(day: Day, file: FileSlice) -> Result<Self, StoreError> {
        Self::of(day, file, None, None)
    }

    fn of(
        day: Day,
        file: FileSlice,
        indexes: Option<SegmentReader>,
        beside: Option<Beside>,
    ) -> Result<Self, StoreError> {
        let columnar = ColumnarReader::open(file).map_err(io_error("open columns of", day))?;
        Ok(Self { day, beside, indexes, columnar, opened: Mutex::default(), keys: OnceLock::new() })
    }

    /// How many events it holds.
    pub fn len(&self) -> u32 {
        self.columnar.num_docs()
    }

    /// Its columns.
    pub fn columnar(&self) -> &ColumnarReader {
        &self.columnar
    }

    /// All its documents.
    pub fn docs(&self) -> Docs {
        Docs::All(self.len())
    }

    /// The columns of `key`.
    pub fn columns(&self, key: &Key) -> Result<Arc<KeyColumns>, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(columns) = opened.get(key) {
            return Ok(columns.clone());
        }
        let parts = self.open_key(key).map_err(io_error("read columns of", self.day))?;
        let columns = Arc::new(KeyColumns { key: key.clone(), parts });
        opened.insert(key.clone(), columns.clone());
        Ok(columns)
    }

    fn open_key(&self, key: &Key) -> std::io::Result<Vec<Values>> {
        if *key == Key::Known(Known::Day) {
            return Ok(vec![Values { source: Source::Same(i64::from(self.day.0).to_u64()), form: Form::Int }]);
        }
        let mut parts = Vec::new();
        if let Key::Known(known) = key {
            self.open_known(*known, &mut parts)?;
        }
        for handle in self.dynamic(Dynamic::Free, key.name())? {
            if let Some((column, form)) = open(&handle)? {
                let scale = self.beside.as_ref().and_then(|beside| beside.scales.get(key.name()));
                let form = match (form, scale) {
                    (Form::Int, Some(scale)) => Form::Scaled(*scale),
                    (form, _) => form,
                };
                parts.push(Values { source: Source::Own(column), form });
            }
        }
        for handle in self.dynamic(Dynamic::Wide, key.name())? {
            if let Some((column, Form::Text(digits))) = open(&handle)? {
                parts.push(Values { source: Source::Own(column), form: Form::Wide(digits) });
            }
        }
        Ok(parts)
    }

    fn open_known(&self, known: Known, parts: &mut Vec<Values>) -> std::io::Result<()> {
        for handle in self.columnar.read_columns(known.name())? {
            let Some((column, form)) = open(&handle)? else { continue };
            match (known, &self.beside) {
                (Known::Visit, Some(_)) => {}
                (Known::Visitor, Some(beside)) => {
                    parts.push(Values { source: Source::Own(column), form: Form::Ordinal(beside.visitors.clone()) });
                }
                _ => parts.push(Values { source: Source::Own(column), form }),
            }
        }
        if let (Some(beside), Some(visit)) = (&self.beside, self.visit_rows()?) {
            for handle in beside.visits.read_columns(known.name())? {
                if let Some((values, form)) = open(&handle)? {
                    parts.push(Values { source: Source::Visit { visit: visit.clone(), values }, form });
                }
            }
            if known == Known::Visit {
                parts.extend(self.visit_ids(beside, visit)?);
            }
        }
        Ok(())
    }

    /// The ids of visits that stand in no row; `None` where nothing is there that they could follow from.
    fn visit_ids(&self, beside: &Beside, rows: Arc<Stored>) -> std::io::Result<Option<Values>> {
        let first = |columnar: &ColumnarReader, known: Known| match columnar.read_columns(known.name())?.first() {
            Some(handle) => open(handle),
            None => Ok(None),
        };
        let began = first(&beside.visits, Known::VisitAt)?;
        let (visitors, sites) = (first(&self.columnar, Known::Visitor)?, first(&self.columnar, Known::Site)?);
        let (Some((began, _)), Some((visitors, _)), Some((sites, Form::Text(names)))) = (began, visitors, sites) else {
            return Ok(None);
        };
        let ids = VisitIds {
            day: self.day,
            rows,
            began,
            written: first(&beside.visits, Known::Visit)?.map(|(written, _)| written),
            visitors: (visitors, beside.visitors.clone()),
            sites: (sites, names),
        };
        Ok(Some(Values { source: Source::VisitId(Arc::new(ids)), form: Form::Hash }))
    }

    /// The column of rows in the table of visits.
    fn visit_rows(&self) -> std::io::Result<Option<Arc<Stored>>> {
        let handles = self.columnar.read_columns(Known::Visit.name())?;
        let Some(handle) = handles.first() else { return Ok(None) };
        Ok(open(handle)?.map(|(column, _)| column))
    }

    fn dynamic(&self, family: Dynamic, name: &str) -> std::io::Result<Vec<DynamicColumnHandle>> {
        let mut column = String::new();
        column_name(family, name, &mut column);
        self.columnar.read_columns(&column)
    }

    /// The lists of `key` that stand as JSON text.
    pub fn lists(&self, key: &Key) -> Result<Option<Values>, StoreError> {
        let handles = self.dynamic(Dynamic::List, key.name()).map_err(io_error("read columns of", self.day))?;
        let Some(handle) = handles.first() else { return Ok(None) };
        let opened = open(handle).map_err(io_error("read columns of", self.day))?;
        Ok(opened.map(|(column, form)| Values { source: Source::Own(column), form }))
    }

    /// Every key that some document has, ascending.
    pub fn keys(&self) -> Result<&[Key], StoreError> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let keys = self.list_keys()?;
        Ok(self.keys.get_or_init(|| keys))
    }

    fn list_keys(&self) -> Result<Vec<Key>, StoreError> {
        let listed = |columnar: &ColumnarReader| columnar.list_columns().map_err(io_error("list columns of", self.day));
        let mut names: Vec<String> = listed(&self.columnar)?.into_iter().map(|(name, _)| name).collect();
        if let Some(beside) = &self.beside {
            names.extend(listed(&beside.visits)?.into_iter().map(|(name, _)| name));
        }
        let mut keys = vec![Key::Known(Known::Day)];
        keys.extend(
            names
                .iter()
                .filter(|name| *name != POSITION)
                .map(|name| Key::named(name.split_once(WITHIN).map_or(name.as_str(), |(_, within)| within))),
        );
        keys.sort();
        keys.dedup();
        let mut held = Vec::new();
        for key in keys {
            if !self.columns(&key)?.parts.is_empty() {
                held.push(key);
            }
        }
        Ok(held)
    }

    /// The documents whose `key` is exactly `text`, from its inverted index if it has one.
    pub fn posting(&self, key: &Key, text: &str) -> Result<Option<Posting>, StoreError> {
        let Some(indexes) = &self.indexes else { return Ok(None) };
        let Some((field, shape)) = sealed_fields().index_of(key) else { return Ok(None) };
        let term = match shape {
            Shape::Hash => match u64::from_str_radix(text, 16) {
                Ok(hash) if text.len() == 16 => Term::from_field_u64(field, hash),
                _ => return Ok(None),
            },
            _ => Term::from_field_text(field, text),
        };
        Ok(Some(self.posting_in(indexes, field, &term)?))
    }

    /// Whether it has inverted indexes.
    pub fn has_indexes(&self) -> bool {
        self.indexes.is_some()
    }

    /// The documents with a word in the text of `key`, from its index of words if it has one.
    pub fn posting_of_word(&self, key: Known, word: &str) -> Result<Option<Posting>, StoreError> {
        let (Some(indexes), Some(field)) = (&self.indexes, sealed_fields().known(key)) else { return Ok(None) };
        Ok(Some(self.posting_in(indexes, field, &Term::from_field_text(field, word))?))
    }

    fn posting_in(&self, indexes: &SegmentReader, field: Field, term: &Term) -> Result<Posting, StoreError> {
        let index = indexes.inverted_index(field).map_err(engine("open index"))?;
        let info = index.get_term_info(term).map_err(io_error("read index of", self.day))?;
        Ok(Posting { index, info })
    }
}

/// Where the documents of a term stand.
pub struct Posting {
    index: Arc<tantivy::index::InvertedIndexReader>,
    info: Option<tantivy::postings::TermInfo>,
}

impl Posting {
    /// How many documents.
    pub fn len(&self) -> usize {
        self.info.as_ref().map_or(0, |info| info.doc_freq as usize)
    }

    /// The documents, ascending.
    pub fn docs(&self) -> Result<Vec<u32>, StoreError> {
        use tantivy::DocSet;
        let Some(info) = &self.info else { return Ok(Vec::new()) };
        let read = self.index.read_postings_from_terminfo(info, tantivy::schema::IndexRecordOption::Basic);
        let mut postings =
            read.map_err(|source| StoreError::Engine { operation: "read index", source: Box::new(source) })?;
        let mut docs = Vec::with_capacity(self.len());
        let mut doc = postings.doc();
        while doc != tantivy::TERMINATED {
            docs.push(doc);
            doc = postings.advance();
        }
        Ok(docs)
    }
}
