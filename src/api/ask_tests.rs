//! Asking: which parameters say when, and what is said of a list.

use super::*;

/// Noon of 2015-05-20 (a Wednesday), UTC.
const NOW: Millis = 1_432_123_200_000;

fn read(query: &str) -> Result<When, Unfit> {
    when(&Parameters::read(Some(query), &SHARED).unwrap(), TimeZone::UTC, NOW)
}

#[test]
fn a_range_is_a_word_or_two_ends() {
    let days = |query| read(query).unwrap().range.days.map(|(first, last)| format!("{first} {last}"));
    for (query, expected) in [
        ("", "2015-04-21 2015-05-20"),
        ("range=", "2015-04-21 2015-05-20"),
        ("range=7d", "2015-05-14 2015-05-20"),
        ("from=2015-01-01&to=2015-01-31", "2015-01-01 2015-01-31"),
    ] {
        assert_eq!(days(query).as_deref(), Some(expected), "{query}");
    }
    for (query, says) in [("range=7d&from=2015-01-01", "exclude each other"), ("range=x", "it may be today")] {
        assert!(read(query).unwrap_err().message.contains(says), "{query}");
    }
}

#[test]
fn lists_name_each_word_once_and_refuse_others() {
    let words = [("views", 1), ("total", 2)];
    assert_eq!(listed("fields", "total, views,total,,", &words).unwrap(), [2, 1]);
    let problem = format!("{:?}", listed("fields", "view", &words).unwrap_err()).replace('\\', "");
    assert!(problem.contains("did you mean \"views\"?"), "{problem}");
}
