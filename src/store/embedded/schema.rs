//! Schema: which column each key has, and which index in sealed segments. Open parts have columns alone: they are small
//! enough to be read through, and every index costs each event half a microsecond.
//! - Nothing is stored as it came: an event is rebuilt from its columns.
//! - A canonical key of a fixed shape has a typed column. Numbers and free keys share one dynamic field, `free`.
//! - Whole numbers beyond 2^53 are digits in `wide`: a column that also holds fractions would bend them.
//! - Lists that columns alone would not give back (mixed kinds, a single member) are JSON text in `list` as well.
//! - Inverted indexes stand only where a lookup needs them; words with positions only in `message` and `stack`.
//! - The day is no column: a partition is one day.

use super::row::Dynamic;
use crate::event::{Key, Known, Shape};
use tantivy::index::IndexSettings;
use tantivy::schema::{Field, IndexRecordOption, JsonObjectOptions, NumericOptions, Schema, SchemaBuilder};
use tantivy::schema::{TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;

/// The dynamic field of numbers and free keys.
const FREE: &str = "free";
/// The dynamic field of whole numbers beyond 2^53.
const WIDE: &str = "wide";
/// The dynamic field of lists as JSON text.
const LIST: &str = "list";
/// The column of positions in the journal; only in open parts.
pub const POSITION: &str = "position";

/// The separator of a dynamic field and the name within.
pub const WITHIN: char = '\u{1}';
/// The keys that are looked up by value.
const INDEXED: [Known; 4] = [Known::Id, Known::Path, Known::User, Known::Fingerprint];

/// Puts together the name of a dynamic column.
pub fn column_name(family: Dynamic, name: &str, out: &mut String) {
    out.clear();
    out.push_str(field_name(family));
    out.push(WITHIN);
    out.push_str(name);
}

/// The field that a family of dynamic columns lies in.
pub fn field_name(family: Dynamic) -> &'static str {
    match family {
        Dynamic::Free => FREE,
        Dynamic::Wide => WIDE,
        Dynamic::List => LIST,
    }
}

/// The fields of a sealed segment.
#[derive(Debug, Clone)]
pub struct Fields {
    /// Tantivy's own description.
    pub schema: Schema,
    free: Field,
    wide: Field,
    list: Field,
    known: Vec<Option<Field>>,
}

impl Fields {
    /// All of them.
    pub fn new() -> Self {
        let mut builder = Schema::builder();
        let known = Known::all().map(|known| add_known(&mut builder, known, INDEXED.contains(&known))).collect();
        let dynamic = || JsonObjectOptions::default().set_fast("raw");
        let mut field = |family| builder.add_json_field(field_name(family), dynamic());
        let (free, wide, list) = (field(Dynamic::Free), field(Dynamic::Wide), field(Dynamic::List));
        Self { schema: builder.build(), free, wide, list, known }
    }

    /// The field of a family of dynamic columns.
    pub fn dynamic(&self, family: Dynamic) -> Field {
        match family {
            Dynamic::Free => self.free,
            Dynamic::Wide => self.wide,
            Dynamic::List => self.list,
        }
    }

    /// The typed column of a canonical key, if it has one.
    pub fn known(&self, known: Known) -> Option<Field> {
        self.known[known as usize]
    }

    /// The inverted index of a key, if it has one for whole values.
    pub fn index_of(&self, key: &Key) -> Option<(Field, Shape)> {
        match key {
            Key::Known(known) if INDEXED.contains(known) => Some((self.known(*known)?, known.shape())),
            _ => None,
        }
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
