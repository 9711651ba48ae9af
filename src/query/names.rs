//! Names: what a question calls keys and times, in our words or in those of Plausible's Stats API.
//! - A name of ours is a key's own: canonical, or whatever applications send; `event:props:NAME` is always the key `NAME`.
//! - As dimensions `minute hour day week month` are times, in the asked zone.
//! - A name of Plausible's that we have nothing for is refused by what is missing.

use super::range::Interval;
use crate::event::{Key, Known};
use crate::nearest::{cut, unknown};

/// Bytes of a key's name at the most, as in events.
const KEY_BYTES_MAX: usize = 128;

/// Plausible's names of our keys.
const PLAUSIBLE: [(&str, Known); 19] = [
    ("event:page", Known::Path),
    ("event:hostname", Known::UrlHost),
    ("event:name", Known::Action),
    ("visit:source", Known::Source),
    ("visit:channel", Known::Channel),
    ("visit:referrer", Known::Referer),
    ("visit:entry_page", Known::Entry),
    ("visit:utm_source", Known::UtmSource),
    ("visit:utm_medium", Known::UtmMedium),
    ("visit:utm_campaign", Known::UtmCampaign),
    ("visit:utm_term", Known::UtmTerm),
    ("visit:utm_content", Known::UtmContent),
    ("visit:device", Known::Device),
    ("visit:browser", Known::Browser),
    ("visit:browser_version", Known::BrowserVersion),
    ("visit:os", Known::Os),
    ("visit:country", Known::Country),
    ("visit:region", Known::Region),
    ("visit:city", Known::City),
];

/// Plausible's names that nothing here stands for, and what to ask instead.
const MISSING: [(&str, &str); 8] = [
    ("visit:exit_page", "exits are a metric here: ask `exits` by `path`"),
    ("visit:os_version", "versions of systems are part of `os` where they are known"),
    ("visit:entry_page_hostname", "`url_host` is the host of each event"),
    ("visit:exit_page_hostname", "`url_host` is the host of each event"),
    ("visit:country_name", "countries are ISO codes: `country`"),
    ("visit:region_name", "`region` holds what the places database says"),
    ("visit:city_name", "`city` holds what the places database says"),
    ("event:goal", "goals are `goal`, or a filter [\"is\",\"event:goal\",[NAME]]"),
];

/// The prefix of Plausible's own properties.
const PROPERTY: &str = "event:props:";

/// The times that events can be cut by.
pub const TIMES: [(&str, Interval); 5] = [
    ("minute", Interval::Minute),
    ("hour", Interval::Hour),
    ("day", Interval::Day),
    ("week", Interval::Week),
    ("month", Interval::Month),
];

/// The key that a name means, or why it means none.
pub fn key(name: &str) -> Result<Key, String> {
    if let Some(property) = name.strip_prefix(PROPERTY) {
        return plain(property);
    }
    if let Some((_, known)) = PLAUSIBLE.iter().find(|(theirs, _)| *theirs == name) {
        return Ok((*known).into());
    }
    if let Some((_, instead)) = MISSING.iter().find(|(theirs, _)| *theirs == name) {
        return Err(format!("{name:?} is not had here; {instead}"));
    }
    if ["event:", "visit:", "time:"].iter().any(|prefix| name.starts_with(prefix)) {
        let theirs: Vec<&str> = PLAUSIBLE.iter().map(|(theirs, _)| *theirs).chain([PROPERTY]).collect();
        return Err(unknown(name, &theirs));
    }
    plain(name)
}

/// The interval that a dimension's name means, if it is a time.
pub fn time(name: &str) -> Option<Result<Interval, String>> {
    let of = |name: &str| TIMES.iter().find(|(word, _)| *word == name).map(|(_, interval)| *interval);
    match name.strip_prefix("time:") {
        Some(word) => Some(of(word).ok_or_else(|| unknown(word, &TIMES.map(|(word, _)| word)))),
        None => of(name).map(Ok),
    }
}

fn plain(name: &str) -> Result<Key, String> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err("a key's name is not empty and has no control characters".to_owned());
    }
    if name.len() > KEY_BYTES_MAX {
        return Err(format!("{:?} is longer than the {KEY_BYTES_MAX} bytes of a key's name", cut(name)));
    }
    Ok(Key::named(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_worlds_mean_our_keys() {
        let table = [
            ("path", Known::Path.into()),
            ("event:page", Known::Path.into()),
            ("visit:utm_campaign", Known::UtmCampaign.into()),
            ("visit:referrer", Known::Referer.into()),
            ("event:props:plan", Key::named("plan")),
            ("event:props:path", Known::Path.into()),
            ("größe", Key::named("größe")),
        ];
        for (name, expected) in table {
            assert_eq!(key(name), Ok(expected), "{name}");
        }
    }

    #[test]
    fn what_we_do_not_have_is_refused_by_what_is_missing() {
        let table = [
            ("visit:exit_page", "ask `exits` by `path`"),
            ("event:goal", "goals are `goal`"),
            ("event:pages", "did you mean \"event:page\"?"),
            ("visit:zodiac", "known are event:page"),
            ("", "not empty"),
            ("a\nb", "control characters"),
            (&"x".repeat(129), "128 bytes"),
        ];
        for (name, says) in table {
            let message = key(name).unwrap_err();
            assert!(message.contains(says), "{name}: {message}");
        }
    }

    #[test]
    fn times_have_two_spellings() {
        assert_eq!(time("week"), Some(Ok(Interval::Week)));
        assert_eq!(time("time:minute"), Some(Ok(Interval::Minute)));
        assert_eq!(time("path"), None);
        assert!(time("time:year").unwrap().unwrap_err().contains("known are minute, hour"));
    }
}
