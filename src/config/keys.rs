//! The known keys, read from the commented `metronome.toml`: for unknown keys, and for the environment's names.
//! - `# key = …` is a default, `## key = …` an example of a key that is unset by default; both make the key known.

use super::ConfigError;
use std::sync::LazyLock;
use toml::{Table, Value};

const EXAMPLE: &str = include_str!("../../metronome.toml");
const PREFIX: &str = "METRONOME_";
/// Variables of the shell's own, no keys of the file.
const RESERVED: &[&str] = &["METRONOME_CONFIG", "METRONOME_KEY", "METRONOME_URL"];
/// What Kubernetes tells every container about a service of our name.
const FOREIGN: &[&str] = &["METRONOME_SERVICE_", "METRONOME_PORT"];

/// A table whose keys are names of the operator's.
const NAMED: &str = "forward.users";

static EXAMPLE_TABLE: LazyLock<Table> = LazyLock::new(|| uncommented(true).parse().unwrap_or_default());

/// The example's lines with their comment signs taken off the keys; with those of unset keys or without.
pub(super) fn uncommented(with_unset: bool) -> String {
    let line = |line: &str| -> Option<String> {
        if let Some(unset) = line.strip_prefix("## ") {
            return with_unset.then(|| unset.to_owned());
        }
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_key = bare
            .split_once(" = ")
            .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.'));
        (is_key || bare.starts_with('[')).then(|| bare.to_owned())
    };
    EXAMPLE.lines().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// Refuses a table that holds a key the example does not.
pub(super) fn refuse_unknown(table: &Table) -> Result<(), ConfigError> {
    let known = paths(&EXAMPLE_TABLE);
    match paths(table).into_iter().find(|path| !known.contains(path)) {
        Some(key) => Err(ConfigError::UnknownKey { nearest: nearest(&key, &known), key }),
        None => Ok(()),
    }
}

/// Sets every key that a `METRONOME_…` variable names; its text is read as TOML, or else is text.
pub(super) fn lay_environment_over(
    table: &mut Table,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    let known: Vec<String> = paths(&EXAMPLE_TABLE).into_iter().filter(|path| !path.starts_with("site")).collect();
    let names: Vec<String> = known.iter().map(|path| variable(path)).collect();
    let foreign = |name: &str| RESERVED.contains(&name) || FOREIGN.iter().any(|prefix| name.starts_with(prefix));
    let ours = environment.filter(|(name, _)| name.starts_with(PREFIX) && !foreign(name));
    for (name, text) in ours {
        let Some(at) = names.iter().position(|known| *known == name) else {
            return Err(ConfigError::UnknownKey { nearest: nearest(&name, &names), key: name });
        };
        let is_text = value_at(&EXAMPLE_TABLE, &known[at]).is_some_and(Value::is_str);
        let value = value_of(&text);
        set(table, &known[at], if is_text && !value.is_str() { Value::String(text) } else { value });
    }
    Ok(())
}

fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_uppercase())
}

fn value_of(text: &str) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("v"));
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The value of a path in a table.
fn value_at<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((section, key)) => value_at(table.get(section)?.as_table()?, key),
    }
}

fn set(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, key)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                set(inner, key, value);
            }
        }
    }
}

/// Every key of a table as `section.key`; of an array of tables the keys of each; names of the operator's left out.
fn paths(table: &Table) -> Vec<String> {
    let of_names = |path: String| if path.starts_with(NAMED) { NAMED.to_owned() } else { path };
    all_paths(table).into_iter().map(of_names).collect()
}

fn all_paths(table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in table {
        let inner: Vec<&Table> = match value {
            Value::Table(inner) => vec![inner],
            Value::Array(members) => members.iter().filter_map(Value::as_table).collect(),
            _ => Vec::new(),
        };
        if inner.is_empty() {
            all.push(key.clone());
        }
        all.extend(inner.into_iter().flat_map(all_paths).map(|path| format!("{key}.{path}")));
    }
    all
}

fn nearest(key: &str, known: &[String]) -> String {
    let likeness = |other: &&String| (strsim::jaro_winkler(key, other) * 1e6) as u64;
    known.iter().max_by_key(likeness).cloned().unwrap_or_default()
}
