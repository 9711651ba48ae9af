//! Document: a row of a sealed segment, as Tantivy takes it.

use super::row::{self, Dynamic, Scalar, Scaled, Sink, Way};
use super::schema::Fields;
use super::visits_table::MOVED;
use crate::event::{Event, Known};
use tantivy::TantivyDocument;
use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf as Leaf, Value as Node};

/// What takes the place of a canonical key's own value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ordinals {
    /// The visitor's ordinal in the day.
    pub visitor: Option<u64>,
    /// The visit's row in the segment's table of visits.
    pub visit: Option<u64>,
}

/// The document of an event: the keys of [`MOVED`] stand in the table of visits.
pub fn sealed(fields: &Fields, event: &Event, ordinals: Ordinals, scaled: &Scaled<'_>) -> TantivyDocument {
    let way = |known: Known| match known {
        Known::Visitor if ordinals.visitor.is_some() => Way::Elsewhere,
        known if ordinals.visit.is_some() && MOVED.contains(&known) => Way::Elsewhere,
        // Its column holds rows of the table.
        Known::Visit => Way::Free,
        _ => Way::Typed,
    };
    let mut document = Document { fields, document: TantivyDocument::default() };
    row::write(&mut document, event, scaled, way);
    for (known, ordinal) in [(Known::Visitor, ordinals.visitor), (Known::Visit, ordinals.visit)] {
        if let Some(ordinal) = ordinal {
            document.known(known, Scalar::Uint(ordinal));
        }
    }
    document.document
}

struct Document<'a> {
    fields: &'a Fields,
    document: TantivyDocument,
}

impl Sink for Document<'_> {
    fn known(&mut self, known: Known, scalar: Scalar<'_>) {
        if let Some(field) = self.fields.known(known) {
            self.document.add_leaf_field_value(field, leaf(scalar));
        }
    }

    fn dynamic(&mut self, family: Dynamic, name: &str, scalar: Scalar<'_>) {
        self.document.add_field_value(self.fields.dynamic(family), Tree::Object(name, &leaf(scalar)));
    }
}

fn leaf(scalar: Scalar<'_>) -> Leaf<'_> {
    match scalar {
        Scalar::Text(text) => Leaf::Str(text),
        Scalar::Int(number) => Leaf::I64(number),
        Scalar::Uint(number) => Leaf::U64(number),
        Scalar::Float(number) => Leaf::F64(number),
        Scalar::Bool(truth) => Leaf::Bool(truth),
    }
}

/// A JSON object of one member, as Tantivy walks it.
#[derive(Debug, Clone, Copy)]
enum Tree<'a> {
    Object(&'a str, &'a Leaf<'a>),
    Leaf(&'a Leaf<'a>),
}

impl<'a> Node<'a> for Tree<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Once<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        match self {
            Self::Object(name, leaf) => ReferenceValue::Object(std::iter::once((*name, Self::Leaf(leaf)))),
            Self::Leaf(leaf) => ReferenceValue::Leaf((*leaf).clone()),
        }
    }
}
