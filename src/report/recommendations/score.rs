//! Score: how much more often two items are together than by chance.
//! - Dunning's log-likelihood ratio, "Accurate Methods for the Statistics of Surprise and Coincidence" (1993): twice the sum
//!   of observed × ln(observed / expected) over both, only one, only the other, neither.

/// In how many baskets the two items are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Of the one's baskets that were read, those with the other too.
    pub together: u64,
    /// The one's baskets that were read.
    pub own: u64,
    /// All of the other's.
    pub support: u64,
    /// All baskets.
    pub all: u64,
}

/// The score; `None` for items that are not together more often than by chance.
pub fn likelihood(table: Table) -> Option<f64> {
    let Table { together, own, support, all } = table;
    if u128::from(together) * u128::from(all) <= u128::from(own) * u128::from(support) {
        return None;
    }
    // Estimated counts may not fit each other; none is below nothing.
    let only_own = own.saturating_sub(together);
    let only_other = support.saturating_sub(together);
    let neither = all.saturating_sub(own).saturating_sub(only_other);
    let (not_own, not_other) = (all.saturating_sub(own), all.saturating_sub(support));
    let cells = [
        (together, own, support),
        (only_own, own, not_other),
        (only_other, not_own, support),
        (neither, not_own, not_other),
    ];
    let sum: f64 = cells.into_iter().map(|(observed, row, column)| surprise(observed, row, column, all)).sum();
    Some((2.0 * sum).max(0.0))
}

/// Observed × ln(observed / expected).
fn surprise(observed: u64, row: u64, column: u64, all: u64) -> f64 {
    // Estimates may leave no room for what was observed.
    if observed == 0 || row == 0 || column == 0 {
        return 0.0;
    }
    let [observed, row, column, all] = [observed, row, column, all].map(|count| count as f64);
    observed * (observed * all / (row * column)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(together: u64, own: u64, support: u64, all: u64) -> Option<f64> {
        likelihood(Table { together, own, support, all })
    }

    #[test]
    fn scores_are_those_of_the_literature() {
        // Worked out by entropies: 2 (H(rows) + H(columns) - H(all)), counts in nats.
        let rows = [
            ((3, 4, 5, 20), 5.938_079_467_6),
            ((10, 10, 10, 1_000), 112.003_068_709_7),
            ((3, 500, 3, 1_000_000), 45.623_441_865_6),
            // Dunning's own: "the swiss".
            ((110, 2_552, 221, 31_777), 270.721_876_936_2),
        ];
        for ((together, own, support, all), expected) in rows {
            let score = table(together, own, support, all).expect("more than by chance");
            assert!((score - expected).abs() < 1e-9 * expected, "{score} instead of {expected}");
        }
    }

    #[test]
    fn what_chance_explains_has_no_score() {
        for (together, own, support, all) in [(3, 6, 10, 20), (3, 10, 10, 20), (0, 5, 5, 20), (5, 5, 20, 20)] {
            assert_eq!(table(together, own, support, all), None, "{together} {own} {support} {all}");
        }
        assert!(table(4, 6, 10, 20).is_some());
    }

    #[test]
    fn counts_that_do_not_fit_each_other_have_a_score_all_the_same() {
        assert!(table(5, 5, 4, 10).is_some_and(f64::is_finite));
        assert!(table(5, 500, 400, 450).is_none_or(f64::is_finite));
        assert!(table(u64::MAX, u64::MAX, 1, u64::MAX).is_none_or(f64::is_finite));
        assert!(table(5, 500, 4, 450).is_none_or(f64::is_finite));
    }
}
