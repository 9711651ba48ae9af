//! Values: numbers as columns hold them.
//! - Whole numbers of 2^53 and beyond are wide: digits, because a column may have to hold fractions as well.
//! - Decimals are whole numbers under a scale, used only where every number of the key comes back exactly.

use crate::event::Value;

/// The first whole number that a 64-bit float may round.
const EXACT: u64 = 1 << 53;
/// The largest power of ten that numbers are scaled by.
pub const SCALE_MAX: u8 = 6;

/// Whether a number is kept as digits.
pub fn is_wide(value: &Value) -> bool {
    match value {
        Value::Int(number) => number.unsigned_abs() >= EXACT,
        Value::Uint(_) => true,
        _ => false,
    }
}

/// The number of these digits.
pub fn wide(digits: &str) -> Value {
    let signed = digits.parse::<i64>().map(Value::Int);
    signed.or_else(|_| digits.parse::<u64>().map(Value::Uint)).unwrap_or_else(|_| Value::text(digits))
}

/// The number times ten to the power of `scale`, rounded.
pub fn scale_up(number: f64, scale: u8) -> i64 {
    // Saturates; `scale_of` only answers scales that do not come near.
    (number * power(scale)).round() as i64
}

/// What [`scale_up`] made whole, as it was.
pub fn scale_down(number: i64, scale: u8) -> f64 {
    number as f64 / power(scale)
}

/// The smallest scale at least `from` under which the number comes back exactly.
pub fn scale_of(number: f64, from: u8) -> Option<u8> {
    (from..=SCALE_MAX)
        .find(|scale| scaled_fits(number, *scale) && scale_down(scale_up(number, *scale), *scale) == number)
}

/// Whether a number is exact under this scale.
pub fn scaled_fits(number: f64, scale: u8) -> bool {
    (number * power(scale)).abs() < EXACT as f64 / 2.0
}

fn power(scale: u8) -> f64 {
    10f64.powi(i32::from(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_numbers_come_back_as_they_were() {
        let rows = [
            (Value::Int(i64::MAX), true),
            (Value::Int(i64::MIN), true),
            (Value::Int(1 << 53), true),
            (Value::Int((1 << 53) - 1), false),
            (Value::Int(-(1 << 53)), true),
            (Value::Uint(u64::MAX), true),
            (Value::Float(1e300), false),
        ];
        for (value, is) in rows {
            assert_eq!(is_wide(&value), is, "{value:?}");
            if is {
                assert_eq!(wide(&value.as_text()), value);
            }
        }
    }

    #[test]
    fn a_scale_gives_every_decimal_back_or_is_none() {
        let rows =
            [(7.3, Some(1)), (0.0, Some(0)), (-12.25, Some(2)), (1.0 / 3.0, None), (1e300, None), (0.000_001, Some(6))];
        for (number, scale) in rows {
            assert_eq!(scale_of(number, 0), scale, "{number}");
        }
        for number in (0..10_000).map(|number| f64::from(number) / 1000.0) {
            let scale = scale_of(number, 0).expect("three places");
            assert_eq!(scale_down(scale_up(number, scale), scale), number);
        }
    }
}
