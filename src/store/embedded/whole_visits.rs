//! Whole visits: all events of the visits that some events belong to.
//! - In a sealed segment a visitor's events lie side by side: whoever knows one of them finds the others around it.

use super::bits::Bits;
use super::columns::{Source, Values};
use super::docs::{Docs, Passing};
use super::segment::Segment;
use super::trails::{visitors, visits};
use crate::event::Known;
use crate::store::StoreError;
use crate::store::trails::Visit;
use rustc_hash::FxHashSet;

/// The documents of a sealed segment whose visits are those of the seeds.
pub fn around(segment: &Segment, seeds: &Docs) -> Result<Docs, StoreError> {
    let wanted: FxHashSet<(u64, Visit)> = named(segment, seeds)?.into_iter().flatten().collect();
    if wanted.is_empty() {
        return Ok(Docs::Some(Vec::new()));
    }
    let near = of_visitors(segment, seeds)?;
    let mut passing = Bits::none(near.len());
    for (place, one) in named(segment, &near)?.into_iter().enumerate() {
        passing.set(place, one.is_some_and(|one| wanted.contains(&one)));
    }
    Ok(Passing::Some(passing).keep(near))
}

/// The visit of each of these documents, as one of its visitor.
fn named(segment: &Segment, docs: &Docs) -> Result<Vec<Option<(u64, Visit)>>, StoreError> {
    let (visitors, visits) = (visitors(segment, docs)?, visits(segment, docs)?);
    Ok(visitors.into_iter().zip(visits).map(|(visitor, visit)| Some((visitor?, visit?))).collect())
}

/// All documents of the visitors of these.
fn of_visitors(segment: &Segment, seeds: &Docs) -> Result<Docs, StoreError> {
    let columns = segment.columns(&Known::Visitor.into())?;
    let [Values { source: Source::Own(column), .. }] = columns.parts.as_slice() else { return Ok(segment.docs()) };
    let (mut docs, mut past) = (Vec::new(), 0);
    for seed in seeds.iter() {
        let visitor = column.first(seed);
        if seed < past || visitor.is_none() {
            continue;
        }
        let (mut from, end) = (seed, segment.len());
        while from > past && column.first(from - 1) == visitor {
            from -= 1;
        }
        past = seed + 1;
        while past < end && column.first(past) == visitor {
            past += 1;
        }
        docs.extend(from..past);
    }
    Ok(Docs::Some(docs))
}
