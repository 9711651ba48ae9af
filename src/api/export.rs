//! `/events.ndjson`: the events of a range as a stream, newest first, one a line as `/events.json` shows it.
//! - One page is in memory at a time; the next one is asked for when the client has taken it, and never if the client left.
//! - Each page is a question of its own, within the bounds of questions: between two of them others have their turn.
//! - Before each page is given it is asked whether the caller still may: with its key the body breaks off.
//! - What fails before the first line is a problem. Later the body breaks off: the connection ends without the last chunk, so
//!   that no client takes a part for the whole.

use super::Parts;
use super::ask::{Asked, Wanted, known, marked};
use super::events::searched;
use super::format::typed;
use super::streams::Place;
use crate::event::Event;
use crate::http::query::Parameters;
use crate::http::{Caller, Problem, Type};
use crate::query::scope::of_site;
use crate::store::plan::{Filter, TimeKey, TimeRange};
use crate::store::{Cursor, Page};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use futures_util::stream;
use std::sync::Arc;

/// Events of one page.
const PAGE_EVENTS: usize = 1_000;

/// An export under way.
struct Export {
    parts: Arc<Parts>,
    asked: Asked,
    filter: Filter,
    /// The damaged days that the client was told of.
    damaged: Vec<String>,
    caller: Caller,
    _place: Place,
}

/// What comes next of it.
enum Next {
    Page(Page),
    After(Cursor),
    Nothing,
}

/// `GET /events.ndjson`.
pub(super) async fn export(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(uri.query(), &known(&["q"]))?;
    let asked = Asked::of_events(&parts, &caller, &parameters).await?;
    let filter = of_site(&asked.site, asked.bots).and(asked.only.clone()).and(searched(&parameters)?);
    let place = parts.streams.export()?;
    let damaged = asked.damaged(&parts).await?;
    let export = Export { parts, asked, filter, damaged: damaged.clone(), caller, _place: place };
    // Ahead of the answer, so that what cannot be answered at all is refused in words.
    let first = export.page(None).await.map_err(|problem| problem.about("where"))?;
    let lines = stream::try_unfold((export, Next::Page(first)), |(export, next)| async move {
        let given = export.give(next).await.map_err(|problem| export.broke_off(&problem))?;
        Ok::<_, std::io::Error>(given.map(|(lines, next)| (lines, (export, next))))
    });
    Ok(marked(typed("application/x-ndjson", Body::from_stream(lines)), &damaged))
}

impl Export {
    async fn page(&self, after: Option<&Cursor>) -> Result<Page, Problem> {
        let range = &self.asked.when.range;
        let range = TimeRange { key: TimeKey::Timestamp, from: range.from, to: range.to };
        let page = self.asked.wanted.store(&self.parts).events(&self.filter, range, after, PAGE_EVENTS);
        self.parts.ask("export", page).await
    }

    /// The next lines, and what comes after them.
    async fn give(&self, next: Next) -> Result<Option<(Bytes, Next)>, Problem> {
        let page = match next {
            Next::Page(page) => page,
            Next::After(cursor) => self.page(Some(&cursor)).await?,
            Next::Nothing => return Ok(None),
        };
        self.caller.may_still()?;
        let next = match page.next {
            Some(cursor) => Next::After(cursor),
            None => self.checked().await.map(|()| Next::Nothing)?,
        };
        Ok(Some((lines(&page.events)?, next)))
    }

    /// Refuses to end well where more was found damaged than the client was told.
    async fn checked(&self) -> Result<(), Problem> {
        if self.asked.wanted == Wanted::Sound && self.asked.damaged(&self.parts).await? != self.damaged {
            return Err(Problem::new(Type::Corrupt, "a day of the range was found damaged meanwhile"));
        }
        Ok(())
    }

    fn broke_off(&self, problem: &Problem) -> std::io::Error {
        tracing::warn!(request_id = self.caller.request_id.as_str(), cause = problem.cause(), "an export broke off");
        std::io::Error::other("the export broke off")
    }
}

/// One event a line.
fn lines(events: &[Event]) -> Result<Bytes, Problem> {
    let mut lines = Vec::new();
    for event in events {
        let written = serde_json::to_writer(&mut lines, &event.to_json());
        written.map_err(|error| Problem::failed(crate::error::Kind::Internal, &error))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}
