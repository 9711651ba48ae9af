//! Framing: where the values of a stream of JSON begin and end, in whatever pieces it comes.
//! - Every byte is looked at once, however it is cut.
//! - An object ends with its last bracket: several may stand on a line, one may go over several. The members of an array
//!   are values of their own. Space and NUL part values.
//! - An object that cannot go on (a text that is not closed on its line, a bracket where none may stand) ends with its line:
//!   the next line stands for itself.
//! - What begins neither as object nor as array is text, and ends with its line.
//! - A value beyond the bound is told once and passed over to its end, and takes no room.
//! - Absent: whether a value is valid (`normalize::json`).

use std::ops::Range;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A piece of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// An object, or what began as one.
    Object(Range<usize>),
    /// An entry of MessagePack.
    Entry(Range<usize>),
    /// A line that is none, without its ending.
    Text(Range<usize>),
    /// More bytes than a value may have; they are passed over.
    TooLarge,
}

/// Finds the frames of one stream in a buffer of its bytes, which grows behind and is cut off in front.
#[derive(Debug)]
pub struct Framer {
    bytes_max: usize,
    /// Where the value at hand begins; what lies before is done with.
    start: usize,
    /// Up to where bytes were looked at.
    at: usize,
    state: State,
    in_array: bool,
    /// Whether the value at hand is one beyond the bound.
    is_passing: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Between,
    /// Behind a `[` of which is not known what it begins.
    Bracket,
    Object(Object),
    /// To the end of the line.
    Line(Kind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Text,
}

/// An object that is not yet closed.
#[derive(Debug, Clone, Copy, Default)]
struct Object {
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    /// The last byte outside of texts that is no space.
    last: u8,
    /// Where the line behind `last` begins, once it does.
    line: Option<usize>,
}

/// How far an object goes.
enum End {
    /// It ends before this byte.
    At(usize),
    /// It is none, and ends with its line.
    WithItsLine,
    /// Not within these bytes.
    Later,
}

impl Framer {
    /// For values of so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, start: 0, at: 0, state: State::Between, in_array: false, is_passing: false }
    }

    /// The next frame in the buffer; `None` where it needs more bytes.
    pub fn next(&mut self, buffer: &[u8]) -> Option<Frame> {
        loop {
            match self.state {
                State::Between => {
                    if !self.between(buffer) {
                        return None;
                    }
                }
                State::Bracket => {
                    if !self.bracket(buffer) {
                        return None;
                    }
                }
                State::Object(mut object) => {
                    let end = object.scan(buffer, &mut self.at);
                    self.state = State::Object(object);
                    match end {
                        End::At(end) => {
                            if let Some(frame) = self.end(Kind::Object, end, end) {
                                return Some(frame);
                            }
                        }
                        End::WithItsLine => self.state = State::Line(Kind::Object),
                        End::Later => return self.wait(),
                    }
                }
                State::Line(kind) => match memchr::memchr(b'\n', &buffer[self.at..]) {
                    Some(found) => {
                        let end = self.at + found;
                        if let Some(frame) = self.end(kind, end, end + 1) {
                            return Some(frame);
                        }
                    }
                    None => {
                        self.at = buffer.len();
                        return self.wait();
                    }
                },
            }
        }
    }

    /// The frame that the end of the stream ends.
    pub fn finish(&mut self) -> Option<Frame> {
        match self.state {
            State::Between => None,
            State::Object(_) | State::Line(Kind::Object) => self.end(Kind::Object, self.at, self.at),
            State::Bracket | State::Line(Kind::Text) => self.end(Kind::Text, self.at, self.at),
        }
    }

    /// How many bytes in front of the buffer are done with. They are to be cut off: from then on all counts without them.
    pub fn take_done(&mut self) -> usize {
        let done = std::mem::take(&mut self.start);
        self.at -= done;
        if let State::Object(Object { line: Some(line), .. }) = &mut self.state {
            *line = line.saturating_sub(done);
        }
        done
    }

    /// Goes to the next value; whether there is one.
    fn between(&mut self, buffer: &[u8]) -> bool {
        while let Some(byte) = buffer.get(self.at) {
            self.start = self.at;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | 0 => self.at += 1,
                b',' if self.in_array => self.at += 1,
                b']' if self.in_array => {
                    self.in_array = false;
                    self.at += 1;
                }
                b'{' => {
                    self.state = State::Object(Object::default());
                    return true;
                }
                b'[' => {
                    self.at += 1;
                    self.state = State::Bracket;
                    return true;
                }
                0xEF if buffer[self.at..].starts_with(BOM) => self.at += BOM.len(),
                0xEF if BOM.starts_with(&buffer[self.at..]) => return false,
                _ => {
                    self.state = State::Line(Kind::Text);
                    return true;
                }
            }
        }
        self.start = self.at;
        false
    }

    /// Finds out what a `[` begins; whether it can be told.
    fn bracket(&mut self, buffer: &[u8]) -> bool {
        let space = buffer[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += space;
        match buffer.get(self.at) {
            Some(b'{' | b']') => {
                self.in_array = true;
                self.state = State::Between;
            }
            Some(_) => {
                self.at = self.start;
                self.state = State::Line(Kind::Text);
            }
            None if self.at - self.start > self.bytes_max => {
                self.in_array = true;
                self.state = State::Between;
            }
            None => return false,
        }
        true
    }

    /// Ends the value at hand; what comes next begins at `next`.
    fn end(&mut self, kind: Kind, end: usize, next: usize) -> Option<Frame> {
        let range = self.start..end;
        (self.start, self.at, self.state) = (next, next, State::Between);
        if std::mem::take(&mut self.is_passing) {
            return None;
        }
        Some(match kind {
            Kind::Object => Frame::Object(range),
            Kind::Text => Frame::Text(range),
        })
    }

    /// The value goes on behind the buffer: tells once that it is too large, and lets go of it then.
    fn wait(&mut self) -> Option<Frame> {
        if self.is_passing {
            self.start = self.at;
            return None;
        }
        if self.at - self.start <= self.bytes_max {
            return None;
        }
        self.is_passing = true;
        self.start = self.at;
        Some(Frame::TooLarge)
    }
}

impl Object {
    /// Follows brackets and texts from `at` on.
    fn scan(&mut self, buffer: &[u8], at: &mut usize) -> End {
        while let Some(byte) = buffer.get(*at) {
            if self.in_text {
                if self.text(buffer, at) {
                    return End::At(*at);
                }
                continue;
            }
            *at += 1;
            match byte {
                b' ' | b'\t' | b'\r' => continue,
                b'\n' => {
                    self.line.get_or_insert(*at);
                    continue;
                }
                b'"' => self.in_text = true,
                b'{' | b'[' if self.depth > 0 && !matches!(self.last, b',' | b':' | b'[') => {
                    return self.line.map_or(End::WithItsLine, End::At);
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth == 1 => return End::At(*at),
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            (self.last, self.line) = (*byte, None);
        }
        End::Later
    }

    /// Follows a text; whether its line ends before it does.
    fn text(&mut self, buffer: &[u8], at: &mut usize) -> bool {
        if std::mem::take(&mut self.is_escaped) {
            *at += 1;
            return false;
        }
        let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', &buffer[*at..]) else {
            *at = buffer.len();
            return false;
        };
        *at += found + 1;
        match buffer[*at - 1] {
            b'"' => self.in_text = false,
            b'\\' => self.is_escaped = true,
            _ => return true,
        }
        false
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
