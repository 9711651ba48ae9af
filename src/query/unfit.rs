//! Unfit: what of a question does not fit, where in it, and what would.

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Where: a path into the question (`filters[0][1]`), or a parameter's name.
    pub at: String,
    /// What, and what would fit.
    pub message: String,
}

impl Unfit {
    /// Something at a place.
    pub fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into() }
    }
}

/// The first characters of something from outside, for a message.
pub(super) fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// What kind of JSON a value is, for a message.
pub(super) fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a text",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}

/// Says that a name is unknown, and the nearest known one, or all of them.
pub(super) fn unknown(name: &str, known: &[&str]) -> String {
    let name = cut(name);
    let near = known.iter().map(|other| (strsim::damerau_levenshtein(&name, other), *other)).min();
    match near {
        Some((distance, other)) if distance <= 1 + other.len() / 3 => {
            format!("{name:?} is not known here; did you mean {other:?}?")
        }
        _ => format!("{name:?} is not known here; known are {}", known.join(", ")),
    }
}
