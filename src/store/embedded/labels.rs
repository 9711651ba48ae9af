//! Labels: what the codes of a group stand for; read at the end, once each.

use super::columns::Form;
use super::groups::NULL;
use crate::clock::Millis;
use crate::store::plan::Label;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use tantivy::columnar::Dictionary;

/// What the codes of a group stand for.
pub enum Labels {
    /// Ordinals of a dictionary.
    Ordinals(Arc<Dictionary>),
    /// Places in a list of texts.
    Texts(Vec<Box<str>>),
    /// Intervals of time, by their starts.
    Times(Vec<Millis>),
}

impl Labels {
    /// No code but NULL is this large.
    pub fn bound(&self) -> usize {
        match self {
            Self::Ordinals(dictionary) => dictionary.num_terms(),
            Self::Texts(texts) => texts.len(),
            Self::Times(times) => times.len(),
        }
    }

    /// The labels of these codes.
    pub fn read(&self, codes: impl Iterator<Item = u32>) -> std::io::Result<FxHashMap<u32, Label>> {
        let mut named = vec![false; self.bound()];
        let mut null = false;
        for code in codes {
            match named.get_mut(code as usize) {
                Some(named) => *named = true,
                None => null |= code == NULL,
            }
        }
        let wanted: Vec<u32> = (0..).zip(named).filter_map(|(code, named)| named.then_some(code)).collect();
        let mut labels: FxHashMap<u32, Label> = match self {
            Self::Times(times) => wanted.iter().map(|code| (*code, Label::Time(times[*code as usize]))).collect(),
            Self::Texts(texts) => {
                wanted.iter().map(|code| (*code, Label::Text(texts[*code as usize].clone()))).collect()
            }
            Self::Ordinals(dictionary) => {
                let raws: Vec<u64> = wanted.iter().map(|code| u64::from(*code)).collect();
                let mut labels = FxHashMap::default();
                Form::Text(dictionary.clone()).values(&raws, |at, value| {
                    labels.insert(wanted[at], Label::Text(value.as_text().into()));
                })?;
                labels
            }
        };
        if null {
            labels.insert(NULL, Label::Null);
        }
        Ok(labels)
    }
}
