//! Forms: how every store reads a key's value as text and as a number, so that all of them group, filter and add alike.
//! - Each scalar has one text form; a list has one form a member, in order.
//! - Numbers have a number form too. A hash has none: its digits are a name. A time's is ms since 1970, a day's is days.
//! - Absent: what is done with the forms; each store has its own way.

use super::StoreError;
use super::plan::Case;
use crate::event::{Key, Shape, Value};
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;

/// The text form of one scalar that `key` holds, as it is grouped, filtered and shown.
pub fn text<'a>(key: &Key, scalar: &'a Value) -> Cow<'a, str> {
    match shape(key) {
        Some(shape @ (Shape::Time | Shape::Day | Shape::Hash)) => Cow::Owned(shape.text(scalar)),
        _ => scalar.as_text(),
    }
}

/// The text forms of what `key` holds, one a scalar.
pub fn texts<'a>(key: &Key, value: &'a Value) -> impl Iterator<Item = Cow<'a, str>> {
    value.scalars().iter().map(move |scalar| text(key, scalar))
}

/// The number form of one scalar that `key` holds.
pub fn number(key: &Key, scalar: &Value) -> Option<f64> {
    match shape(key) {
        Some(Shape::Hash) => None,
        _ => scalar.as_number(),
    }
}

/// The number forms of what `key` holds, one a scalar that has one.
pub fn numbers(key: &Key, value: &Value) -> impl Iterator<Item = f64> {
    value.scalars().iter().filter_map(move |scalar| number(key, scalar))
}

/// Whether the text form of this scalar says more than a number: texts, booleans, and what readers see as text.
pub fn is_text(key: &Key, scalar: &Value) -> bool {
    matches!(shape(key), Some(Shape::Time | Shape::Day | Shape::Hash)) || scalar.as_number().is_none()
}

/// Text in simple lower case: one character for each.
pub fn folded(text: &str) -> String {
    // Only U+0130 has a longer full form, which begins with its simple one.
    text.chars().filter_map(|letter| letter.to_lowercase().next()).collect()
}

/// The regular expression of a filter; [`StoreError::Invalid`] for one that is none.
pub fn pattern(text: &str, case: Case) -> Result<Regex, StoreError> {
    RegexBuilder::new(text)
        .case_insensitive(case == Case::Folded)
        .build()
        .map_err(|error| StoreError::Invalid(format!("regular expression {text:?}: {error}")))
}

fn shape(key: &Key) -> Option<Shape> {
    match key {
        Key::Known(known) => Some(known.shape()),
        Key::Free(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Known;

    #[test]
    fn every_scalar_has_a_text_form_and_numbers_have_one_more() {
        let rows: [(Key, Value, &str, Option<f64>, bool); 8] = [
            (Key::named("k"), Value::Int(-7), "-7", Some(-7.0), false),
            (Key::named("k"), Value::Float(0.5), "0.5", Some(0.5), false),
            (Key::named("k"), Value::text("7"), "7", None, true),
            (Key::named("k"), Value::Bool(true), "true", None, true),
            (Known::Status.into(), Value::Int(200), "200", Some(200.0), false),
            (Known::Visitor.into(), Value::Int(255), "00000000000000ff", None, true),
            (Known::Day.into(), Value::Int(0), "1970-01-01", Some(0.0), true),
            (Known::VisitAt.into(), Value::Int(1), "1970-01-01T00:00:00.001Z", Some(1.0), true),
        ];
        for (key, value, expected, amount, textual) in rows {
            assert_eq!(text(&key, &value), expected);
            assert_eq!(number(&key, &value), amount, "{expected}");
            assert_eq!(is_text(&key, &value), textual, "{expected}");
        }
    }

    #[test]
    fn a_list_has_the_forms_of_its_members_in_order() {
        let list = Value::List(vec![Value::text("b"), Value::Int(1), Value::text("a"), Value::Int(1)]);
        let key = Key::named("k");
        assert_eq!(texts(&key, &list).collect::<Vec<_>>(), ["b", "1", "a", "1"]);
        assert_eq!(numbers(&key, &list).collect::<Vec<_>>(), [1.0, 1.0]);
    }

    #[test]
    fn folding_is_one_character_for_each() {
        for (text, expected) in [("AbC", "abc"), ("ÄÖ", "äö"), ("ΣΑΣ", "σασ"), ("İ", "i"), ("ß", "ß")] {
            assert_eq!(folded(text), expected);
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        assert!(matches!(pattern("(", Case::Exact), Err(StoreError::Invalid(_))));
        assert!(pattern("^A", Case::Folded).expect("valid").is_match("abc"));
    }
}
