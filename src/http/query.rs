//! Query strings: the parameters of a request, each known, each given once.
//! - An unknown parameter is refused and the nearest known one named; so is one given twice.
//! - Form rules: `+` is a space, escapes are UTF-8. A path's escapes are [`decode`]d without the `+`.

pub use crate::nearest::{cut, unknown};

use super::Problem;
use super::problem::{InputError, Type};
use percent_encoding::percent_decode_str;

/// The pairs of a query string or form, in order, decoded. The error names the first that is not UTF-8.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |part: &str| decode(&part.replace('+', " "));
            match (text(name), text(value)) {
                (Some(name), Some(value)) => Ok((name, value)),
                _ => Err(format!("a pair after decoding is not UTF-8: {:?}", cut(pair))),
            }
        })
        .collect()
}

/// Decodes the escapes of a text; `None` if what they spell is not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

/// The parameters of one request.
#[derive(Debug, Default)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// Reads a query string of which only `known` parameters may be given, each once.
    pub fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let pairs = pairs(query.unwrap_or_default()).map_err(|message| Problem::invalid("query", message))?;
        Self::of(pairs, known)
    }

    /// The same of pairs that were read already, of a query string or of a body.
    pub fn of(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        for (at, (name, _)) in pairs.iter().enumerate() {
            let message = if !known.contains(&name.as_str()) {
                unknown(name, known)
            } else if pairs[..at].iter().any(|(earlier, _)| earlier == name) {
                format!("{name} is given twice")
            } else {
                continue;
            };
            errors.push(InputError { at: cut(name).as_str().into(), message });
        }
        match errors.first() {
            None => Ok(Self { pairs }),
            Some(first) => Err(Problem::new(Type::InvalidInput, first.message.clone()).with_errors(errors)),
        }
    }

    /// The value of a parameter; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The value of a parameter, also an empty one.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that is one of a few words.
    pub fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)], default: T) -> Result<T, Problem> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let found = words.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice);
        found.ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Problem::invalid(name, format!("{name} is {:?}; it may be {}", cut(value), words.join(", ")))
        })
    }

    /// The value of a parameter that is a whole number within bounds.
    pub fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Problem> {
        let Some(value) = self.get(name) else { return Ok(default) };
        value.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            let message = format!("{name} is {:?}; it may be a whole number from {least} to {most}", cut(value));
            Problem::invalid(name, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_follow_the_rules_of_forms() {
        let read = pairs("a=1&b=x+y%2Bz&&c&=d&e=%C3%9C").unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("a", "1"), ("b", "x y+z"), ("c", ""), ("", "d"), ("e", "Ü")]);
        assert!(pairs("a=%FF").is_err());
        assert_eq!(decode("/a+b%2Fc.d").as_deref(), Some("/a+b/c.d"));
    }

    #[test]
    fn unknown_parameters_are_refused_with_the_nearest_known_one() {
        let known = ["from", "to", "interval", "tz"];
        let table = [
            ("form=1", "did you mean \"from\"?"),
            ("intervall=day", "did you mean \"interval\"?"),
            ("zzzzzzzz=1", "known are from, to, interval, tz"),
            ("from=1&from=2", "from is given twice"),
        ];
        for (query, says) in table {
            let problem = format!("{:?}", Parameters::read(Some(query), &known).unwrap_err());
            assert!(problem.replace('\\', "").contains(says), "{query}: {problem}");
        }
        assert!(Parameters::read(Some("from=1&to="), &known).is_ok());
        assert!(Parameters::read(None, &known).is_ok());
    }

    #[test]
    fn words_and_numbers_name_what_would_fit() {
        let read = |query| Parameters::read(Some(query), &["w", "n"]).unwrap();
        assert_eq!(read("w=b").choice("w", &[("a", 1), ("b", 2)], 0).unwrap(), 2);
        assert_eq!(read("w=").choice("w", &[("a", 1), ("b", 2)], 0).unwrap(), 0);
        let problem = format!("{:?}", read("w=c").choice("w", &[("a", 1), ("b", 2)], 0).unwrap_err());
        assert!(problem.contains("it may be a, b"), "{problem}");
        assert_eq!(read("n=7").number("n", 1..=9, 5).unwrap(), 7);
        for bad in ["n=0", "n=10", "n=-1", "n=x", "n=1.5", "n=99999999999999999999999"] {
            let problem = format!("{:?}", read(bad).number("n", 1..=9, 5).unwrap_err());
            assert!(problem.contains("from 1 to 9"), "{problem}");
        }
    }
}
