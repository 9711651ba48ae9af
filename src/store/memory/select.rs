//! Select: a filter as a test of one event.
//! - Word for word what `plan` says of filters; patterns are compiled once a question.

use crate::event::{Event, Key};
use crate::store::plan::{Case, Comparison, Filter};
use crate::store::{StoreError, forms, words};

/// A filter, ready to be asked.
pub(super) enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Exists(Key),
    /// Any text form of the key passes.
    Text(Key, Box<dyn Fn(&str) -> bool>),
    /// Each phrase occurs in one of the texts that are searched.
    Search(Vec<Vec<String>>),
    /// Any number form of the key passes.
    Number(Key, Box<dyn Fn(f64) -> bool>),
}

impl Test {
    /// The test of `filter`; [`StoreError::Invalid`] for a pattern that is none.
    pub(super) fn of(filter: &Filter) -> Result<Self, StoreError> {
        Ok(match filter {
            Filter::All => Self::And(Vec::new()),
            Filter::And(all) => Self::And(all.iter().map(Self::of).collect::<Result<_, _>>()?),
            Filter::Or(any) => Self::Or(any.iter().map(Self::of).collect::<Result<_, _>>()?),
            Filter::Not(inner) => Self::Not(Box::new(Self::of(inner)?)),
            Filter::Exists(key) => Self::Exists(key.clone()),
            Filter::Is(key, texts, case) => Self::Text(key.clone(), comparing(texts, *case, |text, one| text == one)),
            Filter::Contains(key, texts, case) => {
                Self::Text(key.clone(), comparing(texts, *case, |text, one| text.contains(one)))
            }
            Filter::Matches(key, patterns, case) => {
                let patterns = patterns.iter().map(|one| forms::pattern(one, *case)).collect::<Result<Vec<_>, _>>()?;
                Self::Text(key.clone(), Box::new(move |text| patterns.iter().any(|one| one.is_match(text))))
            }
            Filter::Search(text) => Self::Search(words::phrases(text)),
            Filter::Compare(key, comparison, bound) => {
                let (comparison, bound) = (*comparison, *bound);
                Self::Number(key.clone(), Box::new(move |number| compares(number, comparison, bound)))
            }
        })
    }

    /// Whether `event` passes.
    pub(super) fn matches(&self, event: &Event) -> bool {
        match self {
            Self::And(all) => all.iter().all(|test| test.matches(event)),
            Self::Or(any) => any.iter().any(|test| test.matches(event)),
            Self::Not(inner) => !inner.matches(event),
            Self::Exists(key) => event.get(key).is_some(),
            Self::Search(phrases) => phrases.iter().all(|phrase| {
                let mut texts = words::SEARCHED.iter().filter_map(|key| event.text(*key));
                texts.any(|text| words::occurs(phrase, text))
            }),
            Self::Text(key, passes) => {
                event.get(key).is_some_and(|value| forms::texts(key, value).any(|text| passes(&text)))
            }
            Self::Number(key, passes) => event.get(key).is_some_and(|value| forms::numbers(key, value).any(passes)),
        }
    }
}

/// A test of a text against any of `texts`, in the case asked for.
fn comparing(texts: &[String], case: Case, same: fn(&str, &str) -> bool) -> Box<dyn Fn(&str) -> bool> {
    let in_case = move |text: &str| match case {
        Case::Exact => text.to_owned(),
        Case::Folded => forms::folded(text),
    };
    let texts: Vec<String> = texts.iter().map(|text| in_case(text)).collect();
    Box::new(move |text| texts.iter().any(|one| same(&in_case(text), one)))
}

fn compares(number: f64, comparison: Comparison, bound: f64) -> bool {
    match comparison {
        Comparison::Above => number > bound,
        Comparison::AtLeast => number >= bound,
        Comparison::Below => number < bound,
        Comparison::AtMost => number <= bound,
    }
}
