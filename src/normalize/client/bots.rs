//! Bots: crawlers, monitors, headless browsers and HTTP libraries by what their agents say.
//! - Known ones by `data/crawlers.tsv` and `data/clients-own.tsv`: plain words by one automaton, the rest by one set of patterns.
//! - Of several that match a crawler goes before a browser it drives, and that before a library; then the first in the lists.
//! - Unknown ones by their manners: a word that ends in `bot`, `crawler`, `spider` …, or an address to complain to.
//! - Absent: addresses and behaviour. Who lies about its agent is a person here.

use crate::event::Text;
use aho_corasick::AhoCorasick;
use regex::{Regex, RegexSet};
use std::sync::LazyLock;

const LISTS: [&str; 2] = [include_str!("../../../data/crawlers.tsv"), include_str!("../../../data/clients-own.tsv")];

/// Browsers of old named the pages of whoever built them.
const ENGINES: &[&str] = &["Gecko", "AppleWebKit", "MSIE", "Trident", "Presto"];

/// What kind of machine, the more telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A crawler, monitor, scanner, preview, feed reader.
    Crawler,
    /// A browser that a program drives.
    Automated,
    /// An HTTP library or tool.
    Library,
}

/// A machine that was found.
pub(super) struct Machine {
    /// Its short name, the same for every version of it.
    pub(super) name: Text,
    pub(super) kind: Kind,
}

/// The machine behind this agent, if one is.
pub(super) fn find(agent: &str) -> Option<Machine> {
    let rules = LOADED.as_ref()?;
    let known = rules.find(agent).map(|row| Machine { name: row.name.into(), kind: row.kind });
    if known.as_ref().is_some_and(|machine| machine.kind != Kind::Library) {
        return known;
    }
    let crawler = |name: &str| Machine { name: name.into(), kind: Kind::Crawler };
    // Somebody's crawler that also names the library it is written with is a crawler.
    rules.by_name(agent).map(crawler).or(known).or_else(|| rules.by_address(agent).map(crawler))
}

struct Rules {
    rows: Vec<Row>,
    words: AhoCorasick,
    /// Rows of the automaton's words, in its order.
    word_rows: Vec<(usize, Anchor)>,
    patterns: RegexSet,
    /// Rows of the set's patterns, in its order.
    pattern_rows: Vec<usize>,
    crawler_word: Regex,
    address: Regex,
    product: Regex,
}

struct Row {
    kind: Kind,
    name: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Start,
    Anywhere,
}

static LOADED: LazyLock<Option<Rules>> = LazyLock::new(|| load(&LISTS).ok());

impl Rules {
    fn find(&self, agent: &str) -> Option<&Row> {
        let words = self.words.find_overlapping_iter(agent).filter_map(|hit| {
            let (row, anchor) = self.word_rows[hit.pattern().as_usize()];
            (anchor == Anchor::Anywhere || hit.start() == 0).then_some(row)
        });
        let patterns = self.patterns.matches(agent).into_iter().map(|at| self.pattern_rows[at]).collect::<Vec<_>>();
        let best = words.chain(patterns).min_by_key(|row| (self.rows[*row].kind, *row))?;
        Some(&self.rows[best])
    }

    /// A word that says what it is.
    fn by_name<'a>(&self, agent: &'a str) -> Option<&'a str> {
        let words = self.crawler_word.find_iter(agent).map(|word| word.as_str().trim_matches(['.', '-', '_']));
        // Cubot makes telephones.
        words.into_iter().find(|word| !word.eq_ignore_ascii_case("cubot"))
    }

    /// The product that gives an address to complain to, as browsers do not.
    fn by_address<'a>(&self, agent: &'a str) -> Option<&'a str> {
        let is_browser = ENGINES.iter().any(|engine| agent.contains(engine));
        if !self.address.is_match(agent) || (is_browser && !agent.contains("+http")) {
            return None;
        }
        self.product.captures(agent)?.get(1).map(|product| product.as_str().trim())
    }
}

fn load(lists: &[&'static str]) -> Result<Rules, LoadError> {
    let (mut rows, mut words, mut word_rows, mut patterns, mut pattern_rows) = (vec![], vec![], vec![], vec![], vec![]);
    for line in lists.iter().flat_map(|list| list.lines()).filter(|line| !line.starts_with('#')) {
        let (row, pattern) = read_row(line);
        match plain_word(pattern) {
            Some((word, anchor)) => {
                words.push(word);
                word_rows.push((rows.len(), anchor));
            }
            None => {
                patterns.push(pattern);
                pattern_rows.push(rows.len());
            }
        }
        rows.push(row);
    }
    Ok(Rules {
        rows,
        words: AhoCorasick::new(words)?,
        word_rows,
        patterns: RegexSet::new(patterns)?,
        pattern_rows,
        crawler_word: Regex::new(r"(?i)\b[a-z0-9_.-]*(?:bot|crawler|spider|scraper|archiver|linkchecker)\b")?,
        address: Regex::new(r"https?://\S|[\w.+-]@[\w-]+\.\w")?,
        product: Regex::new(r"^(?:Mozilla/\S+ \(compatible; )?([A-Za-z][\w .-]{0,40})")?,
    })
}

/// A line of the lists: kind, name, pattern.
fn read_row(line: &'static str) -> (Row, &'static str) {
    let mut fields = line.split('\t');
    let kind = match fields.next() {
        Some("library") => Kind::Library,
        Some("automated") => Kind::Automated,
        _ => Kind::Crawler,
    };
    let name = fields.next().unwrap_or_default();
    (Row { kind, name }, fields.next().unwrap_or_default())
}

/// The word that a pattern without choices stands for.
fn plain_word(pattern: &str) -> Option<(String, Anchor)> {
    let (pattern, anchor) = match pattern.strip_prefix('^') {
        Some(rest) => (rest, Anchor::Start),
        None => (pattern, Anchor::Anywhere),
    };
    let mut word = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.push(letters.next().filter(|escaped| escaped.is_ascii_punctuation())?),
            '.' | '[' | ']' | '(' | ')' | '{' | '}' | '|' | '*' | '+' | '?' | '^' | '$' => return None,
            letter => word.push(letter),
        }
    }
    (!word.is_empty()).then_some((word, anchor))
}

/// A list that does not load: a fault of the data files, caught by a test.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("load the words of known bots")]
    Words(#[from] aho_corasick::BuildError),
    #[error("load the patterns of known bots")]
    Patterns(#[from] regex::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_loads_and_every_row_is_whole() {
        let rules = load(&LISTS).expect("the lists load");
        assert!(rules.rows.len() > 1_500);
        assert!(rules.rows.iter().all(|row| !row.name.is_empty()));
        assert!(rules.word_rows.len() > 1_400, "nearly all are plain words: {}", rules.word_rows.len());
    }

    #[test]
    fn a_plain_word_is_told_from_a_pattern() {
        for (pattern, word) in [
            (r"Googlebot\/", Some("Googlebot/")),
            ("^curl", Some("curl")),
            (r"Mail\.RU_Bot", Some("Mail.RU_Bot")),
            ("[wW]get", None),
            (r"Code\/\d", None),
            ("A.B", None),
            ("", None),
        ] {
            assert_eq!(plain_word(pattern).map(|(word, _)| word).as_deref(), word, "{pattern}");
        }
    }
}
