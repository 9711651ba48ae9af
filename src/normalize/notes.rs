//! Notes: why an event was read as it was, for those who ask.
//! - Switched off they cost nothing: no text is made.

/// One thing that was decided about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about: `name action source channel bot visitor cut moved dropped time route`.
    pub about: &'static str,
    /// The key concerned, as the event holds it.
    pub key: Option<String>,
    /// The reason, for readers.
    pub text: String,
}

/// Collects notes, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes(Option<Vec<Note>>);

impl Notes {
    /// Collects nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Collects everything.
    pub fn on() -> Self {
        Self(Some(Vec::new()))
    }

    /// What was collected, in the order it was decided.
    pub fn into_list(self) -> Vec<Note> {
        self.0.unwrap_or_default()
    }

    /// Adds a note; `text` is only called where notes are collected.
    pub(super) fn add(&mut self, about: &'static str, key: Option<&str>, text: impl FnOnce() -> String) {
        if let Some(list) = &mut self.0 {
            list.push(Note { about, key: key.map(str::to_owned), text: text() });
        }
    }
}
