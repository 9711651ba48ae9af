//! Watch: a question that somebody waits to see change is asked again and again, once for all who watch it.
//! - One task a question. It looks every [`StreamOptions::look_every`](super::StreamOptions), and asks when the store went on
//!   since; at the latest every [`LOOKS_MAX`] looks, as time alone changes an answer too.
//! - Nothing waits in line for a slow watcher: it misses answers, and the next it takes is the newest.
//! - The task ends with its last watcher, or when an answer fails, which ends its watchers.

use super::Parts;
use super::ask::Wanted;
use crate::clock::Millis;
use crate::error::Kind;
use crate::http::Problem;
use crate::report::live::{self, Live, Question};
use crate::store::Position;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch::{self, Receiver, Sender};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Looks without news after which it is asked all the same.
const LOOKS_MAX: u32 = 10;

/// What is watched, and of which store.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Watched {
    pub question: Question,
    pub wanted: Wanted,
}

/// An answer as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// When it was asked for.
    pub at: Millis,
    pub json: Arc<str>,
}

/// A watched question and those who wait for its answers.
#[derive(Debug)]
struct Watch {
    watched: Watched,
    answers: Sender<Shown>,
}

/// The questions that are being watched: fewer than there are watchers.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<Vec<Arc<Watch>>>);

impl Watches {
    fn held(&self) -> MutexGuard<'_, Vec<Arc<Watch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answers of a question that is being watched.
    fn join(&self, watched: &Watched) -> Option<Receiver<Shown>> {
        self.held().iter().find(|watch| watch.watched == *watched).map(|watch| watch.answers.subscribe())
    }

    /// Takes a question out, if `even_watched` or nobody watches it any more; answers whether it did.
    fn leave(&self, watch: &Arc<Watch>, even_watched: bool) -> bool {
        let mut held = self.held();
        let leaves = even_watched || watch.answers.receiver_count() == 0;
        if leaves {
            held.retain(|other| !Arc::ptr_eq(other, watch));
        }
        leaves
    }
}

impl Parts {
    /// Asks once.
    pub(super) async fn ask_live(&self, watched: &Watched) -> Result<Live, Problem> {
        self.ask("live", live::live(watched.wanted.store(self), &watched.question, self.clock.now())).await
    }

    async fn show(&self, watched: &Watched) -> Result<Shown, Problem> {
        let at = self.clock.now();
        let json = serde_json::to_string(&self.ask_live(watched).await?);
        let json = json.map_err(|error| Problem::failed(Kind::Internal, &error))?;
        Ok(Shown { at, json: json.into() })
    }

    /// The answers of a question from now on, the present one first.
    pub(super) async fn watch(self: &Arc<Self>, watched: Watched) -> Result<Receiver<Shown>, Problem> {
        let mut answers = match self.streams.watches.join(&watched) {
            Some(answers) => answers,
            None => {
                let first = self.show(&watched).await?;
                self.begin(watched, first)
            }
        };
        answers.mark_changed();
        Ok(answers)
    }

    /// Begins to ask again and again, unless somebody else has begun meanwhile.
    fn begin(self: &Arc<Self>, watched: Watched, first: Shown) -> Receiver<Shown> {
        if let Some(answers) = self.streams.watches.join(&watched) {
            return answers;
        }
        let (sender, receiver) = watch::channel(first);
        let watch = Arc::new(Watch { watched, answers: sender });
        self.streams.watches.held().push(watch.clone());
        tokio::spawn(keep(self.clone(), watch));
        receiver
    }

    /// Asks again and again, until an answer fails.
    async fn ask_on(&self, watch: &Watch) -> Problem {
        let every = self.streams.options.look_every;
        let mut looks = interval_at(Instant::now() + every, every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = None;
        loop {
            looks.tick().await;
            if let Err(problem) = self.look(watch, &mut seen).await {
                return problem;
            }
        }
    }

    /// Asks again if the store went on from what was `seen`, or was looked at often since.
    async fn look(&self, watch: &Watch, seen: &mut Option<(Position, u32)>) -> Result<(), Problem> {
        let position = self.store.position().await.map_err(|error| super::questions::refused(&error))?;
        if let Some((at, looks)) = seen
            && *at == position
            && *looks < LOOKS_MAX
        {
            *looks += 1;
            return Ok(());
        }
        *seen = Some((position, 1));
        let shown = self.show(&watch.watched).await?;
        watch.answers.send_if_modified(|held| {
            let is_new = held.json != shown.json;
            if is_new {
                *held = shown;
            }
            is_new
        });
        Ok(())
    }
}

/// Keeps a question asked as long as somebody watches it.
async fn keep(parts: Arc<Parts>, watch: Arc<Watch>) {
    loop {
        tokio::select! {
            () = watch.answers.closed() => {
                // Somebody may have joined just now.
                if parts.streams.watches.leave(&watch, false) {
                    return;
                }
            }
            problem = parts.ask_on(&watch) => {
                tracing::warn!(cause = problem.cause(), "streams of /live end");
                parts.streams.watches.leave(&watch, true);
                return;
            }
        }
    }
}
