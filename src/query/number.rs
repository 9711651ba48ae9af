//! Number: how a metric's number is written: whole ones without a fraction, none as `null`.

use crate::event::Value as Held;
use serde_json::Value;

/// A number as JSON.
pub fn json(number: Option<f64>) -> Value {
    number.and_then(Held::number).map_or(Value::Null, |number| number.json())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_fraction_and_none_is_null() {
        let table =
            [(Some(9200.0), "9200"), (Some(-0.0), "0"), (Some(0.41), "0.41"), (Some(1e300), "1e+300"), (None, "null")];
        for (number, expected) in table {
            assert_eq!(json(number).to_string(), expected);
        }
    }
}
