//! Members of an array: scalars, or the JSON text of what is nested.

use super::{KeyText, widened};
use crate::event::{Value, number_text};
use crate::normalize::extension;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A member of an array.
pub(super) enum Member {
    Null,
    Scalar(Value),
    /// An object or array, as JSON text.
    Nested(String),
}

/// What an array holds; `None` where nothing is left of it.
pub(super) fn list(members: Vec<Member>) -> Option<Value> {
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
pub(super) struct MemberSeed;

impl<'de> DeserializeSeed<'de> for MemberSeed {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Member, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MemberSeed {
    type Value = Member;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
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

    fn visit_f32<E: serde::de::Error>(self, number: f32) -> Result<Member, E> {
        self.visit_f64(widened(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Member, E> {
        Ok(Member::Scalar(Value::text(text)))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Member, E> {
        Ok(Member::Scalar(Value::text(String::from_utf8_lossy(bytes))))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Member, D::Error> {
        extension::read(from).map(|text| Member::Scalar(Value::text(text)))
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
        let mut key = String::new();
        while map.next_key_seed(KeyText(&mut key))?.is_some() {
            let name = serde_json::to_string(&key).map_err(A::Error::custom)?;
            key.clear();
            let member = map.next_value_seed(MemberSeed)?;
            texts.push(format!("{name}:{}", member.into_json()));
        }
        Ok(Member::Nested(format!("{{{}}}", texts.join(","))))
    }
}
