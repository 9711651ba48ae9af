//! Value: what a key holds. Scalars, or a list of scalars; nothing deeper.
//! - Every scalar has a text form (grouping, text filters); JSON numbers have a number form too.
//! - A fraction that is whole and exact (`1.0`, `1e3`) is an [`Value::Int`]: one number, one form.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Text of a value, or a free key's name; up to 24 bytes of it lie in place.
pub type Text = compact_str::CompactString;

/// The largest whole number up to which every whole number is exact as a 64-bit float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Text; arrays of objects are kept as their JSON text.
    Text(Text),
    /// A whole number that fits 64 bits with a sign.
    Int(i64),
    /// A whole number beyond `i64::MAX` that fits 64 bits.
    Uint(u64),
    /// Any other finite number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// Several scalars in order; never empty, never nested.
    List(Vec<Value>),
}

impl Value {
    /// Text.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    /// A 64-bit hash or id.
    pub fn hash(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Uint(number), Self::Int)
    }

    /// A finite number in its one form: whole and exact as [`Value::Int`], else [`Value::Float`]. `None` for NaN and infinities.
    pub fn number(number: f64) -> Option<Self> {
        if !number.is_finite() {
            return None;
        }
        // Exact below 2^53; -0 becomes 0 on the way.
        let whole = number.trunc() == number && number.abs() < EXACT;
        Some(if whole { Self::Int(number as i64) } else { Self::Float(number) })
    }

    /// The scalars in it: the value itself, or a list's members.
    pub fn scalars(&self) -> &[Value] {
        match self {
            Self::List(members) => members,
            scalar => std::slice::from_ref(scalar),
        }
    }

    /// The text form of a scalar; a list's is its JSON.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Uint(number) => Cow::Owned(number.to_string()),
            Self::Float(number) => Cow::Owned(number_text(*number)),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::List(_) => Cow::Owned(self.json().to_string()),
        }
    }

    /// The number form of a JSON number; `None` for everything else.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Uint(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Text(_) | Self::Bool(_) | Self::List(_) => None,
        }
    }

    /// The value as JSON.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => serde_json::Value::String(text.to_string()),
            Self::Int(number) => (*number).into(),
            Self::Uint(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Bool(truth) => (*truth).into(),
            Self::List(members) => members.iter().map(Self::json).collect(),
        }
    }
}

/// A finite number in shortest form, as JavaScript writes it (ECMA-262 `Number::toString`).
pub fn number_text(number: f64) -> String {
    ryu_js::Buffer::new().format_finite(number).to_owned()
}
