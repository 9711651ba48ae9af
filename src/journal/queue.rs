//! The bounded queue between those who append and the one thread that writes.
//! - The thread takes everything that waits at once: that is the group of a group commit.
//! - A batch holds its place and its bytes until it is answered; who finds no room waits, in order of arrival.

use super::Options;
use super::batch::Batch;
use super::error::JournalError;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

type Answer = Result<Range<u64>, JournalError>;

/// A batch that waits for its sync.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) batch: Batch,
    answer: oneshot::Sender<Answer>,
    _place: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Request {
    /// Answers the caller, who may have gone.
    pub(super) fn answer(self, answer: Answer) {
        let _gone = self.answer.send(answer);
    }
}

/// What the thread is to do next.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) requests: Vec<Request>,
    /// Segments before this position may go.
    pub(super) release_before: u64,
    /// Nothing comes after `requests`.
    pub(super) closed: bool,
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    places: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    bytes_max: usize,
}

#[derive(Debug)]
struct State {
    work: Work,
    released: u64,
    /// How many requests end the thread's sleep; more than there can be while it is awake.
    woken_by: usize,
}

impl Queue {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            state: Mutex::new(State { work: Work::default(), released: 0, woken_by: usize::MAX }),
            arrived: Condvar::new(),
            places: Arc::new(Semaphore::new(options.queue_batches_max)),
            bytes: Arc::new(Semaphore::new(options.queue_bytes_max)),
            bytes_max: options.queue_bytes_max,
        }
    }

    /// Puts `batch` into the queue once there is room.
    pub(super) async fn push(&self, batch: Batch) -> Result<oneshot::Receiver<Answer>, JournalError> {
        let held = batch.bytes() + batch.len() * size_of::<usize>();
        let bytes = u32::try_from(held.min(self.bytes_max)).unwrap_or(u32::MAX);
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| JournalError::Closed)?;
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.map_err(|_| JournalError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let mut state = self.state();
        if state.work.closed {
            return Err(JournalError::Closed);
        }
        state.work.requests.push(Request { batch, answer, _place: place, _bytes: bytes });
        self.wake(state);
        Ok(answered)
    }

    pub(super) fn release(&self, before: u64) {
        let mut state = self.state();
        if before > state.work.release_before {
            state.work.release_before = before;
            self.wake(state);
        }
    }

    /// Lets nothing more in; those who wait for room are told.
    pub(super) fn close(&self) {
        self.places.close();
        self.bytes.close();
        let mut state = self.state();
        state.work.closed = true;
        self.wake(state);
    }

    /// Takes everything there is to do; waits for something, at most for `wait`.
    pub(super) fn take(&self, wait: Option<Duration>) -> Work {
        let idle = |state: &mut State| {
            let work = &state.work;
            work.requests.is_empty() && !work.closed && work.release_before == state.released
        };
        let mut state = self.state();
        state.woken_by = 0;
        let mut state = match wait {
            None => self.arrived.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
            Some(wait) => self.arrived.wait_timeout_while(state, wait, idle).unwrap_or_else(PoisonError::into_inner).0,
        };
        state.woken_by = usize::MAX;
        state.released = state.work.release_before;
        let requests = std::mem::take(&mut state.work.requests);
        Work { requests, release_before: state.released, closed: state.work.closed }
    }

    /// Waits until `wanted` requests can be taken, at most for `wait`.
    pub(super) fn gather(&self, wanted: usize, wait: Duration) {
        let mut state = self.state();
        state.woken_by = wanted;
        let few = |state: &mut State| state.work.requests.len() < wanted && !state.work.closed;
        let waited = self.arrived.wait_timeout_while(state, wait, few);
        waited.unwrap_or_else(PoisonError::into_inner).0.woken_by = usize::MAX;
    }

    /// Wakes the thread if it sleeps and this is what it waits for.
    fn wake(&self, state: MutexGuard<'_, State>) {
        if state.woken_by <= state.work.requests.len() || state.work.closed {
            self.arrived.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
