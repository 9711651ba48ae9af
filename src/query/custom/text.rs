//! Text: a definition as it is written, in TOML or JSON, becomes JSON.
//! - A date that TOML writes without quotes is the text of it: ranges are texts.

use super::Definition;
use crate::query::json;
use crate::query::unfit::Unfit;
use serde_json::{Number, Value};

/// How a definition is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As JSON.
    Json,
    /// As TOML.
    Toml,
}

impl Definition {
    /// Reads a text.
    pub fn read_text(text: &[u8], form: Form) -> Result<Self, Vec<Unfit>> {
        let written = match form {
            Form::Json => json::read(text, "definition"),
            Form::Toml => toml(text),
        };
        Self::read(&written.map_err(|unfit| vec![unfit])?)
    }
}

fn toml(text: &[u8]) -> Result<Value, Unfit> {
    let text =
        std::str::from_utf8(text).map_err(|error| Unfit::new("definition", format!("it is no UTF-8: {error}")))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        Unfit::new(format!("line {}", before.matches('\n').count() + 1), format!("it is no TOML: {}", error.message()))
    })?;
    Ok(plain(toml::Value::Table(table)))
}

fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        // JSON has no infinity and no NaN; `null` in their place fits nowhere and is told.
        toml::Value::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(list) => list.into_iter().map(plain).collect(),
        toml::Value::Table(members) => members.into_iter().map(|(name, value)| (name, plain(value))).collect(),
    }
}
