//! Filter: a plan's filter as documents of one segment.
//! - What an inverted index answers comes first; the rest looks only at the documents that are left.
//! - A test of text is made once for each different text of a segment, never for each event.
//! - Absent: time ranges of whole days (`collect` passes over days that lie outside).

use super::bits::Bits;
use super::columns::Form;
use super::docs::{Docs, Passing, intersect};
use super::error::io_error;
use super::filter_text::TextTest;
use super::segment::Segment;
use super::words;
use crate::event::{Key, Known};
use crate::store::plan::{Case, Comparison, Filter, TimeKey, TimeRange};
use crate::store::words::phrases;
use crate::store::{StoreError, forms};
use tantivy::columnar::MonotonicallyMappableToU64;

/// An index is asked first if it leaves less than one document in so many.
const SELECTIVE: usize = 8;

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
    /// Whether a key is not there that it wants: then nothing of the segment matches.
    pub fn is_never(&self, segment: &Segment) -> Result<bool, StoreError> {
        Ok(match self {
            Self::And(all) => {
                for one in all {
                    if one.is_never(segment)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Exists(key) | Self::Text(key, _) | Self::Number(key, ..) => segment.columns(key)?.parts.is_empty(),
            Self::Or(_) | Self::Not(_) | Self::Phrase(_) => false,
        })
    }

    /// Those of `docs` that match, by indexes where they leave few.
    pub fn restrict(&self, segment: &Segment, docs: Docs) -> Result<Docs, StoreError> {
        match self {
            _ if docs.is_empty() => Ok(docs),
            Self::And(all) => restrict_all(all, segment, docs),
            Self::Text(..) => restrict_all(std::slice::from_ref(self), segment, docs),
            Self::Phrase(phrase) => words::restrict(segment, phrase, &docs),
            _ => Ok(self.passing(segment, &docs)?.keep(docs)),
        }
    }

    /// Which of `docs` match.
    pub fn passing(&self, segment: &Segment, docs: &Docs) -> Result<Passing, StoreError> {
        Ok(match self {
            _ if docs.is_empty() => Passing::None,
            Self::And(all) => match all.as_slice() {
                [] => Passing::All,
                [one] => one.passing(segment, docs)?,
                all => Passing::among(docs, &restrict_all(all, segment, docs.clone())?),
            },
            Self::Or(any) => {
                let mut passing = Passing::None;
                for one in any {
                    passing = passing.or(one.passing(segment, docs)?);
                }
                passing
            }
            Self::Not(inner) => inner.passing(segment, docs)?.not(),
            Self::Exists(key) => segment.columns(key)?.having(docs),
            Self::Text(key, test) => {
                let passing = test.passing(&*segment.columns(key)?, docs);
                passing.map_err(io_error("read texts of", segment.day))?
            }
            Self::Phrase(phrase) => Passing::among(docs, &words::restrict(segment, phrase, docs)?),
            Self::Number(key, comparison, bound) => {
                let mut passing = Bits::none(docs.len());
                let columns = segment.columns(key)?;
                let numbers =
                    columns.numbers(docs, |place, number| passing.set(place, compares(number, *comparison, *bound)));
                numbers.map_err(io_error("read numbers of", segment.day))?;
                Passing::Some(passing)
            }
        })
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
        let mut postings = Vec::with_capacity(texts.len());
        for text in texts {
            match segment.posting(key, text)? {
                Some(posting) => postings.push(posting),
                None => return Ok(None),
            }
        }
        if postings.iter().map(|posting| posting.len()).sum::<usize>() > segment.len() as usize / SELECTIVE {
            return Ok(None);
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
        docs = match one {
            Compiled::Text(key, test) => {
                let restricted = test.restrict(&*segment.columns(key)?, docs);
                restricted.map_err(io_error("read texts of", segment.day))?
            }
            _ => one.restrict(segment, docs)?,
        };
    }
    Ok(docs)
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
    if let [part] = columns.parts.as_slice() {
        let (least, most) = part.source.bounds();
        if from <= least && most < to {
            return Ok(columns.having(&docs).keep(docs));
        }
    }
    let times = columns.parts.iter().filter(|part| matches!(part.form, Form::Int));
    let passing = times.map(|part| part.source.passing(&docs, |raw| from <= raw && raw < to));
    Ok(passing.fold(Passing::None, Passing::or).keep(docs))
}
