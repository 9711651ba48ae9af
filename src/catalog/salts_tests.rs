use super::*;

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

fn opened() -> (tempfile::TempDir, Salts) {
    let folder = tempfile::tempdir().expect("a folder");
    let salts = reopened(&folder);
    (folder, salts)
}

fn reopened(folder: &tempfile::TempDir) -> Salts {
    let catalog = Catalog::open(&folder.path().join("catalog.db")).expect("open");
    Salts::open(Arc::new(catalog)).expect("salts")
}

fn utc(_: &str) -> TimeZone {
    TimeZone::UTC
}

/// Whether a salt's bytes or their hex are in any file of the folder.
fn is_on_disk(folder: &tempfile::TempDir, salt: &Salt) -> bool {
    let bytes: Vec<u8> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .flat_map(|file| std::fs::read(file.expect("a file").path()).expect("read"))
        .collect();
    let text = hex(salt);
    bytes.windows(16).any(|at| at == salt) || bytes.windows(32).any(|at| at == text.as_bytes())
}

#[test]
fn a_days_salt_is_one_random_secret_that_survives_reopening() {
    let (folder, salts) = opened();
    let daily = |salts: &Salts, site: &str, day| salts.daily(site, Day(day), &TimeZone::UTC, 0).expect("salt");
    let first = daily(&salts, "a", 0);
    assert!(first.is_some());
    assert_eq!(daily(&salts, "a", 0), first);
    assert_ne!(daily(&salts, "b", 0), first);
    assert_ne!(daily(&salts, "a", 1), first);
    let ever = salts.permanent("a/b", 0).expect("salt");
    assert!(ever.is_some() && ever != first);
    salts.keep().expect("keep");
    drop(salts);
    let salts = reopened(&folder);
    assert_eq!(daily(&salts, "a", 0), first);
    assert_eq!(salts.permanent("a/b", 9).expect("salt"), ever);
}

#[test]
fn a_salt_is_given_until_26_hours_after_its_day_in_the_sites_zone() {
    let (_folder, salts) = opened();
    let rows = [("UTC", 50 * HOUR), ("America/New_York", 55 * HOUR), ("Asia/Tokyo", 41 * HOUR)];
    for (zone, end) in rows {
        let tz = TimeZone::get(zone).expect("a zone");
        let at = |now| salts.daily(zone, Day(0), &tz, now).expect("salt");
        assert!(at(end - 1).is_some(), "{zone}");
        assert_eq!(at(end), None, "{zone}");
    }
    let destroyed = salts.destroy_due(50 * HOUR, |site| TimeZone::get(site).expect("a zone")).expect("destroy");
    assert_eq!(destroyed, 0, "none was kept");
    assert_eq!(salts.days(Of::Day).len(), 1);
}

#[test]
fn a_destroyed_salt_is_in_no_file_and_no_answer() {
    let (folder, salts) = opened();
    let of_day = |day| salts.daily("site", Day(day), &TimeZone::UTC, day as i64 * DAY).expect("salt").expect("made");
    let all: Vec<Salt> = (0..200).map(of_day).collect();
    salts.keep().expect("keep");
    assert!(all.iter().all(|salt| is_on_disk(&folder, salt)));
    assert_eq!(salts.destroy_due(150 * DAY + 2 * HOUR, utc).expect("destroy"), 149);
    for (day, salt) in all.iter().enumerate() {
        assert_eq!(is_on_disk(&folder, salt), day >= 149, "day {day}");
    }
    assert_eq!(reopened(&folder).days(Of::Day).len(), 51);
}

#[test]
fn the_next_days_salts_are_made_ahead() {
    let (_folder, salts) = opened();
    for (site, day) in [("a", 10), ("b", 10), ("old", 9)] {
        salts.daily(site, Day(day), &TimeZone::UTC, 10 * DAY).expect("salt");
    }
    salts.make_ahead(10 * DAY + HOUR, utc).expect("make");
    let mut days = salts.days(Of::Day);
    days.sort();
    let expected = [("a", 10), ("a", 11), ("b", 10), ("b", 11), ("old", 9)];
    assert_eq!(days, expected.map(|(site, day)| (Box::from(site), Day(day))));
}

#[test]
fn an_import_makes_salts_of_old_days_and_destroys_them_at_its_end() {
    let (folder, salts) = opened();
    let now = 1_000 * DAY;
    let imported = |salts: &Salts, day| salts.imported("s", Day(day), &TimeZone::UTC, now).expect("salt");
    assert_eq!(imported(&salts, 5), None, "no import runs");
    salts.begin_import(now).expect("begin");
    salts.begin_import(now).expect("begin");
    let old = imported(&salts, 5).expect("made");
    assert_eq!(imported(&salts, 5), Some(old));
    assert_eq!(salts.daily("s", Day(5), &TimeZone::UTC, now).expect("salt"), None);
    let today = imported(&salts, 1_000).expect("made");
    assert_eq!(salts.daily("s", Day(1_000), &TimeZone::UTC, now).expect("salt"), Some(today));
    salts.keep().expect("keep");
    salts.end_import().expect("end");
    assert_eq!(imported(&salts, 5), Some(old), "another import still runs");
    salts.end_import().expect("end");
    assert_eq!(imported(&salts, 5), None);
    assert!(!is_on_disk(&folder, &old) && is_on_disk(&folder, &today));
}

#[test]
fn what_a_cut_off_import_left_waits_26_hours() {
    for (later, kept) in [(26 * HOUR - 1, true), (26 * HOUR, false)] {
        let (folder, salts) = opened();
        salts.begin_import(1_000 * DAY).expect("begin");
        let salt = salts.imported("s", Day(5), &TimeZone::UTC, 1_000 * DAY).expect("salt").expect("made");
        salts.keep().expect("keep");
        drop(salts);
        let salts = reopened(&folder);
        salts.destroy_due(1_000 * DAY + later, utc).expect("destroy");
        assert_eq!(is_on_disk(&folder, &salt), kept);
        salts.begin_import(1_000 * DAY + later).expect("begin");
        let again = salts.imported("s", Day(5), &TimeZone::UTC, 1_000 * DAY + later).expect("salt");
        assert_eq!(again == Some(salt), kept);
    }
}
