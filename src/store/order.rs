//! Order: the one order of a day's events, a function of the events alone, never of their arrival.
//! - One visitor after another, by the visitor's hash, each in [`Event::in_order`]; events without a visitor come last.
//! - Events that are equal in all of it are interchangeable: swapping them changes no number.

use crate::event::{Event, Known};
use std::cmp::Ordering;

/// Which of two events of one day comes first.
pub fn in_day(a: &Event, b: &Event) -> Ordering {
    whose(a).cmp(&whose(b)).then_with(|| a.in_order(b))
}

/// Whose event it is, as it sorts.
fn whose(event: &Event) -> (bool, u64) {
    let visitor = event.hash(Known::Visitor);
    (visitor.is_none(), visitor.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Key, Value};

    fn event(fields: &[(&str, Value)]) -> Event {
        Event::from_fields(fields.iter().map(|(name, value)| (Key::named(name), value.clone())).collect())
    }

    #[test]
    fn a_day_ascends_by_visitor_then_time_then_identity() {
        let last = Value::hash(u64::MAX);
        let rows = [
            event(&[("visitor", Value::Int(1)), ("@timestamp", Value::Int(9)), ("event_id", Value::text("a"))]),
            event(&[("visitor", last.clone()), ("@timestamp", Value::Int(1)), ("event_id", Value::text("Z"))]),
            event(&[("visitor", last.clone()), ("@timestamp", Value::Int(1)), ("event_id", Value::text("a"))]),
            event(&[("visitor", last.clone()), ("@timestamp", Value::Int(1))]),
            event(&[("visitor", last), ("@timestamp", Value::Int(2)), ("event_id", Value::text("A"))]),
            event(&[("@timestamp", Value::Int(-1)), ("event_id", Value::text("z"))]),
            event(&[("@timestamp", Value::Int(-1))]),
            event(&[("@timestamp", Value::Int(0)), ("event_id", Value::text("a"))]),
        ];
        for pair in rows.windows(2) {
            assert_eq!(in_day(&pair[0], &pair[1]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn the_hash_of_content_is_the_same_for_ever() {
        let all_kinds = event(&[
            ("@timestamp", Value::Int(1_431_857_103_000)),
            ("site", Value::text("default")),
            ("ok", Value::Bool(true)),
            ("list", Value::List(vec![Value::Int(1), Value::text("é")])),
            ("price", Value::Float(0.1)),
            ("utm_source", Value::text("x")),
        ]);
        assert_eq!(all_kinds.content_hash(), 1_135_219_822_321_443_518);
    }
}
