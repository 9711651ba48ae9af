//! Rating: how good a web vital is, by its 75th percentile.
//! - The bounds are those of web.dev/articles/vitals: good up to the first, poor above the second.

use crate::event::{Key, Known};

/// How good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rating {
    /// Up to the first bound.
    Good,
    /// In between.
    NeedsImprovement,
    /// Above the second bound.
    Poor,
}

/// The web vitals with their bounds, in ms where they are times.
const VITALS: [(Known, f64, f64); 5] = [
    (Known::LcpMs, 2_500.0, 4_000.0),
    (Known::InpMs, 200.0, 500.0),
    (Known::Cls, 0.1, 0.25),
    (Known::FcpMs, 1_800.0, 3_000.0),
    (Known::TtfbMs, 800.0, 1_800.0),
];

impl Rating {
    /// Of a key whose 75th percentile is this; `None` for what is no web vital, and for nothing.
    pub(super) fn of(key: &Key, p75: Option<f64>) -> Option<Self> {
        let (_, good, poor) = VITALS.iter().find(|(vital, ..)| Key::Known(*vital) == *key)?;
        p75.map(|p75| match p75 {
            _ if p75 <= *good => Self::Good,
            _ if p75 <= *poor => Self::NeedsImprovement,
            _ => Self::Poor,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::NeedsImprovement => "needs-improvement",
            Self::Poor => "poor",
        }
    }
}
