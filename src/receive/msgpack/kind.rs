//! Kinds: what a value is, by its first byte.

use rmp::Marker;
use std::fmt;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is there.
    End,
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Float,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// An array.
    Array,
    /// A map.
    Map,
    /// A type of its own.
    Extension,
    /// The one byte that begins no value.
    Reserved,
}

impl Kind {
    /// The kind of the value that begins `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let Some(first) = bytes.first() else { return Self::End };
        match Marker::from_u8(*first) {
            Marker::Null => Self::Nil,
            Marker::True | Marker::False => Self::Bool,
            Marker::F32 | Marker::F64 => Self::Float,
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => Self::Text,
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => Self::Bytes,
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => Self::Array,
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => Self::Map,
            Marker::Reserved => Self::Reserved,
            Marker::FixExt1 | Marker::FixExt2 | Marker::FixExt4 | Marker::FixExt8 | Marker::FixExt16 => Self::Extension,
            Marker::Ext8 | Marker::Ext16 | Marker::Ext32 => Self::Extension,
            Marker::FixPos(_) | Marker::FixNeg(_) => Self::Int,
            Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => Self::Int,
            Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => Self::Int,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::End => "nothing",
            Self::Nil => "nil",
            Self::Bool => "a boolean",
            Self::Int => "a whole number",
            Self::Float => "a float",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::Array => "an array",
            Self::Map => "a map",
            Self::Extension => "an extension",
            Self::Reserved => "the byte c1",
        })
    }
}
