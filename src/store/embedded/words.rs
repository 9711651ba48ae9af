//! Words: full text in one segment: by its index of words where it has one, else by the texts themselves.
//! - The index decides about a word alone. Of a phrase it says where all words are; their order is read in the text.
//! - The index leaves long words out: those that may be too long are looked for in the texts.

use super::bits::Bits;
use super::columns::Form;
use super::docs::{Docs, Passing, intersect};
use super::error::io_error;
use super::segment::Segment;
use crate::event::Known;
use crate::store::StoreError;
use crate::store::words::{SEARCHED, occurs};

/// The index has words of fewer bytes, counted before they were in lower case.
const WORD_BYTES_MAX: usize = 40;

/// Those of `docs` in which the phrase occurs.
pub fn restrict(segment: &Segment, phrase: &[String], docs: &Docs) -> Result<Docs, StoreError> {
    let mut found: Vec<u32> = Vec::new();
    for key in SEARCHED {
        let (docs, decided) = match candidates(segment, key, phrase)? {
            Some((candidates, decided)) => (intersect(docs.clone(), candidates), decided),
            None => (docs.clone(), false),
        };
        let docs = if decided { docs } else { read(segment, key, phrase, docs)? };
        found.extend(docs.iter());
    }
    found.sort_unstable();
    found.dedup();
    Ok(Docs::Some(found))
}

/// The documents whose `key` has all words that the index knows of, and whether that decides; `None` without an index.
fn candidates(segment: &Segment, key: Known, phrase: &[String]) -> Result<Option<(Vec<u32>, bool)>, StoreError> {
    let mut found: Option<Vec<u32>> = None;
    for word in phrase.iter().filter(|word| is_indexed(word)) {
        let Some(posting) = segment.posting_of_word(key, word)? else { return Ok(None) };
        let docs = posting.docs()?;
        found = Some(match found {
            None => docs,
            Some(mut held) => {
                held.retain(|doc| docs.binary_search(doc).is_ok());
                held
            }
        });
    }
    Ok(found.map(|docs| (docs, phrase.len() == 1)))
}

/// Whether the index has a word wherever a text has it, however it was written there.
fn is_indexed(word: &str) -> bool {
    word.chars().map(bytes_written).sum::<usize>() < WORD_BYTES_MAX
}

/// Bytes at the most of a letter that is this one in lower case: the sign of kelvin and some of other alphabets are longer
/// than what they become.
fn bytes_written(lower: char) -> usize {
    match lower.len_utf8() {
        1 if lower != 'k' => 1,
        1 | 2 => 3,
        bytes => bytes,
    }
}

/// Those of `docs` whose text of `key` has the phrase; each different text is read once.
fn read(segment: &Segment, key: Known, phrase: &[String], docs: Docs) -> Result<Docs, StoreError> {
    let mut passing = Bits::none(docs.len());
    let columns = segment.columns(&key.into())?;
    for part in columns.parts.iter().filter(|part| matches!(part.form, Form::Text(_))) {
        let mut of_docs: Vec<(u64, usize)> = Vec::new();
        part.source.for_each(&docs, |place, raw| of_docs.push((raw, place)));
        of_docs.sort_unstable();
        let mut raws: Vec<u64> = of_docs.iter().map(|(raw, _)| *raw).collect();
        raws.dedup();
        let mut hits = vec![false; raws.len()];
        let texts = part.form.values(&raws, |at, value| hits[at] = occurs(phrase, &value.as_text()));
        texts.map_err(io_error("read texts of", segment.day))?;
        for (of_raw, hit) in of_docs.chunk_by(|a, b| a.0 == b.0).zip(hits) {
            of_raw.iter().for_each(|(_, place)| passing.set(*place, hit));
        }
    }
    Ok(Passing::Some(passing).keep(docs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_letter_is_longer_than_its_lower_case_may_have_been() {
        for letter in (char::MIN..=char::MAX).filter(|letter| letter.is_alphanumeric()) {
            let bytes: usize = letter.to_lowercase().map(bytes_written).sum();
            assert!(letter.len_utf8() <= bytes, "{letter}");
        }
    }
}
