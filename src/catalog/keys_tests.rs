use super::*;

fn opened(folder: &tempfile::TempDir, clock: Clock) -> Keys {
    let catalog = Catalog::open(&folder.path().join("catalog.db")).expect("open");
    Keys::open(Arc::new(catalog), clock).expect("keys")
}

#[test]
fn a_key_is_found_by_its_text_and_its_secret_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = opened(&folder, Clock::manual(7));
    assert!(keys.is_empty().expect("empty"));
    let (write, text) = keys.make(Scope::Write, Some("s")).expect("make");
    let (admin, _) = keys.make(Scope::Admin, None).expect("make");
    assert!(text.starts_with("metronome_write_") && text.len() == "metronome_write_".len() + 64, "{text}");
    assert_eq!(write, Key { id: write.id.clone(), scope: Scope::Write, site: Some("s".into()), made_at: 7 });
    assert_eq!(keys.find(&text).expect("find"), Some(write.clone()));
    for wrong in ["", "metronome_write_", &text[1..], &text.to_uppercase()] {
        assert_eq!(keys.find(wrong).expect("find"), None);
    }
    let mut ids: Vec<_> = keys.list().expect("list").into_iter().map(|key| key.id).collect();
    ids.sort();
    let mut made = [write.id, admin.id];
    made.sort();
    assert_eq!(ids, made);
    let bytes = std::fs::read(folder.path().join("catalog.db")).expect("read");
    let secret = &text.as_bytes()["metronome_write_".len()..];
    assert!(!bytes.windows(secret.len()).any(|at| at == secret));
}

#[test]
fn a_key_made_or_revoked_beside_counts_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, shell) = (opened(&folder, Clock::manual(0)), opened(&folder, Clock::manual(0)));
    assert!(server.is_empty().expect("empty"));
    let (key, text) = shell.make(Scope::Read, None).expect("make");
    assert_eq!(server.find(&text).expect("find"), Some(key.clone()));
    assert!(shell.revoke(&key.id).expect("revoke"));
    assert!(!shell.revoke(&key.id).expect("revoke"));
    assert_eq!(server.find(&text).expect("find"), None);
    assert!(server.is_empty().expect("empty"));
}

#[test]
fn a_settled_file_is_not_asked_again_until_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual(i64::MAX);
    let server = opened(&folder, clock);
    let path = folder.path().join("catalog.db");
    let (key, text) = server.make(Scope::Read, None).expect("make");
    assert_eq!(server.find(&text).expect("find"), Some(key));
    let settled = server.snapshot.read().expect("read").settled;
    assert_eq!(settled, std::fs::metadata(&path).expect("facts").modified().ok());
    let later = settled.expect("a time") + Duration::from_secs(3);
    std::fs::File::options().write(true).open(&path).expect("open").set_modified(later).expect("set");
    assert_eq!(server.list().expect("list").len(), 1);
    assert_eq!(server.snapshot.read().expect("read").settled, Some(later));
}

#[test]
fn a_scope_has_the_sites_that_fit_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = opened(&folder, Clock::manual(0));
    let rows = [
        (Scope::Write, None, false),
        (Scope::Write, Some("s"), true),
        (Scope::Read, None, true),
        (Scope::Read, Some("s"), true),
        (Scope::Admin, None, true),
        (Scope::Admin, Some("s"), false),
    ];
    for (scope, site, fits) in rows {
        let made = keys.make(scope, site);
        assert_eq!(made.is_ok(), fits, "{scope:?} {site:?}");
        assert!(fits || made.expect_err("refused").kind() == crate::error::Kind::Invalid);
    }
}
