//! Registry: the jobs of this process, with their progress and what came of them.
//! - At most [`RUNNING_MAX`] run at once; one more is refused. The newest [`KEPT_MAX`] that ended are remembered.
//! - Nothing of it survives a restart: a job is begun again, and every job may be.

use crate::error::Kind;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Jobs at once.
pub const RUNNING_MAX: usize = 4;
/// Ended jobs remembered.
pub const KEPT_MAX: usize = 100;

/// How far a job is; shared with the work itself.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Says how much there is to do.
    pub fn count_on(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Says that this much more is done.
    pub fn advance(&self, by: u64) {
        self.done.fetch_add(by, Ordering::Relaxed);
    }
}

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Its number.
    pub id: u64,
    /// What it does.
    #[serde(rename = "do")]
    pub work: &'static str,
    /// `running`, `done` or `failed`.
    pub state: &'static str,
    /// Units of work done, and in all as far as is known.
    pub done: u64,
    /// Units in all; 0 while unknown.
    pub total: u64,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it failed, in words for an operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Why a job was not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("begin a job: {RUNNING_MAX} are under way; wait for one to end")]
pub struct TooMany;

impl TooMany {
    /// What the holder can do about it.
    pub fn kind(self) -> Kind {
        Kind::Overloaded
    }
}

/// All jobs; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    jobs: Arc<Mutex<Jobs>>,
}

#[derive(Debug, Default)]
struct Jobs {
    last: u64,
    by_id: BTreeMap<u64, Job>,
}

#[derive(Debug)]
struct Job {
    work: &'static str,
    progress: Arc<Progress>,
    outcome: Option<Result<Value, String>>,
}

impl Registry {
    /// Begins a job on the runtime and answers its number at once.
    pub fn begin<F>(&self, work: &'static str, make: impl FnOnce(Arc<Progress>) -> F) -> Result<u64, TooMany>
    where
        F: Future<Output = Result<Value, String>> + Send + 'static,
    {
        let (id, progress) = self.lock().admit(work)?;
        let running = tokio::spawn(make(progress));
        let registry = self.clone();
        tokio::spawn(async move {
            let outcome = running.await.unwrap_or_else(|error| Err(format!("the job broke off: {error}")));
            if let Err(why) = &outcome {
                tracing::error!(job = id, work, why, "job failed");
            }
            registry.lock().end(id, outcome);
        });
        Ok(id)
    }

    /// A job as it stands.
    pub fn status(&self, id: u64) -> Option<Status> {
        let jobs = self.lock();
        let job = jobs.by_id.get(&id)?;
        let (state, result, why) = match &job.outcome {
            None => ("running", None, None),
            Some(Ok(result)) => ("done", Some(result.clone()), None),
            Some(Err(why)) => ("failed", None, Some(why.clone())),
        };
        let done = job.progress.done.load(Ordering::Relaxed);
        Some(Status { id, work: job.work, state, done, total: job.progress.total.load(Ordering::Relaxed), result, why })
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jobs {
    fn admit(&mut self, work: &'static str) -> Result<(u64, Arc<Progress>), TooMany> {
        if self.by_id.values().filter(|job| job.outcome.is_none()).count() >= RUNNING_MAX {
            return Err(TooMany);
        }
        self.last += 1;
        let progress = Arc::new(Progress::default());
        self.by_id.insert(self.last, Job { work, progress: Arc::clone(&progress), outcome: None });
        Ok((self.last, progress))
    }

    fn end(&mut self, id: u64, outcome: Result<Value, String>) {
        if let Some(job) = self.by_id.get_mut(&id) {
            job.outcome = Some(outcome);
        }
        let ended: Vec<u64> = self.by_id.iter().filter(|(_, job)| job.outcome.is_some()).map(|(id, _)| *id).collect();
        for id in ended.iter().take(ended.len().saturating_sub(KEPT_MAX)) {
            self.by_id.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ended(registry: &Registry, id: u64) -> Status {
        loop {
            let status = registry.status(id).expect("a job");
            if status.state != "running" {
                return status;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_job_says_how_far_it_is_and_what_came_of_it() {
        let registry = Registry::default();
        let work = |progress: Arc<Progress>| async move {
            progress.count_on(2);
            progress.advance(2);
            Ok(Value::from("fine"))
        };
        let id = registry.begin("seal", work).expect("begun");
        let status = ended(&registry, id).await;
        assert_eq!((status.state, status.done, status.total), ("done", 2, 2));
        assert_eq!(status.result, Some("fine".into()));
    }

    #[tokio::test]
    async fn a_job_that_fails_or_panics_says_why() {
        let registry = Registry::default();
        let failed = registry.begin("verify", |_| async { Err("no disk".to_owned()) }).expect("begun");
        assert_eq!(ended(&registry, failed).await.why.as_deref(), Some("no disk"));
        let broken = registry.begin("verify", |_| async { panic!("a fault of ours") }).expect("begun");
        assert_eq!(ended(&registry, broken).await.state, "failed");
        assert_eq!(registry.status(99), None);
    }

    #[tokio::test]
    async fn one_more_than_may_run_is_refused() {
        let registry = Registry::default();
        let endless = |_| std::future::pending();
        for _ in 0..RUNNING_MAX {
            registry.begin("seal", endless).expect("begun");
        }
        assert_eq!(registry.begin("seal", endless), Err(TooMany));
    }

    #[tokio::test]
    async fn only_the_newest_ended_jobs_are_kept() {
        let registry = Registry::default();
        for _ in 0..KEPT_MAX + 5 {
            let id = registry.begin("seal", |_| async { Ok(Value::Null) }).expect("begun");
            ended(&registry, id).await;
        }
        assert_eq!(registry.status(5), None);
        assert!(registry.status(6).is_some());
    }
}
