//! Trail labels: the texts of one key as codes of documents, in the form that trails have them.
//! - A code is a combination of texts: nearly always one, several where a key holds a list.
//! - Texts are read once each, however many documents have them.

use super::columns::KeyColumns;
use super::docs::Docs;
use super::groups::{NULL, by_key};
use crate::store::plan::Label;
use crate::store::trails::{Labels, NONE, Several};
use foldhash::HashMap;
use std::io;

/// The labels of these documents.
pub fn of(columns: &KeyColumns, docs: &Docs) -> io::Result<Labels> {
    let (many, names) = by_key(columns, docs)?;
    let firsts = || (0..docs.len()).map(|place| many.first.at(place));
    let raws = firsts().chain(many.more.iter().map(|(_, code)| *code));
    let names_read = names.read(raws)?;
    let text = |raw: u32| match names_read.get(&raw) {
        Some(Label::Text(text)) => text.clone(),
        _ => Box::default(),
    };
    let mut texts: Vec<Several> = Vec::new();
    let mut single = vec![NONE; names.bound()];
    let mut codes = Vec::with_capacity(docs.len());
    for raw in firsts() {
        if raw == NULL {
            codes.push(NONE);
            continue;
        }
        let code = &mut single[raw as usize];
        if *code == NONE {
            *code = texts.len() as u32; // combinations are fewer than values, which are below a u32
            texts.push(Box::new([text(raw)]));
        }
        codes.push(*code);
    }
    let mut several: HashMap<Several, u32> = HashMap::default();
    for of_place in many.more.chunk_by(|a, b| a.0 == b.0) {
        let place = of_place[0].0 as usize;
        let raws = std::iter::once(many.first.at(place)).chain(of_place.iter().map(|(_, raw)| *raw));
        let mut combined: Vec<Box<str>> = raws.map(text).collect();
        combined.sort_unstable();
        codes[place] = *several.entry(combined.into()).or_insert_with_key(|combined| {
            texts.push(combined.clone());
            texts.len() as u32 - 1
        });
    }
    Ok(Labels { codes, texts: texts.into() })
}

/// Labels of several segments under one numbering.
#[derive(Default)]
pub struct Joined {
    codes: HashMap<Several, u32>,
    texts: Vec<Several>,
}

impl Joined {
    /// The common code of each of a segment's codes.
    pub fn join(&mut self, labels: &Labels) -> Vec<u32> {
        let code = |texts: &Several| {
            *self.codes.entry(texts.clone()).or_insert_with(|| {
                self.texts.push(texts.clone());
                self.texts.len() as u32 - 1 // combinations of a day are fewer than its events, which are below a u32
            })
        };
        labels.texts.iter().map(code).collect()
    }

    /// What the common codes stand for.
    pub fn finish(self) -> crate::store::trails::Texts {
        self.texts.into()
    }
}
