//! A stream: JSON or MessagePack, as its first byte tells: no JSON and no line of text begins as an array of MessagePack.
//! - An entry of MessagePack beyond its bound is rejected as long as it can be passed over; one that says it is far larger
//!   breaks the connection.

use super::frame::{Frame, Framer};
use crate::receive::Broken;
use crate::receive::msgpack::{Kind, Scanner};

/// An entry may be so many times as large as an event while it is looked for its end.
const ENTRY_FACTOR: usize = 16;

/// Finds the frames of one stream.
#[derive(Debug)]
pub struct Frames {
    bytes_max: usize,
    form: Option<Form>,
}

#[derive(Debug)]
enum Form {
    Json(Framer),
    /// Its scanner, and where the value at hand begins.
    Entries(Scanner, usize),
}

impl Frames {
    /// For events of so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, form: None }
    }

    /// The next frame in the buffer; `None` where it needs more bytes.
    ///
    /// # Errors
    /// [`Broken`] where the stream cannot be followed any more.
    pub fn next(&mut self, buffer: &[u8]) -> Result<Option<Frame>, Broken> {
        if buffer.is_empty() {
            return Ok(None);
        }
        let bytes_max = self.bytes_max;
        let begin = || match Kind::of(buffer) {
            Kind::Array => Form::Entries(Scanner::default(), 0),
            _ => Form::Json(Framer::new(bytes_max)),
        };
        match self.form.get_or_insert_with(begin) {
            Form::Json(framer) => Ok(framer.next(buffer)),
            Form::Entries(_, start) if *start == buffer.len() => Ok(None),
            Form::Entries(scanner, start) => {
                let end = scanner.scan(&buffer[*start..], ENTRY_FACTOR * bytes_max);
                let Some(length) = end.map_err(|error| Broken::new("frame", error.to_string()))? else {
                    return Ok(None);
                };
                let end = *start + length;
                Ok(Some(Frame::Entry(std::mem::replace(start, end)..end)))
            }
        }
    }

    /// The frame that the end of the stream ends.
    pub fn finish(&mut self, buffer: &[u8]) -> Option<Frame> {
        match self.form.as_mut()? {
            Form::Json(framer) => framer.finish(),
            Form::Entries(_, start) => {
                let start = std::mem::replace(start, buffer.len());
                (start < buffer.len()).then_some(Frame::Entry(start..buffer.len()))
            }
        }
    }

    /// How many bytes in front of the buffer are done with. They are to be cut off: from then on all counts without them.
    pub fn take_done(&mut self) -> usize {
        match &mut self.form {
            None => 0,
            Some(Form::Json(framer)) => framer.take_done(),
            Some(Form::Entries(_, start)) => std::mem::take(start),
        }
    }
}
