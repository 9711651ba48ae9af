//! Columns: what one segment holds of one key, whatever kinds of values it has.
//! - A key's values lie in one or more columns: each a raw 64-bit number a value, and a [`Form`] that reads it.
//! - This and `segment` alone know of scales, of ordinals of visitors, and of what stands in the table of visits.
//! - Values of one document come in order; within one column that is the order of its list.

use super::bits::Bits;
use super::docs::{Docs, Passing};
use super::hashes::Hashes;
use super::stored::Stored;
use super::values;
use super::visit_ids::VisitIds;
use crate::event::{Key, Shape, Value};
use crate::store::forms;
use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use tantivy::columnar::MonotonicallyMappableToU64;
use tantivy::columnar::{ColumnType, Dictionary, DynamicColumn, DynamicColumnHandle};

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
    Own(Arc<Stored>),
    /// The visit's row.
    Visit {
        /// The document's visit.
        visit: Arc<Stored>,
        /// The visit's values.
        values: Arc<Stored>,
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
            Self::Own(column) => column.for_each(docs, each),
            Self::Visit { visit, values } => of_visits(visit, values, docs, each),
            Self::VisitId(ids) => ids.for_each(docs, each),
            Self::Same(raw) => (0..docs.len()).for_each(|place| each(place, *raw)),
        }
    }

    /// Whether every document has a value.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Own(column) => column.is_full(),
            Self::Visit { visit, values } => visit.is_full() && values.is_full(),
            Self::VisitId(ids) => ids.is_full(),
            Self::Same(_) => true,
        }
    }

    /// The one raw number that every document has, if that is so.
    pub fn constant(&self) -> Option<u64> {
        let (least, most) = self.bounds();
        (least == most && self.is_full()).then_some(least)
    }

    /// How many values all documents have, and the one raw number that each of them is, if that is so.
    pub fn same(&self) -> Option<(usize, u64)> {
        match self {
            Self::Own(column) => {
                let (least, most) = column.bounds();
                (least == most).then(|| (column.values(), least))
            }
            _ => None,
        }
    }

    /// Which documents have a raw number that passes.
    pub fn passing(&self, docs: &Docs, passes: impl Fn(u64) -> bool) -> Passing {
        let mut passing = Bits::none(docs.len());
        self.for_each(docs, |place, raw| passing.set(place, passes(raw)));
        Passing::Some(passing)
    }

    /// The smallest and the largest raw number there may be.
    pub fn bounds(&self) -> (u64, u64) {
        match self {
            Self::Own(column) | Self::Visit { values: column, .. } => column.bounds(),
            Self::VisitId(_) => (0, u64::MAX),
            Self::Same(raw) => (*raw, *raw),
        }
    }
}

/// The values of documents' visits: all of them read at once where many are asked for, else each when it is come to.
fn of_visits(visit: &Stored, values: &Stored, docs: &Docs, mut each: impl FnMut(usize, u64)) {
    let visits = values.docs();
    if docs.len() >= visits as usize {
        // A visit has one value of a key at the most.
        let mut held: Vec<Option<u64>> = vec![None; visits as usize];
        values.for_each(&Docs::All(visits), |row, raw| held[row] = Some(raw));
        return visit.for_each(docs, |place, row| {
            let raw = usize::try_from(row).ok().and_then(|row| *held.get(row)?);
            raw.iter().for_each(|raw| each(place, *raw));
        });
    }
    let (mut last, mut held) = (None, None);
    visit.for_each(docs, |place, row| {
        if last != Some(row) {
            held = u32::try_from(row).ok().and_then(|row| values.first(row));
            last = Some(row);
        }
        held.iter().for_each(|raw| each(place, *raw));
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

    /// Which documents have the key.
    pub fn having(&self, docs: &Docs) -> Passing {
        if self.parts.iter().any(|part| part.source.is_full()) {
            return Passing::All;
        }
        self.parts.iter().fold(Passing::None, |having, part| having.or(part.source.passing(docs, |_| true)))
    }

    /// Whether each value has a number form.
    pub fn is_of_numbers(&self) -> bool {
        let is_number = |form: &Form| matches!(form, Form::Int | Form::Float | Form::Scaled(_));
        forms::number(&self.key, &Value::Int(0)).is_some() && self.parts.iter().all(|part| is_number(&part.form))
    }

    /// How many values all documents have, and the one number that each of them is, if that is so.
    pub fn same_number(&self) -> Option<(usize, f64)> {
        let [part] = self.parts.as_slice() else { return None };
        let (many, raw) = part.source.same().filter(|_| self.is_of_numbers())?;
        Some((many, part.form.scalar(raw)?.as_number()?))
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
pub fn open(handle: &DynamicColumnHandle) -> io::Result<Option<(Arc<Stored>, Form)>> {
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
    let opened = opened.filter(|(column, _)| column.values.num_vals() > 0);
    Ok(opened.map(|(column, form)| (Arc::new(Stored::new(column)), form)))
}
