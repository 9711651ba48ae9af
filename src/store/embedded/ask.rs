//! Ask: a plan over days: segments side by side on a few threads, merged as they come.
//! - A day that lies outside the range is not opened.
//! - What a whole sealed day answers is kept in its cache; late events beside it are asked each time.

use super::answer::finish;
use super::asked::{self, Digest};
use super::cache::cut_of;
use super::collect::{Cut, Partial, Question, collect};
use super::deadline::Deadline;
use super::generation::Generation;
use super::parts::DayView;
use super::segment::Segment;
use super::shared::Shared;
use crate::store::StoreError;
use crate::store::plan::{Answer, Limits, Plan};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers a plan over these days.
pub fn ask(shared: &Shared, views: &[Arc<DayView>], plan: &Plan, deadline: Deadline) -> Result<Answer, StoreError> {
    let question = Question::of(plan, deadline)?;
    let stands_for = asked::of_plan(plan);
    let mut days: Vec<SealedDay> = Vec::new();
    let mut jobs: Vec<(Arc<Segment>, Option<usize>)> = Vec::new();
    for view in views {
        question.deadline.check("aggregate")?;
        for segment in view.open.iter().flat_map(|part| &part.segments) {
            jobs.push((segment.clone(), None));
        }
        if let Some(generation) = view.generation.as_ref().filter(|_| !view.sealed_is_outside(plan.range)) {
            days.push(SealedDay::of(generation, plan, stands_for.as_ref(), view.open.is_empty()));
        }
    }
    let key = kept_under(&days);
    let kept = key.as_ref().and_then(|key| shared.kept.get(key));
    let sealed = Mutex::new(Ok(kept.as_ref().map_or_else(Partial::default, |kept| Partial::clone(kept))));
    if kept.is_none() {
        for (at, day) in days.iter().enumerate() {
            match day.question.as_ref().and_then(|question| day.generation.cache.read(question)) {
                Some(partial) => merge(&sealed, Ok(partial.weighed()), &question.limits),
                None => {
                    let opened = day.generation.open()?;
                    jobs.extend(opened.segments.iter().map(|segment| (segment.clone(), Some(at))));
                    held(&day.gathered).1 = opened.segments.len();
                }
            }
        }
    }
    let asked = Cut { range: plan.range, groups: plan.groups.clone(), alone: false };
    let open = Mutex::new(Ok(Partial::default()));
    side_by_side(shared.options.threads, jobs.len(), |at| {
        let (segment, day) = &jobs[at];
        match day {
            None => merge(&open, collect(segment, &question, &asked), &question.limits),
            Some(day) => days[*day].take(collect(segment, &question, &days[*day].cut), &sealed, &question.limits),
        }
        held(&sealed).is_ok() && held(&open).is_ok()
    });
    let [mut sealed, open] = [sealed, open].map(|merged| merged.into_inner().unwrap_or_else(PoisonError::into_inner));
    // Where one failed the others were given up: what is there then is not all.
    if let (Some(key), None, Ok(all), Ok(_)) = (key, kept, &sealed, &open) {
        shared.kept.put(key, all.clone());
    }
    if let Ok(all) = &mut sealed {
        all.merge(open?, &question.limits)?;
    }
    Ok(finish(plan, sealed?))
}

/// What stands for the answer of these days together, if all of each is asked.
fn kept_under(days: &[SealedDay]) -> Option<Digest> {
    let of_days = days.iter().map(|day| Some((day.generation.serial, day.question?)));
    asked::digest(&of_days.collect::<Option<Vec<_>>>().filter(|days| !days.is_empty())?)
}

type Merged = Mutex<Result<Partial, StoreError>>;

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Merges a partial answer into all; the first error stays.
fn merge(merged: &Merged, partial: Result<Partial, StoreError>, limits: &Limits) {
    let mut merged = held(merged);
    if let Ok(all) = &mut *merged
        && let Err(error) = partial.and_then(|partial| all.merge(partial, limits))
    {
        *merged = Err(error);
    }
}

/// A sealed day as it is gathered, segment by segment.
struct SealedDay {
    generation: Arc<Generation>,
    cut: Cut,
    /// What stands for the question in the day's cache, if all of the day is asked.
    question: Option<Digest>,
    /// What was gathered, and how many segments are to come.
    gathered: Mutex<(Partial, usize)>,
}

impl SealedDay {
    fn of(generation: &Arc<Generation>, plan: &Plan, stands_for: Option<&Digest>, alone: bool) -> Self {
        let (cut, whole) = cut_of(plan, alone, |key| generation.bounds(key));
        let question = stands_for.filter(|_| whole).and_then(|plan| asked::of_day(plan, &cut));
        Self { generation: generation.clone(), cut, question, gathered: Mutex::default() }
    }

    /// Takes a segment's partial answer; the last one completes the day.
    fn take(&self, partial: Result<Partial, StoreError>, merged: &Merged, limits: &Limits) {
        let mut gathered = held(&self.gathered);
        let (all, left) = &mut *gathered;
        if let Err(error) = partial.and_then(|partial| all.merge(partial, limits)) {
            return merge(merged, Err(error), limits);
        }
        *left -= 1;
        if *left == 0 {
            let partial = std::mem::take(all);
            if let Some(question) = &self.question {
                self.generation.cache.write(question, &partial);
            }
            merge(merged, Ok(partial), limits);
        }
    }
}

/// Calls `each` for every number below `many`, on a few threads, until one answers that it is enough.
pub fn side_by_side(threads: usize, many: usize, each: impl Fn(usize) -> bool + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= many || !each(at) {
                return;
            }
        }
    };
    let helpers = threads.min(many).saturating_sub(1);
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(work);
        }
        work();
    });
}
