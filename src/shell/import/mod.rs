//! `metronome import`: log files → lines → sorted by time → batches to the server (or the folder opened here).
//! - Lines are sorted over all files before the first is sent, so that an import is a function of its lines alone.
//! - Files are read twice at the most: lines go through memory, or through unnamed temporary files past a bound.
//! - Absent: what a line means and its id; the server says ([`crate::jobs`]).

mod lines;
mod progress;
mod sort;
mod summary;

use super::ShellError;
use super::args::Import;
use super::client::Client;
use crate::clock::Millis;
use crate::normalize::access_line::{self, Fields, LineFormat};
use crate::normalize::{Limits, time};
use axum::http::Method;
use lines::{Line, Lines};
pub use progress::Progress;
use serde_json::{Value, json};
use sort::{RUN_BYTES_MAX, Sorted, Sorter, Timed};
use std::path::{Path, PathBuf};
pub(super) use summary::Place;
pub use summary::Summary;

/// Lines by which a format is found.
pub(super) const DETECT_LINES: usize = 20;
/// Lines and bytes of one request at the most; below the server's bounds.
const BATCH_LINES_MAX: usize = 5_000;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// A file, or the beginning of one that still grows.
pub(super) struct Part {
    /// Which.
    pub path: PathBuf,
    /// How much of it, where not all.
    pub bytes: Option<u64>,
}

/// A file with its format.
struct Source {
    path: PathBuf,
    format: LineFormat,
}

/// Brings the files in and tells what came of them.
pub async fn run(client: &Client, asked: &Import, progress: &mut Progress) -> Result<Summary, ShellError> {
    let parts: Vec<Part> = asked.files.iter().map(|path| Part { path: path.clone(), bytes: None }).collect();
    let format = asked.format.as_deref().and_then(LineFormat::named);
    bring(client, &asked.site, format.as_ref(), &parts, progress).await
}

/// Brings in what these parts hold, in this format or that of each one's first lines.
pub(super) async fn bring(
    client: &Client,
    site: &str,
    format: Option<&LineFormat>,
    parts: &[Part],
    progress: &mut Progress,
) -> Result<Summary, ShellError> {
    let mut sorter = Sorter::new(RUN_BYTES_MAX);
    let mut sources = Vec::new();
    let mut total = 0;
    for part in parts {
        progress.reading(&part.path);
        total += read_file(part, format, &mut sources, &mut sorter)?;
    }
    let sorted = sorter.finish().map_err(ShellError::Sort)?;
    let begun = client.ask(Method::POST, "/imports", json!({"site": site}).to_string().into_bytes()).await?;
    let id = parse(&begun)?["id"].as_u64().unwrap_or_default();
    let mut import = Sending { client, id, sources: &sources, summary: Summary::default() };
    progress.sending(total);
    import.send_all(sorted, progress).await?;
    progress.sealing();
    let ended = client.ask(Method::POST, &format!("/imports/{}/end", import.id), Vec::new()).await?;
    import.summary.sealed(&parse(&ended)?);
    progress.finish();
    Ok(import.summary)
}

/// Puts every line of a file into the sorter; gives back how many there were. A file that names its columns anew is a new
/// source from there on.
fn read_file(
    part: &Part,
    named: Option<&LineFormat>,
    sources: &mut Vec<Source>,
    sorter: &mut Sorter,
) -> Result<u64, ShellError> {
    let path = &part.path;
    let failed = |source| ShellError::Read { path: path.clone(), source };
    let mut lines = Lines::open(path, part.bytes).map_err(failed)?;
    let mut first = Vec::new();
    while first.len() < DETECT_LINES
        && let Some(line) = lines.next_line().map_err(failed)?
    {
        first.push(line);
    }
    let mut format = format_of(path, named, &first)?;
    sources.push(Source { path: path.clone(), format: format.clone() });
    let limits = Limits::default();
    let mut first = first.into_iter();
    let mut count = 0;
    while let Some(line) = first.next().map_or_else(|| lines.next_line(), |line| Ok(Some(line))).map_err(failed)? {
        if access_line::is_comment(&line.bytes, &format) {
            if let Some(fields) = Fields::parse(&line.bytes) {
                format = LineFormat::CloudFront(fields);
                sources.push(Source { path: path.clone(), format: format.clone() });
            }
            continue;
        }
        count += 1;
        let at = time_of(&line.bytes, &format, &limits).unwrap_or(Millis::MAX);
        let file = u32::try_from(sources.len() - 1).unwrap_or(u32::MAX);
        sorter.push(Timed { at, bytes: line.bytes, file, number: line.number }).map_err(ShellError::Sort)?;
    }
    Ok(count)
}

fn format_of(path: &Path, named: Option<&LineFormat>, first: &[Line]) -> Result<LineFormat, ShellError> {
    let lines: Vec<&[u8]> = first.iter().map(|line| line.bytes.as_slice()).collect();
    let found = match named {
        Some(format) => Some(format.clone()),
        None if lines.is_empty() => Some(LineFormat::Combined),
        None => access_line::detect(lines),
    };
    let why = "the format is not found from its first lines; name it with --format".to_owned();
    found.ok_or_else(|| ShellError::Format { path: path.to_owned(), why })
}

/// When a line happened, where it says so; lines that do not come last.
pub(super) fn time_of(line: &[u8], format: &LineFormat, limits: &Limits) -> Option<Millis> {
    access_line::read(line, format, limits).ok().as_ref().and_then(time::said)
}

/// One import under way.
struct Sending<'a> {
    client: &'a Client,
    id: u64,
    sources: &'a [Source],
    summary: Summary,
}

impl Sending<'_> {
    async fn send_all(&mut self, sorted: Sorted, progress: &mut Progress) -> Result<(), ShellError> {
        let mut batch: Vec<Timed> = Vec::new();
        let mut bytes = 0;
        for line in sorted {
            let line = line.map_err(ShellError::Sort)?;
            let other_format = batch.last().is_some_and(|last| self.format(last) != self.format(&line));
            if other_format || batch.len() >= BATCH_LINES_MAX || bytes + line.bytes.len() > BATCH_BYTES_MAX {
                self.send(&std::mem::take(&mut batch), progress).await?;
                bytes = 0;
            }
            bytes += line.bytes.len() + 1;
            batch.push(line);
        }
        self.send(&batch, progress).await
    }

    fn format(&self, line: &Timed) -> &LineFormat {
        &self.sources[line.file as usize].format
    }

    async fn send(&mut self, batch: &[Timed], progress: &mut Progress) -> Result<(), ShellError> {
        let Some(first) = batch.first() else { return Ok(()) };
        let format = self.format(first);
        let path = format!("/imports/{}/lines?format={}", self.id, format.name());
        // A format with a heading has it as the first line of each batch.
        let heading = format.heading();
        let mut body = Vec::with_capacity(batch.iter().map(|line| line.bytes.len() + 1).sum());
        for line in heading.iter().map(String::as_bytes).chain(batch.iter().map(|line| line.bytes.as_slice())) {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
        let answer = parse(&self.client.ask(Method::POST, &path, body).await?)?;
        // All of it is told at the end.
        let _ = self.summary.add(&answer, |at| {
            let line = &batch[at.saturating_sub(heading.iter().len()).min(batch.len() - 1)];
            let name = format!("{}:{}", self.sources[line.file as usize].path.display(), line.number);
            (Place { file: line.file, line: line.number }, name)
        });
        progress.sent(batch.len() as u64);
        Ok(())
    }
}

/// An answer of the server's.
pub(super) fn parse(body: &[u8]) -> Result<Value, ShellError> {
    serde_json::from_slice(body).map_err(|error| ShellError::Answer(error.to_string()))
}
