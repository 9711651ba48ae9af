//! Filter: a plan's filter as documents of one segment.
//! - What an inverted index answers comes first; the rest looks only at the documents that are left.
//! - A test of text is made once for each different text of a segment, never for each event.
//! - Absent: time ranges of whole days (`collect` passes over days that lie outside).

use super::columns::{Docs, Form, KeyColumns, Source, Values};
use super::error::io_error;
use super::segment::Segment;
use super::words;
use crate::event::{Key, Known};
use crate::store::plan::{Case, Comparison, Filter, TimeKey, TimeRange};
use crate::store::words::phrases;
use crate::store::{StoreError, forms};
use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};
use tantivy::columnar::{Dictionary, MonotonicallyMappableToU64};

/// An index is asked first if it leaves less than one document in so many.
const SELECTIVE: usize = 8;

/// A text is looked up if there are more than so many others for each that is.
const LOOK_UP: usize = 64;

/// A filter whose patterns are compiled.
#[derive(Debug, Clone)]
pub enum Compiled {
    /// Documents that all of these match.
    And(Vec<Compiled>),
    /// Documents that any of these matches.
    Or(Vec<Compiled>),
    /// Documents that this does not match.
    Not(Box<Compiled>),
    /// Documents that have the key.
    Exists(Key),
    /// A text form passes.
    Text(Key, TextTest),
    /// A number form passes.
    Number(Key, Comparison, f64),
    /// A phrase occurs.
    Phrase(Vec<String>),
}

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

/// Compiles a filter; [`StoreError::Invalid`] for a pattern that is none.
pub fn compile(filter: &Filter) -> Result<Compiled, StoreError> {
    let texts = |texts: &[String], case: Case| match case {
        Case::Exact => texts.to_vec(),
        Case::Folded => texts.iter().map(|text| forms::folded(text)).collect(),
    };
    Ok(match filter {
        Filter::All => Compiled::And(Vec::new()),
        Filter::And(all) => Compiled::And(all.iter().map(compile).collect::<Result<_, _>>()?),
        Filter::Or(any) => Compiled::Or(any.iter().map(compile).collect::<Result<_, _>>()?),
        Filter::Not(inner) => Compiled::Not(Box::new(compile(inner)?)),
        Filter::Exists(key) => Compiled::Exists(key.clone()),
        Filter::Is(key, any, case) => Compiled::Text(key.clone(), TextTest::Is(texts(any, *case), *case)),
        Filter::Contains(key, any, case) => Compiled::Text(key.clone(), TextTest::Contains(texts(any, *case), *case)),
        Filter::Matches(key, patterns, case) => {
            let patterns = patterns.iter().map(|one| forms::pattern(one, *case)).collect::<Result<_, _>>()?;
            Compiled::Text(key.clone(), TextTest::Matches(patterns))
        }
        Filter::Search(text) => Compiled::And(phrases(text).into_iter().map(Compiled::Phrase).collect()),
        Filter::Compare(key, comparison, bound) => Compiled::Number(key.clone(), *comparison, *bound),
    })
}

impl Compiled {
    /// Whether it lets everything through.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::And(all) if all.iter().all(Self::is_all))
    }

    /// Those of `docs` that match.
    pub fn restrict(&self, segment: &Segment, docs: Docs) -> Result<Docs, StoreError> {
        if docs.is_empty() {
            return Ok(docs);
        }
        match self {
            Self::And(all) => restrict_all(all, segment, docs),
            Self::Or(any) => {
                let mut passing = vec![false; docs.len()];
                for one in any {
                    mark(&docs, &one.restrict(segment, docs.clone())?, &mut passing);
                }
                Ok(keep(docs, &passing))
            }
            Self::Not(inner) => {
                let mut passing = vec![false; docs.len()];
                mark(&docs, &inner.restrict(segment, docs.clone())?, &mut passing);
                passing.iter_mut().for_each(|one| *one = !*one);
                Ok(keep(docs, &passing))
            }
            Self::Exists(key) => {
                let passing = segment.columns(key)?.having(&docs);
                Ok(keep(docs, &passing))
            }
            Self::Text(key, test) => restrict_text(segment, &*segment.columns(key)?, test, docs),
            Self::Phrase(phrase) => words::restrict(segment, phrase, &docs),
            Self::Number(key, comparison, bound) => {
                let mut passing = vec![false; docs.len()];
                let columns = segment.columns(key)?;
                let numbers =
                    columns.numbers(&docs, |place, number| passing[place] |= compares(number, *comparison, *bound));
                numbers.map_err(io_error("read numbers of", segment.day))?;
                Ok(keep(docs, &passing))
            }
        }
    }

    /// How many texts there are of which it lets few through; 0 where that says nothing.
    fn texts(&self, segment: &Segment) -> usize {
        let Self::Text(key, TextTest::Is(_, Case::Exact)) = self else { return 0 };
        // A key that cannot be read is told by the restriction itself.
        let Ok(columns) = segment.columns(key) else { return 0 };
        columns.parts.iter().filter_map(|part| part.form.dictionary()).map(|dictionary| dictionary.num_terms()).sum()
    }

    /// The documents an index answers this with, if it is few.
    fn looked_up(&self, segment: &Segment) -> Result<Option<Vec<u32>>, StoreError> {
        let Self::Text(key, TextTest::Is(texts, Case::Exact)) = self else { return Ok(None) };
        let (mut postings, mut many) = (Vec::new(), 0);
        for text in texts {
            let Some(posting) = segment.posting(key, text)? else { return Ok(None) };
            many += posting.len();
            if many > segment.len() as usize / SELECTIVE {
                return Ok(None);
            }
            postings.push(posting);
        }
        let mut docs = Vec::new();
        for posting in postings {
            docs.extend(posting.docs()?);
        }
        docs.sort_unstable();
        docs.dedup();
        Ok(Some(docs))
    }
}

/// Those of `docs` that all of these leave: first what indexes answer, then columns, the rarest texts first.
fn restrict_all(all: &[Compiled], segment: &Segment, mut docs: Docs) -> Result<Docs, StoreError> {
    let mut rest = Vec::with_capacity(all.len());
    for one in all {
        if let Compiled::Phrase(phrase) = one
            && segment.has_indexes()
        {
            docs = words::restrict(segment, phrase, &docs)?;
            continue;
        }
        match one.looked_up(segment)? {
            Some(found) => docs = intersect(docs, found),
            None => rest.push(one),
        }
    }
    rest.sort_by_cached_key(|one| std::cmp::Reverse(one.texts(segment)));
    for one in rest {
        docs = one.restrict(segment, docs)?;
    }
    Ok(docs)
}

/// Those of `docs` that are among `found`, which ascend.
pub fn intersect(docs: Docs, found: Vec<u32>) -> Docs {
    match docs {
        Docs::All(_) => Docs::Some(found),
        Docs::Some(mut docs) => {
            docs.retain(|doc| found.binary_search(doc).is_ok());
            Docs::Some(docs)
        }
    }
}

/// Marks the places of `docs` that are among `matching`.
pub fn mark(docs: &Docs, matching: &Docs, passing: &mut [bool]) {
    places(docs, matching, |place| passing[place] = true);
}

/// Calls `each` with the places of `docs` that are among `matching`, ascending.
pub fn places(docs: &Docs, matching: &Docs, mut each: impl FnMut(usize)) {
    match (docs, matching) {
        (_, Docs::All(_)) => (0..docs.len()).for_each(each),
        (Docs::All(_), Docs::Some(matching)) => matching.iter().for_each(|doc| each(*doc as usize)),
        (Docs::Some(docs), Docs::Some(matching)) => {
            let mut place = 0;
            for doc in matching {
                while docs[place] != *doc {
                    place += 1;
                }
                each(place);
            }
        }
    }
}

/// Those of `docs` whose place passes.
pub fn keep(docs: Docs, passing: &[bool]) -> Docs {
    let places = passing.iter().enumerate().filter(|(_, passes)| **passes);
    docs.pick(places.map(|(place, _)| place as u32).collect()) // places are below a segment's size, a u32
}

fn restrict_text(segment: &Segment, columns: &KeyColumns, test: &TextTest, docs: Docs) -> Result<Docs, StoreError> {
    let mut passing = vec![false; docs.len()];
    for part in &columns.parts {
        let hits = hits(columns, part, test, &docs).map_err(io_error("read texts of", segment.day))?;
        match hits {
            Hits::None => {}
            Hits::One(raw) => one_of(part, raw, &docs, &mut passing),
            Hits::Ordinals(hit) => part.source.for_each(&docs, |place, raw| {
                passing[place] |= hit.get(raw as usize).is_some_and(|hit| *hit); // ordinals are below the dictionary's size
            }),
            Hits::Raw(hit) => {
                part.source.for_each(&docs, |place, raw| passing[place] |= hit.get(&raw).is_some_and(|hit| *hit));
            }
        }
    }
    Ok(keep(docs, &passing))
}

/// Marks documents with this very number; the columns know a quick way through all of them.
fn one_of(part: &Values, raw: u64, docs: &Docs, passing: &mut [bool]) {
    match (&part.source, docs) {
        (Source::Own(column), Docs::All(all)) => {
            // Of a number that it does not have at all the quick way finds others.
            let (least, most) = part.source.bounds();
            let mut found = Vec::new();
            if least <= raw && raw <= most {
                column.get_docids_for_value_range(raw..=raw, 0..*all, &mut found);
            }
            found.retain(|doc| column.values_for_doc(*doc).any(|value| value == raw));
            found.iter().for_each(|doc| passing[*doc as usize] = true);
        }
        _ => part.source.for_each(docs, |place, other| passing[place] |= other == raw),
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

fn hits(columns: &KeyColumns, part: &Values, test: &TextTest, docs: &Docs) -> std::io::Result<Hits> {
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

fn compares(number: f64, comparison: Comparison, bound: f64) -> bool {
    match comparison {
        Comparison::Above => number > bound,
        Comparison::AtLeast => number >= bound,
        Comparison::Below => number < bound,
        Comparison::AtMost => number <= bound,
    }
}

/// The key of a range's time.
pub fn time_key(key: TimeKey) -> Key {
    Key::Known(match key {
        TimeKey::Timestamp => Known::Timestamp,
        TimeKey::VisitAt => Known::VisitAt,
    })
}

/// Those of `docs` whose time lies in `range`.
pub fn within(segment: &Segment, range: TimeRange, docs: Docs) -> Result<Docs, StoreError> {
    let columns = segment.columns(&time_key(range.key))?;
    let (from, to) = (range.from.to_u64(), range.to.to_u64());
    if range.key == TimeKey::Timestamp
        && let [part] = columns.parts.as_slice()
    {
        let (least, most) = part.source.bounds();
        if from <= least && most < to {
            return Ok(docs);
        }
    }
    let mut passing = vec![false; docs.len()];
    for part in columns.parts.iter().filter(|part| matches!(part.form, Form::Int)) {
        part.source.for_each(&docs, |place, raw| passing[place] |= from <= raw && raw < to);
    }
    Ok(keep(docs, &passing))
}
