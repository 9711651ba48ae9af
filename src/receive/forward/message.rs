//! Messages: the modes, told by the second element: an array is Forward, text or bytes are PackedForward, else it is a time
//! and the mode is Message.

use super::batch::Origin;
use super::entries::Entries;
use super::frames::Form;
use super::inflate::Coding;
use super::json;
use crate::normalize::Limits;
use crate::receive::Broken;
use crate::receive::msgpack::{Entry, Kind, array, bytes, first};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::sync::Arc;

/// How deep a map of options may be; there is nothing in it that we read.
const OPTIONS_DEPTH_MAX: usize = 8;
/// Said of options that cannot be read; the parser's own words quote what stands there.
const OPTIONS_UNREAD: &str =
    "the options of a message cannot be read: chunk and compressed are texts, fluent_signal is a whole number";

/// What a message says beside its entries; `size` is a hint that nobody needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Options {
    chunk: Option<ByteBuf>,
    compressed: Option<String>,
    /// Whether the entries are logs (0), metrics or traces.
    fluent_signal: Option<i64>,
}

/// A message, its entries still as bytes.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// What its events have in common.
    pub origin: Arc<Origin>,
    /// Its entries; none of a message that is no log.
    pub entries: Entries<'a>,
    /// How they are coded, where they are packed.
    pub coding: Option<Coding>,
    /// What it wants acknowledged.
    pub chunk: Option<Vec<u8>>,
}

impl<'a> Message<'a> {
    /// Puts one together.
    pub fn new(origin: Origin, entries: Entries<'a>, options: Options) -> Result<Self, Broken> {
        let Options { chunk, compressed, fluent_signal } = options;
        let chunk = chunk.map(ByteBuf::into_vec);
        let is_log = matches!(fluent_signal, None | Some(0));
        let coding = match &entries {
            Entries::Packed(_) if is_log => Coding::named(compressed.as_deref())?,
            _ => None,
        };
        let entries = if is_log { entries } else { Entries::Packed(&[]) };
        Ok(Self { origin: Arc::new(origin.in_chunk(chunk.as_deref())), entries, coding, chunk })
    }
}

/// Reads a message; `None` is a heartbeat.
///
/// # Errors
/// [`Broken`] where it is none.
pub(super) fn message<'a>(form: Form, frame: &'a [u8], limits: &Limits) -> Result<Option<Message<'a>>, Broken> {
    match form {
        Form::Json => json::message(frame, limits).map(Some),
        Form::Msgpack if Kind::of(frame) == Kind::Nil => Ok(None),
        Form::Msgpack => of_msgpack(frame, limits).map(Some),
    }
}

fn of_msgpack<'a>(frame: &'a [u8], limits: &Limits) -> Result<Message<'a>, Broken> {
    let (count, inner) = array(frame)?;
    let (tag, rest) = first(inner)?;
    let (second, rest) = first(rest)?;
    let (entries, rest, read) = match Kind::of(second) {
        Kind::Array => {
            let (count, entries) = array(second)?;
            (Entries::Listed { left: count, rest: entries }, rest, 2)
        }
        Kind::Text | Kind::Bytes => (Entries::Packed(bytes(second)?), rest, 2),
        _ => {
            let (record, rest) = first(rest)?;
            (Entries::One(Some(Entry::of(second, record)?)), rest, 3)
        }
    };
    let options = if count > read { options(first(rest)?.0)? } else { Options::default() };
    Message::new(Origin::tagged(bytes(tag)?, limits), entries, options)
}

fn options(value: &[u8]) -> Result<Options, Broken> {
    let mut parser = rmp_serde::Deserializer::from_read_ref(value);
    parser.set_max_depth(OPTIONS_DEPTH_MAX);
    match Kind::of(value) {
        Kind::Nil => Ok(Options::default()),
        Kind::Map => Options::deserialize(&mut parser).map_err(|_| Broken::new("frame", OPTIONS_UNREAD)),
        found => Err(Broken::new("frame", format!("in place of a map of options stands {found}"))),
    }
}
