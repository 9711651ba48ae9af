//! Document: an event as the columns of one row; what `rebuild` turns into an event again.
//! - Every scalar goes into the column of its kind, so that grouping and filters never look at JSON.
//! - A value that does not fit its canonical column goes into the dynamic field under the same name: nothing is lost.

use super::schema::Fields;
use super::values::is_wide;
use super::visits_table::MOVED;
use crate::event::{Event, Key, Known, Shape, Value};
use tantivy::TantivyDocument;
use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf as Leaf, Value as Node};

/// What takes the place of a canonical key's own value in a sealed segment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ordinals {
    /// The visitor's ordinal in the day.
    pub visitor: Option<u64>,
    /// The visit's row in the segment's table of visits.
    pub visit: Option<u64>,
}

/// The document of an event in an open part.
pub fn open(fields: &Fields, event: &Event, position: u64) -> TantivyDocument {
    let mut document = row(fields, event, &|_| None, |_| Way::Typed);
    if let Some(field) = fields.position {
        document.add_u64(field, position);
    }
    document
}

/// The document of an event in a sealed segment: the keys of [`MOVED`] stand in the table of visits.
pub fn sealed(fields: &Fields, event: &Event, ordinals: Ordinals, scaled: &Scaled<'_>) -> TantivyDocument {
    let way = |known: Known| match known {
        Known::Visitor if ordinals.visitor.is_some() => Way::Elsewhere,
        known if ordinals.visit.is_some() && MOVED.contains(&known) => Way::Elsewhere,
        // Its column holds rows of the table.
        Known::Visit => Way::Free,
        _ => Way::Typed,
    };
    let mut document = row(fields, event, scaled, way);
    for (known, ordinal) in [(Known::Visitor, ordinals.visitor), (Known::Visit, ordinals.visit)] {
        if let (Some(field), Some(ordinal)) = (fields.known(known), ordinal) {
            document.add_u64(field, ordinal);
        }
    }
    document
}

/// Where a canonical key's value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Typed,
    Free,
    Elsewhere,
}

/// The power of ten that makes all numbers of a key whole.
pub type Scaled<'a> = dyn Fn(&Key) -> Option<u8> + 'a;

fn row(fields: &Fields, event: &Event, scaled: &Scaled<'_>, way: impl Fn(Known) -> Way) -> TantivyDocument {
    let mut document = TantivyDocument::default();
    let mut rest = Rest::default();
    for (key, value) in event.fields() {
        let way = match key {
            Key::Known(Known::Day) => Way::Elsewhere,
            Key::Known(known) => way(*known),
            Key::Free(_) => Way::Free,
        };
        match (key, way) {
            (_, Way::Elsewhere) => {}
            (Key::Known(known), Way::Typed) if add_typed(&mut document, fields, *known, value) => {
                if matches!(value, Value::List(members) if members.len() == 1) {
                    rest.add_list(key.name(), value);
                }
            }
            _ => rest.add(key.name(), value, scaled(key)),
        }
    }
    rest.write(fields, &mut document);
    document
}

/// Adds the value to its typed column; false if it has none or does not fit.
fn add_typed(document: &mut TantivyDocument, fields: &Fields, known: Known, value: &Value) -> bool {
    let Some(field) = fields.known(known) else { return false };
    match (known.shape(), value) {
        (Shape::Text | Shape::Texts, Value::Text(text)) => document.add_text(field, text),
        (Shape::Texts, Value::List(members)) if members.iter().all(|one| matches!(one, Value::Text(_))) => {
            for member in members {
                document.add_text(field, member.as_text());
            }
        }
        (Shape::Int | Shape::Time, Value::Int(number)) => document.add_i64(field, *number),
        (Shape::Bool, Value::Bool(truth)) => document.add_bool(field, *truth),
        (Shape::Hash, Value::Uint(hash)) => document.add_u64(field, *hash),
        (Shape::Hash, Value::Int(hash)) if *hash >= 0 => document.add_u64(field, hash.unsigned_abs()),
        _ => return false,
    }
    true
}

/// What goes into the dynamic fields.
#[derive(Default)]
struct Rest<'a> {
    free: Vec<(&'a str, Leaf<'a>)>,
    wide: Vec<(&'a str, String)>,
    list: Vec<(&'a str, String)>,
}

impl<'a> Rest<'a> {
    fn add(&mut self, name: &'a str, value: &'a Value, scale: Option<u8>) {
        for scalar in value.scalars() {
            match scalar {
                Value::Text(text) => self.free.push((name, Leaf::Str(text))),
                Value::Bool(truth) => self.free.push((name, Leaf::Bool(*truth))),
                number if is_wide(number) => self.wide.push((name, number.as_text().into_owned())),
                Value::Int(number) => self.free.push((name, Leaf::I64(whole(*number as f64, scale, *number)))),
                Value::Float(number) => self.free.push((name, fraction(*number, scale))),
                Value::Uint(_) | Value::List(_) => {}
            }
        }
        if let Value::List(members) = value
            && (members.len() == 1 || !members.windows(2).all(|pair| same_column(&pair[0], &pair[1])))
        {
            self.add_list(name, value);
        }
    }

    fn add_list(&mut self, name: &'a str, value: &Value) {
        self.list.push((name, value.json().to_string()));
    }

    fn write(&self, fields: &Fields, document: &mut TantivyDocument) {
        add_object(document, fields.free, &self.free);
        for (field, rows) in [(fields.wide, &self.wide), (fields.list, &self.list)] {
            let leaves: Vec<(&str, Leaf<'_>)> = rows.iter().map(|(name, text)| (*name, Leaf::Str(text))).collect();
            add_object(document, field, &leaves);
        }
    }
}

/// A whole number under its key's scale.
fn whole(number: f64, scale: Option<u8>, unscaled: i64) -> i64 {
    scale.map_or(unscaled, |scale| super::values::scale_up(number, scale))
}

fn fraction<'a>(number: f64, scale: Option<u8>) -> Leaf<'a> {
    scale.map_or(Leaf::F64(number), |scale| Leaf::I64(super::values::scale_up(number, scale)))
}

/// Whether two members of a list lie in one column, in order.
fn same_column(a: &Value, b: &Value) -> bool {
    let column = |value: &Value| match value {
        Value::Text(_) => 0,
        Value::Bool(_) => 1,
        wide if is_wide(wide) => 2,
        _ => 3,
    };
    column(a) == column(b)
}

fn add_object(document: &mut TantivyDocument, field: tantivy::schema::Field, leaves: &[(&str, Leaf<'_>)]) {
    if !leaves.is_empty() {
        document.add_field_value(field, Tree::Object(leaves));
    }
}

/// A flat JSON object, as Tantivy walks it.
#[derive(Debug, Clone, Copy)]
enum Tree<'a> {
    Object(&'a [(&'a str, Leaf<'a>)]),
    Leaf(&'a Leaf<'a>),
}

impl<'a> Node<'a> for Tree<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = Members<'a>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        match self {
            Self::Object(leaves) => ReferenceValue::Object(Members(leaves.iter())),
            Self::Leaf(leaf) => ReferenceValue::Leaf((*leaf).clone()),
        }
    }
}

/// The members of a flat object.
struct Members<'a>(std::slice::Iter<'a, (&'a str, Leaf<'a>)>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Tree<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, leaf)| (*name, Tree::Leaf(leaf)))
    }
}
