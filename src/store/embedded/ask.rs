//! Ask: a plan over days: segments side by side on a few threads, merged as they come.
//! - A day that lies outside the range is not opened.

use super::answer::finish;
use super::collect::{Partial, Question, collect};
use super::parts::DayView;
use super::segment::Segment;
use super::shared::Shared;
use crate::store::StoreError;
use crate::store::plan::{Answer, Plan};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Answers a plan over these days.
pub fn ask(shared: &Shared, views: &[Arc<DayView>], plan: &Plan) -> Result<Answer, StoreError> {
    let question = Question::of(plan)?;
    let mut segments = Vec::new();
    for view in views {
        segments.extend(view.segments_within(plan.range)?);
    }
    let merged = Mutex::new(Ok(Partial::default()));
    side_by_side(shared.options.threads, segments.len(), |at| {
        let partial = collect_one(&segments[at], &question);
        let mut merged = merged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(held) = &mut *merged
            && let Err(error) = partial.and_then(|partial| held.merge(partial, question.rows_max))
        {
            *merged = Err(error);
        }
        merged.is_ok()
    });
    Ok(finish(plan, merged.into_inner().unwrap_or_else(PoisonError::into_inner)?))
}

fn collect_one(segment: &Segment, question: &Question<'_>) -> Result<Partial, StoreError> {
    collect(segment, question)
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
