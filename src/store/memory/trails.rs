//! Trails by their definition: matching events sorted, cut where day or visitor changes, read one by one.

use super::select::Test;
use crate::event::{Day, Event, Known};
use crate::store::trails::{Labels, NONE, Several, Trail, TrailBatch, TrailPlan, Trails, Visit, Visits};
use crate::store::{StoreError, forms, order};
use std::collections::BTreeSet;

/// Batches that wait for their reader.
const BATCHES_MAX: usize = 2;
/// Trails of a batch.
const BATCH_TRAILS: usize = 100;

/// The batches of `plan` over the events that its filter and range leave.
pub(super) fn answer<'a>(
    plan: &TrailPlan,
    events: impl Iterator<Item = &'a Event>,
) -> Result<Vec<TrailBatch>, StoreError> {
    plan.check()?;
    let tests = plan.marks.iter().map(Test::of).collect::<Result<Vec<_>, _>>()?;
    let marked =
        |event: &Event| (0..tests.len()).filter(|at| tests[*at].matches(event)).fold(0, |all, at| all | 1 << at);
    let mut events: Vec<(&Event, u64)> = events.map(|event| (event, marked(event))).collect();
    if let Some(with) = &plan.visits_with {
        let with = Test::of(with)?;
        let wanted: BTreeSet<_> =
            events.iter().filter(|(event, _)| with.matches(event)).filter_map(|(event, _)| named(event)).collect();
        events.retain(|(event, _)| named(event).is_some_and(|visit| wanted.contains(&visit)));
    }
    events.retain(|(_, marks)| *marks != 0);
    plan.bound(events.len())?;
    events.sort_by(|(a, _), (b, _)| a.day().cmp(&b.day()).then_with(|| order::in_day(a, b)));
    let whose = |event: &Event| (event.day(), event.hash(Known::Visitor));
    let trails: Vec<&[(&Event, u64)]> = events.chunk_by(|(a, _), (b, _)| whose(a) == whose(b)).collect();
    Ok(trails.chunks(BATCH_TRAILS).map(|trails| batch(plan, trails)).collect())
}

/// Hands them over one by one; a reader that left ends it.
pub(super) fn stream(batches: Vec<TrailBatch>) -> Trails {
    let (sender, receiver) = tokio::sync::mpsc::channel(BATCHES_MAX);
    tokio::spawn(async move {
        for batch in batches {
            if sender.send(Ok(batch)).await.is_err() {
                return;
            }
        }
    });
    receiver
}

fn batch(plan: &TrailPlan, trails: &[&[(&Event, u64)]]) -> TrailBatch {
    let mut batch = TrailBatch::default();
    let mut texts: Vec<Vec<Several>> = vec![Vec::new(); plan.labels.len()];
    batch.labels.resize_with(plan.labels.len(), Labels::default);
    for trail in trails {
        let first = batch.at.len();
        for (event, marks) in *trail {
            batch.at.push(event.at());
            batch.marks.push(*marks);
            if plan.visits == Visits::Given {
                batch.visits.push(visit(event));
            }
            for ((key, texts), labels) in plan.labels.iter().zip(&mut texts).zip(&mut batch.labels) {
                let code = event.get(key).map(|value| {
                    let of_event: BTreeSet<Box<str>> =
                        forms::texts(key, value).map(|text| text.into_owned().into_boxed_str()).collect();
                    code(texts, of_event.into_iter().collect())
                });
                labels.codes.push(code.unwrap_or(NONE));
            }
        }
        let (event, _) = trail[0];
        let (day, visitor) = (event.day(), event.hash(Known::Visitor));
        batch.trails.push(Trail { day, visitor, events: first..batch.at.len() });
    }
    for (labels, texts) in batch.labels.iter_mut().zip(texts) {
        labels.texts = texts.into();
    }
    batch
}

/// An event's visit, as one of its visitor's day.
fn named(event: &Event) -> Option<(Day, u64, Visit)> {
    Some((event.day(), event.hash(Known::Visitor)?, visit(event)?))
}

fn visit(event: &Event) -> Option<Visit> {
    Some(Visit { at: event.int(Known::VisitAt)?, id: event.hash(Known::Visit)? })
}

/// The place of `several` in the list, where it now is.
fn code(texts: &mut Vec<Several>, several: Several) -> u32 {
    let place = texts.iter().position(|held| *held == several).unwrap_or_else(|| {
        texts.push(several);
        texts.len() - 1
    });
    u32::try_from(place).unwrap_or(NONE)
}
