//! Scales: which keys' fractions are decimals, so that a sealed part holds them as whole numbers.
//! - A scale is used only if every number of the key comes back exactly; one that does not, and the key keeps its floats.

use super::columns::{Form, KeyColumns};
use super::segment::Segment;
use super::values::{SCALE_MAX, scale_of, scaled_fits};
use crate::event::Key;
use crate::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tantivy::columnar::MonotonicallyMappableToU64;

/// The power of ten of each key whose numbers are decimals, over all segments of a day.
pub fn of(segments: &[Arc<Segment>]) -> Result<BTreeMap<String, u8>, StoreError> {
    let mut keys: BTreeSet<&Key> = BTreeSet::new();
    for segment in segments {
        keys.extend(segment.keys()?);
    }
    let mut scales = BTreeMap::new();
    for key in keys {
        let columns = segments.iter().map(|segment| segment.columns(key).map(|columns| (segment, columns)));
        let columns: Vec<_> = columns.collect::<Result<_, _>>()?;
        let fractions =
            |columns: &KeyColumns| columns.parts.iter().any(|part| matches!(part.form, Form::Float | Form::Scaled(_)));
        if !columns.iter().any(|(_, columns)| fractions(columns)) {
            continue;
        }
        let mut decimals = Decimals::default();
        for (segment, columns) in &columns {
            for part in &columns.parts {
                part.source.for_each(&segment.docs(), |_, raw| decimals.take(&part.form, raw));
            }
        }
        if let Some(scale) = decimals.scale() {
            scales.insert(key.name().to_owned(), scale);
        }
    }
    Ok(scales)
}

/// The numbers of one key, as far as their scale goes.
#[derive(Default)]
struct Decimals {
    scale: u8,
    largest: f64,
    is_none: bool,
}

impl Decimals {
    fn take(&mut self, form: &Form, raw: u64) {
        let number = match form {
            _ if self.is_none => return,
            Form::Int => i64::from_u64(raw) as f64,
            Form::Float => f64::from_u64(raw),
            Form::Scaled(scale) => super::values::scale_down(i64::from_u64(raw), *scale),
            _ => return,
        };
        self.largest = self.largest.max(number.abs());
        match scale_of(number, self.scale) {
            Some(scale) => self.scale = scale,
            None => self.is_none = true,
        }
    }

    fn scale(&self) -> Option<u8> {
        (!self.is_none && self.scale > 0 && self.scale <= SCALE_MAX && scaled_fits(self.largest, self.scale))
            .then_some(self.scale)
    }
}
