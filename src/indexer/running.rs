//! Running: what goes on beside the owner, one of each at a time: a write, a seal, a repair. Dropping a wait ends nothing.

use crate::event::Day;
use crate::store::StoreError;
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

/// Waits for the write that runs, for ever if none does.
pub(super) async fn taken(writing: &mut Option<JoinHandle<Result<Taken, StoreError>>>) -> Result<Taken, StoreError> {
    let Some(task) = writing else { return std::future::pending().await };
    let joined = task.await;
    *writing = None;
    joined.unwrap_or_else(|source| Err(StoreError::Engine { operation: "run the write", source: Box::new(source) }))
}

/// Waits for the seal that runs, for ever if none does.
pub(super) async fn join(sealing: &mut Option<Running>) -> (Day, Result<(), StoreError>) {
    let Some(running) = sealing else { return std::future::pending().await };
    let (day, joined) = (running.day, (&mut running.task).await);
    *sealing = None;
    let panicked = |source| StoreError::Engine { operation: "run the seal", source: Box::new(source) };
    (day, joined.unwrap_or_else(|source| Err(panicked(source))))
}

/// Waits for the repair that runs, for ever if none does; one that broke off has dropped its reply.
pub(super) async fn ended(repairing: &mut Option<JoinHandle<()>>) {
    let Some(task) = repairing else { return std::future::pending().await };
    drop(task.await);
    *repairing = None;
}
