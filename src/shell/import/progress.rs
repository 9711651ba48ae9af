//! Progress of an import: a bar with rate and time left on a terminal, plain lines elsewhere; always on standard error.

use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::time::Duration;

const STYLE: &str = "{bar:40} {pos}/{len} lines, {per_sec}, {eta} left";

/// How far an import is.
pub struct Progress {
    terminal: bool,
    bar: ProgressBar,
}

impl Progress {
    /// One that draws a bar if `terminal`, and else says each stage in a line.
    pub fn new(terminal: bool) -> Self {
        Self { terminal, bar: ProgressBar::hidden() }
    }

    pub(super) fn reading(&self, path: &Path) {
        self.say(&format!("reading {}", path.display()));
    }

    pub(super) fn sending(&mut self, lines: u64) {
        self.say(&format!("taking {lines} lines in order of time"));
        if self.terminal {
            self.bar = ProgressBar::new(lines);
            self.bar.set_style(ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar()));
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    pub(super) fn sent(&self, lines: u64) {
        self.bar.inc(lines);
    }

    pub(super) fn sealing(&self) {
        self.bar.finish_and_clear();
        self.say("sealing the days it touched");
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, text: &str) {
        eprintln!("{text}");
    }
}
