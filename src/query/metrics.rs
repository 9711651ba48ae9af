//! Metrics: every number that can be asked, each in one place: its name and what it is made of.
//! - Their meaning is that of docs/metrics.md; increments stand on events, so nearly all are sums.
//! - A metric that does not fit the question's keys says what fits.

use super::goal::Reached;
use super::names;
use super::range::Interval;
use super::recipe::{About, Estimate, Over, Reading, Recipe, Sum, Term, divided, is_visit_key, is_visitor_key};
use super::scope::{having, not, of_actions};
use crate::event::{Key, Known, Shape};
use crate::nearest::unknown;
use crate::store::plan::{Counting, Filter, Measure};

type Make = fn(&About<'_>) -> Result<Recipe, String>;

/// The metrics that have names.
pub const NAMED: [(&str, Make); 24] = [
    ("events", |_| Ok(Recipe::plain(Term::of(not(of_actions(&["engage"])), Measure::Events)))),
    ("views", |about| Ok(Recipe::plain(clicks("view", about.counting)))),
    ("downloads", |about| Ok(Recipe::plain(clicks("download", about.counting)))),
    ("errors", |_| Ok(Recipe::plain(Term::of(of_actions(&["error"]), Measure::Events)))),
    ("visits", |about| Ok(visits(about))),
    ("entries", |_| Ok(Recipe::plain(Term::sum(Known::VisitStart).only(having(Known::Entry)).by_visit()))),
    ("bounces", |about| {
        let difference = |terms: &[Option<f64>]| Some(terms[0]? - terms[1]?);
        let terms = of_visits(about, vec![Term::sum(Known::VisitStart), Term::sum(Known::Engaged)])?;
        Ok(Recipe { sum: Sum::Adds, ..Recipe::ratio(terms).finished(difference) })
    }),
    ("bounce_rate", |about| {
        let terms = of_visits(about, vec![Term::sum(Known::Engaged), Term::sum(Known::VisitStart)])?;
        Ok(Recipe::ratio(terms).finished(|terms| {
            let bounces = terms[1]? - terms[0].unwrap_or_default();
            divided(Some(bounces), terms[1])
        }))
    }),
    ("visit_duration", |about| {
        let terms = of_visits(about, vec![Term::sum(Known::VisitMs), Term::sum(Known::VisitStart)])?;
        Ok(Recipe::ratio(terms).finished(seconds))
    }),
    ("views_per_visit", |about| {
        let views = Term::of(of_actions(&["view"]).and(having(Known::Visit)), Measure::Events);
        Ok(Recipe::ratio(of_visits(about, vec![views, Term::sum(Known::VisitStart)])?))
    }),
    ("exits", |about| {
        let [views, by_id, left] = of_pages(about, "exits")?;
        let recipe = Recipe::ratio(vec![views, by_id, left]);
        Ok(Recipe { sum: Sum::Adds, ..recipe.finished(|terms| Some(terms[0]? + terms[1]? - terms[2]?)) })
    }),
    ("exit_rate", |about| {
        let [views, by_id, left] = of_pages(about, "exit_rate")?;
        Ok(Recipe::ratio(vec![views, by_id, left]).finished(|terms| {
            let views = terms[0]? + terms[1]?;
            divided(Some(views - terms[2]?), Some(views))
        }))
    }),
    ("dwell_time", |about| {
        let [_, _, left] = of_pages(about, "dwell_time")?;
        let dwell = having(Known::DwellMs);
        let number = left.clone().only(dwell.clone());
        let sum = Term { measure: Measure::Sum(Known::DwellMs.into()), ..left.only(dwell) };
        Ok(Recipe::ratio(vec![sum, number]).finished(seconds))
    }),
    ("time_on_page", |_| {
        Ok(Recipe::ratio(vec![Term::sum(Known::EngagedMs), Term::sum(Known::EngageStart)]).finished(seconds))
    }),
    ("scroll_depth", |_| Ok(Recipe::ratio(vec![Term::sum(Known::ScrollGain), Term::sum(Known::EngageStart)]))),
    ("visitors", |about| Ok(visitors(about))),
    ("users", |_| Ok(Recipe::distinct(Term::of(having(Known::User), Measure::Distinct(Known::User.into()))))),
    ("current_visitors", |about| match about.times.is_empty() {
        true => Ok(Recipe::distinct(distinct_visitors().over(Over::Now))),
        false => Err("current_visitors are those of the last five minutes: they have no dimension of time".to_owned()),
    }),
    ("conversions", |about| Ok(Recipe::plain(Term::of(goal(about, "conversions")?, Measure::Events)))),
    ("conversion_rate", |about| {
        let goal = goal(about, "conversion_rate")?;
        Ok(of_visitors(vec![distinct_visitors().only(goal), distinct_visitors().over(Over::All).without_goal()]))
    }),
    ("group_conversion_rate", |about| {
        let goal = goal(about, "group_conversion_rate")?;
        Ok(of_visitors(vec![distinct_visitors().only(goal), distinct_visitors().without_goal()]))
    }),
    ("percentage", |_| Ok(of_visitors(vec![distinct_visitors(), distinct_visitors().over(Over::All)]))),
    ("total_revenue", |about| Ok(Recipe::plain(revenue(about, Measure::Sum)?))),
    ("average_revenue", |about| {
        Ok(Recipe::ratio(vec![revenue(about, Measure::Sum)?, revenue(about, Measure::Numbers)?]))
    }),
];

/// The functions of a key.
pub const FUNCTIONS: [&str; 7] = ["count", "sum", "avg", "min", "max", "distinct", "pNN"];

/// A metric as it was asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// One of [`NAMED`], by its place.
    Named(usize),
    /// A function of a key.
    Of(Function, Key),
}

/// A function of a key's values.
#[allow(missing_docs)] // docs/metrics.md defines each
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Distinct,
    Percentile(u8),
}

impl Metric {
    /// The metric of this name, ours or Plausible's, or why there is none.
    pub fn read(name: &str) -> Result<Self, String> {
        let ours = if name == "pageviews" { "views" } else { name };
        if let Some(at) = NAMED.iter().position(|(named, _)| *named == ours) {
            return Ok(Self::Named(at));
        }
        let Some((function, key)) = name.strip_suffix(')').and_then(|name| name.split_once('(')) else {
            let known: Vec<&str> = NAMED.iter().map(|(name, _)| *name).chain(FUNCTIONS.map(|name| name)).collect();
            return Err(format!("metric {} (a function takes a key: p75(lcp_ms))", unknown(name, &known)));
        };
        let function = Function::read(function)?;
        let key = names::key(key)?;
        match &key {
            Key::Known(known) if function.wants_numbers() && !holds_numbers(*known) => {
                let fits = "count and distinct take any key, the others one with numbers";
                Err(format!("{} holds no numbers: {fits}", known.name()))
            }
            _ => Ok(Self::Of(function, key)),
        }
    }

    /// Its name in answers.
    pub fn name(&self) -> String {
        match self {
            Self::Named(at) => NAMED[*at].0.to_owned(),
            Self::Of(function, key) => format!("{}({})", function.name(), key.name()),
        }
    }

    /// Whether it is of money.
    pub fn is_revenue(&self) -> bool {
        matches!(self, Self::Named(at) if NAMED[*at].0.ends_with("_revenue"))
    }

    /// What it is made of in a question; or what of the question does not fit, and what would.
    pub fn recipe(&self, about: &About<'_>) -> Result<Recipe, String> {
        match self {
            Self::Named(at) => NAMED[*at].1(about),
            Self::Of(function, key) => Ok(function.recipe(key)),
        }
    }
}

impl Function {
    fn read(name: &str) -> Result<Self, String> {
        Ok(match name {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "avg" => Self::Avg,
            "min" => Self::Min,
            "max" => Self::Max,
            "distinct" => Self::Distinct,
            _ => {
                let percent = name.strip_prefix('p').filter(|digits| !digits.starts_with(['0', '+']));
                let percent =
                    percent.and_then(|digits| digits.parse().ok()).filter(|percent| (1..=99).contains(percent));
                let known = "count, sum, avg, min, max, distinct and p1 to p99";
                Self::Percentile(
                    percent.ok_or_else(|| format!("function {name:?} is not known here; known are {known}"))?,
                )
            }
        })
    }

    fn name(self) -> String {
        match self {
            Self::Count => "count".to_owned(),
            Self::Sum => "sum".to_owned(),
            Self::Avg => "avg".to_owned(),
            Self::Min => "min".to_owned(),
            Self::Max => "max".to_owned(),
            Self::Distinct => "distinct".to_owned(),
            Self::Percentile(percent) => format!("p{percent}"),
        }
    }

    fn wants_numbers(self) -> bool {
        !matches!(self, Self::Count | Self::Distinct)
    }

    fn recipe(self, key: &Key) -> Recipe {
        let term = |measure: fn(Key) -> Measure| Term::of(Filter::Exists(key.clone()), measure(key.clone()));
        match self {
            Self::Count => Recipe::plain(term(Measure::Having)),
            Self::Sum => Recipe::plain(term(Measure::Sum)),
            Self::Avg => Recipe::ratio(vec![term(Measure::Sum), term(Measure::Numbers)]),
            Self::Min => Recipe { sum: Sum::None, ..Recipe::plain(term(Measure::Min)) },
            Self::Max => Recipe { sum: Sum::None, ..Recipe::plain(term(Measure::Max)) },
            Self::Distinct => Recipe::distinct(term(Measure::Distinct)),
            Self::Percentile(percent) => {
                let measure = Measure::Percentile(key.clone(), f64::from(percent));
                let recipe = Recipe::plain(Term::of(Filter::Exists(key.clone()), measure));
                Recipe { sum: Sum::None, estimate: Some(Estimate::Percentile), ..recipe }
            }
        }
    }
}

fn holds_numbers(known: Known) -> bool {
    !matches!(known.shape(), Shape::Text | Shape::Texts | Shape::Hash | Shape::Bool)
}

/// A quotient of ms, in seconds.
fn seconds(terms: &[Option<f64>]) -> Option<f64> {
    divided(terms[0], terms[1]).map(|ms| ms / 1_000.0)
}

fn clicks(action: &str, counting: Counting) -> Term {
    let of_action = of_actions(&[action]);
    match counting {
        Counting::Raw => Term::of(of_action, Measure::Events),
        Counting::Counter => Term::sum(Known::Counted).only(of_action),
    }
}

/// A visit's first event has the keys of the whole visit; any other key may be that of any event.
fn visits(about: &About<'_>) -> Recipe {
    match about.other_key(is_visit_key) {
        None => Recipe::plain(Term::sum(Known::VisitStart).by_visit()),
        Some(_) => Recipe::distinct(Term::of(having(Known::Visit), Measure::Daily(Known::Visit.into())).by_visit()),
    }
}

fn visitors(about: &About<'_>) -> Recipe {
    let by_days = !about.times.iter().any(|time| matches!(time, Interval::Minute | Interval::Hour));
    match about.other_key(is_visitor_key) {
        None if about.is_site_days && by_days => Recipe::plain(Term::sum(Known::VisitorStart)),
        _ => Recipe::distinct(distinct_visitors()),
    }
}

fn distinct_visitors() -> Term {
    Term::of(having(Known::Visitor), Measure::Daily(Known::Visitor.into()))
}

/// A quotient of visitors.
fn of_visitors(terms: Vec<Term>) -> Recipe {
    Recipe { estimate: Some(Estimate::Distinct), ..Recipe::ratio(terms) }
}

/// Terms about visits: those that enter at the page or item asked for.
fn of_visits(about: &About<'_>, terms: Vec<Term>) -> Result<Vec<Term>, String> {
    let fits = |key: &Key| is_visit_key(key) || [Known::Path, Known::Id].iter().any(|known| *key == (*known).into());
    if let Some(key) = about.other_key(fits) {
        let fitting = "keys of a visit do (entry, source, channel, utm_*, browser, os, device, country, …), and path and \
                       id as those it was entered by";
        return Err(format!("it cannot be asked by {}, which differs within a visit; {fitting}", key.name()));
    }
    Ok(terms.into_iter().map(|term| term.by_visit().reading(Reading::Entering)).collect())
}

/// Page views within visits, by path and by id, and views that left a page for the next.
fn of_pages(about: &About<'_>, metric: &str) -> Result<[Term; 3], String> {
    if let Some(key) = about.other_key(|key| is_visit_key(key) || *key == Known::Path.into()) {
        let fitting = "path does, and keys of a visit (entry, source, channel, utm_*, browser, country, …)";
        return Err(format!("{metric} cannot be asked by {}; {fitting}", key.name()));
    }
    let views = of_actions(&["view"]).and(having(Known::Visit));
    let count = |only| Term::of(only, Measure::Events).by_visit();
    let by_id = views.clone().and(not(having(Known::Path))).and(having(Known::Id));
    Ok([
        count(views.and(having(Known::Path))),
        count(by_id).reading(Reading::ById),
        count(having(Known::Previous)).reading(Reading::Leaving),
    ])
}

fn goal(about: &About<'_>, metric: &str) -> Result<Filter, String> {
    let needed = || format!("{metric} needs a goal: \"goal\" is a filter, or the name of one of the site's goals");
    about.goal.map(|goal| goal.filter.clone()).ok_or_else(needed)
}

/// What the goal's events are worth; all events where there is no goal.
fn revenue(about: &About<'_>, measure: fn(Key) -> Measure) -> Result<Term, String> {
    let Some(Reached { filter, value }) = about.goal else {
        return Ok(Term::of(having(Known::Value), measure(Known::Value.into())));
    };
    let differ = "the goals are worth what different keys say; ask one of them at a time";
    let key = value.clone().ok_or_else(|| differ.to_owned())?;
    Ok(Term::of(Filter::Exists(key.clone()).and(filter.clone()), measure(key)))
}
