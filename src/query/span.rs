//! Span: a length of time in a question's words, such as `30m`.

use super::unfit::Unfit;
use crate::nearest::cut;
use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads one; `at` is where it stands in the question.
pub fn read(text: &str, at: &str) -> Result<Duration, Unfit> {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ms)| *ms);
    let ms = unit.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    ms.map(Duration::from_millis).ok_or_else(|| {
        let text = format!("{at} is {:?}; it may be a whole number with ms, s, m, h or d, such as 30m", cut(text));
        Unfit::new(at, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_whole_number_with_its_unit() {
        for (text, ms) in [("0s", 0), ("250ms", 250), ("30m", 1_800_000), ("2d", 172_800_000)] {
            assert_eq!(read(text, "window"), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "30", "m", "half", "1.5h", "-1s", "+1s", "99999999999999999999d", "18446744073709551615d"] {
            let unfit = read(text, "window").unwrap_err();
            assert!(unfit.at == "window" && unfit.message.contains("such as 30m"), "{text}: {unfit:?}");
        }
    }
}
