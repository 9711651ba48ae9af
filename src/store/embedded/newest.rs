//! Newest: a page of events, newest first.
//! - Only the times of what matches are read, then the events that may be on the page are rebuilt.
//! - Events of one millisecond stand in the order of their days, then of the day; equal ones are counted, so that a
//!   cursor holds across commits and sealing.

use super::deadline::Deadline;
use super::docs::Docs;
use super::error::engine;
use super::filter::{Compiled, time_key, within};
use super::parts::Days;
use super::rebuild::rebuild;
use super::segment::Segment;
use crate::clock::Millis;
use crate::event::{Day, Event, Known};
use crate::store::plan::{TimeKey, TimeRange};
use crate::store::{Cursor, Page, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tantivy::columnar::MonotonicallyMappableToU64;

/// Where an event stands among all; later ones come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    at: std::cmp::Reverse<Millis>,
    day: Day,
    visitor: Option<u64>,
    without_id: bool,
    id: Option<String>,
    content: u64,
}

impl Place {
    fn of(event: &Event) -> Self {
        let id = event.text(Known::EventId).map(str::to_owned);
        Self {
            at: std::cmp::Reverse(event.at()),
            day: event.day(),
            visitor: event.hash(Known::Visitor),
            without_id: id.is_none(),
            content: event.content_hash(),
            id,
        }
    }
}

/// Where a page ended: the last event's place, and how many of that place were given.
#[derive(Serialize, Deserialize)]
struct End {
    place: Place,
    given: usize,
}

/// An event that may be on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    at: std::cmp::Reverse<Millis>,
    segment: usize,
    doc: u32,
}

/// The page after `after`.
pub fn page(
    days: &Days,
    filter: &Compiled,
    range: TimeRange,
    after: Option<&Cursor>,
    limit: usize,
    deadline: Deadline,
) -> Result<Page, StoreError> {
    let after: Option<End> = after.map(read).transpose()?;
    let range_end = after.as_ref().map_or(Millis::MAX, |end| end.place.at.0);
    let range = up_to(range, range_end);
    let segments = newest_first(days, range)?;
    let mut candidates: Vec<Candidate> = Vec::new();
    for (at, (most, segment)) in segments.iter().enumerate() {
        deadline.check("events")?;
        let is_full = prune(&mut candidates, limit, range_end);
        if is_full && oldest(&candidates).is_some_and(|oldest| oldest > *most) {
            break;
        }
        let docs = filter.restrict(segment, segment.docs())?;
        let docs = within(segment, range, docs)?;
        times(segment, &docs, |doc, time| {
            if time <= range_end {
                candidates.push(Candidate { at: std::cmp::Reverse(time), segment: at, doc });
            }
        })?;
    }
    prune(&mut candidates, limit, range_end);
    finish(&segments, candidates, after, limit)
}

/// Rebuilds the candidates and cuts the page out of them.
fn finish(
    segments: &[(Millis, Arc<Segment>)],
    mut candidates: Vec<Candidate>,
    after: Option<End>,
    limit: usize,
) -> Result<Page, StoreError> {
    candidates.sort_unstable_by_key(|candidate| (candidate.segment, candidate.doc));
    let mut events: Vec<(Place, Event)> = Vec::with_capacity(candidates.len());
    for of_segment in candidates.chunk_by(|a, b| a.segment == b.segment) {
        let docs = Docs::Some(of_segment.iter().map(|candidate| candidate.doc).collect());
        let rebuilt = rebuild(&segments[of_segment[0].segment].1, &docs, None)?;
        events.extend(rebuilt.into_iter().map(|event| (Place::of(&event), event)));
    }
    events.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(end) = &after {
        let mut equal = 0;
        events.retain(|(place, _)| match place.cmp(&end.place) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => {
                equal += 1;
                equal > end.given
            }
        });
    }
    let more = events.len() > limit;
    events.truncate(limit);
    let next = match events.last() {
        Some((last, _)) if more => {
            let before = after.filter(|end| end.place == *last).map_or(0, |end| end.given);
            let given = before + events.iter().filter(|(place, _)| place == last).count();
            let end = End { place: last.clone(), given };
            Some(write(&end)?)
        }
        _ => None,
    };
    Ok(Page { events: events.into_iter().map(|(_, event)| event).collect(), next })
}

/// A cursor in hex: it goes into addresses as it is.
fn write(end: &End) -> Result<Cursor, StoreError> {
    let bytes = postcard::to_stdvec(end).map_err(engine("write cursor"))?;
    Ok(Cursor(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn read(cursor: &Cursor) -> Result<End, StoreError> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = cursor.0.as_bytes().chunks(2).map(byte).collect();
    let end = bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok());
    end.ok_or_else(|| StoreError::Invalid(format!("cursor {:?} is none of this store's", cursor.0)))
}

/// The range without what is newer than the last event given: days that whoever goes through all pages is done with are not
/// looked at again.
fn up_to(range: TimeRange, last: Millis) -> TimeRange {
    match range.key {
        TimeKey::Timestamp => TimeRange { to: range.to.min(last.saturating_add(1)), ..range },
        TimeKey::VisitAt => range,
    }
}

/// Segments that may have events in `range`, each with its newest time, the newest first.
fn newest_first(days: &Days, range: TimeRange) -> Result<Vec<(Millis, Arc<Segment>)>, StoreError> {
    let mut segments = Vec::new();
    for view in days.values() {
        for segment in view.segments_within(range)? {
            let columns = segment.columns(&time_key(TimeKey::Timestamp))?;
            let most = columns.parts.iter().map(|part| i64::from_u64(part.source.bounds().1)).max();
            segments.push((most.unwrap_or(Millis::MAX), segment));
        }
    }
    segments.sort_by_key(|(most, _)| std::cmp::Reverse(*most));
    Ok(segments)
}

fn times(segment: &Segment, docs: &Docs, mut each: impl FnMut(u32, Millis)) -> Result<(), StoreError> {
    let columns = segment.columns(&time_key(TimeKey::Timestamp))?;
    for part in &columns.parts {
        part.source.for_each(docs, |place, raw| each(docs.at(place), i64::from_u64(raw)));
    }
    Ok(())
}

/// Drops what more than `limit` newer events push off the page, and answers whether there are as many; what a cursor may
/// have given already does not count.
fn prune(candidates: &mut Vec<Candidate>, limit: usize, range_end: Millis) -> bool {
    let given = candidates.iter().filter(|candidate| candidate.at.0 == range_end).count();
    let wanted = limit.saturating_add(1).saturating_add(given);
    if candidates.len() < wanted {
        return false;
    }
    let (_, last, _) = candidates.select_nth_unstable(wanted - 1);
    let oldest = last.at;
    candidates.retain(|candidate| candidate.at <= oldest);
    true
}

fn oldest(candidates: &[Candidate]) -> Option<Millis> {
    candidates.iter().map(|candidate| candidate.at.0).min()
}
