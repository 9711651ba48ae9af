//! Custom: queries that an application makes its own: a query with `{parameters}`, under a name.
//! - A definition is checked whole before it is kept, and all that does not fit is told, each with its place; its query is
//!   read with every default and every choice, so that what is kept can be asked.
//! - A parameter's value goes in as JSON at a leaf of the query, never as text that is parsed: no value changes its structure.
//! - Bounded: bytes, parameters, choices, places in the query; and how many queries there are ([`book`]).
//! - Absent: what a query asks (`query::read`), where files lie (`app`), HTTP (`api`).

pub mod book;
pub mod parameter;
mod template;
pub mod text;
mod trial;

use super::unfit::{Unfit, kind};
use crate::nearest::{cut, unknown};
use parameter::{CHOICES_MAX, Parameter};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use template::Use;

/// Bytes of a definition.
pub const BYTES_MAX: usize = 64 << 10;
/// Parameters of a query.
pub const PARAMETERS_MAX: usize = 32;
/// Places in a query that parameters stand at.
pub const USES_MAX: usize = 256;
/// Parameters that every custom query takes, whatever it declares.
pub const SHARED: [&str; 2] = ["site", "partial"];
/// The shape of names, in words.
pub const NAME: &str = "1 to 64 of a-z, 0-9, _ and -";

const NAME_BYTES_MAX: usize = 64;
const MEMBERS: [&str; 4] = ["title", "description", "parameters", "query"];
const TITLE_BYTES_MAX: usize = 200;
const DESCRIPTION_BYTES_MAX: usize = 8 << 10;

/// A query with its parameters, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// What was written, as JSON.
    pub written: Value,
    /// Its parameters, by name.
    pub parameters: BTreeMap<String, Parameter>,
    uses: Vec<Use>,
}

/// Whether a text may be the name of a query.
pub fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits)
}

impl Definition {
    /// Reads what was written. Whether its query can be asked is for [`Definition::try_out`] to say.
    pub fn read(written: &Value) -> Result<Self, Vec<Unfit>> {
        let Value::Object(members) = written else {
            let shape = "a definition has a query, and may have title, description and parameters";
            return Err(vec![Unfit::new("definition", format!("{} is no definition; {shape}", kind(written)))]);
        };
        let mut unfit = unknown_members(members, &MEMBERS, "");
        unfit.extend(unfit_text(members, "title", "", TITLE_BYTES_MAX));
        unfit.extend(unfit_text(members, "description", "", DESCRIPTION_BYTES_MAX));
        let nothing = Map::new();
        let declared = match members.get("parameters") {
            None => &nothing,
            Some(Value::Object(declared)) => declared,
            Some(other) => {
                unfit.push(Unfit::new("parameters", format!("{} is no table of parameters by name", kind(other))));
                &nothing
            }
        };
        let parameters = read_parameters(declared, &mut unfit);
        let uses = match members.get("query") {
            Some(query @ Value::Object(_)) => template::uses(query),
            other => {
                let what = other.map_or("it is missing".to_owned(), |other| format!("{} is no query", kind(other)));
                unfit.push(Unfit::new("query", format!("{what}; a query is what POST /query takes")));
                return Err(unfit);
            }
        };
        unfit.extend(unfit_uses(&uses, declared, &parameters));
        for place in ["filters", "goal"] {
            unfit.extend(template::unfit_structure(&written["query"][place], &format!("query.{place}")));
        }
        if unfit.is_empty() { Ok(Self { written: written.clone(), parameters, uses }) } else { Err(unfit) }
    }

    /// The query with these values in the places of its parameters, and defaults for what is not given.
    /// One that is given an empty value is not given.
    pub fn fill(&self, given: &[(String, String)]) -> Result<Value, Vec<Unfit>> {
        let known: Vec<&str> = self.parameters.keys().map(String::as_str).chain(SHARED).collect();
        let strange = given.iter().filter(|(name, _)| !self.parameters.contains_key(name));
        let mut unfit: Vec<Unfit> = strange.map(|(name, _)| Unfit::new(cut(name), unknown(name, &known))).collect();
        let mut values = BTreeMap::new();
        for (name, parameter) in &self.parameters {
            let texts = given.iter().filter(|(given, value)| given == name && !value.is_empty());
            let texts: Vec<&str> = texts.map(|(_, value)| value.as_str()).collect();
            match parameter.value(&texts) {
                Ok(value) => drop(values.insert(name.as_str(), value)),
                Err(message) => unfit.push(Unfit::new(name, format!("{name} {message}"))),
            }
        }
        if unfit.is_empty() { Ok(template::fill(&self.written["query"], &values)) } else { Err(unfit) }
    }

    /// The site that the query names, where no parameter chooses it.
    pub fn site(&self) -> Option<&str> {
        let member = ["site_id", "site"].into_iter().find(|name| !self.written["query"][name].is_null())?;
        let is_chosen = self.uses.iter().any(|used| used.at == member);
        self.written["query"][member].as_str().filter(|_| !is_chosen)
    }

    /// Where a place of the query comes from: the parameter that stands there, or the definition.
    pub fn origin_of(&self, at: &str) -> String {
        let is_there =
            |place: &str| at.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('['));
        let mut there = self.uses.iter().filter(|used| is_there(&used.at));
        match (there.next(), there.next()) {
            (Some(only), None) => only.name.clone(),
            _ => format!("query.{at}"),
        }
    }
}

fn read_parameters(declared: &Map<String, Value>, unfit: &mut Vec<Unfit>) -> BTreeMap<String, Parameter> {
    if declared.len() > PARAMETERS_MAX {
        let message = format!("{} parameters; at most {PARAMETERS_MAX} in one query", declared.len());
        unfit.push(Unfit::new("parameters", message));
    }
    let mut parameters = BTreeMap::new();
    for (name, json) in declared {
        let at = format!("parameters.{}", cut(name));
        if !is_name(name) || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            unfit.push(Unfit::new(&at, format!("a parameter's name is {NAME}, the first of them a letter")));
        }
        if SHARED.contains(&name.as_str()) || name == "key" {
            unfit.push(Unfit::new(&at, format!("{name} has a meaning in every request; call it something else")));
        }
        match Parameter::read(json, &at) {
            Ok(parameter) => drop(parameters.insert(name.clone(), parameter)),
            Err(errors) => unfit.extend(errors),
        }
    }
    let choices: usize = parameters.values().map(|parameter| parameter.choices.len()).sum();
    if choices > CHOICES_MAX {
        unfit.push(Unfit::new("parameters", format!("{choices} choices; at most {CHOICES_MAX} in one query")));
    }
    parameters
}

/// What stands in the query and is not declared, is declared and nowhere, or stands where it cannot.
fn unfit_uses(uses: &[Use], declared: &Map<String, Value>, read: &BTreeMap<String, Parameter>) -> Vec<Unfit> {
    let known: Vec<&str> = declared.keys().map(String::as_str).collect();
    let mut unfit = Vec::new();
    if uses.len() > USES_MAX {
        unfit.push(Unfit::new("query", format!("parameters stand at {} places; at most {USES_MAX}", uses.len())));
    }
    for Use { at, name, is_whole } in uses {
        let at = format!("query.{at}");
        if !declared.contains_key(name) {
            let what = if known.is_empty() { "there are no parameters".to_owned() } else { unknown(name, &known) };
            let message = format!("{{{name}}} is not declared: {what}; as plain text it is written {{{{{name}}}}}");
            unfit.push(Unfit::new(at, message));
        } else if !is_whole && read.get(name).is_some_and(Parameter::is_list) {
            unfit.push(Unfit::new(at, format!("{{{name}}} is a list: it stands alone, as \"{{{name}}}\"")));
        }
    }
    let unused = known.iter().filter(|name| uses.iter().all(|used| used.name != **name));
    let message = |name: &str| format!("it is nowhere in the query; \"{{{name}}}\" stands for its value");
    unfit.extend(unused.map(|name| Unfit::new(format!("parameters.{}", cut(name)), message(name))));
    unfit
}

/// Members that do not belong to a table.
fn unknown_members(members: &Map<String, Value>, known: &[&str], prefix: &str) -> Vec<Unfit> {
    let strange = members.keys().filter(|name| !known.contains(&name.as_str()));
    strange.map(|name| Unfit::new(format!("{prefix}{}", cut(name)), unknown(name, known))).collect()
}

/// What is wrong with a member that is a text, where it is there.
fn unfit_text(members: &Map<String, Value>, name: &str, prefix: &str, bytes_max: usize) -> Option<Unfit> {
    let message = match members.get(name)? {
        Value::String(text) if text.len() <= bytes_max => return None,
        Value::String(text) => format!("{} bytes; at most {bytes_max}", text.len()),
        other => format!("{} is no text", kind(other)),
    };
    Some(Unfit::new(format!("{prefix}{name}"), message))
}

#[cfg(test)]
mod tests;
