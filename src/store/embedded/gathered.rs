//! Gathered: the trails of a day with open parts.
//! - Places are sorted, those of one visitor and millisecond compared in full ([`Ordered`]).
//! - Where visits with some event are asked for, only the days of visitors who have one are gathered.

use super::docs::{Docs, places};
use super::filter::Compiled;
use super::filter_text::TextTest;
use super::parts::DayView;
use super::scan::Ordered;
use super::trail_labels::Joined;
use super::trails::{Question, cut, read, visitors};
use crate::event::{Known, Value};
use crate::store::plan::Case;
use crate::store::trails::{Labels, NONE, Trail, TrailBatch, Visit, Visits};
use crate::store::{StoreError, forms};
use rustc_hash::FxHashSet;

/// Events of a batch, more only where one trail has more.
const BATCH: usize = 1 << 16;

/// The trails of a day with open parts.
pub fn gathered(question: &Question, view: &DayView) -> Result<Vec<TrailBatch>, StoreError> {
    let Some(wanted) = wanted(question, view)? else { return Ok(Vec::new()) };
    let mut ordered = Ordered::of(view, &wanted, question.plan.range)?;
    if question.visits_with.is_none() {
        question.count(ordered.spots().len())?;
    }
    ordered.settle()?;
    let (mut day, seeds) = filled(question, &ordered)?;
    let spots = ordered.spots();
    let visitors: Vec<Option<u64>> = spots.iter().map(|spot| spot.has_visitor().then_some(spot.visitor)).collect();
    day.trails = cut(view.day, &visitors);
    if question.visits_with.is_some() {
        leave_visits_with(&mut day, &seeds);
        question.count(day.at.len())?;
        if question.plan.visits == Visits::Left {
            day.visits.clear();
        }
    }
    Ok(parted(day))
}

/// Which events are to be gathered; `None` where none is.
fn wanted(question: &Question, view: &DayView) -> Result<Option<Compiled>, StoreError> {
    let Some(with) = &question.visits_with else {
        return Ok(Some(Compiled::And(vec![question.filter.clone(), Compiled::Or(question.marks.clone())])));
    };
    let mut of: FxHashSet<u64> = FxHashSet::default();
    for segment in view.segments_within(question.plan.range)? {
        of.extend(visitors(&segment, &question.seeds(&segment, with)?)?.into_iter().flatten());
    }
    let key = Known::Visitor.into();
    let texts = of.iter().map(|hash| forms::text(&key, &Value::hash(*hash)).into_owned()).collect();
    let of_them = Compiled::Text(key.clone(), TextTest::Is(texts, Case::Exact));
    Ok((!of.is_empty()).then(|| Compiled::And(vec![of_them, question.filter.clone()])))
}

/// The columns of the gathered events, and which of them are those whose visits are asked for.
fn filled(question: &Question, ordered: &Ordered) -> Result<(TrailBatch, Vec<bool>), StoreError> {
    let spots = ordered.spots();
    let many = spots.len();
    let mut seeds = vec![false; many];
    let visits = if question.visits_with.is_some() { Visits::Given } else { question.plan.visits };
    let mut day = TrailBatch {
        trails: Vec::new(),
        at: spots.iter().map(|spot| spot.at).collect(),
        marks: vec![0; many],
        visits: vec![None; if visits == Visits::Given { many } else { 0 }],
        labels: question.plan.labels.iter().map(|_| Labels { codes: vec![NONE; many], ..Labels::default() }).collect(),
    };
    let mut joined: Vec<Joined> = question.plan.labels.iter().map(|_| Joined::default()).collect();
    for (segment, of_segment) in ordered.by_segment(spots) {
        question.deadline.check("trails")?;
        let docs = Docs::Some(of_segment.iter().map(|place| spots[*place].doc).collect());
        for (at, one) in question.marks.iter().enumerate() {
            let matching = one.restrict(segment, docs.clone())?;
            places(&docs, &matching, |of_docs| day.marks[of_segment[of_docs]] |= 1 << at);
        }
        if let Some(with) = &question.visits_with {
            places(&docs, &with.restrict(segment, docs.clone())?, |at| seeds[of_segment[at]] = true);
        }
        let held = read(question, segment, &docs, visits)?;
        of_segment.iter().zip(held.visits).for_each(|(place, visit)| day.visits[*place] = visit);
        for ((labels, joined), held) in day.labels.iter_mut().zip(&mut joined).zip(&held.labels) {
            let common = joined.join(held);
            for (place, code) in of_segment.iter().zip(&held.codes) {
                labels.codes[*place] = common.get(*code as usize).copied().unwrap_or(NONE);
            }
        }
    }
    day.labels.iter_mut().zip(joined).for_each(|(labels, joined)| labels.texts = joined.finish());
    Ok((day, seeds))
}

/// Leaves the marked events of visits that have a seed.
fn leave_visits_with(day: &mut TrailBatch, seeds: &[bool]) {
    let mut kept = Vec::new();
    for trail in day.trails.iter().filter(|trail| trail.visitor.is_some()) {
        let seeds = trail.events.clone().filter(|place| seeds[*place]);
        let visits: FxHashSet<Visit> = seeds.filter_map(|place| day.visits[place]).collect();
        let of_visits = |place: &usize| day.visits[*place].is_some_and(|visit| visits.contains(&visit));
        kept.extend(trail.events.clone().filter(|place| day.marks[*place] != 0).filter(of_visits));
    }
    day.keep(&kept);
}

/// A batch in several, cut between trails.
fn parted(day: TrailBatch) -> Vec<TrailBatch> {
    let mut batches = Vec::new();
    let mut trails = day.trails.as_slice();
    while let Some(first) = trails.first() {
        let from = first.events.start;
        let many = trails.partition_point(|trail| trail.events.end <= from + BATCH).max(1);
        let (these, rest) = trails.split_at(many);
        let events = from..these[many - 1].events.end;
        let moved =
            |trail: &Trail| Trail { events: trail.events.start - from..trail.events.end - from, ..trail.clone() };
        let labels = day
            .labels
            .iter()
            .map(|labels| Labels { codes: labels.codes[events.clone()].to_vec(), texts: labels.texts.clone() });
        batches.push(TrailBatch {
            trails: these.iter().map(moved).collect(),
            at: day.at[events.clone()].to_vec(),
            marks: day.marks[events.clone()].to_vec(),
            visits: if day.visits.is_empty() { Vec::new() } else { day.visits[events.clone()].to_vec() },
            labels: labels.collect(),
        });
        trails = rest;
    }
    batches
}
