//! Answer: a question's terms gathered into as few plans as there are ways to read its events; rows joined, finished,
//! ordered and cut.
//! - Terms that go by the same time, read keys alike and are over the same events are one plan.
//! - Rows by metric as asked, ties by labels ascending; `null` before every text, no number below every number.

use super::include::Compare;
use super::question::{By, Dimension, Query};
use super::range::{Range, edges};
use super::recipe::{Base, Over, Reading, Recipe, Term};
use super::rekey::rekeyed;
use super::scope::of_site;
use crate::clock::Millis;
use crate::event::Key;
use crate::store::plan::{self, Bots, Direction, Filter, Group, Label, Measure, Metric, Plan, TimeKey, TimeRange};
use crate::store::{Store, StoreError};
use std::cmp::Ordering;
use std::collections::HashMap;

/// How long ago `current_visitors` begin: the last five minutes.
pub const NOW_MS: Millis = 300_000;

/// A row: its labels, and a number a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One label a dimension.
    pub labels: Vec<Label>,
    /// One number a metric.
    pub values: Vec<Option<f64>>,
}

/// All rows of a question.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// In order.
    pub rows: Vec<Row>,
    /// Whether some event is in several rows.
    pub overlap: bool,
    /// What a row would hold that no event is in.
    pub nothing: Vec<Option<f64>>,
}

/// Which part of the question is asked.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// By what rows are cut.
    pub dimensions: &'a [Dimension],
    /// What is measured, by the metrics' places.
    pub metrics: &'a [usize],
    /// Whether bots count.
    pub bots: Bots,
    /// A further filter.
    pub only: Filter,
    /// When.
    pub range: &'a Range,
}

/// Terms that one plan answers.
struct Strand {
    reading: Reading,
    time: TimeKey,
    over: Over,
    base: Base,
    metrics: Vec<Metric>,
}

/// Where a term's number stands.
type Place = (usize, usize);

/// Answers a part of a question.
pub async fn table(store: &dyn Store, query: &Query, part: &Part<'_>) -> Result<Table, StoreError> {
    let recipes = part.metrics.iter().map(|at| query.recipe(&query.metrics[*at], part.dimensions));
    let recipes: Vec<Recipe> = recipes.collect::<Result<_, _>>().map_err(StoreError::Invalid)?;
    let (strands, places) = gathered(&recipes, query);
    let mut answers = Vec::with_capacity(strands.len());
    let mut overlap = false;
    for strand in &strands {
        let answer = store.aggregate(&strand.plan(query, part)?).await?;
        overlap |= answer.overlap;
        answers.push(answer.rows);
    }
    let mut joined = Joined { strands: &strands, answers, recipes: &recipes, places: &places };
    let nothing = joined.finished(&vec![None; strands.len()]);
    let mut rows = joined.rows();
    if part.dimensions.is_empty() && rows.is_empty() {
        rows.push(Row { labels: Vec::new(), values: nothing.clone() });
    }
    if rows.len() > query.limits.rows_max {
        let limit = query.limits.rows_max as u64;
        return Err(StoreError::Limit { operation: "query", limit, of: "rows" });
    }
    Ok(Table { rows, overlap, nothing })
}

/// The strands of all terms, and where each recipe's terms stand.
fn gathered(recipes: &[Recipe], query: &Query) -> (Vec<Strand>, Vec<Vec<Place>>) {
    let mut strands: Vec<Strand> = Vec::new();
    let mut place = |term: &Term| {
        let Term { reading, time, over, .. } = *term;
        let base = if query.filter_without_goal.is_some() { term.base } else { Base::Filter };
        let alike = |held: &Strand| (held.reading, held.time, held.over, held.base) == (reading, time, over, base);
        let at = strands.iter().position(alike).unwrap_or_else(|| {
            strands.push(Strand { reading, time, over, base, metrics: Vec::new() });
            strands.len() - 1
        });
        let metrics = &mut strands[at].metrics;
        let metric = Metric { measure: term.measure.clone(), only: term.only.clone() };
        let within = metrics.iter().position(|held| *held == metric).unwrap_or_else(|| {
            metrics.push(metric);
            metrics.len() - 1
        });
        (at, within)
    };
    let places = recipes.iter().map(|recipe| recipe.terms.iter().map(&mut place).collect()).collect();
    (strands, places)
}

impl Strand {
    fn plan(&self, query: &Query, part: &Part<'_>) -> Result<Plan, StoreError> {
        let read = |filter: &Filter| rekeyed(filter, &|key: &Key| self.reading.key(key));
        let groups = match self.over {
            Over::All => Vec::new(),
            Over::Row | Over::Now => {
                part.dimensions.iter().map(|dimension| self.group(dimension, part.range)).collect::<Result<_, _>>()?
            }
        };
        let (from, to) = match self.over {
            Over::Now => (query.now - NOW_MS, query.now + 1),
            Over::Row | Over::All => (part.range.from, part.range.to),
        };
        let without_goal = query.filter_without_goal.as_ref().filter(|_| self.base == Base::WithoutGoal);
        let filter = without_goal.unwrap_or(&query.filter);
        Ok(Plan {
            filter: of_site(&query.site, part.bots).and(read(filter)).and(part.only.clone()),
            range: TimeRange { key: self.time, from, to },
            groups,
            metrics: self.metrics.clone(),
            order: Vec::new(),
            offset: 0,
            limit: query.limits.rows_max,
            limits: query.limits,
        })
    }

    fn group(&self, dimension: &Dimension, range: &Range) -> Result<Group, StoreError> {
        match dimension {
            Dimension::Key(key) => Ok(Group::Key(self.reading.key(key))),
            Dimension::Time(interval) => {
                let buckets = range.buckets(*interval).ok_or_else(too_many)?;
                Ok(Group::Time { key: self.time, edges: edges(&buckets) })
            }
        }
    }
}

/// More intervals than one answer has.
pub(super) fn too_many() -> StoreError {
    StoreError::Invalid("dimensions: more than 10000 intervals in this range; take longer ones".into())
}

/// The answers of all strands, each in the order of its labels, and what becomes of them.
struct Joined<'a> {
    strands: &'a [Strand],
    answers: Vec<Vec<plan::Row>>,
    recipes: &'a [Recipe],
    places: &'a [Vec<Place>],
}

impl Joined<'_> {
    /// Every row that some strand by row has; one over a wider base makes none.
    fn rows(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut next = vec![0; self.strands.len()];
        loop {
            let by_row = |strand: &Strand| strand.over != Over::All && strand.base == Base::Filter;
            let by_row = (0..next.len()).filter(|at| by_row(&self.strands[*at]));
            let Some(first) = by_row.filter_map(|at| Some((&self.answers[at].get(next[at])?.labels, at))).min() else {
                return rows;
            };
            let (labels, at_first) = first;
            for (next, rows) in next.iter_mut().zip(&self.answers) {
                *next += rows[*next..].iter().take_while(|row| row.labels < *labels).count();
            }
            let held = |at: usize| {
                let row = self.answers[at].get(next[at]).filter(|row| row.labels == *labels);
                row.map(|_| next[at]).filter(|_| self.strands[at].over != Over::All)
            };
            let held: Vec<Option<usize>> = (0..next.len()).map(held).collect();
            let values = self.finished(&held);
            held.iter().zip(&mut next).for_each(|(held, next)| *next += usize::from(held.is_some()));
            let labels = std::mem::take(&mut self.answers[at_first][next[at_first] - 1].labels);
            rows.push(Row { labels, values });
        }
    }

    /// The numbers of a row that stands in these places of the answers.
    fn finished(&self, held: &[Option<usize>]) -> Vec<Option<f64>> {
        let number = |(strand, at): &Place| {
            let row = if self.strands[*strand].over == Over::All { Some(0) } else { held[*strand] };
            match row.and_then(|row| self.answers[*strand].get(row)) {
                Some(row) => row.values[*at],
                None => nothing(&self.strands[*strand].metrics[*at].measure),
            }
        };
        let values = self.recipes.iter().zip(self.places).map(|(recipe, places)| {
            let terms: Vec<Option<f64>> = places.iter().map(number).collect();
            (recipe.finish)(&terms)
        });
        values.collect()
    }
}

/// What a measure of no event is.
fn nothing(measure: &Measure) -> Option<f64> {
    match measure {
        Measure::Min(_) | Measure::Max(_) | Measure::Percentile(..) => None,
        _ => Some(0.0),
    }
}

/// Puts rows in the question's order.
pub fn sort(rows: &mut [Row], order: &[(By, Direction)]) {
    rows.sort_by(|a, b| {
        let by = order.iter().map(|(by, direction)| {
            let ordering = match by {
                By::Metric(at) => a.values[*at].partial_cmp(&b.values[*at]).unwrap_or(Ordering::Equal),
                By::Dimension(at) => a.labels[*at].cmp(&b.labels[*at]),
            };
            if *direction == Direction::Descending { ordering.reverse() } else { ordering }
        });
        by.fold(Ordering::Equal, Ordering::then).then_with(|| a.labels.cmp(&b.labels))
    });
}

/// The range compared with.
#[derive(Debug, Clone)]
pub struct Compared {
    /// When.
    pub range: Range,
    /// What a row holds that is not there.
    pub nothing: Vec<Option<f64>>,
    /// Its rows' numbers, under the labels that they are compared by: times by their place in the range.
    pub rows: HashMap<Vec<Label>, Vec<Option<f64>>>,
}

/// Asks the same of the range compared with.
pub async fn compared(
    store: &dyn Store,
    query: &Query,
    compare: &Compare,
    part: &Part<'_>,
) -> Result<Compared, StoreError> {
    let range = compare.range(part.range);
    let earlier = table(store, query, &Part { range: &range, ..part.clone() }).await?;
    let mut times: HashMap<(usize, Millis), Millis> = HashMap::new();
    for (at, dimension) in part.dimensions.iter().enumerate() {
        let Dimension::Time(interval) = dimension else { continue };
        let (then, now) = (range.buckets(*interval), part.range.buckets(*interval));
        for (then, now) in then.ok_or_else(too_many)?.iter().zip(now.ok_or_else(too_many)?) {
            times.insert((at, then.from), now.from);
        }
    }
    let mut rows = HashMap::with_capacity(earlier.rows.len());
    for row in earlier.rows {
        let moved = row.labels.iter().enumerate().map(|(at, label)| match label {
            Label::Time(then) => times.get(&(at, *then)).map(|now| Label::Time(*now)),
            label => Some(label.clone()),
        });
        if let Some(labels) = moved.collect::<Option<Vec<Label>>>() {
            rows.insert(labels, row.values);
        }
    }
    Ok(Compared { range, nothing: earlier.nothing, rows })
}
