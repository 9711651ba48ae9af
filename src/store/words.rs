//! Words: what a full-text search asks, the same for all stores.
//! - A word is a run of letters and digits (Unicode), each in its lower case; all else only parts words.
//! - Every word has to occur in one of [`SEARCHED`]; what stands between two `"` is a phrase: its words in this order, one
//!   right after the other, in one text. A `"` that is not closed reaches to the end.
//! - Absent: stems, synonyms, ranks.

use crate::event::Known;

/// The keys whose texts are searched.
pub const SEARCHED: [Known; 2] = [Known::Message, Known::Stack];

/// The words of a text, in order.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let runs = text.split(|letter: char| !letter.is_alphanumeric()).filter(|run| !run.is_empty());
    runs.map(|run| run.chars().flat_map(char::to_lowercase).collect())
}

/// What has to occur, each a word or the words of a phrase; none: nothing has to.
pub fn phrases(search: &str) -> Vec<Vec<String>> {
    let mut phrases = Vec::new();
    for (at, part) in search.split('"').enumerate() {
        match at % 2 {
            0 => phrases.extend(words(part).map(|word| vec![word])),
            _ => phrases.extend(Some(words(part).collect::<Vec<_>>()).filter(|phrase| !phrase.is_empty())),
        }
    }
    phrases
}

/// Whether the words of a phrase, which has some, occur in a text in this order, one right after the other.
pub fn occurs(phrase: &[String], text: &str) -> bool {
    match phrase {
        [word] => words(text).any(|one| one == *word),
        _ => words(text).collect::<Vec<_>>().windows(phrase.len()).any(|some| some == phrase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits_in_lower_case() {
        let rows = [
            ("TypeError: can't read 'x2'", "typeerror can t read x2"),
            ("ÀÉ-ß_日本 ١٢", "àé ß 日本 ١٢"),
            ("ΣΑΣ", "σασ"),
            ("", ""),
            ("--", ""),
        ];
        for (text, expected) in rows {
            assert_eq!(words(text).collect::<Vec<_>>().join(" "), expected, "{text}");
        }
    }

    #[test]
    fn a_search_is_words_and_phrases() {
        let rows = [
            ("not found", "not|found"),
            ("a \"Not  Found\" b", "a|not found|b"),
            ("\"a b\"\"c d\"", "a b|c d"),
            ("x \"left open", "x|left open"),
            ("\"\" -", ""),
        ];
        for (search, expected) in rows {
            let phrases: Vec<String> = phrases(search).iter().map(|phrase| phrase.join(" ")).collect();
            assert_eq!(phrases.join("|"), expected, "{search}");
        }
    }

    #[test]
    fn a_phrase_occurs_in_order_and_whole() {
        let rows = [("a b", "x A, b", true), ("b a", "a b", false), ("a b", "a x b", false), ("a", "ab", false)];
        for (phrase, text, expected) in rows {
            assert_eq!(occurs(&words(phrase).collect::<Vec<_>>(), text), expected, "{phrase} in {text}");
        }
    }
}
