//! Fingerprint: one number for errors that have one cause.
//! - `http` errors: status, method, and the route where one matches, else the path.
//! - Else `error_type` and the top in-app frames of `stack` (file and function; see `stack`).
//! - Else `error_type` and the `message` with what changes from one to the next replaced (see `message`).
//! - Stable for ever: SipHash-2-4 under a fixed key over parts behind their lengths. Groups are kept by it, so any change
//!   of what goes in splits a site's groups in two; a test holds the numbers.
//! - Absent: source maps, and merging of groups by hand.

mod message;
mod stack;

use crate::event::{Event, Known};
use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// The key of the hash: not secret, never changed.
const KEY: &[u8; 16] = b"metronome errors";

/// The fingerprint of an error; `None` for an event that says nothing of one.
pub fn of(event: &Event, route: Option<&str>) -> Option<u64> {
    let error_type = event.text(Known::ErrorType);
    if error_type == Some("http") {
        return Some(of_http(event, route));
    }
    let mut parts = Parts::new(error_type.unwrap_or_default());
    let frames = event.text(Known::Stack).map(stack::top_frames).unwrap_or_default();
    if !frames.is_empty() {
        parts.push("stack");
        for frame in &frames {
            parts.push(&frame.file);
            parts.push(&frame.function);
        }
        return Some(parts.finish());
    }
    // A stack of an unknown shape still says more than nothing.
    let text = event.text(Known::Message).or_else(|| event.text(Known::Stack));
    if let Some(text) = text {
        parts.push("message");
        parts.push(&message::shape(text));
        return Some(parts.finish());
    }
    error_type.map(|_| parts.finish())
}

fn of_http(event: &Event, route: Option<&str>) -> u64 {
    let mut parts = Parts::new("http");
    parts.push(&event.int(Known::Status).map(|status| status.to_string()).unwrap_or_default());
    parts.push(event.text(Known::Method).unwrap_or_default());
    parts.push(if route.is_some() { "route" } else { "path" });
    parts.push(route.or_else(|| event.text(Known::Path)).unwrap_or_default());
    parts.finish()
}

/// Texts behind their lengths, so that no two lists of texts are the same bytes.
struct Parts(SipHasher24);

impl Parts {
    fn new(first: &str) -> Self {
        let mut parts = Self(SipHasher24::new_with_key(KEY));
        parts.push(first);
        parts
    }

    fn push(&mut self, part: &str) {
        self.0.write(&(part.len() as u64).to_le_bytes());
        self.0.write(part.as_bytes());
    }

    fn finish(self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests;
