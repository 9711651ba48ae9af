//! Taking: the actions of a body through the write path, and what became of each.
//! - Where there is no room the sender is held, up to [`Parts::hold_max`] after its request came, and nothing is kept for it but its
//!   body: it is read again for each attempt.
//! - A body may hold more events than a batch: it goes in several, and what a batch took stays taken.
//! - The answer's room is held before anything is taken: what was taken can be answered.
//! - Absent: how that is answered (`items`, `document`, `push_back`).

use super::bulk::{Action, Head, Malformed, Op, actions};
use super::errors::Fault;
use super::hold::Hold;
use super::{Parts, items};
use crate::error::Kind;
use crate::event::{RawEvent, Text, Value};
use crate::http::{Body, Caller, Problem, Type};
use crate::ingest::{Item, Receipt};
use crate::net::Share;
use crate::normalize::json;
use crate::normalize::{Limits, Reason, Receiver, Rejection, Sender};
use axum::http::StatusCode;

/// Actions of one request; each costs an item of the answer.
pub(super) const ACTIONS_MAX: usize = 50_000;

/// Bodies beyond this are read off the runtime's threads.
const INLINE_BYTES_MAX: usize = 256 * 1024;

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Taken, at this position of the journal.
    Created(u64),
    /// One of its id was taken before.
    Known,
    /// Left out as configured, which is no fault.
    LeftOut,
    /// Not taken, and never will be.
    Refused(Box<Fault>),
    /// Not taken for now.
    Waiting,
}

/// What a body holds: one document, or actions.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Actions, whose index this is where they name none.
    Bulk(Option<Text>),
    /// The document of one action.
    Document(Head),
}

/// Actions as they were read, and what became of them.
#[derive(Debug)]
pub(super) struct Taken {
    pub heads: Vec<Head>,
    pub outcomes: Vec<Outcome>,
    /// Why some of them wait.
    pub no_room: Option<Problem>,
    /// Room for the answer.
    pub share: Share,
}

/// Why nothing was taken.
#[derive(Debug)]
pub(super) enum Untaken {
    /// The body's fault.
    Fault(Fault),
    /// A failure of ours that no waiting mends.
    Failed(Problem),
}

/// A body read: what is settled already, and the events that are not.
#[derive(Debug, Default)]
struct Read {
    heads: Vec<Head>,
    outcomes: Vec<Outcome>,
    items: Vec<Item>,
}

/// Takes what a body holds.
pub(super) async fn take(
    parts: &Parts,
    caller: &Caller,
    mut hold: Hold,
    mut body: Body,
    content: Content,
) -> Result<Taken, Untaken> {
    let share = parts.http.bodies.share();
    let mut taken = Taken { heads: Vec::new(), outcomes: Vec::new(), no_room: None, share };
    let mut done = 0;
    loop {
        let turn = parts.http.bodies.turn(&body).await.map_err(Untaken::Failed)?;
        let read;
        (body, read) = self::read(parts, body, content.clone(), done).await?;
        if taken.heads.is_empty() {
            (taken.heads, taken.outcomes) = (read.heads, read.outcomes);
        }
        taken.no_room = match taken.share.hold(items::bytes(&taken.heads)) {
            Ok(()) => taken.add(parts, caller, read.items, &mut done).await?,
            Err(full) => Some(Problem::new(Type::Overloaded, full.to_string())),
        };
        drop(turn);
        if taken.no_room.is_none() || !hold.wait().await {
            return Ok(taken);
        }
    }
}

/// The actions of a body none of which is taken.
pub(super) fn untaken(body: &[u8], index: Option<Text>) -> Result<Vec<Head>, Fault> {
    let mut heads = Vec::new();
    for action in actions(body) {
        heads.push(with_index(bounded(action, heads.len())?.head, index.as_ref()));
    }
    Ok(heads)
}

/// Who sends: nothing is known but what its key says.
fn sender<'a>(parts: &Parts, caller: &'a Caller) -> Sender<'a> {
    Sender {
        site: caller.bound(),
        site_forced: caller.bound().is_some(),
        ..Sender::unknown(Receiver::Log, parts.http.clock.now())
    }
}

impl Taken {
    /// Takes events in batches; answers why the rest, from `done` on, could not be taken.
    async fn add(
        &mut self,
        parts: &Parts,
        caller: &Caller,
        items: Vec<Item>,
        done: &mut usize,
    ) -> Result<Option<Problem>, Untaken> {
        let mut items = items.into_iter();
        while items.len() > 0 {
            let batch: Vec<Item> = items.by_ref().take(parts.http.batch_events_max).collect();
            let places: Vec<usize> = batch.iter().map(|item| item.at).collect();
            match parts.http.ingest.take(batch, sender(parts, caller)).await {
                Ok(receipt) => {
                    parts.counts.taken(&receipt);
                    self.settle(&places, receipt);
                }
                Err(error) => {
                    let problem = Problem::failed(error.kind(), &error);
                    *done = places.first().copied().unwrap_or_default();
                    // The first failing write of a disk is an internal error, those after it say that it is closed.
                    let may_wait = !matches!(error.kind(), Kind::Invalid | Kind::Unsupported);
                    return if may_wait { Ok(Some(problem)) } else { Err(Untaken::Failed(problem)) };
                }
            }
        }
        Ok(None)
    }

    /// Notes what became of the actions at these places.
    fn settle(&mut self, places: &[usize], receipt: Receipt) {
        for at in receipt.duplicates_at {
            self.outcomes[at] = Outcome::Known;
        }
        for rejected in receipt.rejected {
            let (at, is_filter) = (rejected.at, rejected.reason.is_filter());
            self.outcomes[at] =
                if is_filter { Outcome::LeftOut } else { Outcome::Refused(Box::new(Fault::of(rejected))) };
        }
        let mut positions = receipt.positions;
        for at in places {
            if self.outcomes[*at] == Outcome::Waiting
                && let Some(position) = positions.next()
            {
                self.outcomes[*at] = Outcome::Created(position);
            }
        }
    }
}

/// Reads a body from the action at `from` on.
async fn read(parts: &Parts, body: Body, content: Content, from: usize) -> Result<(Body, Read), Untaken> {
    let (limits, is_small) = (parts.http.limits.clone(), body.len() <= INLINE_BYTES_MAX);
    let work = move || {
        let read = match content {
            Content::Bulk(index) => Read::bulk(&body, index, from, &limits),
            Content::Document(head) => Ok(Read::document(head, &body, &limits)),
        };
        read.map(|read| (body, read))
    };
    let read = if is_small {
        work()
    } else {
        let broken = |_| Untaken::Failed(Problem::new(Type::Internal, "the body could not be read"));
        tokio::task::spawn_blocking(work).await.map_err(broken)?
    };
    read.map_err(Untaken::Fault)
}

impl Read {
    fn bulk(body: &[u8], index: Option<Text>, from: usize, limits: &Limits) -> Result<Self, Fault> {
        let mut read = Self::default();
        for (at, action) in actions(body).enumerate() {
            let Action { head, document } = bounded(action, at)?;
            read.add(with_index(head, index.as_ref()), document, at >= from, limits);
        }
        if read.heads.is_empty() {
            return Err(Fault::new(StatusCode::BAD_REQUEST, "parse_exception", "request body is required"));
        }
        Ok(read)
    }

    fn document(head: Head, document: &[u8], limits: &Limits) -> Self {
        let mut read = Self::default();
        read.add(head, Some(document), true, limits);
        read
    }

    fn add(&mut self, head: Head, document: Option<&[u8]>, is_due: bool, limits: &Limits) {
        let at = self.heads.len();
        let outcome = match refused(&head, document) {
            Some(fault) => Outcome::Refused(Box::new(fault)),
            None => {
                if let Some(document) = document.filter(|_| is_due) {
                    self.items.push(Item { at, raw: event(&head, document, limits) });
                }
                Outcome::Waiting
            }
        };
        self.heads.push(head);
        self.outcomes.push(outcome);
    }
}

fn bounded<'b>(action: Result<Action<'b>, Malformed>, at: usize) -> Result<Action<'b>, Fault> {
    if at >= ACTIONS_MAX {
        let reason = format!("the body holds more than {ACTIONS_MAX} actions; send it in parts");
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "content_too_long_exception", reason));
    }
    action.map_err(|malformed| Fault::unfit(malformed.to_string()))
}

fn with_index(mut head: Head, index: Option<&Text>) -> Head {
    head.index = head.index.or_else(|| index.cloned());
    head
}

/// What an action asks for that is not done, whatever its document says.
fn refused(head: &Head, document: Option<&[u8]>) -> Option<Fault> {
    let reason = match (head.op, document) {
        (Op::Update | Op::Delete, _) => {
            format!("{} is not done here: events are added, and stay as they are", head.op.name())
        }
        (_, None) => "no document follows the action".to_owned(),
        _ if head.id.as_deref() == Some("") => "_id is empty: leave it out, or give it a text".to_owned(),
        _ => return None,
    };
    Some(Fault::unfit(reason))
}

/// A document with what its action says of it, where it does not say so itself.
fn event(head: &Head, document: &[u8], limits: &Limits) -> Result<RawEvent, Rejection> {
    if document.is_empty() {
        return Err(Rejection::new(Reason::NotJson, "the document is empty: an event is a JSON object, {} at least"));
    }
    let mut raw = json::read(document, limits)?;
    let lacks = |raw: &RawEvent, keys: &[&str]| keys.iter().all(|key| raw.get(key).is_none());
    if let Some(id) = head.id.as_ref().filter(|_| lacks(&raw, &["event_id", "event.id"])) {
        raw.fields.push(("event_id".into(), Value::Text(id.clone())));
    }
    if let Some(index) = head.index.as_ref().filter(|_| lacks(&raw, &["site", "index"])) {
        raw.fields.push(("index".into(), Value::Text(index.clone())));
    }
    Ok(raw)
}
