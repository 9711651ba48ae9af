//! Running: what goes on beside the owner, one of each at a time: a write, a seal, a repair. Dropping a wait for one ends nothing.

use crate::event::Day;
use crate::store::StoreError;
use std::future::{pending, poll_fn, ready};
use std::pin::Pin;
use std::task::Poll;
use tokio::task::JoinHandle;

/// A seal that runs.
pub(super) struct Running {
    pub(super) day: Day,
    pub(super) task: JoinHandle<Result<(), StoreError>>,
}

/// A batch that the store took.
pub(super) struct Taken {
    /// The position past it.
    pub(super) end: u64,
    pub(super) indexed: u64,
    pub(super) duplicates: u64,
}

/// A write that runs. It is no task: whoever drops the owner has dropped it too.
pub(super) type Writing = Pin<Box<dyn Future<Output = Result<Taken, StoreError>> + Send>>;

/// Begins a write: the store has been asked when this returns.
pub(super) async fn begin(mut write: Writing) -> Writing {
    match poll_fn(|context| Poll::Ready(write.as_mut().poll(context))).await {
        Poll::Ready(taken) => Box::pin(ready(taken)),
        Poll::Pending => write,
    }
}

/// Waits for the write that runs, for ever if none does.
pub(super) async fn taken(writing: &mut Option<Writing>) -> Result<Taken, StoreError> {
    let Some(write) = writing else { return pending().await };
    let taken = write.await;
    *writing = None;
    taken
}

/// Waits for the seal that runs, for ever if none does.
pub(super) async fn join(sealing: &mut Option<Running>) -> (Day, Result<(), StoreError>) {
    let Some(running) = sealing else { return pending().await };
    let (day, joined) = (running.day, (&mut running.task).await);
    *sealing = None;
    let panicked = |source| StoreError::Engine { operation: "run the seal", source: Box::new(source) };
    (day, joined.unwrap_or_else(|source| Err(panicked(source))))
}

/// Waits for the repair that runs, for ever if none does; one that broke off has dropped its reply.
pub(super) async fn ended(repairing: &mut Option<JoinHandle<()>>) {
    let Some(task) = repairing else { return pending().await };
    drop(task.await);
    *repairing = None;
}
