//! Frames: where a message of a syslog stream begins and ends (RFC 6587), told anew for each message.
//! - A length, a space and a header is a counted message; everything else is a line, which ends with LF or NUL.
//! - A length is believed, never reserved. One beyond [`COUNT_MAX`] is a lie or a nonsense: nothing behind it can be told.
//! - A message beyond the bound is passed over as it comes, and told once.
//! - One LF or NUL at a message's end is none of it, nor is a CR before that.

use crate::receive::Broken;
use std::ops::Range;

/// The longest message that is passed over by its length.
const COUNT_MAX: usize = 16 << 20;
/// Digits of a length; more are a number at the beginning of a line.
const DIGITS_MAX: usize = 10;

/// The messages of one stream.
#[derive(Debug)]
pub struct Frames {
    message_bytes_max: usize,
    passing: Passing,
    /// Whether the last message was a counted one.
    was_counted: bool,
}

/// What is left of a message that is too long.
#[derive(Debug, PartialEq, Eq)]
enum Passing {
    Nothing,
    Bytes(usize),
    Line,
}

/// What stands at the beginning of a stream's bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole message.
    Message {
        /// Where it lies, without its end.
        message: Range<usize>,
        /// Where the next begins.
        end: usize,
    },
    /// The beginning of a message that is too long.
    TooLong {
        /// Where its rest begins.
        end: usize,
    },
    /// What is of no message: the rest of one that is too long.
    Passed {
        /// Where the next begins, or more of the rest.
        end: usize,
    },
    /// Nothing whole yet.
    More,
}

/// How the message at hand says where it ends.
enum Framing {
    Counted { start: usize, bytes: usize },
    Line,
    Unknown,
}

impl Frames {
    /// A stream whose messages have at most so many bytes.
    pub fn bounded(message_bytes_max: usize) -> Self {
        Self { message_bytes_max, passing: Passing::Nothing, was_counted: false }
    }

    /// What comes first in `bytes`, which begin where the last ended.
    ///
    /// # Errors
    /// [`Broken`] for a length that is a lie.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Next, Broken> {
        if self.passing != Passing::Nothing {
            return Ok(self.pass(bytes));
        }
        let framing = framing(bytes);
        match framing {
            Framing::Unknown => {}
            Framing::Line => self.was_counted = false,
            Framing::Counted { .. } => self.was_counted = true,
        }
        match framing {
            Framing::Unknown => Ok(Next::More),
            Framing::Line => Ok(self.line(bytes)),
            Framing::Counted { bytes: count, .. } if count > COUNT_MAX => {
                Err(Broken::new("frame", format!("a message says that it has {count} bytes: the limit is {COUNT_MAX}")))
            }
            Framing::Counted { start, bytes: count } if count > self.message_bytes_max => {
                self.passing = Passing::Bytes(count);
                Ok(Next::TooLong { end: start })
            }
            Framing::Counted { start, bytes: count } if bytes.len() - start < count => Ok(Next::More),
            Framing::Counted { start, bytes: count } => {
                let end = start + count;
                Ok(Next::Message { message: start..start + trimmed(&bytes[start..end]).len(), end })
            }
        }
    }

    /// Whether the end of the stream ends a message: a line without its end is one, the beginning of a counted one is not.
    pub fn ends_line(&self, bytes: &[u8]) -> bool {
        match framing(bytes) {
            Framing::Counted { .. } => false,
            Framing::Unknown => !bytes.is_empty() && !self.was_counted,
            Framing::Line => !bytes.is_empty(),
        }
    }

    fn line(&mut self, bytes: &[u8]) -> Next {
        // With its end, and a CR before it.
        let looked_at = &bytes[..bytes.len().min(self.message_bytes_max + 2)];
        match memchr::memchr2(b'\n', b'\0', looked_at) {
            Some(end) if trimmed(&bytes[..=end]).len() <= self.message_bytes_max => {
                Next::Message { message: 0..trimmed(&bytes[..=end]).len(), end: end + 1 }
            }
            None if bytes.len() < self.message_bytes_max + 2 => Next::More,
            _ => {
                self.passing = Passing::Line;
                Next::TooLong { end: 0 }
            }
        }
    }

    fn pass(&mut self, bytes: &[u8]) -> Next {
        if bytes.is_empty() {
            return Next::More;
        }
        match self.passing {
            Passing::Bytes(left) if left > bytes.len() => {
                self.passing = Passing::Bytes(left - bytes.len());
                return Next::Passed { end: bytes.len() };
            }
            Passing::Bytes(left) => {
                self.passing = Passing::Nothing;
                return Next::Passed { end: left };
            }
            Passing::Line | Passing::Nothing => {}
        }
        let Some(end) = memchr::memchr2(b'\n', b'\0', bytes) else { return Next::Passed { end: bytes.len() } };
        self.passing = Passing::Nothing;
        Next::Passed { end: end + 1 }
    }
}

/// A message without its end.
pub(super) fn trimmed(message: &[u8]) -> &[u8] {
    let bare = message.strip_suffix(b"\n").or_else(|| message.strip_suffix(b"\0")).unwrap_or(message);
    bare.strip_suffix(b"\r").unwrap_or(bare)
}

/// Whether a message is one that rsyslog compressed: `z` and a zlib stream. `None` while that cannot be told.
pub(super) fn is_compressed(message: &[u8]) -> Option<bool> {
    match message {
        [] | [b'z'] | [b'z', 0x78] => None,
        [b'z', 0x78, flags, ..] => Some((0x7800 + u32::from(*flags)) % 31 == 0),
        _ => Some(false),
    }
}

/// How the message at the beginning of `bytes` says where it ends.
fn framing(bytes: &[u8]) -> Framing {
    let digits = bytes.iter().take(DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > DIGITS_MAX || bytes[0] == b'0' {
        return Framing::Line;
    }
    let counted = match &bytes[digits..] {
        [] | [b' '] | [b' ', b'<'] => None,
        [b' ', b'<', digit, ..] => Some(digit.is_ascii_digit()),
        [b' ', message @ ..] => is_compressed(message),
        _ => Some(false),
    };
    let count = std::str::from_utf8(&bytes[..digits]).ok().and_then(|digits| digits.parse().ok());
    match (counted, count) {
        (None, _) => Framing::Unknown,
        (Some(true), Some(bytes)) => Framing::Counted { start: digits + 1, bytes },
        _ => Framing::Line,
    }
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
