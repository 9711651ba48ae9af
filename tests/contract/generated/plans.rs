//! Generated plans: filters, groups and metrics over the keys of generated events, with values that are there.
//! - Rows are ordered by metrics that every store counts exactly, so that the order is one.

use super::dice::Dice;
use crate::events::{DAY, at};
use metronome::event::{Day, Event, Key, Known};
use metronome::store::forms;
use metronome::store::plan::{
    Bots, Case, Comparison, Counting, Direction, Filter, Group, Items, Limits, Measure, Metric, OrderBy, Plan, Tally,
    TimeKey, TimeRange, UsagePlan,
};
use metronome::store::trails::{TrailLimits, TrailPlan, Visits};

/// The keys that plans speak of.
const KEYS: [&str; 54] = [
    "site",
    "action",
    "id",
    "path",
    "format",
    "status",
    "bytes",
    "duration_ms",
    "tags",
    "referer",
    "user",
    "visitor",
    "browser",
    "os",
    "device",
    "country",
    "bot",
    "source",
    "channel",
    "utm_source",
    "utm_campaign",
    "message",
    "fingerprint",
    "interactive",
    "engaged_ms",
    "entry",
    "entry_id",
    "visit",
    "visit_at",
    "visit_start",
    "visit_ms",
    "visitor_start",
    "engaged",
    "previous",
    "dwell_ms",
    "counted",
    "unique",
    "day",
    "@timestamp",
    "event_id",
    "received_at",
    "price",
    "amount",
    "half",
    "big",
    "flag",
    "mixed",
    "labels",
    "sizes",
    "all",
    "nested.deep.key",
    "ключ",
    "json",
    "nowhere",
];
/// Of these, sums come out the same in any order of adding.
const WHOLE: [&str; 8] = ["status", "amount", "half", "visit_start", "visit_ms", "engaged", "counted", "sizes"];
const PATTERNS: [&str; 8] = ["^/a", "[0-9]+$", "a|e", ".", "^$", "(?i)RED", "^.{3}$", "\\d-\\d"];
const SEARCHES: [&str; 6] = ["failed", "line 3", "\"at line\" a", "data", "\"failed at\"", "no such"];
/// Days that plans reach over, from the first of the tests.
const DAYS: (i64, i64) = (-1, 5);

/// Makes plans.
pub struct Asker<'a> {
    dice: Dice,
    sample: &'a [Event],
}

impl<'a> Asker<'a> {
    /// One that knows values of `sample`, which is not empty.
    pub fn new(dice: Dice, sample: &'a [Event]) -> Self {
        Self { dice, sample }
    }

    pub fn plan(&mut self) -> Plan {
        let groups: Vec<Group> = (0..*self.dice.pick(&[0, 1, 1, 1, 2, 2, 3])).map(|_| self.group()).collect();
        let metrics: Vec<Metric> = (0..self.dice.below(4) + 1).map(|_| self.metric()).collect();
        let order = self.order(&groups, &metrics);
        let offset = if self.dice.one_in(3) { self.dice.below(6) } else { 0 };
        let limit = if self.dice.one_in(3) { self.dice.below(20) } else { 10_000 };
        let filter = if self.dice.one_in(2) { Filter::All } else { self.filter(2) };
        let limits = Limits::default();
        Plan { filter, range: self.range(), groups, metrics, order, offset, limit, limits }
    }

    pub fn usage(&mut self) -> UsagePlan {
        let items = match self.dice.below(4) {
            0 => Items::Site,
            1 => Items::Busiest(*self.dice.pick(&[Tally::Views, Tally::Downloads]), self.dice.below(9)),
            _ => Items::Ids((0..self.dice.below(4)).map(|_| self.text_of(&Known::Id.into())).collect()),
        };
        let from = self.dice.between(DAYS.0, DAYS.1) as i32;
        let days = (Day(DAY.0 + from), Day(DAY.0 + from + self.dice.below(5) as i32));
        let bots = *self.dice.pick(&[Bots::Exclude, Bots::Include, Bots::Only]);
        let counting = *self.dice.pick(&[Counting::Raw, Counting::Counter]);
        UsagePlan { site: self.text_of(&Known::Site.into()), items, days, bots, counting, limits: Limits::default() }
    }

    pub fn trails(&mut self) -> TrailPlan {
        let marks = (0..self.dice.below(4) + 1).map(|_| self.filter(1)).collect();
        let labels = (0..self.dice.below(3)).map(|_| self.key()).collect();
        let visits = *self.dice.pick(&[Visits::Left, Visits::Given]);
        let filter = if self.dice.one_in(2) { Filter::All } else { self.filter(1) };
        let visits_with = self.dice.one_in(3).then(|| self.filter(1));
        TrailPlan { filter, range: self.range(), marks, labels, visits, visits_with, limits: TrailLimits::default() }
    }

    /// Ids that are there, and some that are not.
    pub fn ids(&mut self) -> Vec<String> {
        (0..9).map(|_| self.text_of(&Known::EventId.into())).collect()
    }

    pub fn site(&mut self) -> String {
        self.text_of(&Known::Site.into())
    }

    pub fn keys(&mut self) -> Vec<Key> {
        (0..self.dice.below(5)).map(|_| self.key()).collect()
    }

    pub fn page_limit(&mut self) -> usize {
        self.dice.below(60) + 5
    }

    pub fn range(&mut self) -> TimeRange {
        let key = if self.dice.one_in(4) { TimeKey::VisitAt } else { TimeKey::Timestamp };
        if !self.dice.one_in(3) {
            return TimeRange { key, ..crate::events::all_time() };
        }
        let hours = (self.dice.between(DAYS.0 * 24, DAYS.1 * 24), self.dice.between(1, 80));
        TimeRange { key, from: at(hours.0 as f64 * 3_600.0), to: at((hours.0 + hours.1) as f64 * 3_600.0) }
    }

    /// A filter of at most this depth.
    pub fn filter(&mut self, depth: usize) -> Filter {
        if depth > 0 && self.dice.one_in(3) {
            let inner = (0..self.dice.below(3) + 1).map(|_| self.filter(depth - 1)).collect();
            return if self.dice.one_in(2) { Filter::And(inner) } else { Filter::Or(inner) };
        }
        if depth > 0 && self.dice.one_in(4) {
            return Filter::Not(Box::new(self.filter(depth - 1)));
        }
        let (key, case) = (self.key(), *self.dice.pick(&[Case::Exact, Case::Folded]));
        match self.dice.below(8) {
            0 => Filter::Exists(key),
            7 => Filter::Search((*self.dice.pick(&SEARCHES)).to_owned()),
            1 => Filter::Contains(key.clone(), vec![self.part_of(&key)], case),
            2 => Filter::Matches(key, vec![(*self.dice.pick(&PATTERNS)).to_owned()], case),
            3 => self.compare(),
            _ => Filter::Is(key.clone(), (0..self.dice.below(3) + 1).map(|_| self.text_of(&key)).collect(), case),
        }
    }

    fn compare(&mut self) -> Filter {
        let key = self.key();
        let numbers: Vec<f64> = self.some_values(&key).iter().flat_map(|event| numbers(event, &key)).collect();
        let bound = numbers.first().copied().unwrap_or(2.5);
        use Comparison::{Above, AtLeast, AtMost, Below};
        Filter::Compare(key, *self.dice.pick(&[Above, AtLeast, Below, AtMost]), bound)
    }

    fn group(&mut self) -> Group {
        if self.dice.one_in(4) {
            let range = self.range();
            let mut edges: Vec<i64> = (0..self.dice.below(6) + 2)
                .map(|_| at(self.dice.between(DAYS.0 * 24, DAYS.1 * 24) as f64 * 3_600.0))
                .collect();
            edges.sort_unstable();
            edges.dedup();
            edges.push(at(DAYS.1 as f64 * 86_400.0));
            return Group::Time { key: range.key, edges };
        }
        Group::Key(self.key())
    }

    fn metric(&mut self) -> Metric {
        let key = self.key();
        let measure = match self.dice.below(11) {
            0 | 1 => Measure::Events,
            2 => Measure::Having(key),
            3 => Measure::Sum(key),
            4 => Measure::Numbers(key),
            5 => Measure::Min(key),
            6 => Measure::Max(key),
            7 => Measure::Distinct(key),
            8 => Measure::Daily(key),
            9 => Measure::Visits,
            _ => Measure::Percentile(key, *self.dice.pick(&[1.0, 50.0, 75.0, 99.0, 100.0])),
        };
        let only = if self.dice.one_in(4) { self.filter(1) } else { Filter::All };
        Metric { measure, only }
    }

    fn order(&mut self, groups: &[Group], metrics: &[Metric]) -> Vec<(OrderBy, Direction)> {
        let exact = metrics.iter().enumerate().filter(|(_, metric)| is_exact(&metric.measure));
        let by_metric = exact.map(|(at, _)| OrderBy::Metric(at));
        let all: Vec<OrderBy> = by_metric.chain((0..groups.len()).map(OrderBy::Group)).collect();
        if all.is_empty() {
            return Vec::new();
        }
        let directions = [Direction::Ascending, Direction::Descending];
        (0..self.dice.below(3)).map(|_| (*self.dice.pick(&all), *self.dice.pick(&directions))).collect()
    }

    fn key(&mut self) -> Key {
        Key::named(self.dice.pick::<&str>(&KEYS))
    }

    /// Some event that has the key, if one is soon found.
    fn some_values(&mut self, key: &Key) -> Option<&'a Event> {
        let sample = self.sample;
        (0..20).map(|_| self.dice.pick(sample)).find(|event| event.get(key).is_some())
    }

    /// A text form that some event has, or a text that none has.
    fn text_of(&mut self, key: &Key) -> String {
        let event = self.some_values(key).filter(|_| !self.dice.one_in(8));
        let Some(value) = event.and_then(|event| event.get(key)) else { return "nothing".to_owned() };
        let texts: Vec<_> = forms::texts(key, value).collect();
        self.dice.pick(&texts).to_string()
    }

    fn part_of(&mut self, key: &Key) -> String {
        let letters: Vec<char> = self.text_of(key).chars().collect();
        let from = self.dice.below(letters.len() + 1);
        letters[from..].iter().take(3).collect()
    }
}

fn numbers(event: &Event, key: &Key) -> Vec<f64> {
    event.get(key).map(|value| forms::numbers(key, value).collect()).unwrap_or_default()
}

fn is_exact(measure: &Measure) -> bool {
    match measure {
        Measure::Sum(key) => WHOLE.contains(&key.name()),
        Measure::Percentile(..) => false,
        _ => true,
    }
}
