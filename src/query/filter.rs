//! Filter: `["is","country",["US"]]` and its kin, read into the store's filter.
//! - The grammar is Plausible's Stats API v2 with `gt gte lt lte exists` added; a list of filters means all of them.
//! - Values are compared by their text forms; `null` among the values of `is` means that the event lacks the key.
//! - Bounded: depth, clauses, values, and what a regular expression may grow to.
//! - Absent: whether any event has such a key (`keys`).

use super::goal::Goal;
use super::names;
use super::unfit::{Unfit, kind};
use crate::event::{Key, Value as Held};
use crate::nearest::{cut, unknown};
use crate::store::forms;
use crate::store::plan::{Case, Comparison, Filter};
use serde_json::Value;

/// Filters within filters.
pub const DEPTH_MAX: usize = 32;
/// Clauses of one question.
pub const CLAUSES_MAX: usize = 1_000;
/// Values of one clause.
pub const VALUES_MAX: usize = 1_000;
/// Patterns of one clause.
pub const PATTERNS_MAX: usize = 20;
/// Bytes of one value.
const VALUE_BYTES_MAX: usize = 8_192;

const OPERATORS: [&str; 14] = [
    "is",
    "is_not",
    "contains",
    "contains_not",
    "matches",
    "matches_not",
    "gt",
    "gte",
    "lt",
    "lte",
    "exists",
    "and",
    "or",
    "not",
];
const BEHAVIOUR: [&str; 2] = ["has_done", "has_not_done"];

/// Reads one filter, or a list of filters that all have to match. `at` is where it stands in the question.
pub fn read(json: &Value, at: &str, goals: &[Goal]) -> Result<Filter, Unfit> {
    Reader { goals, clauses: 0 }.any(json, at, 0)
}

struct Reader<'a> {
    goals: &'a [Goal],
    clauses: usize,
}

impl Reader<'_> {
    fn any(&mut self, json: &Value, at: &str, depth: usize) -> Result<Filter, Unfit> {
        match json {
            Value::Array(list) if list.first().is_none_or(Value::is_array) => self.all(list, at, depth),
            _ => self.clause(json, at, depth),
        }
    }

    /// Every filter of a list.
    fn all(&mut self, list: &[Value], at: &str, depth: usize) -> Result<Filter, Unfit> {
        Ok(self.each(list, at, depth)?.into_iter().fold(Filter::All, Filter::and))
    }

    fn each(&mut self, list: &[Value], at: &str, depth: usize) -> Result<Vec<Filter>, Unfit> {
        list.iter().enumerate().map(|(place, json)| self.clause(json, &format!("{at}[{place}]"), depth)).collect()
    }

    fn clause(&mut self, json: &Value, at: &str, depth: usize) -> Result<Filter, Unfit> {
        if depth >= DEPTH_MAX {
            return Err(Unfit::new(cut(at), format!("filters lie within filters more than {DEPTH_MAX} deep")));
        }
        self.clauses += 1;
        if self.clauses > CLAUSES_MAX {
            return Err(Unfit::new(cut(at), format!("more than {CLAUSES_MAX} filters in one question")));
        }
        let list = json.as_array().ok_or_else(|| {
            Unfit::new(at, format!("{} is no filter; it is a list such as [\"is\",\"country\",[\"US\"]]", kind(json)))
        })?;
        let Some(Value::String(operator)) = list.first() else {
            return Err(Unfit::new(at, "a filter begins with its operator, such as [\"is\",\"country\",[\"US\"]]"));
        };
        match operator.as_str() {
            "and" | "or" => self.joined(operator, list, at, depth),
            "not" => match list.as_slice() {
                [_, inner] => Ok(negated(self.clause(inner, &format!("{at}[1]"), depth + 1)?)),
                _ => Err(Unfit::new(at, "not takes one filter: [\"not\",[\"is\",\"country\",[\"US\"]]]")),
            },
            "exists" => match list.as_slice() {
                [_, name] => Ok(Filter::Exists(key(name, &format!("{at}[1]"))?)),
                _ => Err(Unfit::new(at, "exists takes one key: [\"exists\",\"country\"]")),
            },
            word if BEHAVIOUR.contains(&word) => {
                let instead =
                    "what a visitor did elsewhere is not asked by filters here; POST /funnels.json answers it";
                Err(Unfit::new(format!("{at}[0]"), format!("{word:?} is not had here: {instead}")))
            }
            word if OPERATORS.contains(&word) => self.compared(word, list, at),
            word => Err(Unfit::new(format!("{at}[0]"), format!("operator {}", unknown(word, &OPERATORS)))),
        }
    }

    fn joined(&mut self, operator: &str, list: &[Value], at: &str, depth: usize) -> Result<Filter, Unfit> {
        let [_, Value::Array(inner)] = list else {
            let shape = format!("{operator} takes a list of filters: [\"{operator}\",[[\"is\",…],[\"is\",…]]]");
            return Err(Unfit::new(at, shape));
        };
        let inner = self.each(inner, &format!("{at}[1]"), depth + 1)?;
        if inner.is_empty() {
            return Err(Unfit::new(format!("{at}[1]"), format!("{operator} takes at least one filter")));
        }
        Ok(if operator == "and" { Filter::And(inner) } else { Filter::Or(inner) })
    }

    /// A clause about a key's values.
    fn compared(&self, operator: &str, list: &[Value], at: &str) -> Result<Filter, Unfit> {
        let (name, values, case) = match list {
            [_, name, values] => (name, values, Case::Exact),
            [_, name, values, modifiers] => (name, values, case_of(modifiers, &format!("{at}[3]"))?),
            _ => {
                let shape = format!("{operator} takes a key and a list of values: [\"{operator}\",\"path\",[\"/a\"]]");
                return Err(Unfit::new(at, shape));
            }
        };
        let values_at = format!("{at}[2]");
        let Value::Array(values) = values else {
            let message = format!("{} is no list of values; write [{}]", kind(values), cut(&values.to_string()));
            return Err(Unfit::new(values_at, message));
        };
        if values.is_empty() || values.len() > VALUES_MAX {
            return Err(Unfit::new(values_at, format!("{} values; it may be 1 to {VALUES_MAX}", values.len())));
        }
        if name == "event:goal" {
            return self.goal(operator, values, &values_at);
        }
        if let Some(comparison) = comparison(operator) {
            return Ok(Filter::Compare(key(name, &format!("{at}[1]"))?, comparison, one_number(values, &values_at)?));
        }
        let (plain, is_negated) = match operator.strip_suffix("_not") {
            Some(plain) => (plain, true),
            None => (operator, false),
        };
        let filter = texts_filter(plain, name, values, case, at)?;
        Ok(if is_negated { negated(filter) } else { filter })
    }

    /// The goals of these names.
    fn goal(&self, operator: &str, names: &[Value], at: &str) -> Result<Filter, Unfit> {
        let mut goals = Vec::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            let at = format!("{at}[{place}]");
            let name = name.as_str().ok_or_else(|| Unfit::new(&at, format!("{} is no goal's name", kind(name))))?;
            goals.push(super::goal::named(self.goals, name, &at)?.filter.clone());
        }
        match operator {
            "is" => Ok(Filter::Or(goals)),
            "is_not" => Ok(negated(Filter::Or(goals))),
            _ => Err(Unfit::new(at, "event:goal takes is or is_not")),
        }
    }
}

fn negated(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn key(name: &Value, at: &str) -> Result<Key, Unfit> {
    let name = name.as_str().ok_or_else(|| Unfit::new(at, format!("{} is no key's name", kind(name))))?;
    names::key(name).map_err(|message| Unfit::new(at, message))
}

fn case_of(modifiers: &Value, at: &str) -> Result<Case, Unfit> {
    let shape = "modifiers are {\"case_sensitive\": true or false}";
    let Value::Object(modifiers) = modifiers else { return Err(Unfit::new(at, shape)) };
    match (modifiers.len(), modifiers.get("case_sensitive")) {
        (0, _) | (1, Some(Value::Bool(true))) => Ok(Case::Exact),
        (1, Some(Value::Bool(false))) => Ok(Case::Folded),
        _ => Err(Unfit::new(at, shape)),
    }
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "gt" => Comparison::Above,
        "gte" => Comparison::AtLeast,
        "lt" => Comparison::Below,
        "lte" => Comparison::AtMost,
        _ => return None,
    })
}

fn one_number(values: &[Value], at: &str) -> Result<f64, Unfit> {
    match values {
        [Value::Number(number)] => number.as_f64().filter(|number| number.is_finite()),
        _ => None,
    }
    .ok_or_else(|| Unfit::new(at, "a comparison takes one number: [\"gt\",\"value\",[10]]"))
}

fn texts_filter(operator: &str, name: &Value, values: &[Value], case: Case, at: &str) -> Result<Filter, Unfit> {
    let key = key(name, &format!("{at}[1]"))?;
    let lacks = operator == "is" && values.contains(&Value::Null);
    let mut texts = Vec::with_capacity(values.len());
    for (place, value) in values.iter().enumerate().filter(|(_, value)| !(lacks && value.is_null())) {
        let at = format!("{at}[2][{place}]");
        let text = text_of(value).ok_or_else(|| {
            Unfit::new(
                &at,
                format!("{} is no value to compare with; it may be a text, a number or a boolean", kind(value)),
            )
        })?;
        if text.len() > VALUE_BYTES_MAX {
            return Err(Unfit::new(&at, format!("the value is longer than {VALUE_BYTES_MAX} bytes")));
        }
        // What Plausible calls a view.
        let is_view = name == "event:name" && text == "pageview";
        texts.push(if is_view { "view".to_owned() } else { text });
    }
    Ok(match operator {
        "contains" => Filter::Contains(key, texts, case),
        "matches" => {
            check_patterns(&texts, case, at)?;
            Filter::Matches(key, texts, case)
        }
        _ if !lacks => Filter::Is(key, texts, case),
        _ => {
            let without = negated(Filter::Exists(key.clone()));
            if texts.is_empty() { without } else { Filter::Or(vec![Filter::Is(key, texts, case), without]) }
        }
    })
}

/// The text form of a value in a question.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Number(number) => Some(Held::number(number.as_f64()?)?.as_text().into_owned()),
        _ => None,
    }
}

fn check_patterns(patterns: &[String], case: Case, at: &str) -> Result<(), Unfit> {
    if patterns.len() > PATTERNS_MAX {
        return Err(Unfit::new(
            format!("{at}[2]"),
            format!("more than {PATTERNS_MAX} regular expressions in one filter"),
        ));
    }
    for (place, pattern) in patterns.iter().enumerate() {
        forms::pattern(pattern, case).map_err(|error| Unfit::new(format!("{at}[2][{place}]"), error.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
