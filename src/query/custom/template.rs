//! Template: where parameters stand in a query, and their values put there.
//! - `"{country}"` alone is the value itself, a list stays a list; within a longer text the value is put in as text.
//! - `{{country}}` is the plain text `{country}`. Other braces, such as `a{2,3}`, stand for themselves.
//! - Only texts are looked at, and what is put in is not looked at again: the tree keeps its shape.

use crate::query::unfit::Unfit;
use serde_json::Value;
use std::collections::BTreeMap;

/// A place where a parameter stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    /// The place, as a path into the query.
    pub at: String,
    /// Which parameter.
    pub name: String,
    /// Whether it is all of the text.
    pub is_whole: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    Parameter(&'a str),
}

/// Every place of a query where a parameter stands.
pub(super) fn uses(query: &Value) -> Vec<Use> {
    let mut found = Vec::new();
    visit(query, String::new(), &mut found);
    found
}

fn visit(value: &Value, at: String, found: &mut Vec<Use>) {
    match value {
        Value::String(text) => {
            let pieces = pieces(text);
            let is_whole = pieces.len() == 1;
            found.extend(pieces.into_iter().filter_map(|piece| match piece {
                Piece::Parameter(name) => Some(Use { at: at.clone(), name: name.to_owned(), is_whole }),
                Piece::Plain(_) => None,
            }));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(place, value)| visit(value, format!("{at}[{place}]"), found));
        }
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            visit(value, at, found);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A query with values in the places of its parameters.
pub(super) fn fill(query: &Value, values: &BTreeMap<&str, Value>) -> Value {
    match query {
        Value::String(text) => fill_text(text, values),
        Value::Array(list) => list.iter().map(|value| fill(value, values)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), fill(value, values))).collect())
        }
        plain => plain.clone(),
    }
}

fn fill_text(text: &str, values: &BTreeMap<&str, Value>) -> Value {
    let value = |name: &str| values.get(name).cloned().unwrap_or_default();
    match pieces(text).as_slice() {
        [Piece::Parameter(name)] => value(name),
        pieces => {
            let text = pieces.iter().map(|piece| match piece {
                Piece::Plain(text) => (*text).to_owned(),
                Piece::Parameter(name) => match value(name) {
                    Value::String(text) => text,
                    other => other.to_string(),
                },
            });
            Value::String(text.collect())
        }
    }
}

/// A text in its pieces.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut plain, mut at) = (0, 0);
    while let Some(brace) = text[at..].find('{').map(|offset| at + offset) {
        let doubled = text[brace + 1..]
            .strip_prefix('{')
            .and_then(braced)
            .filter(|name| text[brace + 2 + name.len()..].starts_with("}}"));
        match (doubled, braced(&text[brace + 1..])) {
            (Some(name), _) => {
                let end = brace + name.len() + 4;
                pieces.extend([Piece::Plain(&text[plain..brace]), Piece::Plain(&text[brace + 1..end - 1])]);
                (plain, at) = (end, end);
            }
            (None, Some(name)) => {
                let end = brace + name.len() + 2;
                pieces.extend([Piece::Plain(&text[plain..brace]), Piece::Parameter(name)]);
                (plain, at) = (end, end);
            }
            (None, None) => at = brace + 1,
        }
    }
    pieces.push(Piece::Plain(&text[plain..]));
    pieces.retain(|piece| *piece != Piece::Plain(""));
    pieces
}

/// The name that a text begins with, up to a closing brace. Wider than names are, so that a slip is told and not taken for text;
/// it begins with a letter, so that `a{2}` is a regular expression's.
fn braced(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('}')?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(fits)).then_some(name)
}

/// Where a filter's own structure would be a parameter's to choose: operators, and filters as a whole.
pub(super) fn unfit_structure(filter: &Value, at: &str) -> Vec<Unfit> {
    let is_text = |value: &Value| value.is_string();
    let stands = |value: &Value| value.as_str().is_some_and(has_parameter);
    match filter {
        Value::Array(list) if list.first().is_some_and(is_text) => match list.as_slice() {
            [operator, ..] if stands(operator) => {
                vec![Unfit::new(
                    format!("{at}[0]"),
                    "an operator, or a filter, is written out: no parameter stands for it",
                )]
            }
            [Value::String(operator), inner] if ["and", "or", "not"].contains(&operator.as_str()) => {
                unfit_within(inner, &format!("{at}[1]"))
            }
            _ => Vec::new(),
        },
        Value::Array(list) => {
            let each = list.iter().enumerate();
            each.flat_map(|(place, inner)| unfit_within(inner, &format!("{at}[{place}]"))).collect()
        }
        // A goal's name may be chosen; a text in place of filters is refused when the query is read.
        _ => Vec::new(),
    }
}

fn unfit_within(inner: &Value, at: &str) -> Vec<Unfit> {
    match inner {
        Value::String(text) if has_parameter(text) => {
            vec![Unfit::new(at, "a filter is written out: parameters stand for its key and values")]
        }
        filter => unfit_structure(filter, at),
    }
}

fn has_parameter(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(piece, Piece::Parameter(_)))
}
