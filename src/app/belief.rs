//! Belief: how far the clock is believed by what deletes for age.
//! - A clock that runs ahead of the time that passed is believed once a server has run a day with it. Until then age is
//!   counted by the time that servers ran since it was last believed: less is deleted, never more.
//! - A clock set back is believed at once, for the same reason.
//! - Time between two servers has not passed for it: after a stop of more than an hour expiry is a day late at the most.
//! - Kept in the catalog, so that a server that starts with a wrong clock knows it.
//! - Absent: salts, which go by the clock at once: a person's trace is better gone early than late.

use crate::catalog::{Catalog, CatalogError};
use crate::clock::Millis;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far the clock may be ahead of the time that passed.
const AHEAD_MAX_MS: Millis = 3_600_000;
/// How long a server runs with a clock that is further ahead before it is believed.
const DOUBT_MS: Millis = 24 * 3_600_000;
const KIND: &str = "clock";
const NAME: &str = "retention";

/// What is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Belief {
    /// The time by which age is counted.
    pub(super) now: Millis,
    /// While the clock is not believed: how long servers ran with it.
    doubted_ms: Option<Millis>,
}

impl Belief {
    /// What is believed when the clock says `clock`, a server having run for `ran` since it was asked the last time.
    pub(super) fn renew(catalog: &Catalog, clock: Millis, ran: Duration) -> Result<Self, CatalogError> {
        let before: Option<Self> = catalog.get(KIND, NAME)?;
        let belief = before.map_or(Self { now: clock, doubted_ms: None }, |before| before.after(clock, ran));
        if belief.doubted_ms.is_some() && before.is_none_or(|before| before.doubted_ms.is_none()) {
            let ahead_s = (clock - belief.now) / 1000;
            tracing::warn!(ahead_s, "the clock is ahead of the time that passed: nothing expires by it for a day");
        }
        // Nobody else writes it: the folder is one process's.
        catalog.compare_and_set(KIND, NAME, before.as_ref(), &belief)?;
        Ok(belief)
    }

    fn after(self, clock: Millis, ran: Duration) -> Self {
        let ran = Millis::try_from(ran.as_millis()).unwrap_or(Millis::MAX);
        let expected = self.now.saturating_add(ran);
        let doubted = self.doubted_ms.unwrap_or_default().saturating_add(ran);
        if clock <= expected.saturating_add(AHEAD_MAX_MS) || self.doubted_ms.is_some() && doubted >= DOUBT_MS {
            return Self { now: clock, doubted_ms: None };
        }
        Self { now: expected, doubted_ms: Some(self.doubted_ms.map_or(0, |_| doubted)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;
    const DAY: Millis = 24 * HOUR;
    const TEN_MINUTES: Duration = Duration::from_secs(600);

    /// A catalog that believed in the time 0, and what it believes after each of these: the clock, and how long it ran.
    fn believed(steps: &[(Millis, Duration)]) -> Vec<Millis> {
        let folder = tempfile::tempdir().expect("folder");
        let catalog = Catalog::open(&folder.path().join("catalog")).expect("catalog");
        assert_eq!(Belief::renew(&catalog, 0, Duration::ZERO).expect("the first").now, 0);
        let step = |(clock, ran): &(Millis, Duration)| Belief::renew(&catalog, *clock, *ran).expect("belief").now;
        steps.iter().map(step).collect()
    }

    #[test]
    fn a_clock_that_keeps_pace_or_is_set_right_is_believed() {
        let minutes = 10 * HOUR / 60;
        assert_eq!(
            believed(&[(minutes, TEN_MINUTES), (2 * minutes + HOUR, TEN_MINUTES)]),
            [minutes, 2 * minutes + HOUR]
        );
        assert_eq!(believed(&[(HOUR, Duration::ZERO), (-DAY, TEN_MINUTES), (-DAY, TEN_MINUTES)]), [HOUR, -DAY, -DAY]);
    }

    #[test]
    fn a_jump_is_not_believed_while_it_runs_nor_at_a_start() {
        for jump in [HOUR + 1, DAY, 400 * DAY] {
            assert_eq!(believed(&[(jump, Duration::ZERO)]), [0]);
            assert_eq!(believed(&[(jump + 600_000, TEN_MINUTES), (2, Duration::ZERO)]), [600_000, 2]);
        }
    }

    #[test]
    fn a_jump_is_believed_after_a_day_of_running_through_restarts() {
        let jumped = |ran: Millis| 400 * DAY + ran;
        let mut steps = vec![(jumped(0), Duration::ZERO)];
        for step in 1..=144 {
            steps.push((jumped(step * 600_000), TEN_MINUTES));
            // Each is followed by a stop of two hours and a start.
            steps.push((jumped(step * 600_000) + 2 * HOUR * step, Duration::ZERO));
        }
        let believed = believed(&steps);
        assert_eq!(believed[286], 143 * 600_000);
        assert_eq!(believed[287], jumped(DAY));
    }
}
