//! Fitting: whether a sender's value is what its key means.
//! - Number keys take numbers and numeric text; text keys take numbers as text; in forms `true` and `false` are booleans.
//! - A value that does not fit is handed back as it was.
//! - Long text is cut at a character boundary.

use super::Limits;
use crate::event::{Known, Shape, Value};

/// The value as its key holds it, or the value itself where it does not fit. `typed` is false where all is text.
pub fn fit(shape: Shape, value: Value, typed: bool) -> Result<Value, Value> {
    match shape {
        Shape::Text => text(value),
        Shape::Texts => texts(value),
        Shape::Int => match number(&value) {
            Some(Value::Int(whole)) => Ok(Value::Int(whole)),
            _ => Err(value),
        },
        Shape::Number => number(&value).ok_or(value),
        Shape::Bool => boolean(value, typed),
        // Worked out or read elsewhere, never fitted.
        Shape::Time | Shape::Day | Shape::Hash => Err(value),
    }
}

fn text(value: Value) -> Result<Value, Value> {
    match value {
        Value::Text(_) => Ok(value),
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => Ok(Value::text(value.as_text().as_ref())),
        Value::Bool(_) | Value::List(_) => Err(value),
    }
}

fn texts(value: Value) -> Result<Value, Value> {
    let Value::List(members) = value else { return text(value) };
    if members.iter().any(|member| matches!(member, Value::Bool(_) | Value::List(_))) {
        return Err(Value::List(members));
    }
    Ok(Value::List(members.iter().map(|member| Value::text(member.as_text().as_ref())).collect()))
}

fn boolean(value: Value, typed: bool) -> Result<Value, Value> {
    match &value {
        Value::Bool(_) => Ok(value),
        Value::Text(text) if !typed && text.as_str() == "true" => Ok(Value::Bool(true)),
        Value::Text(text) if !typed && text.as_str() == "false" => Ok(Value::Bool(false)),
        _ => Err(value),
    }
}

/// The number that a value is, or that its text says.
pub fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => Some(value.clone()),
        Value::Text(text) => numeric(text.trim_ascii()),
        Value::Bool(_) | Value::List(_) => None,
    }
}

/// Decimal digits with sign, fraction and exponent; words like `inf` are none.
fn numeric(text: &str) -> Option<Value> {
    let plain = |byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    if !text.bytes().all(plain) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::Int(whole));
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(Value::Uint(whole));
    }
    text.parse().ok().and_then(Value::number)
}

/// A number with its decimal point moved; exact as decimals are, not as floats are.
pub fn shifted(value: &Value, digits: i32) -> Option<Value> {
    let number = number(value)?;
    if digits == 0 {
        return Some(number);
    }
    let text = number.as_text();
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text.as_ref(), 0),
    };
    format!("{mantissa}e{}", exponent + digits).parse().ok().and_then(Value::number)
}

/// How long the text of a key may be before it is cut.
pub fn text_bytes_max(known: Option<Known>, limits: &Limits) -> usize {
    match known {
        Some(Known::Message | Known::Stack) => limits.long_text_bytes_max,
        _ => limits.text_bytes_max,
    }
}

/// Cuts the texts of a value; whether there was anything to cut.
pub fn cut(value: &mut Value, bytes_max: usize) -> bool {
    match value {
        Value::Text(text) if text.len() > bytes_max => {
            *text = text[..text.floor_char_boundary(bytes_max)].into();
            true
        }
        Value::List(members) => members.iter_mut().fold(false, |any, member| cut(member, bytes_max) | any),
        _ => false,
    }
}

/// What kind of value it is, for messages.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "a text",
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => "a number",
        Value::Bool(_) => "a boolean",
        Value::List(_) => "a list",
    }
}
