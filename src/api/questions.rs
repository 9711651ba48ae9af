//! Questions: run within bounds of number and time, and timed.
//! - Past the bound a question waits for one to end, as long as it may take itself; then it is refused (503).
//! - The bound is apart from everything that writes.

use super::Parts;
use crate::error::Kind;
use crate::http::{Problem, Type};
use crate::store::StoreError;
use crate::store::plan::Limits;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The bounds of questions.
#[derive(Debug, Clone)]
pub struct Questions {
    running: Arc<Semaphore>,
    /// Bounds of each one.
    pub limits: Limits,
}

impl Questions {
    /// At most `questions_max` at once, each within `limits`.
    pub fn new(questions_max: usize, limits: Limits) -> Self {
        Self { running: Arc::new(Semaphore::new(questions_max.clamp(1, Semaphore::MAX_PERMITS))), limits }
    }
}

impl Parts {
    /// Runs the question of a report; its time is told by `/metrics`.
    pub(super) async fn ask<T>(
        &self,
        report: &'static str,
        question: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Problem> {
        let time_max = self.questions.limits.time_max;
        let Ok(Ok(_running)) = timeout(time_max, self.questions.running.acquire()).await else {
            return Err(Problem::new(Type::Overloaded, "too many questions at once; ask again in a moment"));
        };
        let start = Instant::now();
        // The store keeps its own time; the margin is for one that hangs.
        let answer = timeout(time_max + Duration::from_secs(1), question).await;
        self.metrics.asked(report, start.elapsed());
        match answer {
            Ok(answer) => answer.map_err(|error| refused(&error)),
            Err(_) => Err(Problem::new(Type::Overloaded, format!("the question took more than {time_max:?}"))),
        }
    }
}

/// A store's refusal in the wire's words.
pub(super) fn refused(error: &StoreError) -> Problem {
    match error {
        // Not a matter of the moment: the same question would meet the same bound.
        StoreError::Limit { .. } => Problem::failed(Kind::Unsupported, error),
        StoreError::Damaged { .. } => {
            let detail = format!(
                "{error}: `partial=true` answers without what is lost, `metronome verify --repair` mends what it can"
            );
            Problem::new(Type::Corrupt, detail)
        }
        _ => Problem::failed(error.kind(), error),
    }
}
