//! Ask: a plan over days: segments side by side on a few threads, merged as they come.
//! - A day that lies outside the range is not opened.
//! - What a whole sealed day answers is kept in its cache; late events beside it are asked each time.

use super::answer::finish;
use super::cache::{cut_of, question_of};
use super::collect::{Cut, Partial, Question, collect};
use super::deadline::Deadline;
use super::distinct::DayAs;
use super::generation::Generation;
use super::parts::DayView;
use super::segment::Segment;
use super::shared::Shared;
use crate::store::StoreError;
use crate::store::plan::{Answer, Limits, Measure, Plan};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers a plan over these days.
pub fn ask(shared: &Shared, views: &[Arc<DayView>], plan: &Plan, deadline: Deadline) -> Result<Answer, StoreError> {
    let question = Question::of(plan, deadline)?;
    let merged = Mutex::new(Ok(Partial::default()));
    let asked = Cut { day: DayAs::Parts, range: plan.range, groups: plan.groups.clone() };
    let mut days: Vec<SealedDay> = Vec::new();
    let mut jobs: Vec<(Arc<Segment>, Option<usize>)> = Vec::new();
    for view in views {
        question.deadline.check("aggregate")?;
        for segment in view.open.iter().flat_map(|part| &part.segments) {
            jobs.push((segment.clone(), None));
        }
        if let Some(generation) = view.generation.as_ref().filter(|_| !view.sealed_is_outside(plan.range)) {
            let lies = if view.open.is_empty() { DayAs::Sealed } else { DayAs::Parts };
            let day = SealedDay::of(generation, plan, lies);
            match day.question.as_ref().and_then(|question| generation.cache.read(question)) {
                Some(partial) => merge(&merged, Ok(partial.weighed()), &question.limits),
                None => {
                    let opened = generation.open()?;
                    jobs.extend(opened.segments.iter().map(|segment| (segment.clone(), Some(days.len()))));
                    held(&day.gathered).1 = opened.segments.len();
                    days.push(day);
                }
            }
        }
    }
    side_by_side(shared.options.threads, jobs.len(), |at| {
        let (segment, day) = &jobs[at];
        match day {
            None => merge(&merged, collect(segment, &question, &asked), &question.limits),
            Some(day) => days[*day].take(collect(segment, &question, &days[*day].cut), &merged, &question.limits),
        }
        held(&merged).is_ok()
    });
    Ok(finish(plan, merged.into_inner().unwrap_or_else(PoisonError::into_inner)?))
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
    question: Option<Vec<u8>>,
    /// What was gathered, and how many segments are to come.
    gathered: Mutex<(Partial, usize)>,
}

impl SealedDay {
    fn of(generation: &Arc<Generation>, plan: &Plan, day: DayAs) -> Self {
        let (cut, whole) = cut_of(plan, |key| generation.bounds(key));
        // Visits that passed cannot be put together with those of open parts.
        let is_apart = day == DayAs::Parts && plan.metrics.iter().any(|metric| metric.measure == Measure::Visits);
        let question = if whole && !is_apart { question_of(plan, &cut) } else { None };
        let cut = Cut { day, ..cut };
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
