//! Splitting: where the values of a body begin and end.
//! - A body is one value, an array, one value a line, or objects one after another.
//! - One pass, no recursion, no memory: brackets and strings are followed, nothing is parsed. A body is read at most twice.
//! - What stands on one line is taken or refused together; after a bad line the next one goes on.
//! - An array that is broken is refused from there on.

use super::{BOM, place};
use crate::normalize::{Reason, Rejection};

/// How the values of a body are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Found from the bytes.
    Any,
    /// One value a line.
    Lines,
}

/// A value of a body, still as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its index from 0; where there is one value a line, its line from 1.
    pub at: usize,
    /// The byte of the body at which it begins.
    pub offset: usize,
    /// Its bytes, or why it has none.
    pub bytes: Result<&'a [u8], Rejection>,
}

/// The values of a body, in order.
#[derive(Debug)]
pub struct Parts<'a> {
    body: &'a [u8],
    at: usize,
    state: State,
    /// Values that were yielded, or the line of the next.
    count: usize,
    /// Up to where lines were counted.
    counted: usize,
    /// Up to where this line is known to be whole.
    whole: usize,
    /// Whether a value may go over several lines.
    over_lines: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start(Layout),
    Array,
    /// Values one after another, told by their index.
    Row,
    /// Values told by their line.
    Lines,
    Done,
}

/// The values of a body.
pub fn split(body: &[u8], layout: Layout) -> Parts<'_> {
    let at = if body.starts_with(BOM) { BOM.len() } else { 0 };
    let over_lines = layout == Layout::Any;
    Parts { body, at, state: State::Start(layout), count: 0, counted: 0, whole: 0, over_lines }
}

impl<'a> Parts<'a> {
    fn start(&mut self, layout: Layout) {
        self.at = skip_space(self.body, self.at);
        self.state = match self.body.get(self.at) {
            None => State::Done,
            Some(b'[') if layout == Layout::Any => {
                self.at += 1;
                State::Array
            }
            Some(_) if layout == Layout::Lines => State::Lines,
            Some(_) => self.layout_of_values(),
        };
    }

    /// Values are told by their lines where the second begins on another line than the first ends.
    fn layout_of_values(&self) -> State {
        let Ok(end) = value_end(self.body, self.at, true) else { return State::Lines };
        let next = skip_space(self.body, end);
        let alone = next == self.body.len();
        if alone || !self.body[end..next].contains(&b'\n') { State::Row } else { State::Lines }
    }

    fn fail(&self, what: &str, at: usize) -> Rejection {
        let (line, column) = place(self.body, at);
        Rejection::new(Reason::NotJson, format!("not JSON at line {line} column {column}: {what}"))
    }

    fn element(&mut self) -> Option<Part<'a>> {
        self.at = skip_space(self.body, self.at);
        if self.count == 0 && self.body.get(self.at) == Some(&b']') {
            return self.after_array(self.at + 1);
        }
        let start = self.at;
        let broken = |parts: &mut Self, (at, what): Broken| {
            parts.state = State::Done;
            Some(Part { at: parts.count, offset: at, bytes: Err(parts.fail(what, at)) })
        };
        let end = match value_end(self.body, start, true) {
            Ok(end) => end,
            Err(error) => return broken(self, error),
        };
        let next = skip_space(self.body, end);
        let part = Part { at: self.count, offset: start, bytes: Ok(&self.body[start..end]) };
        self.at = next + 1;
        match self.body.get(next) {
            Some(b',') => self.count += 1,
            Some(b']') => {
                // What follows the array is looked at with the last element, so that none of it is taken in vain.
                self.count += 1;
                if let Some(trailing) = self.after_array(next + 1) {
                    return Some(trailing);
                }
            }
            Some(_) => return broken(self, (next, "expected `,` or `]`")),
            None => return broken(self, (next, "the array is not closed")),
        }
        Some(part)
    }

    fn after_array(&mut self, end: usize) -> Option<Part<'a>> {
        self.state = State::Done;
        let next = skip_space(self.body, end);
        (next < self.body.len()).then(|| {
            let what = "something follows the array";
            Part { at: self.count, offset: next, bytes: Err(self.fail(what, next)) }
        })
    }

    fn value(&mut self) -> Option<Part<'a>> {
        self.at = skip_space(self.body, self.at);
        let start = self.at;
        if start >= self.body.len() {
            self.state = State::Done;
            return None;
        }
        let at = self.number(start);
        let end = value_end(self.body, start, self.over_lines)
            .and_then(|end| if start < self.whole { Ok(end) } else { self.rest_of_line(start, end).map(|()| end) });
        let bytes = match end {
            Ok(end) => {
                self.at = end;
                Ok(&self.body[start..end])
            }
            Err((place, what)) => {
                // A second value that is never closed would be looked for again and again.
                self.over_lines &= place < self.body.len();
                self.at = memchr::memchr(b'\n', &self.body[start..]).map_or(self.body.len(), |next| start + next + 1);
                Err(self.fail(what, place))
            }
        };
        if self.state == State::Row {
            self.count += 1;
        }
        Some(Part { at, offset: start, bytes })
    }

    /// The number of the value that begins at `start`.
    fn number(&mut self, start: usize) -> usize {
        if self.state == State::Row {
            return self.count;
        }
        self.count += memchr::memchr_iter(b'\n', &self.body[self.counted..start]).count();
        self.counted = start;
        self.count + 1
    }

    /// Makes sure that nothing but objects follows to the end of the line on which a value ends.
    fn rest_of_line(&mut self, start: usize, end: usize) -> Result<(), Broken> {
        let mut at = end;
        loop {
            let (next, line_ends) = skip_line(self.body, at);
            if line_ends {
                self.whole = next;
                return Ok(());
            }
            if self.body[next] != b'{' || self.body[start] != b'{' {
                return Err((next, "something follows the value"));
            }
            at = value_end(self.body, next, self.over_lines)?;
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        if let State::Start(layout) = self.state {
            self.start(layout);
        }
        match self.state {
            State::Array => self.element(),
            State::Row | State::Lines => self.value(),
            State::Start(_) | State::Done => None,
        }
    }
}

/// A place, and what is wrong there.
type Broken = (usize, &'static str);

/// Where the value that begins at `start` ends; whether it is valid is not looked at.
fn value_end(body: &[u8], start: usize, over_lines: bool) -> Result<usize, Broken> {
    match body.get(start) {
        Some(b'{' | b'[') => brackets_end(body, start, over_lines),
        Some(b'"') => string_end(body, start),
        _ => {
            let stop = |byte: &u8| byte.is_ascii_whitespace() || b",:[]{}\"".contains(byte);
            match body[start..].iter().position(stop).unwrap_or(body.len() - start) {
                0 => Err((start, "expected a value")),
                length => Ok(start + length),
            }
        }
    }
}

fn brackets_end(body: &[u8], start: usize, over_lines: bool) -> Result<usize, Broken> {
    let (mut depth, mut at) = (0_usize, start);
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => {
                at = string_end(body, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Ok(at + 1),
            b'}' | b']' => depth -= 1,
            b'\n' if !over_lines => return Err((at, "the value is not closed on its line")),
            _ => {}
        }
        at += 1;
    }
    Err((at, "the value is not closed"))
}

fn string_end(body: &[u8], start: usize) -> Result<usize, Broken> {
    let mut at = start + 1;
    while let Some(found) = body.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest)) {
        match body[at + found] {
            b'"' => return Ok(at + found + 1),
            b'\\' => at += found + 2,
            _ => return Err((at + found, "a text is not closed on its line")),
        }
    }
    Err((body.len(), "a text is not closed"))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn skip_space(body: &[u8], at: usize) -> usize {
    body[at..].iter().position(|byte| !is_space(*byte)).map_or(body.len(), |found| at + found)
}

/// Skips the space within a line: where it ends, and whether the line does too.
fn skip_line(body: &[u8], at: usize) -> (usize, bool) {
    let next = body[at..].iter().position(|byte| !is_space(*byte) || *byte == b'\n');
    match next.map(|found| at + found) {
        Some(found) => (found, body[found] == b'\n'),
        None => (body.len(), true),
    }
}
