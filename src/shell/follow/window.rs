//! Window: from where a log is read again after a restart, so that repetitions are counted as they were before.
//! - A line's id counts the equal lines before it in its second. Whoever counts anew must have seen every line of the
//!   seconds that further lines may still be of: those of the last [`WINDOW_SECONDS`], by the latest time a line named.
//! - A line that is late moves nothing, and one from the future holds the window open for [`WINDOW_BYTES_MAX`] at the most.

use std::collections::VecDeque;

/// Seconds before the latest line that are read again.
pub const WINDOW_SECONDS: i64 = 10;
/// Bytes that are read again at the most.
pub const WINDOW_BYTES_MAX: u64 = 8 << 20;

/// The lines of the last seconds, by where each second began.
#[derive(Debug, Clone)]
pub struct Window {
    /// Latest second so far, and the offset of the line that named it; rising in both.
    marks: VecDeque<(i64, u64)>,
}

impl Window {
    /// One that begins at this offset.
    pub fn starting(offset: u64) -> Self {
        Self { marks: VecDeque::from([(i64::MIN, offset)]) }
    }

    /// Where to read from again.
    pub fn from(&self) -> u64 {
        self.marks.front().map_or(0, |(_, offset)| *offset)
    }

    /// A line of this second (where it names one) begins at this offset.
    pub fn saw(&mut self, second: Option<i64>, offset: u64) {
        let latest = self.marks.back().map_or(i64::MIN, |(second, _)| *second);
        let newest = second.map_or(latest, |second| second.max(latest));
        if newest > latest {
            self.marks.push_back((newest, offset));
        }
        let is_past = |(second, at): (i64, u64)| {
            second <= newest.saturating_sub(WINDOW_SECONDS) || at + WINDOW_BYTES_MAX < offset
        };
        while self.marks.len() > 1 && self.marks.front().copied().is_some_and(is_past) {
            self.marks.pop_front();
        }
        if let Some((_, from)) = self.marks.front_mut()
            && *from + WINDOW_BYTES_MAX < offset
        {
            *from = offset;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads lines of 10 bytes and these seconds.
    fn read(seconds: impl IntoIterator<Item = Option<i64>>) -> Window {
        let mut window = Window::starting(0);
        for (at, second) in seconds.into_iter().enumerate() {
            window.saw(second, 10 * at as u64);
        }
        window
    }

    #[test]
    fn every_line_of_the_last_seconds_lies_within() {
        let window = read((0..100).flat_map(|second| [Some(second), Some(second)]));
        assert_eq!(window.from(), 20 * (100 - WINDOW_SECONDS as u64));
        assert_eq!(read([]).from(), 0);
        assert_eq!(read([None, None]).from(), 0);
    }

    #[test]
    fn a_late_line_moves_nothing() {
        let late = read((0..100).flat_map(|second| [Some(second), Some(second / 2)]));
        assert_eq!(late.from(), read((0..100).flat_map(|second| [Some(second), None])).from());
    }

    #[test]
    fn a_line_of_the_future_holds_it_open_within_a_bound() {
        let mut window = Window::starting(0);
        window.saw(Some(i64::MAX - 1), 0);
        for at in 1..10 {
            window.saw(Some(at), at as u64 * WINDOW_BYTES_MAX / 2);
            assert!(at as u64 * WINDOW_BYTES_MAX / 2 - window.from() <= WINDOW_BYTES_MAX);
        }
        assert!(window.from() > 0 && window.marks.len() <= 2);
    }
}
