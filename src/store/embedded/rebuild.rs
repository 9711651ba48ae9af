//! Rebuild: events from their columns, a key at a time.
//! - What comes back is what was written, but for `[]`, `{}`, `null`, and `1.0`, which comes back as `1`.
//! - Texts are read once each, in the order of their dictionary, or once a stream ([`Texts`]).

use super::columns::Values;
use super::docs::Docs;
use super::error::io_error;
use super::segment::Segment;
use super::texts::Texts;
use crate::event::{Event, Key, Known, Value};
use crate::store::StoreError;
use serde_json::value::RawValue;

/// The keys that every event comes with, whatever is asked for.
const ALWAYS: [Known; 4] = [Known::Timestamp, Known::Site, Known::Day, Known::Action];

/// Keys that an event has, mostly.
const KEYS_MOSTLY: usize = 32;

/// The events of these documents, in their order; with `keys` only these and [`ALWAYS`].
pub fn rebuild(segment: &Segment, docs: &Docs, keys: Option<&[Key]>) -> Result<Vec<Event>, StoreError> {
    rebuild_with(segment, docs, keys, None)
}

/// The same, of a stream that holds texts.
pub fn rebuild_with(
    segment: &Segment,
    docs: &Docs,
    keys: Option<&[Key]>,
    mut texts: Option<&mut Texts>,
) -> Result<Vec<Event>, StoreError> {
    let mut events: Vec<Vec<(Key, Value)>> = Vec::new();
    // What events of a visit have, mostly.
    events.resize_with(docs.len(), || Vec::with_capacity(KEYS_MOSTLY));
    let wanted = |key: &&Key| keys.is_none_or(|keys| keys.contains(key) || is_always(key));
    for key in segment.keys()?.iter().filter(wanted) {
        let columns = segment.columns(key)?;
        for part in &columns.parts {
            read(segment, part, docs, texts.as_deref_mut(), |place, value| add(&mut events[place], key, value))?;
        }
        if let Some(lists) = segment.lists(key)? {
            read(segment, &lists, docs, None, |place, text| {
                if let (Value::Text(text), Some(last)) = (text, events[place].last_mut()) {
                    last.1 = list(&text);
                }
            })?;
        }
    }
    Ok(events.into_iter().map(Event::from_sorted).collect())
}

/// The event with these keys alone, and those that every event has.
pub fn only(event: &Event, keys: &[Key]) -> Event {
    let kept = event.fields().iter().filter(|(key, _)| keys.contains(key) || is_always(key));
    Event::from_sorted(kept.cloned().collect())
}

fn is_always(key: &Key) -> bool {
    matches!(key, Key::Known(known) if ALWAYS.contains(known))
}

/// Calls `each` with place and value of all that a column holds, in order of places.
fn read(
    segment: &Segment,
    part: &Values,
    docs: &Docs,
    texts: Option<&mut Texts>,
    mut each: impl FnMut(usize, Value),
) -> Result<(), StoreError> {
    if part.form.dictionary().is_none() {
        part.source.for_each(docs, |place, raw| part.form.scalar(raw).into_iter().for_each(|value| each(place, value)));
        return Ok(());
    }
    if let Some(texts) = texts
        && let Some(values) = texts.of(&part.form).map_err(io_error("read texts of", segment.day))?
    {
        let mut is_whole = true;
        part.source.for_each(docs, |place, raw| match values.get(raw as usize) {
            Some(value) => each(place, value.clone()),
            None => is_whole = false,
        });
        let lacking =
            || std::io::Error::new(std::io::ErrorKind::InvalidData, "a text that a column names is not there");
        return if is_whole { Ok(()) } else { Err(io_error("read texts of", segment.day)(lacking())) };
    }
    let mut places = Vec::new();
    let mut raws: Vec<(u64, usize)> = Vec::new();
    part.source.for_each(docs, |place, raw| {
        raws.push((raw, places.len()));
        places.push((place, Value::Bool(false)));
    });
    raws.sort_unstable();
    let sorted: Vec<u64> = raws.iter().map(|(raw, _)| *raw).collect();
    let found = part.form.values(&sorted, |at, value| places[raws[at].1].1 = value);
    found.map_err(io_error("read texts of", segment.day))?;
    places.into_iter().for_each(|(place, value)| each(place, value));
    Ok(())
}

/// Adds a value to a key's list, or begins with it.
fn add(fields: &mut Vec<(Key, Value)>, key: &Key, value: Value) {
    match fields.last_mut() {
        Some((last, Value::List(members))) if last == key => members.push(value),
        Some((last, held)) if last == key => {
            let first = std::mem::replace(held, Value::Bool(false));
            *held = Value::List(vec![first, value]);
        }
        _ => fields.push((key.clone(), value)),
    }
}

/// A list from its JSON text, number by number as it was written.
fn list(text: &str) -> Value {
    let members: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    Value::List(members.into_iter().map(|member| scalar(member.get())).collect())
}

fn scalar(json: &str) -> Value {
    if let Ok(text) = serde_json::from_str::<String>(json) {
        return Value::text(text);
    }
    match json {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number => {
            let whole = number.parse().map(Value::Int).or_else(|_| number.parse().map(Value::Uint)).ok();
            // `str::parse` is exact, which serde_json by default is not.
            let fraction = || number.parse().ok().and_then(Value::number);
            whole.or_else(fraction).unwrap_or_else(|| Value::text(number))
        }
    }
}
