//! Schema: which column and which index each key has, in the open part of a day and in its sealed segments.
//! - Nothing is stored as it came: an event is rebuilt from its columns.
//! - A canonical key of a fixed shape has a typed column. Numbers and free keys share one dynamic field, `free`.
//! - Whole numbers beyond 2^53 are digits in `wide`: a column that also holds fractions would bend them.
//! - Lists that columns alone would not give back (mixed kinds, a single member) are JSON text in `list` as well.
//! - Inverted indexes stand only where a lookup needs them; words with positions only in `message` and `stack`.
//! - The day is no column: a partition is one day.

use crate::event::{Key, Known, Shape};
use tantivy::index::IndexSettings;
use tantivy::schema::{Field, IndexRecordOption, JsonObjectOptions, NumericOptions, Schema, SchemaBuilder};
use tantivy::schema::{TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;

/// The dynamic field of numbers and free keys.
pub const FREE: &str = "free";
/// The dynamic field of whole numbers beyond 2^53.
pub const WIDE: &str = "wide";
/// The dynamic field of lists as JSON text.
pub const LIST: &str = "list";
/// The column of positions in the journal; only in open parts.
pub const POSITION: &str = "position";

/// Which part of a day a segment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Events in order of arrival.
    Open,
    /// Events in their own order; visitor and visit are ordinals.
    Sealed,
}

/// The fields of one kind of part.
#[derive(Debug, Clone)]
pub struct Fields {
    /// Tantivy's own description.
    pub schema: Schema,
    /// Numbers and free keys.
    pub free: Field,
    /// Large whole numbers.
    pub wide: Field,
    /// Lists as JSON text.
    pub list: Field,
    /// Positions, in open parts.
    pub position: Option<Field>,
    known: Vec<Option<Field>>,
    indexed: Vec<Known>,
}

impl Fields {
    /// The fields of such a part.
    pub fn of(part: Part) -> Self {
        let mut builder = Schema::builder();
        let indexed = indexed(part);
        let known = Known::all().map(|known| add_known(&mut builder, known, indexed.contains(&known))).collect();
        let dynamic = || JsonObjectOptions::default().set_fast("raw");
        let free = builder.add_json_field(FREE, dynamic());
        let wide = builder.add_json_field(WIDE, dynamic());
        let list = builder.add_json_field(LIST, dynamic());
        let position =
            (part == Part::Open).then(|| builder.add_u64_field(POSITION, NumericOptions::default().set_fast()));
        Self { schema: builder.build(), free, wide, list, position, known, indexed }
    }

    /// The typed column of a canonical key, if it has one.
    pub fn known(&self, known: Known) -> Option<Field> {
        self.known[known as usize]
    }

    /// The inverted index of a key, if it has one for whole values.
    pub fn index_of(&self, key: &Key) -> Option<(Field, Shape)> {
        match key {
            Key::Known(known) if self.indexed.contains(known) => Some((self.known(*known)?, known.shape())),
            _ => None,
        }
    }
}

/// The keys that are looked up by value.
fn indexed(part: Part) -> Vec<Known> {
    match part {
        // Every index costs each event half a microsecond, and an open day is small enough to be read through.
        Part::Open => vec![Known::Id, Known::User, Known::Fingerprint],
        Part::Sealed => vec![Known::Id, Known::Path, Known::User, Known::Fingerprint],
    }
}

fn add_known(builder: &mut SchemaBuilder, known: Known, indexed: bool) -> Option<Field> {
    let numeric = || {
        let options = NumericOptions::default().set_fast();
        if indexed { options.set_indexed() } else { options }
    };
    match known.shape() {
        Shape::Text | Shape::Texts => Some(builder.add_text_field(known.name(), text_options(known, indexed))),
        Shape::Int | Shape::Time => Some(builder.add_i64_field(known.name(), numeric())),
        Shape::Bool => Some(builder.add_bool_field(known.name(), numeric())),
        Shape::Hash => Some(builder.add_u64_field(known.name(), numeric())),
        Shape::Number | Shape::Day => None,
    }
}

fn text_options(known: Known, indexed: bool) -> TextOptions {
    let options = TextOptions::default().set_fast("raw");
    let words = matches!(known, Known::Message | Known::Stack);
    let (tokenizer, record) = match (words, indexed) {
        (true, _) => ("default", IndexRecordOption::WithFreqsAndPositions),
        (false, true) => ("raw", IndexRecordOption::Basic),
        (false, false) => return options,
    };
    let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record).set_fieldnorms(false);
    options.set_indexing_options(indexing)
}

/// Settings of every index: nothing is stored, so nothing is worth a thread.
pub fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::Lz4,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}
