//! Groups: which rows the documents of one segment are in.
//! - A row is a combination of codes, one a group; a code stands for a label that is read at the end, once for each.
//! - A document with several values of a key is in several rows, in each once.
//! - Times outside all intervals, and documents without that time, are in no row.

use super::columns::{Docs, Form, KeyColumns};
use super::error::io_error;
use super::filter::time_key;
use super::segment::Segment;
use crate::clock::Millis;
use crate::store::StoreError;
use crate::store::plan::{Group, Label};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use tantivy::columnar::{Dictionary, MonotonicallyMappableToU64};

/// The row of a document that is in none, and the code of a time outside.
pub const NONE: u32 = u32::MAX;
/// The code of a document without the key.
pub const NULL: u32 = u32::MAX - 1;
/// Rows times codes up to which a plain table finds the next row.
const TABLE: usize = 1 << 20;

/// Something of each document: one number, and further ones of those that have several.
pub struct Many {
    /// By place.
    pub first: Vec<u32>,
    /// By place, ascending.
    pub more: Vec<(u32, u32)>,
}

/// The rows of a segment's documents.
pub struct Rows {
    many: Many,
    /// The codes of each row, group by group.
    codes: Vec<u32>,
    groups: usize,
    rows: usize,
}

impl Rows {
    /// Cuts documents into rows.
    pub fn of(
        segment: &Segment,
        groups: &[Group],
        docs: &Docs,
        rows_max: usize,
    ) -> Result<(Self, Vec<Labels>), StoreError> {
        let mut rows =
            Self { many: Many { first: vec![0; docs.len()], more: Vec::new() }, codes: Vec::new(), groups: 0, rows: 1 };
        let mut labels = Vec::with_capacity(groups.len());
        for group in groups {
            let (codes, of_group) = match group {
                Group::Key(key) => {
                    by_key(&*segment.columns(key)?, docs).map_err(io_error("read texts of", segment.day))?
                }
                Group::Time { key, edges } => by_time(&*segment.columns(&time_key(*key))?, edges, docs),
            };
            rows.cut(&codes, of_group.bound(), rows_max)?;
            labels.push(of_group);
        }
        Ok((rows, labels))
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Calls `each` with every row of the document at `place`.
    pub fn each(&self, place: usize, mut each: impl FnMut(usize)) {
        let first = self.many.first[place];
        if first != NONE {
            each(first as usize);
        }
        if !self.many.more.is_empty() {
            let from = self.many.more.partition_point(|(at, _)| (*at as usize) < place);
            let more = self.many.more[from..].iter().take_while(|(at, _)| *at as usize == place);
            more.for_each(|(_, row)| each(*row as usize));
        }
    }

    /// The places of documents that are in several rows; some come more than once.
    pub fn of_several(&self) -> impl Iterator<Item = usize> {
        self.many.more.iter().map(|(place, _)| *place as usize)
    }

    /// The codes of a row.
    pub fn codes(&self, row: usize) -> &[u32] {
        &self.codes[row * self.groups..(row + 1) * self.groups]
    }

    /// Cuts every row by a further group.
    fn cut(&mut self, codes: &Many, bound: usize, rows_max: usize) -> Result<(), StoreError> {
        let mut next = Next::new(self.rows, bound);
        let mut many = Many { first: vec![NONE; self.many.first.len()], more: Vec::new() };
        if self.many.more.is_empty() && codes.more.is_empty() {
            for (place, (row, code)) in self.many.first.iter().zip(&codes.first).enumerate() {
                if *row != NONE && *code != NONE {
                    many.first[place] = next.row(*row, *code);
                }
            }
        } else {
            self.cut_many(codes, &mut next, &mut many);
        }
        if next.rows.len() > rows_max {
            return Err(StoreError::Limit { operation: "aggregate", limit: rows_max as u64, of: "rows" });
        }
        let mut all = Vec::with_capacity(next.rows.len() * (self.groups + 1));
        for (row, code) in &next.rows {
            all.extend_from_slice(self.codes(*row as usize));
            all.push(*code);
        }
        *self = Self { many, codes: all, groups: self.groups + 1, rows: next.rows.len() };
        Ok(())
    }

    fn cut_many(&self, codes: &Many, next: &mut Next, many: &mut Many) {
        for place in 0..self.many.first.len() {
            let mut rows = Vec::new();
            self.each(place, |row| rows.push(row as u32)); // rows were u32 before
            let from = codes.more.partition_point(|(at, _)| (*at as usize) < place);
            let more = codes.more[from..].iter().take_while(|(at, _)| *at as usize == place).map(|(_, code)| *code);
            let all: Vec<u32> = std::iter::once(codes.first[place]).filter(|code| *code != NONE).chain(more).collect();
            let mut cut = rows.iter().flat_map(|row| all.iter().map(move |code| (*row, *code)));
            if let Some((row, code)) = cut.next() {
                many.first[place] = next.row(row, code);
            }
            many.more.extend(cut.map(|(row, code)| (place as u32, next.row(row, code)))); // places are below a u32
        }
    }
}

/// Numbers the combinations of a row and a code as they come.
struct Next {
    rows: Vec<(u32, u32)>,
    table: Option<(usize, Vec<u32>)>,
    found: FxHashMap<(u32, u32), u32>,
}

impl Next {
    fn new(rows: usize, bound: usize) -> Self {
        let width = bound + 1;
        let table = rows.checked_mul(width).filter(|size| *size <= TABLE);
        Self { rows: Vec::new(), table: table.map(|size| (width, vec![NONE; size])), found: FxHashMap::default() }
    }

    fn row(&mut self, row: u32, code: u32) -> u32 {
        let new = self.rows.len() as u32; // combinations are fewer than documents
        let place = match &mut self.table {
            Some((width, table)) => {
                let code = if code == NULL { *width - 1 } else { code as usize };
                &mut table[row as usize * *width + code]
            }
            None => self.found.entry((row, code)).or_insert(NONE),
        };
        if *place == NONE {
            *place = new;
            self.rows.push((row, code));
        }
        *place
    }
}

/// What the codes of a group stand for.
pub enum Labels {
    /// Ordinals of a dictionary.
    Ordinals(Arc<Dictionary>),
    /// Places in a list of texts.
    Texts(Vec<Box<str>>),
    /// Intervals of time, by their starts.
    Times(Vec<Millis>),
}

impl Labels {
    /// No code but NULL is this large.
    pub fn bound(&self) -> usize {
        match self {
            Self::Ordinals(dictionary) => dictionary.num_terms(),
            Self::Texts(texts) => texts.len(),
            Self::Times(times) => times.len(),
        }
    }

    /// The labels of these codes.
    pub fn read(&self, codes: impl Iterator<Item = u32>) -> std::io::Result<FxHashMap<u32, Label>> {
        let mut wanted: Vec<u32> = codes.collect::<FxHashSet<u32>>().into_iter().collect();
        wanted.sort_unstable();
        let null = wanted.last() == Some(&NULL);
        if null {
            wanted.pop();
        }
        let mut labels: FxHashMap<u32, Label> = match self {
            Self::Times(times) => wanted.iter().map(|code| (*code, Label::Time(times[*code as usize]))).collect(),
            Self::Texts(texts) => {
                wanted.iter().map(|code| (*code, Label::Text(texts[*code as usize].clone()))).collect()
            }
            Self::Ordinals(dictionary) => {
                let raws: Vec<u64> = wanted.iter().map(|code| u64::from(*code)).collect();
                let mut labels = FxHashMap::default();
                Form::Text(dictionary.clone()).values(&raws, |at, value| {
                    labels.insert(wanted[at], Label::Text(value.as_text().into()));
                })?;
                labels
            }
        };
        if null {
            labels.insert(NULL, Label::Null);
        }
        Ok(labels)
    }
}

fn by_time(columns: &KeyColumns, edges: &[Millis], docs: &Docs) -> (Many, Labels) {
    let mut codes = Many { first: vec![NONE; docs.len()], more: Vec::new() };
    for part in columns.parts.iter().filter(|part| matches!(part.form, Form::Int)) {
        let mut last: Option<(std::ops::Range<Millis>, u32)> = None;
        part.source.for_each(docs, |place, raw| {
            let at = i64::from_u64(raw);
            if let Some((within, code)) = &last
                && within.contains(&at)
            {
                codes.first[place] = *code;
                return;
            }
            let past = edges.partition_point(|edge| *edge <= at);
            if past > 0 && past < edges.len() {
                let code = past as u32 - 1; // intervals are far fewer than a u32 holds
                last = Some((edges[past - 1]..edges[past], code));
                codes.first[place] = code;
            }
        });
    }
    (codes, Labels::Times(edges.to_vec()))
}

/// The codes of documents by the texts of a key.
pub fn by_key(columns: &KeyColumns, docs: &Docs) -> std::io::Result<(Many, Labels)> {
    let mut codes =
        Coding { many: Many { first: vec![NULL; docs.len()], more: Vec::new() }, several: FxHashSet::default() };
    if let [part] = columns.parts.as_slice()
        && let Form::Text(dictionary) = &part.form
    {
        part.source.for_each(docs, |place, raw| codes.add(place, raw as u32)); // a dictionary of a segment is below a u32
        return Ok((codes.finish(), Labels::Ordinals(dictionary.clone())));
    }
    let (mut texts, mut known): (Vec<Box<str>>, FxHashMap<Box<str>, u32>) = Default::default();
    for part in &columns.parts {
        let mut raws = FxHashSet::default();
        part.source.for_each(docs, |_, raw| {
            raws.insert(raw);
        });
        let mut raws: Vec<u64> = raws.into_iter().collect();
        raws.sort_unstable();
        let mut code_of: FxHashMap<u64, u32> = FxHashMap::default();
        part.form.values(&raws, |at, value| {
            let text = columns.text(&value);
            let code = known.get(&*text).copied().unwrap_or_else(|| {
                let code = texts.len() as u32; // values of a segment are fewer than a u32 holds
                texts.push(text.as_ref().into());
                known.insert(text.into(), code);
                code
            });
            code_of.insert(raws[at], code);
        })?;
        part.source.for_each(docs, |place, raw| {
            if let Some(code) = code_of.get(&raw) {
                codes.add(place, *code);
            }
        });
    }
    Ok((codes.finish(), Labels::Texts(texts)))
}

/// Collects the different codes of each document.
struct Coding {
    many: Many,
    several: FxHashSet<(u32, u32)>,
}

impl Coding {
    fn add(&mut self, place: usize, code: u32) {
        let first = &mut self.many.first[place];
        if *first == NULL {
            *first = code;
        } else if *first != code && self.several.insert((place as u32, code)) {
            self.many.more.push((place as u32, code)); // places are below a u32
        }
    }

    fn finish(mut self) -> Many {
        self.many.more.sort_by_key(|(place, _)| *place);
        self.many
    }
}
