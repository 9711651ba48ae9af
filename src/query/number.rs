//! Number: how a metric's number is written: whole ones without a fraction, none as `null`.

use serde_json::Value;

/// Up to here every whole number is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number as JSON.
pub fn json(number: Option<f64>) -> Value {
    match number {
        Some(number) if number.fract() == 0.0 && number.abs() < EXACT => Value::from(number as i64),
        Some(number) => serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number),
        None => Value::Null,
    }
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
