//! Parameter: what may stand in a custom query's place: its kind, its bounds, its default.
//! - A parameter has a default or an example: with it the query is tried before anyone asks it.
//! - A value in an address is text; numbers and `true` and `false` are read as JSON writes them.

use super::{TITLE_BYTES_MAX, unfit_text, unknown_members};
use crate::nearest::{cut, unknown};
use crate::query::unfit::{Unfit, kind};
use serde_json::{Map, Value};

/// Bytes of a text.
pub const TEXT_BYTES_MAX: usize = 2_048;
/// Texts of a list.
pub const TEXTS_MAX: usize = 100;
/// Choices of all parameters of a query: it is read with each.
pub const CHOICES_MAX: usize = 100;

const MEMBERS: [&str; 7] = ["kind", "title", "default", "example", "choices", "min", "max"];

/// What kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A list of texts; in an address the parameter is given once for each.
    Texts,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl Kind {
    /// Every kind with its word.
    pub const NAMED: [(&str, Self); 5] = [
        ("text", Self::Text),
        ("texts", Self::Texts),
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
    ];
}

/// A parameter of a custom query.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// What kind of value.
    pub kind: Kind,
    /// What it is, for people.
    pub title: Option<String>,
    /// What stands for it where it is not given; without one it must be.
    pub default: Option<Value>,
    /// A value that fits.
    pub example: Option<Value>,
    /// The values it may have; of a list, those its members may have. Empty: any.
    pub choices: Vec<Value>,
    /// The least number.
    pub min: Option<f64>,
    /// The greatest number.
    pub max: Option<f64>,
}

impl Parameter {
    /// Reads one that stands at a place.
    pub(super) fn read(json: &Value, at: &str) -> Result<Self, Vec<Unfit>> {
        let Value::Object(members) = json else {
            return Err(vec![Unfit::new(
                at,
                format!("{} is no parameter; it may be {{\"kind\":\"text\"}}", kind(json)),
            )]);
        };
        let within = format!("{at}.");
        let mut unfit = unknown_members(members, &MEMBERS, &within);
        unfit.extend(unfit_text(members, "title", &within, TITLE_BYTES_MAX));
        let kind = match read_kind(members.get("kind")) {
            Ok(kind) => kind,
            Err(message) => {
                unfit.push(Unfit::new(format!("{within}kind"), message));
                return Err(unfit);
            }
        };
        let mut bound = |name: &str| match members.get(name)? {
            Value::Number(number) if matches!(kind, Kind::Integer | Kind::Number) => number.as_f64(),
            _ => {
                let message = format!("{name} is a number, and only integers and numbers have one");
                unfit.push(Unfit::new(format!("{within}{name}"), message));
                None
            }
        };
        let (min, max) = (bound("min"), bound("max"));
        let mut parameter = Self {
            kind,
            title: members.get("title").and_then(Value::as_str).map(str::to_owned),
            default: members.get("default").cloned(),
            example: members.get("example").cloned(),
            choices: Vec::new(),
            min,
            max,
        };
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            unfit.push(Unfit::new(format!("{within}min"), "it is greater than max"));
        }
        unfit.extend(parameter.read_choices(members, &within));
        unfit.extend(parameter.unfit_values(at));
        if unfit.is_empty() { Ok(parameter) } else { Err(unfit) }
    }

    fn read_choices(&mut self, members: &Map<String, Value>, within: &str) -> Vec<Unfit> {
        let at = format!("{within}choices");
        let list = match members.get("choices") {
            None => return Vec::new(),
            Some(Value::Array(list)) if (1..=CHOICES_MAX).contains(&list.len()) && self.kind != Kind::Boolean => list,
            Some(_) => {
                let message = format!("choices are a list of 1 to {CHOICES_MAX} values of a text or number");
                return vec![Unfit::new(at, message)];
            }
        };
        let unfit = |(place, choice): (usize, &Value)| {
            let message = self.unfit(&self.alone(choice))?;
            Some(Unfit::new(format!("{at}[{place}]"), message))
        };
        let unfit = list.iter().enumerate().filter_map(unfit).collect();
        self.choices.clone_from(list);
        unfit
    }

    fn unfit_values(&self, at: &str) -> Vec<Unfit> {
        let values = [("default", &self.default), ("example", &self.example)];
        let unfit = values.iter().filter_map(|(name, value)| {
            let message = self.unfit(value.as_ref()?)?;
            Some(Unfit::new(format!("{at}.{name}"), message))
        });
        let mut unfit: Vec<Unfit> = unfit.collect();
        if self.default.is_none() && self.example.is_none() {
            unfit.push(Unfit::new(at, "it needs a default, or an example that the query is tried with"));
        }
        unfit
    }

    /// Whether it stands for a list.
    pub fn is_list(&self) -> bool {
        self.kind == Kind::Texts
    }

    /// A choice as a value: of a list, one of its only member.
    pub(super) fn alone(&self, choice: &Value) -> Value {
        if self.is_list() { Value::Array(vec![choice.clone()]) } else { choice.clone() }
    }

    /// The value that texts of an address mean, its default where there are none.
    pub(super) fn value(&self, texts: &[&str]) -> Result<Value, String> {
        let value = match (self.kind, texts) {
            (_, []) => {
                let needed = || format!("is needed; it may be {}", self.expected());
                return self.default.clone().ok_or_else(needed);
            }
            (Kind::Texts, texts) => texts.iter().copied().collect(),
            (_, [_, _, ..]) => return Err(format!("is given {} times; it has one value", texts.len())),
            (Kind::Text, [text]) => Value::from(*text),
            (_, [text]) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(*text)),
        };
        self.unfit(&value).map_or(Ok(value), |message| Err(format!("is {message}")))
    }

    /// What is wrong with a value, and what would fit.
    fn unfit(&self, value: &Value) -> Option<String> {
        let is_text = |value: &Value| value.as_str().is_some_and(|text| text.len() <= TEXT_BYTES_MAX);
        let fits = match self.kind {
            Kind::Text => is_text(value) && self.chooses(value),
            Kind::Texts => value.as_array().is_some_and(|list| {
                list.len() <= TEXTS_MAX && list.iter().all(|text| is_text(text) && self.chooses(text))
            }),
            Kind::Integer => value.as_i64().is_some() && self.is_within(value) && self.chooses(value),
            Kind::Number => value.is_number() && self.is_within(value) && self.chooses(value),
            Kind::Boolean => value.is_boolean(),
        };
        (!fits).then(|| format!("{}; it may be {}", cut(&value.to_string()), self.expected()))
    }

    fn chooses(&self, value: &Value) -> bool {
        // 5 and 5.0 are the same number.
        let same = |choice: &Value| choice == value || (choice.is_number() && choice.as_f64() == value.as_f64());
        self.choices.is_empty() || self.choices.iter().any(same)
    }

    fn is_within(&self, value: &Value) -> bool {
        let number = value.as_f64().unwrap_or(f64::NAN);
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }

    /// What would fit, in words.
    fn expected(&self) -> String {
        if !self.choices.is_empty() {
            let choices: Vec<String> = self.choices.iter().map(Value::to_string).collect();
            let of = if self.is_list() { "any of" } else { "one of" };
            return format!("{of} {}", choices.join(", "));
        }
        let of_texts = format!("a list of at most {TEXTS_MAX} texts");
        let what = match self.kind {
            Kind::Text => return format!("a text of at most {TEXT_BYTES_MAX} bytes"),
            Kind::Texts => return of_texts,
            Kind::Boolean => return "true or false".to_owned(),
            Kind::Integer => "a whole number",
            Kind::Number => "a number",
        };
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
            (Some(min), None) => format!("{what} from {min}"),
            (None, Some(max)) => format!("{what} up to {max}"),
            (None, None) => what.to_owned(),
        }
    }
}

fn read_kind(json: Option<&Value>) -> Result<Kind, String> {
    let words = Kind::NAMED.map(|(word, _)| word);
    let Some(json) = json else { return Err(format!("it has no kind; it may be {}", words.join(", "))) };
    let found = Kind::NAMED.iter().find(|(word, _)| json == word).map(|(_, kind)| *kind);
    found.ok_or_else(|| json.as_str().map_or_else(|| format!("{json} is no kind"), |word| unknown(word, &words)))
}
