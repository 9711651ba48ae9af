//! Detection: a log's format out of its first lines.
//! - Of one line alone, as a live receiver has it, [`detect_line`] tells what can be told.
//! - The format that reads most of them, the more telling one among equals; none where no line is read by any.

use super::{Fields, LineFormat, read};
use crate::normalize::{Limits, time};

/// The format of a log that begins with these lines.
pub fn detect<'a>(first_lines: impl IntoIterator<Item = &'a [u8]>) -> Option<LineFormat> {
    let lines: Vec<&[u8]> = first_lines.into_iter().filter(|line| !line.trim_ascii().is_empty()).collect();
    if let Some(fields) = lines.iter().find_map(|line| Fields::parse(line)) {
        return Some(LineFormat::CloudFront(fields));
    }
    let limits = Limits::default();
    let formats = [
        LineFormat::Json,
        LineFormat::TagTab,
        LineFormat::Vhost,
        LineFormat::Combined,
        LineFormat::Common,
        LineFormat::CloudFront(Fields::default()),
    ];
    let count = |format: &LineFormat| lines.iter().filter(|line| reads(line, format, &limits)).count();
    let mut best: Option<(usize, LineFormat)> = None;
    for format in formats {
        let read = count(&format);
        if read > best.as_ref().map_or(0, |(most, _)| *most) {
            best = Some((read, format));
        }
    }
    best.map(|(_, format)| format)
}

/// The format of one line of the common log's family, by its time and its words alone; `None` for any other line.
pub fn detect_line(line: &[u8]) -> Option<LineFormat> {
    let open = memchr::memmem::find(line, b" [")?;
    let inside = &line[open + 2..];
    let close = memchr::memchr(b']', inside)?;
    let is_time = std::str::from_utf8(&inside[..close]).is_ok_and(|text| time::read_text(text).is_some());
    if !is_time || quotes(&inside[close..]) == 0 {
        return None;
    }
    // A user may hold spaces: a virtual host is told by the address behind it, where `-` stands in the other formats.
    let mut words = line[..open].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (ident, others) = (words.nth(1)?, words.count());
    match others {
        0 => None,
        1 if quotes(line) > 2 => Some(LineFormat::Combined),
        1 => Some(LineFormat::Common),
        2 if ident != b"-" => Some(LineFormat::Vhost),
        _ if ident == b"-" => Some(LineFormat::Combined),
        _ => None,
    }
}

/// Whether a line is plainly of a format: the looser ones ask for what tells them apart.
fn reads(line: &[u8], format: &LineFormat, limits: &Limits) -> bool {
    let Ok(raw) = read(line, format, limits) else { return false };
    match format {
        // `host ident user` before the time is three words in combined and four behind a virtual host.
        LineFormat::Vhost => raw.get("url_host").is_some() && words_before_time(line) == 4,
        LineFormat::Combined => words_before_time(line) == 3 && quotes(line) > 2,
        LineFormat::Common => words_before_time(line) == 3,
        _ => true,
    }
}

fn words_before_time(line: &[u8]) -> usize {
    let end = memchr::memmem::find(line, b" [").unwrap_or(line.len());
    line[..end].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count()
}

fn quotes(line: &[u8]) -> usize {
    memchr::memchr_iter(b'"', line).count()
}
