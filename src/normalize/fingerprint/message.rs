//! The shape of a message: what changes from one occurrence to the next becomes a placeholder.
//! - Replaced, the first that fits from left to right: addresses of pages and people, UUIDs, quoted text, hex, numbers.
//! - An apostrophe inside a word (`can't`) opens no quotation.
//! - Only the first [`SHAPE_BYTES_MAX`] speak: what follows is data more often than cause.

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// How much of a message is looked at.
const SHAPE_BYTES_MAX: usize = 1024;

const RULES: &[(&str, &str)] = &[
    ("url", r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s\x22'`<>)\]]+"),
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("uuid", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
    ("text", r"\x22(?:[^\x22\\]|\\.)*\x22|`[^`]*`|\B'(?:[^'\\]|\\.)*'\B|„[^“”]*[“”]|“[^”]*”|«[^»]*»|‘[^’]*’"),
    ("hex", r"\b0[xX][0-9a-fA-F]+\b|\b(?:[a-fA-F]+[0-9]|[0-9]+[a-fA-F])[0-9a-fA-F]{5,}\b"),
    ("number", r"[0-9]+(?:[.,:_][0-9]+)*"),
];

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let rules: Vec<String> = RULES.iter().map(|(name, rule)| format!("(?P<{name}>{rule})")).collect();
    Regex::new(&rules.join("|")).ok()
});

/// The message with `<placeholders>`, its blanks folded.
pub(super) fn shape(message: &str) -> String {
    let message = &message[..message.floor_char_boundary(SHAPE_BYTES_MAX)];
    let replaced = match PATTERN.as_ref() {
        Some(pattern) => pattern.replace_all(message, placeholder),
        None => message.into(),
    };
    replaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn placeholder(found: &Captures<'_>) -> String {
    let name = RULES.iter().map(|(name, _)| *name).find(|name| found.name(name).is_some());
    format!("<{}>", name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_becomes_a_placeholder() {
        for (message, expected) in [
            ("Timeout after 30 s", "Timeout after <number> s"),
            ("Timeout after 1,500.25 ms at 12:30:05", "Timeout after <number> ms at <number>"),
            ("GET https://example.com/a?b=1 failed", "GET <url> failed"),
            ("no user anna@example.com", "no user <email>"),
            ("no item 550e8400-e29b-41d4-a716-446655440000", "no item <uuid>"),
            ("at 0x7ffee4a1", "at <hex>"),
            ("commit 3f2a1b9c0d", "commit <hex>"),
            ("commit facade is a word", "commit facade is a word"),
            ("no key \"colour\" in 'paint'", "no key <text> in <text>"),
            ("can't read property 'x' of undefined", "can't read property <text> of undefined"),
            (
                "Cannot read properties of undefined (reading 'map')",
                "Cannot read properties of undefined (reading <text>)",
            ),
            ("don't, won't", "don't, won't"),
            ("no column `size`", "no column <text>"),
            ("nicht „da“ und “weg”", "nicht <text> und <text>"),
            ("a  b\n c", "a b c"),
            ("user42 of v2", "user<number> of v<number>"),
            ("10.0.0.1:8080 refused", "<number> refused"),
            ("", ""),
        ] {
            assert_eq!(shape(message), expected, "{message}");
        }
    }

    #[test]
    fn every_rule_is_a_pattern() {
        assert!(PATTERN.is_some());
    }

    #[test]
    fn the_tail_of_a_long_message_does_not_speak() {
        let long = |tail: &str| shape(&format!("{}{tail}", "é ".repeat(SHAPE_BYTES_MAX)));
        assert_eq!(long("one"), long("two"));
    }
}
