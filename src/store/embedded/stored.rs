//! Stored: the raw numbers of one column as they lie in a file, read in the order of documents.
//! - Whole blocks are read at once; of a column with one number alone, none.
//! - Where many documents have a value but not all, which ones is kept as bits once it was asked: the file says it slowly.
//!   A bit a document, and only of such columns.

use super::bits::Bits;
use super::docs::{BLOCK, Docs};
use std::sync::OnceLock;
use tantivy::columnar::{Column, ColumnIndex};

/// Where no more than one document in so many has a value, they are looked up one by one.
const FEW: u32 = 4;
/// Where more than one document in so many is asked for, it pays to know which have a value.
const MANY: usize = 8;

/// A column.
pub struct Stored {
    column: Column<u64>,
    /// Which documents have a value.
    bits: OnceLock<Bits>,
}

impl Stored {
    /// A column that has values.
    pub fn new(column: Column<u64>) -> Self {
        Self { column, bits: OnceLock::new() }
    }

    /// How many documents there are.
    pub fn docs(&self) -> u32 {
        self.column.num_docs()
    }

    /// The first value of a document.
    pub fn first(&self, doc: u32) -> Option<u64> {
        self.column.first(doc)
    }

    /// Whether every document has a value.
    pub fn is_full(&self) -> bool {
        matches!(self.column.index, ColumnIndex::Full)
    }

    /// The smallest and the largest raw number.
    pub fn bounds(&self) -> (u64, u64) {
        (self.column.min_value(), self.column.max_value())
    }

    /// How many values all documents have.
    pub fn values(&self) -> usize {
        self.column.values.num_vals() as usize
    }

    /// The documents with this very number, if they are at most so many.
    pub fn few_with(&self, raw: u64, most: usize) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        self.column.get_docids_for_value_range(raw..=raw, 0..self.docs(), &mut found);
        if found.len() > most {
            return None;
        }
        // Of a number that it does not have at all the quick way finds others.
        found.retain(|doc| self.column.values_for_doc(*doc).any(|value| value == raw));
        Some(found)
    }

    /// Calls `each` with the place in `docs` and every value, in order.
    pub fn for_each(&self, docs: &Docs, mut each: impl FnMut(usize, u64)) {
        let mut read = Reader::new(&self.column);
        match (docs, &self.column.index) {
            (Docs::All(all), ColumnIndex::Full) => {
                for from in (0..*all).step_by(BLOCK as usize) {
                    let raws = read.range(from, (*all - from).min(BLOCK));
                    raws.iter().enumerate().for_each(|(at, raw)| each(from as usize + at, *raw));
                }
            }
            (Docs::All(all), ColumnIndex::Optional(index)) if index.num_non_nulls() < all / FEW => {
                let having = index.iter_non_null_docs();
                read.in_order(having.map(|doc| doc as usize), index.num_non_nulls(), each);
            }
            (Docs::All(all), ColumnIndex::Optional(index)) => {
                read.in_order(self.bits(*all).ones(), index.num_non_nulls(), each);
            }
            (Docs::Some(some), ColumnIndex::Optional(index))
                if index.num_non_nulls() >= self.docs() / FEW && some.len() > self.docs() as usize / MANY =>
            {
                let mut ranks = Ranks::new(self.bits(self.docs()).words());
                docs.blocks(|from, block| {
                    let rows = block.iter().zip(from..).filter_map(|(doc, place)| Some((place, ranks.row(*doc)?)));
                    let (places, rows): (Vec<usize>, Vec<u32>) = rows.unzip();
                    places.iter().zip(read.rows(&rows)).for_each(|(place, raw)| each(*place, *raw));
                });
            }
            _ => self.looked_up(docs, &mut read, each),
        }
    }

    fn looked_up(&self, docs: &Docs, read: &mut Reader<'_>, mut each: impl FnMut(usize, u64)) {
        let (mut having, mut rows) = (Vec::new(), Vec::new());
        docs.blocks(|from, block| {
            having.clear();
            rows.clear();
            self.column.row_ids_for_docs(block, &mut having, &mut rows);
            let mut at = 0;
            for (doc, raw) in having.iter().zip(read.rows(&rows)) {
                while block[at] != *doc {
                    at += 1;
                }
                each(from + at, *raw);
            }
        });
    }

    fn bits(&self, docs: u32) -> &Bits {
        self.bits.get_or_init(|| {
            let mut bits = Bits::none(docs as usize);
            let (mut having, mut rows) = (Vec::new(), Vec::new());
            Docs::All(docs).blocks(|_, block| {
                having.clear();
                rows.clear();
                self.column.row_ids_for_docs(block, &mut having, &mut rows);
                having.iter().for_each(|doc| bits.set(*doc as usize, true));
            });
            bits
        })
    }
}

/// The rows of documents that are asked for in order.
struct Ranks<'a> {
    bits: &'a [u64],
    /// The word of the last document, and the ones before it.
    word: usize,
    before: u32,
}

impl<'a> Ranks<'a> {
    fn new(bits: &'a [u64]) -> Self {
        Self { bits, word: 0, before: 0 }
    }

    fn row(&mut self, doc: u32) -> Option<u32> {
        let word = (doc / u64::BITS) as usize;
        while self.word < word {
            self.before += self.bits[self.word].count_ones();
            self.word += 1;
        }
        let bit = 1_u64 << (doc % u64::BITS);
        (self.bits[word] & bit != 0).then(|| self.before + (self.bits[word] & (bit - 1)).count_ones())
    }
}

/// Reads raw numbers in blocks.
struct Reader<'a> {
    column: &'a Column<u64>,
    is_constant: bool,
    raws: Vec<u64>,
}

impl<'a> Reader<'a> {
    fn new(column: &'a Column<u64>) -> Self {
        let is_constant = column.min_value() == column.max_value();
        Self { column, is_constant, raws: vec![column.min_value(); BLOCK as usize] }
    }

    fn range(&mut self, from: u32, many: u32) -> &[u64] {
        let raws = &mut self.raws[..many as usize];
        if !self.is_constant {
            self.column.values.get_range(u64::from(from), raws);
        }
        raws
    }

    fn rows(&mut self, rows: &[u32]) -> &[u64] {
        self.raws.resize(rows.len().max(self.raws.len()), self.column.min_value());
        let raws = &mut self.raws[..rows.len()];
        if !self.is_constant {
            self.column.values.get_vals(rows, raws);
        }
        raws
    }

    /// All of so many rows, each with its document.
    fn in_order(&mut self, mut docs: impl Iterator<Item = usize>, rows: u32, mut each: impl FnMut(usize, u64)) {
        for from in (0..rows).step_by(BLOCK as usize) {
            let raws = self.range(from, (rows - from).min(BLOCK));
            raws.iter().zip(&mut docs).for_each(|(raw, doc)| each(doc, *raw));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tantivy::columnar::{ColumnarReader, ColumnarWriter};

    /// The value of a document, if it has one: one in `of` documents does.
    fn value(doc: u32, of: u32, is_constant: bool) -> Option<i64> {
        let has = doc.wrapping_mul(0x9e37_79b9).rotate_left(7).is_multiple_of(of);
        has.then_some(if is_constant { 1 } else { i64::from(doc % 1000) })
    }

    fn column(docs: u32, of: u32, is_constant: bool) -> Stored {
        let mut writer = ColumnarWriter::default();
        for doc in 0..docs {
            value(doc, of, is_constant).into_iter().for_each(|value| writer.record_numerical(doc, "k", value));
        }
        let mut bytes = Vec::new();
        writer.serialize(docs, None, &mut bytes).expect("memory");
        let reader = ColumnarReader::open(bytes).expect("columns");
        let handle = reader.read_columns("k").expect("read").remove(0);
        Stored::new(handle.open_u64_lenient().expect("open").expect("a column"))
    }

    #[test]
    fn every_way_reads_what_was_written() {
        use tantivy::columnar::MonotonicallyMappableToU64;
        let docs = 5000;
        for (of, is_constant) in [(1, false), (1, true), (2, false), (2, true), (3, false), (40, false), (40, true)] {
            let column = column(docs, of, is_constant);
            for step in [1, 2, 7, 100] {
                let some: Vec<u32> = (0..docs).step_by(step).collect();
                let expected: Vec<(usize, u64)> = some
                    .iter()
                    .enumerate()
                    .filter_map(|(place, doc)| Some((place, value(*doc, of, is_constant)?.to_u64())))
                    .collect();
                let mut asked = vec![Docs::Some(some)];
                if step == 1 {
                    asked.push(Docs::All(docs));
                }
                for docs in asked {
                    let mut found = Vec::new();
                    column.for_each(&docs, |place, raw| found.push((place, raw)));
                    assert_eq!(found, expected, "one of {of}, each {step}th");
                }
            }
        }
    }
}
