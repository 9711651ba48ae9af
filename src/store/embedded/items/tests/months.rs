//! Months' tables: read where they are exactly what is asked, made again when a day changed, whole after a crash.

use super::*;

/// January 2015 begins here.
const JANUARY: i32 = 16_436;

fn day_table(folder: &Path, day: i32, seed: u64) -> DayTable {
    let path = folder.join(format!("{day}-{seed}.tbl"));
    let written = build(&path, visits(&mut Dice(seed), Day(day), 20).into_iter().flatten(), 1 << 20);
    DayTable { source: Source { day: Day(day), identity: written.identity }, path }
}

fn open(folder: &Path) -> Months {
    Months::open(&folder.join("months")).unwrap()
}

fn paths(months: &Months, days: &[DayTable]) -> Vec<String> {
    let tables = months.tables_of(days).unwrap();
    tables.iter().map(|table| table.path().file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn a_whole_month_is_one_table_and_a_cut_one_its_days() {
    let folder = tempfile::tempdir().unwrap();
    let days: Vec<_> = (28..34).map(|day| day_table(folder.path(), JANUARY + day, 1)).collect();
    let (january, february) = days.split_at(3);
    let months = open(folder.path());
    assert_eq!(paths(&months, &days).len(), 6, "nothing made yet");
    months.make(january).unwrap();
    months.make(february).unwrap();
    assert_eq!(paths(&months, &days), ["2015-01.items.tbl", "2015-02.items.tbl"]);
    assert_eq!(paths(&months, &days[1..]), ["16465-1.tbl", "16466-1.tbl", "2015-02.items.tbl"]);
    assert_eq!(paths(&open(folder.path()), &days), ["2015-01.items.tbl", "2015-02.items.tbl"], "after a restart");
    assert!(paths(&months, &[]).is_empty());
}

#[test]
fn a_month_holds_the_sum_of_its_days() {
    let folder = tempfile::tempdir().unwrap();
    let days: Vec<_> = (0..31).map(|day| day_table(folder.path(), JANUARY + day, day as u64)).collect();
    let months = open(folder.path());
    months.make(&days).unwrap();
    let events = (0..31).flat_map(|day| visits(&mut Dice(day as u64), Day(JANUARY + day), 20)).flatten();
    let whole = folder.path().join("whole.tbl");
    build(&whole, events, 1 << 20);
    assert_eq!(dump(&folder.path().join("months/2015-01.items.tbl")).unwrap(), dump(&whole).unwrap());
}

#[test]
fn a_day_sealed_again_makes_its_month_outdated_until_it_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut days: Vec<_> = (0..2).map(|day| day_table(folder.path(), JANUARY + day, 1)).collect();
    let months = open(folder.path());
    months.make(&days).unwrap();
    let before = months.tables_of(&days).unwrap();
    days[1] = day_table(folder.path(), JANUARY + 1, 2);
    assert_eq!(paths(&months, &days), ["16436-1.tbl", "16437-2.tbl"]);
    months.make(&days).unwrap();
    assert_eq!(paths(&months, &days), ["2015-01.items.tbl"]);
    assert_ne!(before[0].identity(), months.tables_of(&days).unwrap()[0].identity());
    let mut cursor = Cursor::new(Arc::clone(&before[0]));
    cursor.go_to(&[]).unwrap();
    assert!(cursor.cell().is_some(), "who held the old one still reads it");
}

#[test]
fn leftovers_and_damage_are_removed_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let days: Vec<_> = (0..2).map(|day| day_table(folder.path(), JANUARY + day, 1)).collect();
    open(folder.path()).make(&days).unwrap();
    let table = folder.path().join("months/2015-01.items.tbl");
    let half = folder.path().join("months/2015-02.items.tbl.tmp");
    std::fs::write(&half, "half").unwrap();
    let months = open(folder.path());
    assert!(table.exists() && !half.exists());
    assert_eq!(paths(&months, &days), ["2015-01.items.tbl"]);
    let bytes = std::fs::read(&table).unwrap();
    std::fs::write(&table, &bytes[..bytes.len() - 1]).unwrap();
    let months = open(folder.path());
    assert!(!table.exists());
    assert_eq!(paths(&months, &days).len(), 2);
    months.make(&days).unwrap();
    assert_eq!(std::fs::read(&table).unwrap(), bytes);
}

#[test]
fn expiry_removes_the_months_it_reaches_into() {
    let folder = tempfile::tempdir().unwrap();
    let days: Vec<_> = (29..33).map(|day| day_table(folder.path(), JANUARY + day, 1)).collect();
    let months = open(folder.path());
    months.make(&days[..2]).unwrap();
    months.make(&days[2..]).unwrap();
    months.expire(days[0].source.day).unwrap();
    assert_eq!(paths(&months, &days).len(), 2);
    months.expire(days[1].source.day).unwrap();
    assert_eq!(paths(&months, &days[1..]), ["16466-1.tbl", "2015-02.items.tbl"]);
    assert!(!folder.path().join("months/2015-01.items.tbl").exists());
}

#[test]
fn open_tables_are_shared_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let tables = tables::Tables::default();
    let day = day_table(folder.path(), JANUARY, 1);
    let open = |path: &Path| tables.open(path, day.source.identity).unwrap().unwrap();
    let first = open(&day.path);
    assert!(Arc::ptr_eq(&first, &open(&day.path)));
    for copy in 0..300 {
        let path = folder.path().join(format!("copy{copy}.tbl"));
        std::fs::hard_link(&day.path, &path).unwrap();
        open(&path);
    }
    let again = open(&day.path);
    assert!(!Arc::ptr_eq(&first, &again), "closed as the least lately used");
    tables.forget(folder.path());
    assert!(!Arc::ptr_eq(&again, &open(&day.path)));
}

#[test]
fn what_replaced_a_table_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let months = open(folder.path());
    let (old, new) = (day_table(folder.path(), JANUARY, 1), day_table(folder.path(), JANUARY, 2));
    assert_eq!(paths(&months, std::slice::from_ref(&old)).len(), 1);
    std::fs::rename(&new.path, &old.path).unwrap();
    assert_eq!(paths(&months, std::slice::from_ref(&old)).len(), 1, "the open one is still the old one");
    let error = open(folder.path()).tables_of(&[old]).unwrap_err();
    assert!(error.to_string().contains("not the item table"), "{error}");
}
