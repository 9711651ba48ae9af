//! Ranges: where a day is cut into segments: never within a visitor; events without a visitor apart, by time.

use super::scan::Spot;
use std::ops::Range;

/// The ranges of a day in order, each of at most `most` events but where one visitor alone has more.
pub fn cut(spots: &[Spot], most: usize) -> Vec<Range<usize>> {
    let nobody = spots.partition_point(Spot::has_visitor);
    let mut ranges = Vec::new();
    let mut from = 0;
    while from < nobody {
        let mut to = (from + most.max(1)).min(nobody);
        if to < nobody {
            let visitor = spots[to].visitor;
            let first = from + spots[from..to].partition_point(|spot| spot.visitor < visitor);
            to = if first > from {
                first
            } else {
                to + spots[to..nobody].partition_point(|spot| spot.visitor == visitor)
            };
        }
        ranges.push(from..to);
        from = to;
    }
    while from < spots.len() {
        let to = (from + most.max(1)).min(spots.len());
        ranges.push(from..to);
        from = to;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::single_range_in_vec_init)] // ranges are what is tested
    fn cuts_fall_between_visitors_and_before_nobody() {
        type Case<'a> = (&'a [Option<u64>], usize, &'a [Range<usize>]);
        let rows: [Case<'_>; 7] = [
            (&[], 2, &[]),
            (&[Some(1), Some(1), Some(2)], 3, &[0..3]),
            (&[Some(1), Some(1), Some(2)], 2, &[0..2, 2..3]),
            (&[Some(1), Some(2), Some(2), Some(3)], 2, &[0..1, 1..3, 3..4]),
            (&[Some(1), Some(1), Some(1), Some(2)], 2, &[0..3, 3..4]),
            (&[Some(1), None, None, None], 2, &[0..1, 1..3, 3..4]),
            (&[None, None], 5, &[0..2]),
        ];
        for (visitors, most, expected) in rows {
            let spots: Vec<Spot> = visitors.iter().map(|visitor| Spot::of(*visitor)).collect();
            assert_eq!(cut(&spots, most), expected, "{visitors:?} by {most}");
        }
    }
}
