//! Flattening: one object, of JSON or MessagePack, is read straight into flat keys and values; no tree is built.
//! - What only MessagePack has: bytes are text, their invalid UTF-8 U+FFFD; a whole number as a key is its digits; an
//!   extension is its text form.
//! - Empty objects, empty arrays and `null` leave nothing.
//! - An array with an object or array in it is kept as JSON text, `null` and all; any other is a list.
//! - Depth is checked by the caller; the recursion here goes no deeper than that.

mod member;

use super::json::check_key;
use super::{Limits, Reason, Rejection, extension};
use crate::event::{Text, Value};
use member::{MemberSeed, list};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Why an object was not read.
#[derive(Debug)]
pub enum Refusal<E> {
    /// It breaks a rule of events.
    Rule(Rejection),
    /// It is not in its format.
    Syntax(E),
}

/// Reads an object into flat keys and values, in order. That it is one, and how deep it is, its caller has seen to.
///
/// # Errors
/// [`Refusal`]: nothing of it was read.
pub fn fields<'de, D: Deserializer<'de>>(from: D, limits: &Limits) -> Result<Vec<(Text, Value)>, Refusal<D::Error>> {
    let mut flat = Flat { fields: Vec::with_capacity(24), name: String::with_capacity(64), limits, broken: None };
    let read = Field(&mut flat).deserialize(from);
    if let Some(rejection) = flat.broken {
        return Err(Refusal::Rule(rejection));
    }
    read.map(|()| flat.fields).map_err(Refusal::Syntax)
}

struct Flat<'a> {
    fields: Vec<(Text, Value)>,
    /// The flat name of the value being read.
    name: String,
    limits: &'a Limits,
    /// The rule that was broken, while the parser unwinds.
    broken: Option<Rejection>,
}

impl Flat<'_> {
    fn refuse<E: serde::de::Error>(&mut self, rejection: Rejection) -> E {
        self.broken = Some(rejection);
        E::custom("refused")
    }

    fn put<E: serde::de::Error>(&mut self, value: Value) -> Result<(), E> {
        if let Err(rejection) = check_key(&self.name, self.limits) {
            return Err(self.refuse(rejection));
        }
        self.fields.push((Text::from(self.name.as_str()), value));
        Ok(())
    }
}

/// The value of the current name.
struct Field<'f, 'l>(&'f mut Flat<'l>);

impl<'de> DeserializeSeed<'de> for Field<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Field<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<(), E> {
        self.0.put(Value::Bool(truth))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.0.put(Value::Int(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.0.put(Value::hash(number))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        Value::number(number).map_or(Ok(()), |value| self.0.put(value))
    }

    fn visit_f32<E: serde::de::Error>(self, number: f32) -> Result<(), E> {
        self.visit_f64(widened(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.0.put(Value::text(text))
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<(), E> {
        self.0.put(Value::text(String::from_utf8_lossy(bytes)))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let text = extension::read(from)?;
        self.0.put(Value::text(text))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let before = self.0.name.len();
        while map.next_key_seed(Name(self.0))?.is_some() {
            map.next_value_seed(Field(self.0))?;
            self.0.name.truncate(before);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut members = Vec::new();
        while let Some(member) = seq.next_element_seed(MemberSeed)? {
            members.push(member);
        }
        match list(members) {
            Some(value) => self.0.put(value),
            None => Ok(()),
        }
    }
}

/// A key, appended to the current name.
struct Name<'f, 'l>(&'f mut Flat<'l>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let flat = self.0;
        let outer = flat.name.len();
        if outer > 0 {
            flat.name.push('.');
        }
        let start = flat.name.len();
        KeyText(&mut flat.name).deserialize(from)?;
        if flat.name.len() > start {
            return Ok(());
        }
        let text = match &flat.name[..outer] {
            "" => "a key is empty: it needs 1 byte at least".to_owned(),
            outer => format!("a key in {outer:?} is empty: it needs 1 byte at least"),
        };
        Err(flat.refuse(Rejection::of_key(Reason::BadKey, "", text)))
    }
}

/// The text of a key, appended to another.
struct KeyText<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for KeyText<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyText<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        self.0.push_str(key);
        Ok(())
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<(), E> {
        self.0.push_str(&String::from_utf8_lossy(key));
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, key: u64) -> Result<(), E> {
        self.visit_str(&key.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, key: i64) -> Result<(), E> {
        self.visit_str(&key.to_string())
    }
}

/// A short float as the number that was meant: 0.1, not 0.10000000149011612.
fn widened(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}
