//! `metronome import --follow`: lines as they are written, through rotation, each once.
//! - What a log holds when it is first followed is brought in as `import` does; from there on lines go to the server as they come.
//! - A place is remembered after the server has synced what was read. Whatever happened in between, a kill of either side too,
//!   lines are sent again from the last `WINDOW_SECONDS` on: their ids tell that they are known.
//! - After every failure it begins again that way, because the server may have counted lines whose answer never came.
//! - A server that is away is waited for, and so is a log. What ends it is a refusal that stays: a key, a site, a file that cannot grow.
//! - Files are looked at every [`LOOK_EVERY`]: right on every file system, at the cost of a few calls a second.
//! - Absent: ids and their repetitions, and what a line means; the server says.

mod backlog;
mod head;
mod log;
mod place;
mod siblings;
mod tail;
mod window;

use super::ShellError;
use super::args::Import;
use super::client::Client;
use super::import::{self, Part, Place as Line, Progress, Summary};
use crate::clock::{Clock, Millis};
use crate::normalize::Limits;
use crate::normalize::access_line::{self, Fields, LineFormat};
use axum::http::Method;
use backlog::Backlog;
use log::Log;
use place::{Place, PlaceFile};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tail::Chunk;

/// How often files are looked at that had nothing new.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Logs followed by one command.
const LOGS_MAX: usize = 100;
/// The first pause after a failure; each further one is twice as long, up to the last.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Follows logs until it is dropped, or until what fails will fail again. What came of it so far is [`Follow::summary`].
pub struct Follow<'a> {
    client: &'a Client,
    clock: Clock,
    site: String,
    format: Option<LineFormat>,
    logs: Vec<Followed>,
    summary: Summary,
    /// What failed last, as long as nothing worked since.
    failed: Option<String>,
}

struct Followed {
    log: Log,
    file: PlaceFile,
    /// Where it was when it was opened.
    first: Place,
    /// Whether it was followed before, or its backlog brought in.
    is_placed: bool,
    /// The format of its lines, as last found.
    format: Option<LineFormat>,
    /// Why its files could not be read, as last said.
    told: String,
}

impl<'a> Follow<'a> {
    /// What was asked for, from where it was left; `places` is the folder that remembers it.
    ///
    /// # Errors
    /// What cannot be followed: standard input, a folder, too many logs.
    pub fn open(client: &'a Client, asked: &Import, places: &Path, clock: Clock) -> Result<Self, ShellError> {
        let server = asked.through.to.clone().unwrap_or_default();
        let mut logs = Vec::new();
        for path in &asked.files {
            let refused = |why: &str| Err(ShellError::Format { path: path.clone(), why: why.to_owned() });
            if logs.len() == LOGS_MAX {
                return refused("one command follows 100 logs at the most");
            }
            if path == Path::new("-") || path.is_dir() {
                return refused("only a log file can be followed");
            }
            let path = std::path::absolute(path).map_err(|source| ShellError::Read { path: path.clone(), source })?;
            let file = PlaceFile::of(places, &path, &server, &asked.site);
            logs.push(Followed::at(&path, file)?);
        }
        let format = asked.format.as_deref().and_then(LineFormat::named);
        Ok(Self { client, clock, site: asked.site.clone(), format, logs, summary: Summary::default(), failed: None })
    }

    /// Follows. Never ends well: whoever has enough drops it.
    ///
    /// # Errors
    /// A refusal that stays.
    pub async fn run(&mut self, progress: &mut Progress) -> Result<(), ShellError> {
        let mut pause = PAUSE_MIN;
        loop {
            let mut is_well = false;
            let Err(error) = self.session(progress, &mut is_well).await;
            if !passes(&error) {
                return Err(error);
            }
            if is_well {
                pause = PAUSE_MIN;
            }
            if self.failed.is_none() {
                say(&format!("{error}; trying again until it is taken"));
            }
            self.failed = Some(error.to_string());
            self.logs.iter_mut().for_each(|followed| followed.log.rewind());
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// What came of the lines so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    async fn session(&mut self, progress: &mut Progress, is_well: &mut bool) -> Result<Never, ShellError> {
        self.bring_backlog(progress).await?;
        let id = self.begin().await?;
        loop {
            let sent = self.round(id).await?;
            *is_well |= sent;
            if !sent {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Brings in what logs that were never followed hold, all in one import; what is there is known from then on.
    async fn bring_backlog(&mut self, progress: &mut Progress) -> Result<(), ShellError> {
        let mut parts = Vec::new();
        let mut brought = Vec::new();
        for (at, followed) in self.logs.iter_mut().enumerate().filter(|(_, followed)| !followed.is_placed) {
            // One that was turned over before it could be brought in is read from there on, like any other.
            if let Some(backlog) = Backlog::of(&followed.log.path)?.filter(|backlog| backlog.is_of(&followed.first)) {
                parts.push(Part { path: followed.log.path.clone(), bytes: Some(backlog.bytes) });
                brought.push((at, backlog.place));
            }
        }
        if !parts.is_empty() {
            let summary = import::bring(self.client, &self.site, self.format.as_ref(), &parts, progress).await?;
            self.summary.join(summary);
        }
        for (at, place) in brought {
            self.logs[at].file.save(&place).map_err(|source| ShellError::Place { path: place.path.clone(), source })?;
            self.logs[at].first = place;
        }
        for followed in self.logs.iter_mut().filter(|followed| !followed.is_placed) {
            followed.log = Log::at(&followed.first.path, &followed.first);
            followed.is_placed = true;
            say(&format!("following {}", followed.log.path.display()));
        }
        Ok(())
    }

    /// Begins to send lines as they come; answers the name that the server gives it.
    async fn begin(&self) -> Result<u64, ShellError> {
        let asked = json!({"site": self.site, "live": true}).to_string().into_bytes();
        let begun = import::parse(&self.client.ask(Method::POST, "/imports", asked).await?)?;
        Ok(begun["id"].as_u64().unwrap_or_default())
    }

    /// Sends the next lines of each log; answers whether there were any.
    async fn round(&mut self, id: u64) -> Result<bool, ShellError> {
        let now = self.clock.now();
        let mut sent = false;
        for at in 0..self.logs.len() {
            if let Some((tail, chunk)) = self.logs[at].next(now) {
                self.send(id, at, tail, &chunk).await?;
                sent = true;
            }
        }
        Ok(sent)
    }

    async fn send(&mut self, id: u64, log: usize, tail: usize, chunk: &Chunk) -> Result<(), ShellError> {
        let followed = &mut self.logs[log];
        let format = self.format.clone().unwrap_or_else(|| followed.format_of(tail));
        let mut body = format.heading().map(|heading| heading + "\n").unwrap_or_default().into_bytes();
        let before = body.iter().filter(|byte| **byte == b'\n').count();
        body.extend_from_slice(&chunk.bytes);
        let path = format!("/imports/{id}/lines?format={}", format.name());
        let answer = import::parse(&self.client.ask(Method::POST, &path, body).await?)?;
        followed.taken(tail, chunk, &format)?;
        self.tell(log, chunk, before, &answer);
        Ok(())
    }

    /// Adds an answer to what came of it, and says what nobody was told yet.
    fn tell(&mut self, log: usize, chunk: &Chunk, before: usize, answer: &Value) {
        let path = self.logs[log].log.path.display();
        let news = self.summary.add(answer, |at| {
            let lines = chunk.bytes.split_inclusive(|byte| *byte == b'\n').take(at.saturating_sub(before));
            let byte = chunk.from + lines.map(|line| line.len() as u64).sum::<u64>();
            (Line { file: u32::try_from(log).unwrap_or(u32::MAX), line: byte }, format!("{path}, byte {byte}"))
        });
        for line in news {
            say(&format!("refused: {line} (further ones like it are only counted)"));
        }
        if let Some(error) = self.failed.take() {
            say(&format!("taken again, after: {error}"));
        }
    }
}

impl Followed {
    /// A log from where it was left; what is seen for the first time is remembered at once.
    fn at(path: &Path, file: PlaceFile) -> Result<Self, ShellError> {
        let first = match file.load() {
            Some(place) => place,
            None => {
                let place = Backlog::first_place(path)?;
                file.save(&place).map_err(|source| ShellError::Place { path: path.to_owned(), source })?;
                place
            }
        };
        let (log, is_placed) = (Log::at(path, &first), !first.is_first);
        Ok(Self { log, file, first, is_placed, format: None, told: String::new() })
    }

    /// The next lines, and of which file. What cannot be read is said once, and tried again.
    fn next(&mut self, now: Millis) -> Option<(usize, Chunk)> {
        let read = self.log.read(now);
        self.log.notes().into_iter().for_each(|note| say(&note));
        let name = self.log.path.display();
        let told = read.as_ref().err().map(|error| format!("{name}: {error}; trying again")).unwrap_or_default();
        if !told.is_empty() && told != self.told {
            say(&told);
        }
        self.told = told;
        read.unwrap_or_default()
    }

    /// The format of a file's lines, found from its first; else that of the file before it.
    fn format_of(&mut self, tail: usize) -> LineFormat {
        let Some(tail) = self.log.tails.get_mut(tail) else { return LineFormat::Combined };
        if tail.format.is_none() {
            let first = tail.first_lines().unwrap_or_default();
            let whole = memchr::memrchr(b'\n', &first).map_or(&first[..], |end| &first[..end]);
            let lines = whole.split(|byte| *byte == b'\n').take(import::DETECT_LINES);
            tail.format = access_line::detect(lines);
        }
        if tail.format.is_some() {
            self.format.clone_from(&tail.format);
        }
        self.format.clone().unwrap_or(LineFormat::Combined)
    }

    /// The server has synced these lines.
    fn taken(&mut self, tail: usize, chunk: &Chunk, format: &LineFormat) -> Result<(), ShellError> {
        if let Some(tail) = self.log.tails.get_mut(tail) {
            let limits = Limits::default();
            let second = |line: &[u8]| import::time_of(line, format, &limits).map(|at| at.div_euclid(1000));
            tail.taken(chunk, second);
            if matches!(format, LineFormat::CloudFront(_))
                && let Some(fields) = chunk.lines().filter_map(|(_, line)| Fields::parse(line)).last()
            {
                tail.format = Some(LineFormat::CloudFront(fields));
            }
        }
        let place = self.log.place();
        self.file.save(&place).map_err(|source| ShellError::Place { path: place.path, source })
    }
}

/// What never is.
enum Never {}

/// Whether a failure may pass by itself.
fn passes(error: &ShellError) -> bool {
    match error {
        ShellError::Ask { .. } | ShellError::Place { .. } => true,
        // The server was started anew, or forgot for others: it is begun again.
        ShellError::Refused { status, .. } => *status >= 500 || matches!(status, 404 | 408 | 429),
        _ => false,
    }
}

fn say(what: &str) {
    eprintln!("{what}");
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
