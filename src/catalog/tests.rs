use super::*;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("catalog.db");
    (folder, path)
}

fn put(catalog: &Catalog, name: &str, value: u32) -> bool {
    catalog.put_if_absent("n", &[(name.to_owned(), value)]).expect("put")[0]
}

#[test]
fn what_is_put_first_stays_and_survives_reopening() {
    let (_folder, path) = folder();
    let catalog = Catalog::open(&path).expect("open");
    assert!(put(&catalog, "a", 1));
    assert!(!put(&catalog, "a", 2));
    drop(catalog);
    let catalog = Catalog::open(&path).expect("open");
    assert_eq!(catalog.get::<u32>("n", "a").expect("get"), Some(1));
    assert_eq!(catalog.get::<u32>("other", "a").expect("get"), None);
}

#[test]
fn compare_and_set_changes_only_what_was_expected() {
    let (_folder, path) = folder();
    let catalog = Catalog::open(&path).expect("open");
    let rows = [(None, 1, true), (None, 2, false), (Some(2), 3, false), (Some(1), 4, true), (Some(1), 5, false)];
    for (expected, new, done) in rows {
        assert_eq!(catalog.compare_and_set("n", "a", expected.as_ref(), &new).expect("set"), done, "{expected:?}");
    }
    assert_eq!(catalog.get::<u32>("n", "a").expect("get"), Some(4));
}

#[test]
fn a_list_is_by_name_and_of_a_prefix() {
    let (_folder, path) = folder();
    let catalog = Catalog::open(&path).expect("open");
    for (name, value) in [("b%", 2), ("a", 1), ("bé", 3), ("c", 4)] {
        put(&catalog, name, value);
    }
    let names = |prefix| catalog.list::<u32>("n", prefix).expect("list").into_iter().map(|(name, _)| name).collect();
    let (all, b, percent): (Vec<_>, Vec<_>, Vec<_>) = (names(""), names("b"), names("b%"));
    assert_eq!((all.join(" "), b.join(" "), percent.join(" ")), ("a b% bé c".into(), "b% bé".into(), "b%".into()));
    assert_eq!(catalog.remove("n", &["a".into(), "none".into(), "c".into()]).expect("remove"), 2);
    assert_eq!(catalog.list::<u32>("n", "").expect("list").len(), 2);
}

#[test]
fn several_openers_write_without_losing_anything() {
    let (_folder, path) = folder();
    Catalog::open(&path).expect("open");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let catalog = Catalog::open(path).expect("open");
                (0..10).for_each(|n| assert!(put(&catalog, &format!("{writer}-{n}"), n)));
            });
        }
    });
    assert_eq!(Catalog::open(&path).expect("open").list::<u32>("n", "").expect("list").len(), 40);
}

#[test]
fn the_version_changes_with_every_write_of_anyone() {
    let (_folder, path) = folder();
    let (one, two) = (Catalog::open(&path).expect("open"), Catalog::open(&path).expect("open"));
    let first = one.version().expect("version");
    assert_eq!(one.version().expect("version"), first);
    put(&two, "a", 1);
    let second = one.version().expect("version");
    assert_ne!(first, second);
    put(&one, "b", 1);
    assert_ne!(one.version().expect("version"), second);
}

#[test]
fn a_newer_layout_and_a_foreign_file_are_refused() {
    let (folder, path) = folder();
    let newer = Connection::open(&path).expect("open");
    newer.pragma_update(None, "user_version", 2).expect("set");
    drop(newer);
    let error = Catalog::open(&path).expect_err("newer");
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("its layout is 2, this program reads up to 1"), "{error}");
    let foreign = folder.path().join("foreign.db");
    std::fs::write(&foreign, [7; 4096]).expect("write");
    assert_eq!(Catalog::open(&foreign).expect_err("foreign").kind(), Kind::Corrupt);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    Catalog::open(&path).expect("open");
    assert_eq!(std::fs::metadata(&path).expect("facts").permissions().mode() & 0o777, 0o600);
}
