//! Scan: all matching events, day by day, in the order of the day, as a stream.
//! - Of each event visitor, time and place are held; the events themselves are rebuilt a batch at a time.
//! - A sealed part lies in order already; events of one visitor and millisecond that came later are compared in full.

use super::docs::Docs;
use super::filter::{Compiled, time_key, within};
use super::parts::{DayView, Days};
use super::rebuild::{only, rebuild_with};
use super::segment::Segment;
use super::texts::Texts;
use crate::event::{Event, Key, Known};
use crate::store::plan::{TimeKey, TimeRange};
use crate::store::{StoreError, order};
use std::sync::Arc;
use tantivy::columnar::MonotonicallyMappableToU64;

/// Events in a batch, more only where one visitor and millisecond has more.
pub const BATCH: usize = 4096;

/// An event's place in its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    nobody: bool,
    /// Its visitor; 0 if it has none.
    pub visitor: u64,
    /// When it was.
    pub at: i64,
    segment: u32,
    /// Which of its segment's documents it is.
    pub doc: u32,
}

impl Spot {
    /// The place of some event of a visitor.
    #[cfg(test)]
    pub fn of(visitor: Option<u64>) -> Self {
        Self { nobody: visitor.is_none(), visitor: visitor.unwrap_or_default(), at: 0, segment: 0, doc: 0 }
    }

    /// Whether it has a visitor.
    pub fn has_visitor(&self) -> bool {
        !self.nobody
    }

    fn same_moment(&self, other: &Self) -> bool {
        (self.nobody, self.visitor, self.at) == (other.nobody, other.visitor, other.at)
    }
}

/// The matching events of one day, in order but for those of one visitor and millisecond.
pub struct Ordered {
    segments: Vec<Arc<Segment>>,
    spots: Vec<Spot>,
}

impl Ordered {
    /// Finds and orders them.
    pub fn of(view: &DayView, filter: &Compiled, range: TimeRange) -> Result<Self, StoreError> {
        let segments = view.segments_within(range)?;
        let mut spots = Vec::new();
        for (at, segment) in segments.iter().enumerate() {
            let docs = filter.restrict(segment, segment.docs())?;
            let docs = within(segment, range, docs)?;
            add_spots(segment, at as u32, &docs, &mut spots)?; // a day has far fewer segments than a u32 holds
        }
        spots.sort_unstable();
        Ok(Self { segments, spots })
    }

    /// The segments they lie in.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The places, in order.
    pub fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// The end of the batch that begins at `from`: never between events of one visitor and millisecond.
    pub fn batch_end(&self, from: usize, most: usize) -> usize {
        let mut end = (from + most).min(self.spots.len());
        while end > 0 && end < self.spots.len() && self.spots[end - 1].same_moment(&self.spots[end]) {
            end += 1;
        }
        end
    }

    /// The events of these places, in the order of the day; with `keys` only these.
    pub fn events(
        &self,
        range: std::ops::Range<usize>,
        keys: Option<&[Key]>,
        texts: &mut Texts,
    ) -> Result<Vec<Event>, StoreError> {
        let spots = &self.spots[range];
        let ties: Vec<&[Spot]> = spots.chunk_by(Spot::same_moment).filter(|tie| self.is_undecided(tie)).collect();
        let asked = if ties.is_empty() { keys } else { None };
        let mut events = self.rebuilt(spots, asked, texts)?;
        if !ties.is_empty() {
            // Stable, and all but the ties are in order already.
            events.sort_by(order::in_day);
            if let Some(keys) = keys {
                events = events.iter().map(|event| only(event, keys)).collect();
            }
        }
        Ok(events)
    }

    /// The events of these places, in their order.
    fn rebuilt(&self, spots: &[Spot], keys: Option<&[Key]>, texts: &mut Texts) -> Result<Vec<Event>, StoreError> {
        let mut events: Vec<Event> = vec![Event::default(); spots.len()];
        for (segment, places) in self.by_segment(spots) {
            let docs = Docs::Some(places.iter().map(|place| spots[*place].doc).collect());
            let rebuilt = rebuild_with(segment, &docs, keys, Some(texts))?;
            places.iter().zip(rebuilt).for_each(|(place, event)| events[*place] = event);
        }
        Ok(events)
    }

    /// Each segment that has some of these, with their places ascending by document.
    pub fn by_segment(&self, spots: &[Spot]) -> Vec<(&Arc<Segment>, Vec<usize>)> {
        let mut places: Vec<usize> = (0..spots.len()).collect();
        places.sort_unstable_by_key(|place| (spots[*place].segment, spots[*place].doc));
        let of_segment = places.chunk_by(|a, b| spots[*a].segment == spots[*b].segment);
        of_segment.map(|places| (&self.segments[spots[places[0]].segment as usize], places.to_vec())).collect()
    }

    /// Puts events of one visitor and millisecond in their order, for which they are read whole.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        let mut ties: Vec<std::ops::Range<usize>> = Vec::new();
        let mut from = 0;
        for tie in self.spots.chunk_by(Spot::same_moment) {
            if self.is_undecided(tie) {
                ties.push(from..from + tie.len());
            }
            from += tie.len();
        }
        let mut texts = Texts::default();
        for ties in ties.chunks(BATCH) {
            let spots: Vec<Spot> = ties.iter().flat_map(|tie| &self.spots[tie.clone()]).copied().collect();
            let mut events = self.rebuilt(&spots, None, &mut texts)?.into_iter().zip(spots);
            for tie in ties {
                let mut tied: Vec<(Event, Spot)> = events.by_ref().take(tie.len()).collect();
                tied.sort_by(|(a, _), (b, _)| order::in_day(a, b));
                self.spots[tie.clone()].iter_mut().zip(tied).for_each(|(spot, (_, settled))| *spot = settled);
            }
        }
        Ok(())
    }

    /// Whether events of one moment have yet to be compared: sealed ones lie in order among themselves.
    fn is_undecided(&self, tie: &[Spot]) -> bool {
        tie.len() > 1 && tie.iter().any(|spot| self.segments[spot.segment as usize].beside.is_none())
    }
}

fn add_spots(segment: &Segment, number: u32, docs: &Docs, spots: &mut Vec<Spot>) -> Result<(), StoreError> {
    let from = spots.len();
    spots.extend(docs.iter().map(|doc| Spot { nobody: true, visitor: 0, at: 0, segment: number, doc }));
    for part in &segment.columns(&time_key(TimeKey::Timestamp))?.parts {
        part.source.for_each(docs, |place, raw| spots[from + place].at = i64::from_u64(raw));
    }
    for part in &segment.columns(&Key::Known(Known::Visitor))?.parts {
        part.source.for_each(docs, |place, raw| {
            if let Some(hash) = part.form.hash(raw) {
                let spot = &mut spots[from + place];
                (spot.nobody, spot.visitor) = (false, hash);
            }
        });
    }
    Ok(())
}

/// Hands all matching events to `take`, batch by batch, until it has enough.
pub fn scan(
    days: &Days,
    filter: &Compiled,
    range: TimeRange,
    keys: Option<&[Key]>,
    mut take: impl FnMut(Vec<Event>) -> bool,
) -> Result<(), StoreError> {
    for view in days.values() {
        let ordered = Ordered::of(view, filter, range)?;
        let (mut from, mut texts) = (0, Texts::default());
        while from < ordered.spots.len() {
            let to = ordered.batch_end(from, BATCH);
            if !take(ordered.events(from..to, keys, &mut texts)?) {
                return Ok(());
            }
            from = to;
        }
    }
    Ok(())
}
