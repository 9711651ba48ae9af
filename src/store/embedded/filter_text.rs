//! Filter of text: tests of a key's text forms, made once for each different text of a segment, never for each event.
//! - Where all documents have one text, one test says it of all.

use super::columns::{Form, KeyColumns, Source, Values};
use super::docs::{Docs, Passing};
use crate::store::forms;
use crate::store::plan::Case;
use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};
use std::io;
use tantivy::columnar::Dictionary;

/// A text is looked up if there are more than so many others for each that is.
const LOOK_UP: usize = 64;
/// Few are one in so many.
const FEW: usize = 16;

/// A test of a text form.
#[derive(Debug, Clone)]
pub enum TextTest {
    /// It is one of these.
    Is(Vec<String>, Case),
    /// It contains one of these.
    Contains(Vec<String>, Case),
    /// It matches one of these.
    Matches(Vec<Regex>),
}

impl TextTest {
    /// Which documents have a text form that passes.
    pub fn passing(&self, columns: &KeyColumns, docs: &Docs) -> io::Result<Passing> {
        let mut passing = Passing::None;
        for part in &columns.parts {
            passing = passing.or(of_part(columns, part, self, docs)?);
        }
        Ok(passing)
    }

    /// Those of `docs` that have a text form that passes.
    pub fn restrict(&self, columns: &KeyColumns, docs: Docs) -> io::Result<Docs> {
        if let ([part], Docs::All(all)) = (columns.parts.as_slice(), &docs)
            && part.source.constant().is_none()
            && let Hits::One(raw) = hits(columns, part, self, &docs)?
            && let Some(found) = few_of(part, raw, *all)
        {
            return Ok(Docs::Some(found));
        }
        Ok(self.passing(columns, &docs)?.keep(docs))
    }

    fn passes(&self, text: &str) -> bool {
        let folded = |case: &Case| match case {
            Case::Exact => None,
            Case::Folded => Some(forms::folded(text)),
        };
        match self {
            Self::Is(texts, case) => {
                let text = folded(case).map_or_else(|| text.into(), std::borrow::Cow::<str>::Owned);
                texts.iter().any(|one| *one == *text)
            }
            Self::Contains(texts, case) => {
                let text = folded(case).map_or_else(|| text.into(), std::borrow::Cow::<str>::Owned);
                texts.iter().any(|one| text.contains(one.as_str()))
            }
            Self::Matches(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}

fn of_part(columns: &KeyColumns, part: &Values, test: &TextTest, docs: &Docs) -> io::Result<Passing> {
    if let Some(raw) = part.source.constant() {
        let mut passes = false;
        part.form.values(&[raw], |_, value| passes = test.passes(&columns.text(&value)))?;
        return Ok(if passes { Passing::All } else { Passing::None });
    }
    Ok(match hits(columns, part, test, docs)? {
        Hits::None => Passing::None,
        Hits::One(raw) => one_of(part, raw, docs),
        // Ordinals are below the dictionary's size.
        Hits::Ordinals(hit) => part.source.passing(docs, |raw| hit.get(raw as usize).is_some_and(|hit| *hit)),
        Hits::Raw(hit) => part.source.passing(docs, |raw| hit.get(&raw).is_some_and(|hit| *hit)),
    })
}

/// Documents with this very number; where they are few, columns know a quick way to them.
fn one_of(part: &Values, raw: u64, docs: &Docs) -> Passing {
    let (least, most) = part.source.bounds();
    if raw < least || most < raw {
        return Passing::None;
    }
    if let Docs::All(all) = docs
        && let Some(found) = few_of(part, raw, *all)
    {
        return Passing::among(docs, &Docs::Some(found));
    }
    part.source.passing(docs, |other| other == raw)
}

/// All documents with this very number, where they are few of all.
fn few_of(part: &Values, raw: u64, all: u32) -> Option<Vec<u32>> {
    match &part.source {
        Source::Own(column) => column.few_with(raw, all as usize / FEW),
        _ => None,
    }
}

/// Which raw numbers of a column pass.
enum Hits {
    None,
    One(u64),
    Ordinals(Vec<bool>),
    Raw(FxHashMap<u64, bool>),
}

impl Hits {
    fn of(raws: Vec<u64>) -> Self {
        match raws.as_slice() {
            [] => Self::None,
            [one] => Self::One(*one),
            several => Self::Raw(several.iter().map(|raw| (*raw, true)).collect()),
        }
    }
}

fn hits(columns: &KeyColumns, part: &Values, test: &TextTest, docs: &Docs) -> io::Result<Hits> {
    if let (TextTest::Is(texts, Case::Exact), true) = (test, part.form.is_of_hashes() && columns.is_of_hashes()) {
        return Ok(Hits::of(texts.iter().filter_map(|text| part.form.raw_of_hash(text)).collect()));
    }
    let Some(dictionary) = part.form.dictionary() else {
        let mut hit: FxHashMap<u64, bool> = FxHashMap::default();
        part.source.for_each(docs, |_, raw| {
            hit.entry(raw)
                .or_insert_with(|| part.form.scalar(raw).is_some_and(|value| test.passes(&columns.text(&value))));
        });
        return Ok(Hits::Raw(hit));
    };
    // A test of text sees the value's form: digits of large numbers are theirs, hashes among them are not.
    let plain = !matches!(part.form, Form::Wide(_));
    if let (TextTest::Is(texts, Case::Exact), true) = (test, plain) {
        // A look-up reads a block of texts: for many of them it is quicker to go through all.
        return match texts.len() < 2 || texts.len().saturating_mul(LOOK_UP) < dictionary.num_terms() {
            true => looked_up_ordinals(dictionary, texts),
            false => ordinals_among(dictionary, texts),
        };
    }
    let mut hit = Vec::with_capacity(dictionary.num_terms());
    let mut stream = dictionary.stream()?;
    while stream.advance() {
        let text = std::str::from_utf8(stream.key()).unwrap_or_default();
        hit.push(test.passes(&columns.text(&part.form.of_text(text))));
    }
    Ok(Hits::Ordinals(hit))
}

fn looked_up_ordinals(dictionary: &Dictionary, texts: &[String]) -> std::io::Result<Hits> {
    let mut ordinals = Vec::new();
    for text in texts {
        ordinals.extend(dictionary.term_ord(text.as_bytes())?);
    }
    Ok(Hits::of(ordinals))
}

fn ordinals_among(dictionary: &Dictionary, texts: &[String]) -> std::io::Result<Hits> {
    let wanted: FxHashSet<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let mut hit = Vec::with_capacity(dictionary.num_terms());
    let mut stream = dictionary.stream()?;
    while stream.advance() {
        hit.push(wanted.contains(stream.key()));
    }
    Ok(Hits::Ordinals(hit))
}
