//! Figures: what was measured of whom, as one table of ratios and as JSON for the plots.

use crate::machine::Machine;
use crate::measures::Measure;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Whose figure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Who {
    Metronome,
    /// What the measure says: a null handler, the disk, the JSON itself.
    Reference,
    VictoriaLogs,
    OpenSearch,
    #[serde(rename = "DuckDB")]
    DuckDb,
}

const BESIDE: [Who; 4] = [Who::Reference, Who::VictoriaLogs, Who::OpenSearch, Who::DuckDb];

#[derive(Serialize)]
pub struct Figures {
    pub machine: Machine,
    events: u64,
    /// In the order in which they were first measured.
    rows: Vec<Row>,
    /// What a reader of the table must know.
    remarks: Vec<String>,
    /// Where all of it is kept.
    #[serde(skip)]
    path: PathBuf,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    measure: Measure,
    figures: BTreeMap<Who, f64>,
}

impl Figures {
    pub fn new(machine: Machine, events: u64, path: PathBuf) -> Self {
        Self { machine, events, rows: Vec::new(), remarks: Vec::new(), path }
    }

    /// Says a figure and keeps it, on disk too: a race is long, and may break off.
    pub fn note(&mut self, measure: &Measure, who: Who, figure: f64) {
        eprintln!("   {:<12} {} {}: {}", format!("{who:?}"), shortened(figure), measure.unit, measure.text);
        match self.rows.iter_mut().find(|row| row.measure.name == measure.name) {
            Some(row) => drop(row.figures.insert(who, figure)),
            None => self.rows.push(Row { measure: *measure, figures: BTreeMap::from([(who, figure)]) }),
        }
        self.write();
    }

    pub fn remark(&mut self, remark: String) {
        eprintln!("   {remark}");
        self.remarks.push(remark);
        self.write();
    }

    pub fn of(&self, measure: &Measure, who: Who) -> Option<f64> {
        self.rows.iter().find(|row| row.measure.name == measure.name)?.figures.get(&who).copied()
    }

    /// Markdown: each other figure with how many times better Metronome's is.
    pub fn table(&self) -> String {
        let mut lines = vec![
            format!("{} events. {}.", shortened(self.events as f64), self.machine.line()),
            String::new(),
            "In brackets: how many times better Metronome is; below 1 it loses.".to_owned(),
            String::new(),
            "| | unit | Metronome | goal | reference | VictoriaLogs | OpenSearch | DuckDB |".to_owned(),
            "|---|---|---|---|---|---|---|---|".to_owned(),
        ];
        lines.extend(self.rows.iter().map(Row::line));
        lines.push(String::new());
        lines.extend(self.remarks.iter().map(|remark| format!("- {remark}")));
        lines.join("\n") + "\n"
    }

    fn write(&self) {
        std::fs::write(&self.path, serde_json::to_vec_pretty(self).expect("JSON")).expect("write figures");
    }
}

impl Row {
    fn line(&self) -> String {
        let Measure { text, unit, better, goal, .. } = self.measure;
        let ours = self.figures.get(&Who::Metronome).copied();
        let beside = BESIDE.map(|who| match self.figures.get(&who) {
            None => String::new(),
            Some(theirs) => match ours.and_then(|ours| better.times(ours, *theirs)) {
                None => shortened(*theirs),
                Some(times) => format!("{} ({times:.2})", shortened(*theirs)),
            },
        });
        let ours = ours.map(shortened).unwrap_or_default();
        format!("| {text} | {unit} | {ours} | {goal} | {} |", beside.join(" | "))
    }
}

/// Three digits that count; thousands apart.
fn shortened(figure: f64) -> String {
    match figure.abs() {
        size if size >= 10_000.0 => format!("{},{:03}", figure as i64 / 1000, figure as i64 % 1000),
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}
