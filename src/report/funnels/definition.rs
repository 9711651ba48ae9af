//! Definition: which steps a funnel has, and what it is to go through them: typed, from the words of a question or of the
//! configuration, where a site's funnels have names.

use super::run::Between;
use super::{Over, STEPS_MAX, STEPS_MIN};
use crate::event::Key;
use crate::nearest::{cut, unknown};
use crate::query::goal::{self, Goal};
use crate::query::keys::of_filter;
use crate::query::unfit::Unfit;
use crate::query::{names, span};
use crate::store::plan::Filter;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// Funnels by site, each with its name.
pub type Funnels = HashMap<String, Vec<(String, Definition)>>;

/// A funnel, but of which events.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// From [`STEPS_MIN`] to [`STEPS_MAX`].
    pub steps: Vec<Filter>,
    /// The longest from the first step to the last; `None`: the range.
    pub window: Option<Duration>,
    /// What may lie between two steps.
    pub between: Between,
    /// Who.
    pub over: Over,
    /// By the values of which key at the first step.
    pub by: Option<Key>,
}

/// What a funnel says beside its steps, in words; what it does not say stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words<'a> {
    /// Such as `30m`.
    pub window: Option<&'a str>,
    /// `true` or `false`.
    pub strict: Option<&'a str>,
    /// One of [`Over::NAMED`].
    pub over: Option<&'a str>,
    /// A key's name.
    pub by: Option<&'a str>,
}

impl Definition {
    /// Reads steps, which are filters or names of goals: over visitors, within the range, whatever lies between.
    pub fn of(steps: &[Value], goals: &[Goal]) -> Result<Self, Unfit> {
        if !(STEPS_MIN..=STEPS_MAX).contains(&steps.len()) {
            let text = format!("steps are {}; there may be {STEPS_MIN} to {STEPS_MAX}", steps.len());
            return Err(Unfit::new("steps", text));
        }
        let steps = steps.iter().enumerate().map(|(at, step)| goal::read(step, &format!("steps[{at}]"), goals));
        let steps = steps.map(|step| step.map(|reached| reached.filter)).collect::<Result<_, _>>()?;
        Ok(Self { steps, window: None, between: Between::Anything, over: Over::Visitor, by: None })
    }

    /// The same with what these words say.
    pub fn with(mut self, words: Words<'_>) -> Result<Self, Unfit> {
        if let Some(text) = words.window {
            self.window = Some(span::read(text, "window")?);
        }
        if let Some(text) = words.strict {
            self.between = word("strict", text, &[("true", Between::NoView), ("false", Between::Anything)])?;
        }
        if let Some(text) = words.over {
            self.over = word("over", text, &Over::NAMED)?;
        }
        if let Some(text) = words.by {
            self.by = Some(names::key(text).map_err(|message| Unfit::new("by", message))?);
        }
        Ok(self)
    }

    /// Every key that it speaks of, each with its place.
    pub fn keys(&self) -> Vec<(Key, String)> {
        let steps = self.steps.iter().enumerate();
        let by = self.by.iter().map(|key| (key.clone(), "by".to_owned()));
        steps.flat_map(|(at, step)| of_filter(step, &format!("steps[{at}]"))).chain(by).collect()
    }
}

fn word<T: Copy>(at: &str, text: &str, words: &[(&str, T)]) -> Result<T, Unfit> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
    found.ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Unfit::new(at, format!("{at} is {:?}; it may be {}", cut(text), words.join(", ")))
    })
}

/// The funnel of this name.
pub fn named<'a>(funnels: &'a [(String, Definition)], name: &str) -> Result<&'a Definition, String> {
    funnels.iter().find(|(known, _)| known == name).map(|(_, definition)| definition).ok_or_else(|| {
        let names: Vec<&str> = funnels.iter().map(|(name, _)| name.as_str()).collect();
        match names.is_empty() {
            true => "the site has no funnels; [[site.funnel]] in the configuration makes one".to_owned(),
            false => format!("funnel {}", unknown(name, &names)),
        }
    })
}
