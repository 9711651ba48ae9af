//! Row: an event as the columns of one row; what `rebuild` turns into an event again.
//! - Every scalar goes into the column of its kind, so that grouping and filters never look at JSON.
//! - A value that does not fit its canonical column goes into a dynamic one under the same name: nothing is lost.
//! - Absent: who takes the row (`rows` for open parts, `document` for sealed segments).

use super::values::{is_wide, scale_up};
use crate::event::{Event, Key, Known, Shape, Value};

/// One value of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// A text.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// A hash, an ordinal or a position.
    Uint(u64),
    /// Any number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
}

/// A family of columns that are named by what stands in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dynamic {
    /// Numbers and free keys.
    Free,
    /// Digits of whole numbers beyond 2^53: a column that also holds fractions would bend them.
    Wide,
    /// JSON of lists that columns alone would not give back (mixed kinds, a single member).
    List,
}

/// What takes the values of a row.
pub trait Sink {
    /// A value of a canonical key's own column.
    fn known(&mut self, known: Known, scalar: Scalar<'_>);
    /// A value of a dynamic column.
    fn dynamic(&mut self, family: Dynamic, name: &str, scalar: Scalar<'_>);
}

/// Where a canonical key's value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Into its own column.
    Typed,
    /// Into a dynamic one.
    Free,
    /// Nowhere: it stands elsewhere.
    Elsewhere,
}

/// The power of ten that makes all numbers of a key whole.
pub type Scaled<'a> = dyn Fn(&Key) -> Option<u8> + 'a;

/// Hands all values of an event to `sink`. The day is no column: a partition is one day.
pub fn write(sink: &mut impl Sink, event: &Event, scaled: &Scaled<'_>, way: impl Fn(Known) -> Way) {
    for (key, value) in event.fields() {
        let way = match key {
            Key::Known(Known::Day) => Way::Elsewhere,
            Key::Known(known) => way(*known),
            Key::Free(_) => Way::Free,
        };
        match (key, way) {
            (_, Way::Elsewhere) => {}
            (Key::Known(known), Way::Typed) if typed(sink, *known, value) => {
                if matches!(value, Value::List(members) if members.len() == 1) {
                    list(sink, key.name(), value);
                }
            }
            _ => free(sink, key.name(), value, scaled(key)),
        }
    }
}

/// Hands the value to its own column; false if it has none or does not fit.
fn typed(sink: &mut impl Sink, known: Known, value: &Value) -> bool {
    match (known.shape(), value) {
        (Shape::Text | Shape::Texts, Value::Text(text)) => sink.known(known, Scalar::Text(text)),
        (Shape::Texts, Value::List(members)) if members.iter().all(|one| matches!(one, Value::Text(_))) => {
            for member in members {
                sink.known(known, Scalar::Text(&member.as_text()));
            }
        }
        (Shape::Int | Shape::Time, Value::Int(number)) => sink.known(known, Scalar::Int(*number)),
        (Shape::Bool, Value::Bool(truth)) => sink.known(known, Scalar::Bool(*truth)),
        (Shape::Hash, Value::Uint(hash)) => sink.known(known, Scalar::Uint(*hash)),
        (Shape::Hash, Value::Int(hash)) if *hash >= 0 => sink.known(known, Scalar::Uint(hash.unsigned_abs())),
        _ => return false,
    }
    true
}

fn free(sink: &mut impl Sink, name: &str, value: &Value, scale: Option<u8>) {
    for scalar in value.scalars() {
        match scalar {
            Value::Text(text) => sink.dynamic(Dynamic::Free, name, Scalar::Text(text)),
            Value::Bool(truth) => sink.dynamic(Dynamic::Free, name, Scalar::Bool(*truth)),
            number if is_wide(number) => sink.dynamic(Dynamic::Wide, name, Scalar::Text(&number.as_text())),
            Value::Int(number) => {
                sink.dynamic(Dynamic::Free, name, scaled(*number as f64, scale, Scalar::Int(*number)))
            }
            Value::Float(number) => sink.dynamic(Dynamic::Free, name, scaled(*number, scale, Scalar::Float(*number))),
            Value::Uint(_) | Value::List(_) => {}
        }
    }
    if let Value::List(members) = value
        && (members.len() == 1 || !members.windows(2).all(|pair| same_column(&pair[0], &pair[1])))
    {
        list(sink, name, value);
    }
}

fn list(sink: &mut impl Sink, name: &str, value: &Value) {
    sink.dynamic(Dynamic::List, name, Scalar::Text(&value.json().to_string()));
}

/// A number under its key's scale.
fn scaled(number: f64, scale: Option<u8>, unscaled: Scalar<'_>) -> Scalar<'_> {
    scale.map_or(unscaled, |scale| Scalar::Int(scale_up(number, scale)))
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
