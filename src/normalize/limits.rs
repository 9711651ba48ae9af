//! Limits: how large an event and its parts may be.
//! - All are inclusive: what is exactly at a limit is taken.
//! - Absent: limits of bodies and batches (`receive`), of keys in a partition (`store`).

use std::time::Duration;

/// The bounds of one event; the defaults are those of the events page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of JSON of one event.
    pub event_bytes_max: usize,
    /// Levels of objects and arrays, the event's own object being the first.
    pub depth_max: usize,
    /// Different flattened keys.
    pub keys_max: usize,
    /// Bytes of one flattened key.
    pub key_bytes_max: usize,
    /// Bytes of `id` and of `path`.
    pub id_bytes_max: usize,
    /// Bytes of `event_id`.
    pub event_id_bytes_max: usize,
    /// Bytes of `site`.
    pub site_bytes_max: usize,
    /// Bytes of `user`.
    pub user_bytes_max: usize,
    /// Bytes of `action`.
    pub action_bytes_max: usize,
    /// Bytes of any other text; longer text is cut.
    pub text_bytes_max: usize,
    /// Bytes of `message` and `stack`; longer text is cut.
    pub long_text_bytes_max: usize,
    /// How far ahead of its receipt an event may say it happened.
    pub ahead_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes_max: 64 * 1024,
            depth_max: 32,
            keys_max: 128,
            key_bytes_max: 128,
            id_bytes_max: 2048,
            event_id_bytes_max: 128,
            site_bytes_max: 64,
            user_bytes_max: 256,
            action_bytes_max: 64,
            text_bytes_max: 8 * 1024,
            long_text_bytes_max: 32 * 1024,
            ahead_max: Duration::from_secs(24 * 3600),
        }
    }
}
