//! `/live`: what there is now: once, or as a stream of the same object whenever it has changed (server-sent events).
//! - The first one is asked for ahead of the answer: what cannot be answered is a problem, with its status.
//! - A stream ends with its client, with the server, and when an answer fails: whoever asks again is told why.
//! - Before each message and each heartbeat it is asked whether the caller still may: with its key the stream ends.
//! - A client that takes nothing holds one message and no more; it is the server loop that loses patience with it.

use super::Parts;
use super::ask::{Asked, marked};
use super::format::json;
use super::streams::Place;
use super::watch::{Shown, Watched};
use crate::http::query::Parameters;
use crate::http::{Caller, Problem};
use crate::net::Stopping;
use crate::report::live::Question;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Of what all questions take, all but a range.
const KNOWN: [&str; 6] = ["site", "tz", "bots", "where", "partial", "limit"];

/// Newest events at the most.
const NEWEST_MAX: usize = 100;

/// Tells a proxy to hand on each message as it comes.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// `GET /live.json`.
pub(super) async fn once(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let watched = read(&parts, &caller, &uri).await?;
    let live = parts.ask_live(&watched).await?;
    Ok(marked(json(&live), &live.meta.damaged_days))
}

/// `GET /live`.
pub(super) async fn stream(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    stopping: Option<Extension<Stopping>>,
    uri: Uri,
) -> Result<Response, Problem> {
    let watched = read(&parts, &caller, &uri).await?;
    let place = parts.streams.watch()?;
    let answers = parts.watch(watched).await?;
    let heartbeat_every = parts.streams.options.heartbeat_every;
    let stopping = stopping.map(|Extension(stopping)| stopping);
    let watcher = Watcher { answers, caller, stopping, heartbeat_every, _place: place };
    let messages = stream::unfold(watcher, |mut watcher| async move {
        let message = watcher.next().await?;
        Some((Ok::<_, Infallible>(message), watcher))
    });
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), UNBUFFERED];
    Ok((no_store, Sse::new(messages)).into_response())
}

async fn read(parts: &Parts, caller: &Caller, uri: &Uri) -> Result<Watched, Problem> {
    let parameters = Parameters::read(uri.query(), &KNOWN)?;
    let Asked { site, when, bots, only, wanted, .. } = Asked::of_events(parts, caller, &parameters).await?;
    let newest_max = parameters.number("limit", 0..=NEWEST_MAX, 20)?;
    let limits = parts.questions.limits;
    Ok(Watched { question: Question { site, zone: when.range.zone, only, bots, newest_max, limits }, wanted })
}

/// One client of a watched question.
struct Watcher {
    answers: watch::Receiver<Shown>,
    caller: Caller,
    stopping: Option<Stopping>,
    heartbeat_every: Duration,
    _place: Place,
}

impl Watcher {
    /// The next message, or a heartbeat where there is none for long; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        let next = tokio::select! {
            biased;
            changed = self.answers.changed() => {
                changed.ok()?;
                message(&self.answers.borrow_and_update())
            }
            () = stopped(self.stopping.as_mut()) => return None,
            () = tokio::time::sleep(self.heartbeat_every) => Event::DEFAULT_KEEP_ALIVE,
        };
        if let Err(problem) = self.caller.may_still() {
            let request_id = self.caller.request_id.as_str();
            tracing::info!(request_id, cause = problem.cause(), "a stream of /live ends");
            return None;
        }
        Some(next)
    }
}

fn message(shown: &Shown) -> Event {
    Event::default().event("live").id(shown.at.to_string()).data(&*shown.json)
}

async fn stopped(stopping: Option<&mut Stopping>) {
    match stopping {
        Some(stopping) => stopping.wait().await,
        None => std::future::pending().await,
    }
}
