//! Run: how far one sequence of events goes through a funnel, and by which of them.
//! - A step is reached by an event after that of the step before; one event serves one step.
//! - Of the furthest runs the first begun counts, each step at its earliest event that lets the run go on.
//! - Linear in events and steps, for each length tried: a sequence of a million events is no way to hold a server up.

use crate::clock::Millis;

/// What a run has to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How many steps; bit i of an event's marks says that it may serve step i, counted from 0.
    pub steps: usize,
    /// The longest from the first step to the last, that long too; `None` without bound.
    pub window_ms: Option<Millis>,
    /// What may lie between two steps.
    pub between: Between,
}

/// What may lie between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Anything.
    Anything,
    /// No view; bit `steps` of an event's marks says that it is one.
    NoView,
}

impl Rule {
    fn last(&self, at: &[Millis], first: usize) -> Millis {
        self.window_ms.map_or(Millis::MAX, |window| at[first].saturating_add(window))
    }

    /// Whether no run goes on from before this event to one behind it.
    fn ends_at(&self, marks: u64) -> bool {
        self.between == Between::NoView && marks & (1 << self.steps) != 0
    }
}

/// Puts the places of the events of the run that counts into `places`, a step each; none if no event serves step 0.
pub fn run(rule: &Rule, at: &[Millis], marks: &[u64], places: &mut Vec<usize>) {
    places.clear();
    let seen = marks.iter().fold(0, |seen, marks| seen | marks);
    let furthest = (seen.trailing_ones() as usize).min(rule.steps);
    if furthest == 0 || rule.between == Between::Anything && straight(rule, furthest, at, marks, places) {
        return;
    }
    places.clear();
    let found = (1..=furthest).rev().find_map(|length| Some((length, first(rule, length, at, marks)?)));
    if let Some((length, first)) = found {
        places.extend(follow(rule, length, first, at, marks));
    }
}

/// The run from the first event on that serves step 0, each step at once; whether no other goes further or begins before it.
/// So it is where nothing bounds it, or where its bound lets it go as far as any could.
fn straight(rule: &Rule, furthest: usize, at: &[Millis], marks: &[u64], places: &mut Vec<usize>) -> bool {
    for (place, marks) in marks.iter().enumerate() {
        if marks & (1 << places.len()) != 0 {
            places.push(place);
            if places.len() == furthest {
                break;
            }
        }
    }
    let ends = places.first().zip(places.last());
    rule.window_ms.is_none()
        || places.len() == furthest && ends.is_some_and(|(first, last)| at[*last] <= rule.last(at, *first))
}

/// The first event that a run of this length begins with.
fn first(rule: &Rule, length: usize, at: &[Millis], marks: &[u64]) -> Option<usize> {
    // For each step the earliest end of a run that goes on with it behind the event looked at.
    let mut ends: Vec<Option<usize>> = vec![None; length];
    let mut found = None;
    for (place, marks) in marks.iter().enumerate().rev() {
        let begins = |step: usize, ends: &[Option<usize>]| {
            let end = if step + 1 == length { Some(place) } else { ends[step + 1] };
            end.filter(|_| marks & (1 << step) != 0)
        };
        if begins(0, &ends).is_some_and(|end| at[end] <= rule.last(at, place)) {
            found = Some(place);
        }
        let is_wall = rule.ends_at(*marks);
        for step in 0..length {
            // Ascending: what is read of the step after it is still that behind this event.
            let here = begins(step, &ends);
            ends[step] = match (here, ends[step]) {
                (here, _) if is_wall => here,
                (Some(here), Some(before)) => Some(here.min(before)),
                (here, before) => here.or(before),
            };
        }
    }
    found
}

/// The earliest events of the run of this length that begins with `first`.
fn follow(rule: &Rule, length: usize, first: usize, at: &[Millis], marks: &[u64]) -> Vec<usize> {
    let last = rule.last(at, first);
    let end = first + at[first..].partition_point(|at| *at <= last);
    // Bit i of `serves`: the run can go on to its end with step i here; of `behind`: with step i at one of those behind.
    let mut serves = vec![0_u64; end - first];
    let mut behind = 0_u64;
    for place in (first..end).rev() {
        let goes_on = (behind >> 1) | 1 << (length - 1);
        let here = marks[place] & goes_on & ((1 << length) - 1);
        serves[place - first] = here;
        behind = if rule.ends_at(marks[place]) { here } else { behind | here };
    }
    let mut places = vec![first];
    for (place, serves) in (first..end).zip(&serves).skip(1) {
        if places.len() < length && serves & (1 << places.len()) != 0 {
            places.push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(rule: &Rule, at: &[Millis], marks: &[u64]) -> Vec<usize> {
        let mut places = vec![7];
        run(rule, at, marks, &mut places);
        places
    }

    /// Events such as `5:ab`: a letter a step, `v` for a view.
    fn events(text: &str, steps: usize) -> (Vec<Millis>, Vec<u64>) {
        let event = |text: &str| {
            let (at, letters) = text.split_once(':').unwrap();
            let bit = |letter: u8| 1 << if letter == b'v' { steps } else { usize::from(letter - b'a') };
            (at.parse::<Millis>().unwrap(), letters.bytes().map(bit).fold(0, |all, bit: u64| all | bit))
        };
        text.split_whitespace().map(event).unzip()
    }

    #[test]
    fn the_furthest_run_first_begun_counts_at_its_earliest_events() {
        use Between::{Anything, NoView};
        type Case<'a> = (&'a str, usize, Option<Millis>, Between, &'a [usize]);
        let rows: [Case<'_>; 16] = [
            ("1:a 2:b 3:c", 3, None, Anything, &[0, 1, 2]),
            ("1:b 2:a 3:c", 3, None, Anything, &[1]),
            ("1:b 2:c", 3, None, Anything, &[]),
            ("1:abc", 3, None, Anything, &[0]),
            ("1:a 1:b", 2, None, Anything, &[0, 1]),
            ("1:a 2:a 3:b 4:b", 2, None, Anything, &[0, 2]),
            // The window begins at step 1, and its last millisecond is within.
            ("0:a 10:b", 2, Some(10), Anything, &[0, 1]),
            ("0:a 11:b", 2, Some(10), Anything, &[0]),
            // A later step-1 event goes further than the first.
            ("0:a 8:a 12:b 18:c", 3, Some(10), Anything, &[1, 2, 3]),
            // Of two that go as far, the first begun.
            ("0:a 1:a 2:b 30:c", 3, Some(10), Anything, &[0, 2]),
            ("1:av 2:v 3:bv", 2, None, NoView, &[0]),
            ("1:av 2:b 3:v 4:c", 3, None, NoView, &[0, 1]),
            // The view between is itself the step.
            ("1:av 2:bv 3:cv", 3, None, NoView, &[0, 1, 2]),
            // The earliest event for step 2 leads nowhere: the later one lets the run go on.
            ("1:av 2:b 3:bv 4:c", 3, None, NoView, &[0, 2, 3]),
            ("1:av 2:v 3:av 4:b", 2, None, NoView, &[2, 3]),
            ("", 2, None, Anything, &[]),
        ];
        for (text, steps, window_ms, between, expected) in rows {
            let (at, marks) = events(text, steps);
            assert_eq!(
                found(&Rule { steps, window_ms, between }, &at, &marks),
                expected,
                "{text} {window_ms:?} {between:?}"
            );
        }
    }

    /// Every run there is, tried one by one.
    fn by_force(rule: &Rule, at: &[Millis], marks: &[u64]) -> Vec<usize> {
        fn extend(rule: &Rule, at: &[Millis], marks: &[u64], run: &mut Vec<usize>, best: &mut Vec<usize>) {
            // Runs are tried in order of their places: only a longer one is better, or the very first.
            if run.len() > best.len() {
                *best = run.clone();
            }
            if run.len() == rule.steps {
                return;
            }
            let from = run.last().map_or(0, |last| last + 1);
            for place in from..at.len() {
                let late =
                    run.first().is_some_and(|first| rule.window_ms.is_some_and(|most| at[place] - at[*first] > most));
                let a_view_between = rule.between == Between::NoView
                    && !run.is_empty()
                    && marks[from..place].iter().any(|marks| marks >> rule.steps & 1 == 1);
                if !late && !a_view_between && marks[place] >> run.len() & 1 == 1 {
                    run.push(place);
                    extend(rule, at, marks, run, best);
                    run.pop();
                }
            }
        }
        let mut best = Vec::new();
        extend(rule, at, marks, &mut Vec::new(), &mut best);
        best
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_the_run_that_trying_all_of_them_finds(
            steps in 2..5_usize,
            window_ms in proptest::option::of(0..12_i64),
            is_strict: bool,
            events in proptest::collection::vec((0..4_i64, 0..64_u64), 0..11),
        ) {
            let between = if is_strict { Between::NoView } else { Between::Anything };
            let rule = Rule { steps, window_ms, between };
            let mut now = 0;
            let (at, marks): (Vec<Millis>, Vec<u64>) = events.into_iter().map(|(wait, marks)| {
                now += wait;
                (now, marks)
            }).unzip();
            prop_assert_eq!(found(&rule, &at, &marks), by_force(&rule, &at, &marks));
        }
    }
}
