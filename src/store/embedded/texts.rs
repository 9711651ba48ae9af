//! Texts: what a stream over a whole day has read of dictionaries, so that a text is read once and not once a batch.
//! - Bounded: the texts of [`BYTES_MAX`] are held, those of small dictionaries alone. Others are read batch by batch.

use super::columns::Form;
use crate::event::Value;
use rustc_hash::FxHashMap;
use std::io;
use std::sync::Arc;
use tantivy::columnar::Dictionary;

/// Memory of all texts held.
const BYTES_MAX: usize = 32 << 20;
/// Terms of a dictionary that is held.
const TERMS_MAX: usize = 1 << 16;

/// Texts read so far, by dictionary.
#[derive(Default)]
pub struct Texts {
    held: FxHashMap<usize, (Arc<Dictionary>, Option<Vec<Value>>)>,
    bytes: usize,
}

impl Texts {
    /// The values of all ordinals of a dictionary; `None` where it is too large to be held.
    pub fn of(&mut self, form: &Form) -> io::Result<Option<&[Value]>> {
        let Some(dictionary) = form.dictionary() else { return Ok(None) };
        // Held, so the address stays its own.
        let at = Arc::as_ptr(dictionary) as usize;
        if !self.held.contains_key(&at) {
            let values = self.read(dictionary, form)?;
            self.held.insert(at, (dictionary.clone(), values));
        }
        Ok(self.held.get(&at).and_then(|(_, values)| values.as_deref()))
    }

    fn read(&mut self, dictionary: &Dictionary, form: &Form) -> io::Result<Option<Vec<Value>>> {
        let terms = dictionary.num_terms();
        if terms > TERMS_MAX {
            return Ok(None);
        }
        let (mut values, mut bytes) = (Vec::with_capacity(terms), terms * size_of::<Value>());
        let mut stream = dictionary.stream()?;
        while stream.advance() {
            bytes += stream.key().len();
            if self.bytes + bytes > BYTES_MAX {
                return Ok(None);
            }
            let text =
                std::str::from_utf8(stream.key()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            values.push(form.of_text(text));
        }
        self.bytes += bytes;
        Ok(Some(values))
    }
}
