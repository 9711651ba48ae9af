//! Flattening: one JSON object is read straight into flat keys and values.
//! - Empty objects, empty arrays and `null` leave nothing.
//! - An array with an object or array in it is kept as JSON text, `null` and all; any other is a list.
//! - Depth is checked by the caller; the recursion here goes no deeper than that.

use super::super::{Limits, Reason, Rejection};
use super::check_key;
use crate::event::{RawEvent, Text, Value, number_text};
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Why an object was not read.
pub(super) enum Refusal {
    /// It breaks a rule of events.
    Rule(Rejection),
    /// It is no JSON.
    Syntax(serde_json::Error),
}

/// Reads the one object in `text`.
pub(super) fn object(text: &str, limits: &Limits) -> Result<RawEvent, Refusal> {
    let mut flat = Flat { fields: Vec::with_capacity(24), name: String::with_capacity(64), limits, broken: None };
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = Field(&mut flat).deserialize(&mut parser).and_then(|()| parser.end());
    if let Some(rejection) = flat.broken {
        return Err(Refusal::Rule(rejection));
    }
    read.map_err(Refusal::Syntax)?;
    Ok(RawEvent { fields: flat.fields, typed: true, bytes: text.len() })
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

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Field<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
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

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
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

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        let flat = self.0;
        if key.is_empty() {
            let text = match flat.name.as_str() {
                "" => "a key is empty: it needs 1 byte at least".to_owned(),
                outer => format!("a key in {outer:?} is empty: it needs 1 byte at least"),
            };
            let rejection = Rejection::of_key(Reason::BadKey, key, text);
            return Err(flat.refuse(rejection));
        }
        if !flat.name.is_empty() {
            flat.name.push('.');
        }
        flat.name.push_str(key);
        Ok(())
    }
}

/// A member of an array.
enum Member {
    Null,
    Scalar(Value),
    /// An object or array, as JSON text.
    Nested(String),
}

/// What an array holds; `None` where nothing is left of it.
fn list(members: Vec<Member>) -> Option<Value> {
    if members.iter().any(|member| matches!(member, Member::Nested(_))) {
        let texts: Vec<String> = members.into_iter().map(Member::into_json).collect();
        return Some(Value::text(format!("[{}]", texts.join(","))));
    }
    let scalars: Vec<Value> = members
        .into_iter()
        .filter_map(|member| match member {
            Member::Scalar(value) => Some(value),
            Member::Null | Member::Nested(_) => None,
        })
        .collect();
    (!scalars.is_empty()).then_some(Value::List(scalars))
}

impl Member {
    fn into_json(self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Scalar(Value::Float(number)) => number_text(number),
            Self::Scalar(value) => value.json().to_string(),
            Self::Nested(text) => text,
        }
    }
}

/// Reads a member of an array, at any depth.
struct MemberSeed;

impl<'de> DeserializeSeed<'de> for MemberSeed {
    type Value = Member;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Member, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MemberSeed {
    type Value = Member;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Member, E> {
        Ok(Member::Scalar(Value::Bool(truth)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Member, E> {
        Ok(Member::Scalar(Value::Int(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Member, E> {
        Ok(Member::Scalar(Value::hash(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Member, E> {
        Ok(Value::number(number).map_or(Member::Null, Member::Scalar))
    }

    fn visit_str<E>(self, text: &str) -> Result<Member, E> {
        Ok(Member::Scalar(Value::text(text)))
    }

    fn visit_unit<E>(self) -> Result<Member, E> {
        Ok(Member::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member, A::Error> {
        let mut texts = Vec::new();
        while let Some(member) = seq.next_element_seed(MemberSeed)? {
            texts.push(member.into_json());
        }
        Ok(Member::Nested(format!("[{}]", texts.join(","))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member, A::Error> {
        let mut texts = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let key = serde_json::to_string(&key).map_err(A::Error::custom)?;
            let member = map.next_value_seed(MemberSeed)?;
            texts.push(format!("{key}:{}", member.into_json()));
        }
        Ok(Member::Nested(format!("{{{}}}", texts.join(","))))
    }
}
