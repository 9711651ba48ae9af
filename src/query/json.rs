//! Json: a question's text, checked for depth before any recursive parser sees it.

use super::unfit::Unfit;
use serde_json::Value;

/// Lists and objects within each other: what [`super::filter::DEPTH_MAX`] filters take, and what lies round them.
const NESTING_MAX: usize = 100;

/// Reads a question; `at` is what it is called in errors.
pub fn read(text: &[u8], at: &str) -> Result<Value, Unfit> {
    if nesting(text) > NESTING_MAX {
        let message = format!("{at} lies more than {NESTING_MAX} lists deep; filters go 32 deep");
        return Err(Unfit::new(at, message));
    }
    serde_json::from_slice(text).map_err(|error| {
        let example = r#"a filter looks like ["is","country",["US"]]"#;
        let message = match at {
            "where" => format!("{at} is no JSON: {error}; {example}, URL-encoded"),
            _ => format!("{at} is no JSON: {error}"),
        };
        Unfit::new(at, message)
    })
}

/// How deep lists and objects lie within each other.
fn nesting(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_refused_before_it_is_parsed() {
        let nested = |deep: usize| format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        assert!(read(nested(NESTING_MAX).as_bytes(), "where").is_ok());
        for deep in [NESTING_MAX + 1, 1_000, 1_000_000] {
            let unfit = read(nested(deep).as_bytes(), "where").unwrap_err();
            assert!(unfit.message.contains("filters go 32 deep"), "{unfit:?}");
        }
        assert_eq!(read(br#"["[[[\"[["]"#, "where"), Ok(serde_json::json!(["[[[\"[["])));
        assert_eq!(nesting(br#"["[[[\"[["]"#), 1);
    }

    #[test]
    fn what_is_no_json_is_said_with_an_example() {
        let unfit = read(b"is country US", "where").unwrap_err();
        assert!(unfit.message.contains("is no JSON") && unfit.message.contains("URL-encoded"), "{unfit:?}");
        assert!(!read(b"{", "q").unwrap_err().message.contains("URL-encoded"));
    }
}
