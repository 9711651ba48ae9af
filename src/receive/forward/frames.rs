//! Frames: where the messages in a connection's bytes begin and end, in MessagePack or in JSON.
//! - The first byte decides: `{` and `[` begin no message of MessagePack.
//! - Each byte is looked at once, however the bytes are cut.

use super::FRAME_BYTES_MAX;
use super::json;
use crate::receive::Broken;
use crate::receive::msgpack;

/// How a connection's messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Msgpack,
    Json,
}

/// Finds one message after another.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    /// Up to where the bytes are done with.
    start: usize,
    bytes_max: usize,
    scanner: Option<Scanner>,
}

#[derive(Debug, Clone)]
enum Scanner {
    Msgpack(msgpack::Scanner),
    Json(json::Scanner),
}

impl Frames {
    /// Of whole messages.
    pub fn new() -> Self {
        Self { start: 0, bytes_max: FRAME_BYTES_MAX, scanner: None }
    }

    /// How the messages are written, as far as that is known.
    pub fn form(&self) -> Form {
        match self.scanner {
            Some(Scanner::Json(_)) => Form::Json,
            _ => Form::Msgpack,
        }
    }

    /// Bounds the messages from now on.
    pub fn limit(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Up to where the bytes are done with; from now on these are gone.
    pub fn take_done(&mut self) -> usize {
        std::mem::take(&mut self.start)
    }

    /// The next message that is whole in `bytes`: all that is there since [`Frames::take_done`].
    ///
    /// # Errors
    /// [`Broken`] where none can begin so, or it is longer than it may be.
    pub fn next<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, Broken> {
        if self.form() == Form::Json {
            // Space between messages begins none; within one that is under way it is not the first byte.
            self.start += bytes[self.start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        }
        let Some(first) = bytes.get(self.start) else { return Ok(None) };
        let scanner = self.scanner.get_or_insert_with(|| match first {
            b'{' | b'[' => Scanner::Json(json::Scanner::default()),
            _ => Scanner::Msgpack(msgpack::Scanner::default()),
        });
        let rest = &bytes[self.start..];
        let end = match scanner {
            Scanner::Msgpack(scanner) => scanner.scan(rest, self.bytes_max)?,
            Scanner::Json(scanner) => scanner.scan(rest, self.bytes_max)?,
        };
        let Some(end) = end else { return Ok(None) };
        self.start += end;
        Ok(Some(&rest[..end]))
    }
}
