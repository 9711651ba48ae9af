//! Columns: what one segment holds of one key, whatever kinds of values it has.
//! - A key's values lie in one or more columns: each a raw 64-bit number a value, and a [`Form`] that reads it.
//! - This and `segment` alone know of scales, of ordinals of visitors, and of what stands in the table of visits.
//! - Values of one document come in order; within one column that is the order of its list.

use super::hashes::Hashes;
use super::values;
use super::visit_ids::VisitIds;
use crate::event::{Key, Shape, Value};
use crate::store::forms;
use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use tantivy::columnar::MonotonicallyMappableToU64;
use tantivy::columnar::{Column, ColumnIndex, ColumnType, Dictionary, DynamicColumn, DynamicColumnHandle};

/// Documents looked at in one go.
const BLOCK: u32 = 1024;

/// Documents of one segment, ascending.
#[derive(Debug, Clone, PartialEq)]
pub enum Docs {
    /// The first so many: all there are.
    All(u32),
    /// These.
    Some(Vec<u32>),
}

impl Docs {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::All(all) => *all as usize,
            Self::Some(docs) => docs.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, each by its number in the segment.
    pub fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::All(all) => Box::new(0..*all),
            Self::Some(docs) => Box::new(docs.iter().copied()),
        }
    }

    /// The document at a place in the list.
    pub fn at(&self, place: usize) -> u32 {
        match self {
            Self::All(_) => place as u32, // a place is below the number of documents, which is a u32
            Self::Some(docs) => docs[place],
        }
    }

    /// Those at these places, ascending.
    pub fn pick(self, places: Vec<u32>) -> Self {
        match self {
            Self::All(all) if places.len() == all as usize => Self::All(all),
            Self::All(_) => Self::Some(places),
            Self::Some(docs) => Self::Some(places.into_iter().map(|place| docs[place as usize]).collect()),
        }
    }

    fn blocks(&self, mut each: impl FnMut(usize, &[u32])) {
        match self {
            Self::Some(docs) => {
                for (at, block) in docs.chunks(BLOCK as usize).enumerate() {
                    each(at * BLOCK as usize, block);
                }
            }
            Self::All(all) => {
                let mut block = Vec::with_capacity(BLOCK as usize);
                for from in (0..*all).step_by(BLOCK as usize) {
                    block.clear();
                    block.extend(from..(*all).min(from + BLOCK));
                    each(from as usize, &block);
                }
            }
        }
    }
}

/// How a raw number of a column is read.
#[derive(Clone)]
pub enum Form {
    /// The ordinal of a text.
    Text(Arc<Dictionary>),
    /// The ordinal of the digits of a large whole number.
    Wide(Arc<Dictionary>),
    /// A whole number.
    Int,
    /// Any number.
    Float,
    /// A whole number under this power of ten.
    Scaled(u8),
    /// `true` or `false`.
    Bool,
    /// A hash itself.
    Hash,
    /// The ordinal of a hash in the day's table.
    Ordinal(Arc<Hashes>),
}

impl Form {
    /// The dictionary, of forms that have one.
    pub fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        match self {
            Self::Text(dictionary) | Self::Wide(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    /// The value of a raw number, of forms without a dictionary.
    pub fn scalar(&self, raw: u64) -> Option<Value> {
        match self {
            Self::Text(_) | Self::Wide(_) => None,
            Self::Int => Some(Value::Int(i64::from_u64(raw))),
            Self::Float => Value::number(f64::from_u64(raw)),
            Self::Scaled(scale) => Value::number(values::scale_down(i64::from_u64(raw), *scale)),
            Self::Bool => Some(Value::Bool(raw != 0)),
            Self::Hash => Some(Value::hash(raw)),
            Self::Ordinal(hashes) => Some(Value::hash(hashes.get(usize::try_from(raw).unwrap_or(usize::MAX)))),
        }
    }

    /// The hash that a raw number stands for, of forms of hashes and of whole numbers that are none below 0.
    pub fn hash(&self, raw: u64) -> Option<u64> {
        match self {
            Self::Hash => Some(raw),
            Self::Ordinal(hashes) => Some(hashes.get(usize::try_from(raw).unwrap_or(usize::MAX))),
            Self::Int => u64::try_from(i64::from_u64(raw)).ok(),
            _ => None,
        }
    }

    /// Some value of this form.
    pub fn sample(&self) -> Value {
        match self {
            Self::Text(_) => Value::text(""),
            Self::Bool => Value::Bool(true),
            Self::Float | Self::Scaled(_) => Value::Float(0.5),
            Self::Wide(_) | Self::Int | Self::Hash | Self::Ordinal(_) => Value::Int(0),
        }
    }

    /// The value of a raw number whose text is `text`, of forms with a dictionary.
    pub fn of_text(&self, text: &str) -> Value {
        match self {
            Self::Wide(_) => values::wide(text),
            _ => Value::text(text),
        }
    }

    /// Whether raw numbers stand for hashes.
    pub fn is_of_hashes(&self) -> bool {
        matches!(self, Self::Hash | Self::Ordinal(_))
    }

    /// The raw number of the hash whose text form this is; `None` if it is none, or none that is held.
    pub fn raw_of_hash(&self, text: &str) -> Option<u64> {
        let hash = u64::from_str_radix(text, 16).ok().filter(|hash| format!("{hash:016x}") == text)?;
        match self {
            Self::Ordinal(hashes) => hashes.find(hash).map(|ordinal| ordinal as u64),
            _ => Some(hash),
        }
    }

    /// Calls `each` with the place in `raws` and the value; `raws` ascend.
    pub fn values(&self, raws: &[u64], mut each: impl FnMut(usize, Value)) -> io::Result<()> {
        let Some(dictionary) = self.dictionary() else {
            for (at, raw) in raws.iter().enumerate() {
                if let Some(value) = self.scalar(*raw) {
                    each(at, value);
                }
            }
            return Ok(());
        };
        let (mut at, mut bad) = (0, false);
        let found = dictionary.sorted_ords_to_term_cb(raws, |term| {
            match std::str::from_utf8(term) {
                Ok(text) => each(at, self.of_text(text)),
                Err(_) => bad = true,
            }
            at += 1;
        })?;
        if bad || !found {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a text that a column names is not there"));
        }
        Ok(())
    }
}

/// Where raw numbers come from.
#[derive(Clone)]
pub enum Source {
    /// The documents' own column.
    Own(Column<u64>),
    /// The visit's row.
    Visit {
        /// The document's visit.
        visit: Column<u64>,
        /// The visit's values.
        values: Column<u64>,
    },
    /// The visit's id, where its row has none: it follows from the event.
    VisitId(Arc<VisitIds>),
    /// The same for all.
    Same(u64),
}

impl Source {
    /// Calls `each` with the place in `docs` and the raw number of every value, in order.
    pub fn for_each(&self, docs: &Docs, mut each: impl FnMut(usize, u64)) {
        match self {
            Self::Own(column) => own(column, docs, each),
            Self::Visit { visit, values } => {
                let (mut last, mut held) = (None, Vec::new());
                own(visit, docs, |place, row| {
                    if last != Some(row) {
                        held.clear();
                        held.extend(u32::try_from(row).into_iter().flat_map(|row| values.values_for_doc(row)));
                        last = Some(row);
                    }
                    held.iter().for_each(|raw| each(place, *raw));
                });
            }
            Self::VisitId(ids) => ids.for_each(docs, each),
            Self::Same(raw) => (0..docs.len()).for_each(|place| each(place, *raw)),
        }
    }

    /// The smallest and the largest raw number there may be.
    pub fn bounds(&self) -> (u64, u64) {
        match self {
            Self::Own(column) | Self::Visit { values: column, .. } => (column.min_value(), column.max_value()),
            Self::VisitId(_) => (0, u64::MAX),
            Self::Same(raw) => (*raw, *raw),
        }
    }
}

pub(super) fn own(column: &Column<u64>, docs: &Docs, mut each: impl FnMut(usize, u64)) {
    let mut raws = vec![0; BLOCK as usize];
    if let (Docs::All(all), ColumnIndex::Full) = (docs, &column.index) {
        for from in (0..*all).step_by(BLOCK as usize) {
            let many = (*all - from).min(BLOCK) as usize;
            column.values.get_range(u64::from(from), &mut raws[..many]);
            raws[..many].iter().enumerate().for_each(|(at, raw)| each(from as usize + at, *raw));
        }
        return;
    }
    let (mut having, mut rows) = (Vec::new(), Vec::new());
    docs.blocks(|from, block| {
        having.clear();
        rows.clear();
        column.row_ids_for_docs(block, &mut having, &mut rows);
        raws.resize(rows.len().max(raws.len()), 0);
        column.values.get_vals(&rows, &mut raws[..rows.len()]);
        let mut at = 0;
        for (doc, raw) in having.iter().zip(&raws) {
            while block[at] != *doc {
                at += 1;
            }
            each(from + at, *raw);
        }
    });
}

/// One column of a key.
#[derive(Clone)]
pub struct Values {
    /// Its raw numbers.
    pub source: Source,
    /// How they are read.
    pub form: Form,
}

/// All columns of a key in one segment.
pub struct KeyColumns {
    /// The key.
    pub key: Key,
    /// Its columns; none if no document has the key.
    pub parts: Vec<Values>,
}

impl KeyColumns {
    /// Whether the key's text forms are those of hashes.
    pub fn is_of_hashes(&self) -> bool {
        matches!(self.key, Key::Known(known) if known.shape() == Shape::Hash)
    }

    /// Which documents have the key, by place.
    pub fn having(&self, docs: &Docs) -> Vec<bool> {
        let mut having = vec![false; docs.len()];
        for part in &self.parts {
            part.source.for_each(docs, |place, _| having[place] = true);
        }
        having
    }

    /// Calls `each` with the place and the number form of every value that has one.
    pub fn numbers(&self, docs: &Docs, mut each: impl FnMut(usize, f64)) -> io::Result<()> {
        if forms::number(&self.key, &Value::Int(0)).is_none() {
            return Ok(());
        }
        for part in &self.parts {
            match &part.form {
                Form::Text(_) | Form::Bool | Form::Hash | Form::Ordinal(_) => {}
                Form::Int => part.source.for_each(docs, |place, raw| each(place, i64::from_u64(raw) as f64)),
                Form::Float => part.source.for_each(docs, |place, raw| each(place, f64::from_u64(raw))),
                Form::Scaled(scale) => {
                    part.source
                        .for_each(docs, |place, raw| each(place, values::scale_down(i64::from_u64(raw), *scale)));
                }
                Form::Wide(_) => self.wide_numbers(part, docs, &mut each)?,
            }
        }
        Ok(())
    }

    fn wide_numbers(&self, part: &Values, docs: &Docs, each: &mut impl FnMut(usize, f64)) -> io::Result<()> {
        let mut found = Vec::new();
        part.source.for_each(docs, |place, raw| found.push((raw, place)));
        found.sort_unstable();
        let raws: Vec<u64> = found.iter().map(|(raw, _)| *raw).collect();
        part.form.values(&raws, |at, value| {
            if let Some(number) = forms::number(&self.key, &value) {
                each(found[at].1, number);
            }
        })
    }

    /// The text form of a value of this key.
    pub fn text<'a>(&self, value: &'a Value) -> Cow<'a, str> {
        forms::text(&self.key, value)
    }
}

/// The raw numbers of a column and how they are read; `None` for one without values.
pub fn open(handle: &DynamicColumnHandle) -> io::Result<Option<(Column<u64>, Form)>> {
    let opened = match handle.column_type() {
        ColumnType::Str => match handle.open()? {
            DynamicColumn::Str(texts) => {
                let (dictionary, ordinals) = texts.into_parts();
                Some((ordinals, Form::Text(dictionary)))
            }
            _ => None,
        },
        ColumnType::I64 => handle.open_u64_lenient()?.map(|column| (column, Form::Int)),
        ColumnType::F64 => handle.open_u64_lenient()?.map(|column| (column, Form::Float)),
        ColumnType::Bool => handle.open_u64_lenient()?.map(|column| (column, Form::Bool)),
        ColumnType::U64 => handle.open_u64_lenient()?.map(|column| (column, Form::Hash)),
        ColumnType::Bytes | ColumnType::IpAddr | ColumnType::DateTime => None,
    };
    Ok(opened.filter(|(column, _)| column.values.num_vals() > 0))
}
