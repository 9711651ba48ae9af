//! Groups: which rows the documents of one segment are in.
//! - A row is a combination of codes, one a group; a code stands for a label that is read at the end, once for each.
//! - A document with several values of a key is in several rows, in each once.
//! - Times outside all intervals, and documents without that time, are in no row.

use super::columns::{Form, KeyColumns};
use super::docs::Docs;
use super::error::io_error;
use super::filter::time_key;
use super::labels::Labels;
use super::segment::Segment;
use crate::clock::Millis;
use crate::store::StoreError;
use crate::store::plan::Group;
use rustc_hash::{FxHashMap, FxHashSet};
use tantivy::columnar::MonotonicallyMappableToU64;

/// The row of a document that is in none, and the code of a time outside.
pub const NONE: u32 = u32::MAX;
/// The code of a document without the key.
pub const NULL: u32 = u32::MAX - 1;
/// Rows times codes up to which a plain table finds the next row.
const TABLE: usize = 1 << 20;

/// A number of each document.
pub enum First {
    /// All have the same.
    Same(u32),
    /// By place.
    Each(Vec<u32>),
}

impl First {
    /// That of the document at a place.
    pub fn at(&self, place: usize) -> u32 {
        match self {
            Self::Same(number) => *number,
            Self::Each(numbers) => numbers[place],
        }
    }
}

/// Something of each document: one number, and further ones of those that have several.
pub struct Many {
    /// The one.
    pub first: First,
    /// By place, ascending.
    pub more: Vec<(u32, u32)>,
}

/// The rows of a segment's documents.
pub struct Rows {
    many: Many,
    places: usize,
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
        let many = Many { first: First::Same(0), more: Vec::new() };
        let mut rows = Self { many, places: docs.len(), codes: Vec::new(), groups: 0, rows: 1 };
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
        let first = self.many.first.at(place);
        if first != NONE {
            each(first as usize);
        }
        if !self.many.more.is_empty() {
            let from = self.many.more.partition_point(|(at, _)| (*at as usize) < place);
            let more = self.many.more[from..].iter().take_while(|(at, _)| *at as usize == place);
            more.for_each(|(_, row)| each(*row as usize));
        }
    }

    /// The one row of each document, [`NONE`] for those in none, if no document is in several.
    pub fn single(&self) -> Option<&First> {
        self.many.more.is_empty().then_some(&self.many.first)
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
        let many = match (self.single(), codes) {
            (Some(rows), Many { first: codes, more }) if more.is_empty() => {
                let mut cut = |row, code| if row == NONE || code == NONE { NONE } else { next.row(row, code) };
                let first = match (rows, codes) {
                    (First::Same(row), First::Same(code)) => First::Same(cut(*row, *code)),
                    (First::Same(row), First::Each(codes)) => {
                        First::Each(codes.iter().map(|code| cut(*row, *code)).collect())
                    }
                    (First::Each(rows), codes) => {
                        let rows = rows.iter().enumerate();
                        First::Each(rows.map(|(place, row)| cut(*row, codes.at(place))).collect())
                    }
                };
                Many { first, more: Vec::new() }
            }
            _ => self.cut_many(codes, &mut next),
        };
        if next.rows.len() > rows_max {
            return Err(StoreError::Limit { operation: "aggregate", limit: rows_max as u64, of: "rows" });
        }
        let mut all = Vec::with_capacity(next.rows.len() * (self.groups + 1));
        for (row, code) in &next.rows {
            all.extend_from_slice(self.codes(*row as usize));
            all.push(*code);
        }
        *self = Self { many, places: self.places, codes: all, groups: self.groups + 1, rows: next.rows.len() };
        Ok(())
    }

    fn cut_many(&self, codes: &Many, next: &mut Next) -> Many {
        let (mut first, mut several) = (vec![NONE; self.places], Vec::new());
        for (place, first) in first.iter_mut().enumerate() {
            let mut rows = Vec::new();
            self.each(place, |row| rows.push(row as u32)); // rows were u32 before
            let from = codes.more.partition_point(|(at, _)| (*at as usize) < place);
            let more = codes.more[from..].iter().take_while(|(at, _)| *at as usize == place).map(|(_, code)| *code);
            let all: Vec<u32> =
                std::iter::once(codes.first.at(place)).filter(|code| *code != NONE).chain(more).collect();
            let mut cut = rows.iter().flat_map(|row| all.iter().map(move |code| (*row, *code)));
            if let Some((row, code)) = cut.next() {
                *first = next.row(row, code);
            }
            several.extend(cut.map(|(row, code)| (place as u32, next.row(row, code)))); // places are below a u32
        }
        Many { first: First::Each(first), more: several }
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

    #[inline]
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

fn by_time(columns: &KeyColumns, edges: &[Millis], docs: &Docs) -> (Many, Labels) {
    let code_of = |at: Millis| match edges.partition_point(|edge| *edge <= at) {
        past if past > 0 && past < edges.len() => past as u32 - 1, // intervals are far fewer than a u32 holds
        _ => NONE,
    };
    let labels = Labels::Times(edges.to_vec());
    let times = || columns.parts.iter().filter(|part| matches!(part.form, Form::Int));
    let full = times().next().filter(|part| part.source.is_full());
    let [least, most] = full.map_or([NONE; 2], |part| {
        let (least, most) = part.source.bounds();
        [least, most].map(|raw| code_of(i64::from_u64(raw)))
    });
    if least == most && least != NONE {
        return (Many { first: First::Same(least), more: Vec::new() }, labels);
    }
    let mut first = vec![NONE; docs.len()];
    for part in times() {
        let mut last: Option<(std::ops::Range<Millis>, u32)> = None;
        part.source.for_each(docs, |place, raw| {
            let at = i64::from_u64(raw);
            if let Some((within, code)) = &last
                && within.contains(&at)
            {
                first[place] = *code;
                return;
            }
            let code = code_of(at);
            if code != NONE {
                last = Some((edges[code as usize]..edges[code as usize + 1], code));
                first[place] = code;
            }
        });
    }
    (Many { first: First::Each(first), more: Vec::new() }, labels)
}

/// The codes of documents by the texts of a key.
pub fn by_key(columns: &KeyColumns, docs: &Docs) -> std::io::Result<(Many, Labels)> {
    let mut codes = Coding { first: vec![NULL; docs.len()], more: Vec::new(), several: FxHashSet::default() };
    if let [part] = columns.parts.as_slice()
        && let Form::Text(dictionary) = &part.form
    {
        if let Some(raw) = part.source.constant() {
            return Ok((
                Many { first: First::Same(raw as u32), more: Vec::new() },
                Labels::Ordinals(dictionary.clone()),
            ));
        }
        part.source.for_each(docs, |place, raw| codes.add(place, raw as u32)); // a dictionary of a segment is below a u32
        return Ok((codes.finish(), Labels::Ordinals(dictionary.clone())));
    }
    let (mut texts, mut known): (Vec<Box<str>>, foldhash::HashMap<Box<str>, u32>) = Default::default();
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
    first: Vec<u32>,
    more: Vec<(u32, u32)>,
    several: FxHashSet<(u32, u32)>,
}

impl Coding {
    #[inline]
    fn add(&mut self, place: usize, code: u32) {
        let first = &mut self.first[place];
        if *first == NULL {
            *first = code;
        } else if *first != code && self.several.insert((place as u32, code)) {
            self.more.push((place as u32, code)); // places are below a u32
        }
    }

    fn finish(mut self) -> Many {
        self.more.sort_by_key(|(place, _)| *place);
        Many { first: First::Each(self.first), more: self.more }
    }
}
