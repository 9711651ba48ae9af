//! Keys, numbers and tables, written and read again; the table of version 1 that is read for ever.

use super::super::cell::{self, read_number, write_number};
use super::super::write::Writer;
use super::*;
use proptest::prelude::*;

fn cell_of(choice: (u8, i32, String)) -> (u8, i32, String) {
    let (kind, day, text) = choice;
    match kind % 5 {
        0 => (0, day, String::new()),
        kind @ (1 | 4) => (kind, 0, text),
        kind => (kind, 0, String::new()),
    }
}

fn cell_in((kind, day, text): &(u8, i32, String)) -> Cell<'_> {
    match kind {
        0 => Cell::Views(Day(*day)),
        1 => Cell::Downloads(text),
        2 => Cell::Visits,
        3 => Cell::Entries,
        _ => Cell::Referers(text),
    }
}

fn key_of(site: &str, id: &str, cell: Cell<'_>) -> Vec<u8> {
    let mut key = Vec::new();
    cell::write_item(site, id, &mut key);
    cell.write(&mut key);
    key
}

fn short() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![Just('\0'), Just('\u{1}'), Just('a'), Just('b'), Just('é'), any::<char>()],
        0..4,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn keys_sort_as_site_id_and_cell_do_and_are_read_back(
        a in (short(), short(), (any::<u8>(), any::<i32>(), short()).prop_map(cell_of)),
        b in (short(), short(), (any::<u8>(), any::<i32>(), short()).prop_map(cell_of)),
    ) {
        let (key_a, key_b) = (key_of(&a.0, &a.1, cell_in(&a.2)), key_of(&b.0, &b.1, cell_in(&b.2)));
        prop_assert_eq!(key_a.cmp(&key_b), a.cmp(&b));
        let (site, rest) = key_a.split_at(site_len(&key_a));
        let (id, part) = rest.split_at(site_len(rest));
        prop_assert_eq!(cell::read_text(site).unwrap(), a.0);
        prop_assert_eq!(cell::read_text(id).unwrap(), a.1);
        prop_assert_eq!(Cell::read(part).unwrap(), cell_in(&a.2));
    }

    #[test]
    fn numbers_and_counts_are_read_back(numbers in any::<[u64; 6]>(), shifts in any::<[u8; 6]>()) {
        let mut small = [0; 6];
        for (small, (number, shift)) in small.iter_mut().zip(numbers.into_iter().zip(shifts)) {
            *small = number >> (shift % 64);
        }
        small[..3].sort_unstable_by(|a, b| b.cmp(a));
        small[3..].sort_unstable_by(|a, b| b.cmp(a));
        let count = |numbers: &[u64]| Count { raw: numbers[0], counted: numbers[1], unique: numbers[2] };
        let counts = Counts { people: count(&small[..3]), bots: count(&small[3..]) };
        let mut written = Vec::new();
        counts.write(&mut written);
        write_number(small[0], &mut written);
        let mut from = written.as_slice();
        prop_assert_eq!(Counts::read(&mut from), Some(counts));
        prop_assert_eq!(read_number(&mut from), Some(small[0]));
        prop_assert!(from.is_empty());
    }
}

#[test]
fn a_number_beyond_64_bits_or_cut_off_is_none() {
    let nine = [0xFF; 9];
    assert_eq!(read_number(&mut [&nine[..], &[1]].concat().as_slice()), Some(u64::MAX));
    assert_eq!(read_number(&mut [&nine[..], &[2]].concat().as_slice()), None);
    assert_eq!(read_number(&mut nine.as_slice()), None);
}

#[test]
fn every_cell_of_a_table_of_many_blocks_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.tbl");
    let mut dice = Dice(7);
    let mut keys: Vec<_> = (0..20_000)
        .map(|number| {
            let id = format!("/datasets/{:x}", dice.below(1 << 12));
            let referer = format!("site{}.example/{}/{number}", dice.below(50), "p".repeat(dice.below(20) as usize));
            let key = key_of("default", &id, Cell::Referers(&referer));
            (key, "default".len() + 2 + id.len() + 2, number + 1)
        })
        .collect();
    keys.sort();
    let counts = |number| Counts { people: Count::all(number), ..Counts::default() };
    let mut writer = Writer::create(&path).unwrap();
    for (key, item_len, number) in &keys {
        let (item, part) = key.split_at(*item_len);
        writer.push(item, part, &counts(*number)).unwrap();
    }
    let written = writer.finish(&[]).unwrap();
    let table = Arc::new(Table::open(&path).unwrap());
    assert!(table.blocks() > 20);
    assert_eq!((table.identity(), table.cells()), (written.identity, 20_000));
    assert_eq!(written.bytes, path.metadata().unwrap().len());
    let mut cursor = Cursor::new(table);
    let standing = |(key, item_len, number): &(Vec<u8>, usize, u64)| {
        (key[..*item_len].to_vec(), key[*item_len..].to_vec(), counts(*number))
    };
    let owned = |cell: Standing<'_>| (cell.item.to_vec(), cell.part.to_vec(), cell.counts);
    for step in 0..keys.len() {
        let at = (step * 7919) % keys.len();
        cursor.go_to(&keys[at].0).unwrap();
        assert_eq!(cursor.cell().map(owned), Some(standing(&keys[at])));
        cursor.go_to(&[keys[at].0.as_slice(), b"\0"].concat()).unwrap();
        assert_eq!(cursor.cell().map(owned), keys.get(at + 1).map(standing));
        let (item, _) = keys[at].0.split_at(keys[at].1);
        cursor.go_to(item).unwrap();
        let first = keys.partition_point(|(key, ..)| key.as_slice() < item);
        assert_eq!(cursor.cell().map(owned), Some(standing(&keys[first])));
    }
}

#[test]
fn an_empty_table_has_no_cell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.tbl");
    let written = build(&path, [], 1 << 20);
    assert_eq!((written.cells, dump(&path).unwrap().as_str()), (0, ""));
}

/// `fixtures/items/v1/day.tbl` was written by the first release of the format from the visits below; it is never written
/// again. `day.txt` is what it holds.
#[test]
fn the_table_of_version_1_is_read_for_ever() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/items/v1");
    let expected = std::fs::read_to_string(fixtures.join("day.txt")).unwrap();
    assert_eq!(dump(&fixtures.join("day.tbl")).unwrap(), expected);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.tbl");
    build(&path, visits(&mut Dice(1), Day(16_457), 40).into_iter().flatten(), 1 << 20);
    assert_eq!(dump(&path).unwrap(), expected, "the same events make the same cells today");
}
