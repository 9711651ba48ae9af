//! Frames of Lumberjack version 2: `2W` count, `2J` number and JSON, `2C` frames within zlib. All numbers are 32 bits, big-endian.
//! - Every byte is looked at once, however the stream is cut; what is compressed is inflated as it comes, a little at a time.
//! - A length that is declared reserves nothing. An event beyond its bound is rejected and passed over; a frame beyond its own,
//!   and one that inflates beyond [`INFLATED_BYTES_MAX`], break the connection.
//! - Compressed frames hold events alone: no windows, and none of their own kind.
//! - Absent: acknowledgements, version 1 (`1W`, `1D`), which no living sender needs.

use crate::event::RawEvent;
use crate::normalize::{Limits, Reason, Rejection};
use crate::receive::{Broken, logstash};
use flate2::{Decompress, FlushDecompress, Status};

/// Bytes of one frame as it comes.
pub const FRAME_BYTES_MAX: usize = 16 << 20;
/// Bytes that one compressed frame becomes.
pub const INFLATED_BYTES_MAX: usize = 64 << 20;
/// Bytes that are inflated at once.
const STEP_BYTES: usize = 16 * 1024;
/// What inflating holds, its window among it.
const INFLATING_BYTES: usize = STEP_BYTES + 48 * 1024;

/// An event of a window.
#[derive(Debug)]
pub struct Numbered {
    /// Its number, as the sender gives it.
    pub number: u32,
    /// What it says, or why it cannot be read.
    pub raw: Result<RawEvent, Rejection>,
    /// Whether it is the last of its window.
    pub ends_window: bool,
}

/// Reads the frames of one connection.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    frames: Frames,
    compressed: Option<Box<Compressed>>,
    /// Events of the window that are to come.
    left: u32,
}

/// What an event says, or why it cannot be read.
type Read = Result<RawEvent, Rejection>;

/// A frame.
enum Frame {
    Window(u32),
    Event(u32, Read),
    Compressed(usize),
}

/// Reads frames out of a stream of them.
#[derive(Debug, Default)]
struct Frames {
    head: [u8; 10],
    head_bytes: usize,
    event: Option<Event>,
}

/// An event of which a part is there.
#[derive(Debug)]
struct Event {
    number: u32,
    bytes: usize,
    left: usize,
    /// What is there of it; nothing of one that is too large.
    json: Vec<u8>,
}

/// A compressed frame of which a part is there.
#[derive(Debug)]
struct Compressed {
    left: usize,
    inflate: Decompress,
    /// What was inflated and is not yet read: `out[read..filled]`.
    out: Box<[u8]>,
    read: usize,
    filled: usize,
    inflated: usize,
    has_ended: bool,
    frames: Frames,
}

impl Decoder {
    /// For events within these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, frames: Frames::default(), compressed: None, left: 0 }
    }

    /// The next event; takes what it reads off the front of `input`, and all of it where it needs more.
    ///
    /// # Errors
    /// [`Broken`] where the stream cannot be followed any more, or what it says breaks a bound.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Numbered>, Broken> {
        loop {
            if let Some(compressed) = &mut self.compressed {
                match compressed.next(input, &self.limits)? {
                    Some((number, raw)) => return self.numbered(number, raw).map(Some),
                    None if compressed.is_done() => self.compressed = None,
                    None => return Ok(None),
                }
            }
            match self.frames.next(input, &self.limits)? {
                None => return Ok(None),
                Some(Frame::Event(number, raw)) => return self.numbered(number, raw).map(Some),
                Some(Frame::Compressed(bytes)) => self.compressed = Some(Box::new(Compressed::new(bytes))),
                Some(Frame::Window(_)) if self.left > 0 => {
                    return Err(frame(format!("a window begins where {} events of the one before are due", self.left)));
                }
                Some(Frame::Window(count)) => self.left = count,
            }
        }
    }

    /// Whether the stream may end here.
    pub fn is_between(&self) -> bool {
        self.left == 0 && self.compressed.is_none() && self.frames.is_between()
    }

    /// Bytes that are held until more come.
    pub fn held_bytes(&self) -> usize {
        let inner = self.compressed.as_ref().map(|compressed| INFLATING_BYTES + compressed.frames.held_bytes());
        self.frames.held_bytes() + inner.unwrap_or_default()
    }

    fn numbered(&mut self, number: u32, raw: Read) -> Result<Numbered, Broken> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(frame("an event stands in no window, or in one that said fewer".to_owned()));
        };
        self.left = left;
        Ok(Numbered { number, raw, ends_window: left == 0 })
    }
}

impl Frames {
    /// The next frame; `None` where it needs more bytes.
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Frame>, Broken> {
        if self.event.is_none() {
            let Some(head) = self.head(input)? else { return Ok(None) };
            let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            match head[1] {
                b'W' => return Ok(Some(Frame::Window(word(2)))),
                b'C' => return Ok(Some(Frame::Compressed(within(word(2))?))),
                _ => {
                    let bytes = within(word(6))?;
                    self.event = Some(Event { number: word(2), bytes, left: bytes, json: Vec::new() });
                }
            }
        }
        let Some(mut event) = self.event.take() else { return Ok(None) };
        if let Some(raw) = event.read(input, limits) {
            return Ok(Some(Frame::Event(event.number, raw)));
        }
        self.event = Some(event);
        Ok(None)
    }

    /// The head of a frame, once it is whole.
    fn head(&mut self, input: &mut &[u8]) -> Result<Option<[u8; 10]>, Broken> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            self.head[self.head_bytes] = *byte;
            self.head_bytes += 1;
            let bytes = match self.head[..self.head_bytes] {
                [b'2'] | [b'2', b'W' | b'C' | b'J'] => continue,
                [b'2', b'W' | b'C', ..] => 6,
                [b'2', b'J', ..] => 10,
                [b'1', ..] => {
                    let text =
                        "a frame of version 1 of Lumberjack: version 2 is taken, as Beats of 5 and later speak it";
                    return Err(frame(text.to_owned()));
                }
                [0x16, ..] => {
                    let text = "a TLS handshake where none is due: set lumberjack.tls, or the sender not to use TLS";
                    return Err(frame(text.to_owned()));
                }
                _ => {
                    let shown = self.head[..self.head_bytes].escape_ascii();
                    return Err(frame(format!("a frame begins with \"{shown}\": 2W, 2J and 2C are known")));
                }
            };
            if self.head_bytes == bytes {
                self.head_bytes = 0;
                return Ok(Some(self.head));
            }
        }
        Ok(None)
    }

    fn is_between(&self) -> bool {
        self.head_bytes == 0 && self.event.is_none()
    }

    fn held_bytes(&self) -> usize {
        self.event.as_ref().map_or(0, |event| event.json.capacity())
    }
}

impl Event {
    /// The event, once its last byte is there.
    fn read(&mut self, input: &mut &[u8], limits: &Limits) -> Option<Read> {
        let (piece, rest) = input.split_at(self.left.min(input.len()));
        *input = rest;
        self.left -= piece.len();
        if self.bytes > limits.event_bytes_max {
            let text = format!("the event has {} bytes of JSON: the limit is {}", self.bytes, limits.event_bytes_max);
            return (self.left == 0).then(|| Err(Rejection::new(Reason::EventTooLarge, text)));
        }
        if self.left == 0 && self.json.is_empty() {
            return Some(logstash::read(piece, limits));
        }
        self.json.extend_from_slice(piece);
        (self.left == 0).then(|| logstash::read(&self.json, limits))
    }
}

impl Compressed {
    fn new(bytes: usize) -> Self {
        Self {
            left: bytes,
            inflate: Decompress::new(true),
            out: vec![0; STEP_BYTES].into(),
            read: 0,
            filled: 0,
            inflated: 0,
            has_ended: false,
            frames: Frames::default(),
        }
    }

    fn is_done(&self) -> bool {
        self.has_ended
    }

    /// The next event within; `None` at the end, or where it needs more bytes.
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<(u32, Read)>, Broken> {
        loop {
            let mut within = &self.out[self.read..self.filled];
            let found = self.frames.next(&mut within, limits)?;
            self.read = self.filled - within.len();
            match found {
                Some(Frame::Event(number, raw)) => return Ok(Some((number, raw))),
                Some(Frame::Window(_)) => return Err(frame("a window begins within a compressed frame".to_owned())),
                Some(Frame::Compressed(_)) => return Err(frame("a compressed frame stands within another".to_owned())),
                None if self.has_ended && !self.frames.is_between() => {
                    return Err(frame("a compressed frame ends within an event".to_owned()));
                }
                None if self.has_ended || !self.more(input)? => return Ok(None),
                None => {}
            }
        }
    }

    /// Inflates a little more; whether that gave anything, be it the end.
    fn more(&mut self, input: &mut &[u8]) -> Result<bool, Broken> {
        let piece = &input[..self.left.min(input.len())];
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(piece, &mut self.out, FlushDecompress::None);
        let status = status.map_err(|_| inflate("a compressed frame is not whole zlib".to_owned()))?;
        let taken = (self.inflate.total_in() - before_in) as usize;
        (self.read, self.filled) = (0, (self.inflate.total_out() - before_out) as usize);
        *input = &input[taken..];
        self.left -= taken;
        self.inflated += self.filled;
        if self.inflated > INFLATED_BYTES_MAX {
            return Err(inflate(format!("a compressed frame has more than {INFLATED_BYTES_MAX} bytes inflated")));
        }
        self.has_ended = status == Status::StreamEnd;
        if self.has_ended && self.left > 0 {
            return Err(inflate(format!("{} bytes follow the zlib stream of a compressed frame", self.left)));
        }
        if taken == 0 && self.filled == 0 && !self.has_ended && self.left == 0 {
            return Err(inflate("the zlib stream of a compressed frame is cut off".to_owned()));
        }
        Ok(taken > 0 || self.filled > 0 || self.has_ended)
    }
}

/// A declared length as one that is allowed.
fn within(declared: u32) -> Result<usize, Broken> {
    match usize::try_from(declared) {
        Ok(bytes) if bytes <= FRAME_BYTES_MAX => Ok(bytes),
        _ => Err(frame(format!("a frame of {declared} bytes: the limit is {FRAME_BYTES_MAX}"))),
    }
}

fn frame(message: String) -> Broken {
    Broken::new("frame", message)
}

fn inflate(message: String) -> Broken {
    Broken::new("inflate", message)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
