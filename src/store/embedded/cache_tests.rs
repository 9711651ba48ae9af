//! Partial answers: kept, bounded, and damaged.

use super::*;
use crate::store::embedded::measure::State;
use std::fs;

const ONE: Digest = [1; 32];
const TWO: Digest = [2; 32];

fn partial(many: u64) -> Partial {
    let mut partial = Partial::default();
    partial.rows.insert(Box::default(), vec![State::Count(many)]);
    partial
}

fn count(partial: Option<Partial>) -> Option<u64> {
    match partial?.rows.into_values().next()?.first()? {
        State::Count(many) => Some(*many),
        _ => None,
    }
}

#[test]
fn an_answer_is_read_for_its_question_alone_and_damage_is_none() {
    let dir = tempfile::tempdir().expect("folder");
    let opened = || Cache::new(dir.path(), 1 << 20);
    let read = |cache: &Cache| [&ONE, &TWO, &[3; 32]].map(|question| count(cache.read(question)));
    let cache = opened();
    cache.write(&ONE, &partial(1));
    cache.write(&TWO, &partial(2));
    assert_eq!(read(&cache), [Some(1), Some(2), None]);
    assert_eq!(read(&opened()), [Some(1), Some(2), None], "by who comes later");
    let path = dir.path().join(CACHE);
    let whole = fs::read(&path).expect("file");
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 1;
        fs::write(&path, bent).expect("file");
        // A question that is not whole hides those behind it.
        let found = read(&opened());
        let is_right = |number: usize| found[number].is_none_or(|many| many == number as u64 + 1);
        assert!(is_right(0) && is_right(1) && found[..2].contains(&None), "byte {at}: {found:?}");
    }
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).expect("file");
        let cache = opened();
        assert_eq!(count(cache.read(&TWO)), None, "cut at {cut}");
        cache.write(&TWO, &partial(2));
        assert_eq!(count(opened().read(&TWO)), Some(2), "kept behind a cut at {cut}");
    }
}

#[test]
fn damage_that_comes_later_is_found_and_scrubbed() {
    let dir = tempfile::tempdir().expect("folder");
    let cache = Cache::new(dir.path(), 1 << 20);
    cache.write(&ONE, &partial(1));
    let path = dir.path().join(CACHE);
    let mut bytes = fs::read(&path).expect("file");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(&path, bytes).expect("file");
    cache.scrub();
    assert_eq!(fs::metadata(&path).expect("file").len(), 0);
    assert!(cache.read(&ONE).is_none());
}

#[test]
fn a_day_holds_no_more_bytes_and_answers_than_it_may() {
    let dir = tempfile::tempdir().expect("folder");
    let digest = |number: u64| std::array::from_fn(|at| number.to_le_bytes()[at % 8]);
    for (bytes_max, most) in [(1000, 1000), (1 << 20, 100_000)] {
        let cache = Cache::new(dir.path(), bytes_max);
        for number in 0..2500 {
            cache.write(&digest(number), &partial(number));
            let held = fs::metadata(dir.path().join(CACHE)).expect("file").len();
            assert!(held <= most, "{held} B");
            assert_eq!(count(cache.read(&digest(number))), Some(number));
        }
    }
    let cache = Cache::new(dir.path(), 50);
    cache.write(&ONE, &partial(1));
    assert!(cache.read(&ONE).is_none(), "more than half of what may be held");
}

#[test]
fn what_an_earlier_version_kept_goes() {
    let dir = tempfile::tempdir().expect("folder");
    let other = dir.path().join("0123456789abcdef.partial");
    fs::write(&other, "kept").expect("file");
    assert!(Cache::new(dir.path(), 1000).read(&ONE).is_none());
    assert!(!other.exists());
}

#[test]
fn intervals_that_do_not_reach_a_day_are_left_out() {
    let edges = [0, 10, 20, 30, 40];
    type Case<'a> = (Option<(i64, i64)>, &'a [i64]);
    let rows: [Case<'_>; 6] = [
        (Some((12, 13)), &[10, 20]),
        (Some((10, 20)), &[10, 20, 30]),
        (Some((-5, 100)), &edges),
        (Some((-5, -1)), &[0]),
        (Some((40, 50)), &[40]),
        (None, &[]),
    ];
    for (bounds, expected) in rows {
        assert_eq!(reaching(&edges, bounds), expected, "{bounds:?}");
    }
}
