//! Access: scope × need cell by cell, the ways a key is shown, the rule without keys.

use super::*;
use crate::catalog::Catalog;
use crate::clock::Clock;
use axum::http::{HeaderValue, StatusCode};
use std::collections::HashMap;

const NEEDS: [Need; 5] = [Need::Open, Need::Write, Need::Read, Need::ReadAll, Need::Admin];

/// Keys with their texts by a short name.
struct Ring {
    access: Access,
    texts: HashMap<&'static str, String>,
    _folder: tempfile::TempDir,
}

fn ring(made: &[(&'static str, Scope, Option<&str>)]) -> Ring {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Arc::new(Catalog::open(&folder.path().join("catalog")).unwrap());
    let keys = Keys::open(catalog, Clock::manual(0)).unwrap();
    let texts = made.iter().map(|(name, scope, site)| (*name, keys.make(*scope, *site).unwrap().1)).collect();
    Ring { access: Access::new(Arc::new(keys)), texts, _folder: folder }
}

fn keys() -> Ring {
    ring(&[
        ("w", Scope::Write, Some("shop")),
        ("r", Scope::Read, None),
        ("rs", Scope::Read, Some("shop")),
        ("a", Scope::Admin, None),
    ])
}

struct Request {
    peer: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    uri: &'static str,
}

impl Request {
    fn check(&self, ring: &Ring, need: Need) -> u16 {
        self.open(ring, need).map_or_else(|problem| problem.status(), |_| StatusCode::OK).as_u16()
    }

    /// Whether an open route takes it for a reader.
    fn may_read(&self, ring: &Ring) -> bool {
        self.open(ring, Need::Open).is_ok_and(|opened| opened.may_read)
    }

    /// `{w}` in a header or the address stands for the text of the key `w`.
    fn open(&self, ring: &Ring, need: Need) -> Result<Opened, Problem> {
        let filled = |text: &str| {
            let fill = |text: String, (name, key): (&&str, &String)| text.replace(&format!("{{{name}}}"), key);
            let text = ring.texts.iter().fold(text.to_owned(), fill);
            // What stands behind `base64:` is wrapped so.
            match text.split_once("base64:") {
                Some((before, wrapped)) => format!("{before}{}", BASE64.encode(wrapped)),
                None => text,
            }
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(*name, HeaderValue::from_str(&filled(value)).unwrap());
        }
        let uri: Uri = filled(self.uri).parse().unwrap();
        let knock = Knock { need, peer: self.peer.parse().unwrap(), headers: &headers, uri: &uri };
        ring.access.check(&knock)
    }
}

fn showing(headers: Vec<(&'static str, &'static str)>, uri: &'static str) -> Request {
    Request { peer: "203.0.113.9", headers, uri }
}

#[test]
fn each_scope_opens_what_it_names_and_nothing_else() {
    // Open, write, read, read of all sites, admin.
    let table = [
        (vec![], [200, 401, 401, 401, 401]),
        (vec![("x-metronome-key", "metronome_admin_0")], [200, 401, 401, 401, 401]),
        (vec![("x-metronome-key", "{w}")], [200, 200, 403, 403, 403]),
        (vec![("x-metronome-key", "{r}")], [200, 403, 200, 200, 403]),
        (vec![("x-metronome-key", "{rs}")], [200, 403, 200, 403, 403]),
        (vec![("x-metronome-key", "{a}")], [200, 200, 200, 200, 200]),
    ];
    let keys = keys();
    for (headers, expected) in table {
        let request = showing(headers.clone(), "/x");
        assert_eq!(NEEDS.map(|need| request.check(&keys, need)), expected, "{headers:?}");
        assert_eq!(request.may_read(&keys), expected[2] == 200, "{headers:?}");
    }
}

#[test]
fn a_key_is_shown_in_a_header_and_in_the_address_for_writing_alone() {
    let table = [
        (vec![("authorization", "Bearer {a}")], "/x", [200, 200, 200]),
        (vec![("authorization", "bearer  {a}")], "/x", [200, 200, 200]),
        (vec![("authorization", "Basic {a}")], "/x", [401, 401, 401]),
        (vec![("authorization", "Basic {a}"), ("x-metronome-key", "{a}")], "/x", [200, 200, 200]),
        (vec![("authorization", "Basic base64:metronome:{a}")], "/x", [200, 200, 200]),
        (vec![("authorization", "BASIC base64:{a}:")], "/x", [200, 200, 200]),
        (vec![("authorization", "Basic base64:{a}")], "/x", [200, 200, 200]),
        (vec![("authorization", "APIKey {a}")], "/x", [200, 200, 200]),
        (vec![("authorization", "apikey base64:an-id:{a}")], "/x", [200, 200, 200]),
        (vec![("authorization", "ApiKey base64:{a}")], "/x", [200, 200, 200]),
        (vec![("authorization", "Digest base64:{a}")], "/x", [401, 401, 401]),
        (vec![("authorization", "ApiKey metronome_write_0")], "/x", [401, 401, 401]),
        (vec![("authorization", "Basic base64:proxy:secret")], "/x?key={a}", [200, 401, 401]),
        (vec![("authorization", "Basic base64:proxy:secret"), ("x-metronome-key", "{a}")], "/x", [200, 200, 200]),
        (vec![], "/x?key={a}", [200, 401, 401]),
        (vec![], "/x?b=1&key=%6d{a}", [401, 401, 401]),
        (vec![("x-metronome-key", "{a}")], "/x?key=?", [200, 200, 200]),
    ];
    let keys = keys();
    for (headers, uri, expected) in table {
        let request = showing(headers, uri);
        let found = [Need::Write, Need::Read, Need::Admin].map(|need| request.check(&keys, need));
        assert_eq!(found, expected, "{:?} {uri}", request.headers);
    }
}

#[test]
fn without_keys_this_machine_alone_is_answered() {
    let here = |headers| Request { peer: "127.0.0.1", headers, uri: "/x" };
    let table = [
        (here(vec![]), [200; 5]),
        (Request { peer: "::1", headers: vec![], uri: "/x" }, [200; 5]),
        (Request { peer: "::ffff:127.0.0.1", headers: vec![], uri: "/x" }, [200; 5]),
        (showing(vec![], "/x"), [403; 5]),
        (here(vec![("x-forwarded-for", "127.0.0.1")]), [403; 5]),
        (here(vec![("forwarded", "for=127.0.0.1")]), [403; 5]),
        (here(vec![("via", "1.1 proxy")]), [403; 5]),
        (here(vec![("host", "localhost:7171")]), [200; 5]),
        (here(vec![("host", "[::1]:7171")]), [200; 5]),
        // A foreign name that was pointed at this machine reads nothing; nor does another page.
        (here(vec![("host", "evil.example:7171")]), [200, 200, 403, 403, 403]),
        (here(vec![("host", "127.0.0.1:1"), ("origin", "http://127.0.0.1:1")]), [200; 5]),
        (here(vec![("host", "127.0.0.1:1"), ("origin", "https://evil.example")]), [200, 200, 403, 403, 403]),
        (here(vec![("host", "127.0.0.1:1"), ("origin", "null")]), [200, 200, 403, 403, 403]),
    ];
    let none = ring(&[]);
    for (request, expected) in table {
        assert_eq!(NEEDS.map(|need| request.check(&none, need)), expected, "{} {:?}", request.peer, request.headers);
        assert_eq!(request.may_read(&none), expected[2] == 200, "{} {:?}", request.peer, request.headers);
    }
}

fn caller(opened: Opened) -> Caller {
    Caller {
        request_id: RequestId::of(&HeaderMap::new()),
        address: IpAddr::from([127, 0, 0, 1]),
        pass: opened.pass,
        may_read: opened.may_read,
        since: Instant::now(),
    }
}

#[test]
fn who_was_let_in_may_stay_until_what_let_it_in_is_gone() {
    let status = |caller: &Caller| caller.may_still().map_or_else(|problem| problem.status().as_u16(), |()| 200);
    let keys = keys();
    let with = |shown| caller(showing(vec![("x-metronome-key", shown)], "/x").open(&keys, Need::Open).unwrap());
    let callers = [with("{r}"), with("{rs}"), with("metronome_read_0")];
    assert_eq!(callers.each_ref().map(status), [200; 3]);
    let held = keys.access.keys.as_ref().unwrap();
    assert!(held.revoke(&callers[0].pass.key().unwrap().id).unwrap());
    assert_eq!(callers.each_ref().map(status), [401, 200, 200]);
    let none = ring(&[]);
    let early = caller(Request { peer: "127.0.0.1", headers: vec![], uri: "/x" }.open(&none, Need::Read).unwrap());
    let headers = HeaderMap::new();
    let uri = Uri::from_static("/x");
    let knock = Knock { need: Need::Read, peer: IpAddr::from([127, 0, 0, 1]), headers: &headers, uri: &uri };
    let callers = [early, caller(Access::all().check(&knock).unwrap())];
    assert_eq!(callers.each_ref().map(status), [200, 200]);
    none.access.keys.as_ref().unwrap().make(Scope::Admin, None).unwrap();
    assert_eq!(callers.each_ref().map(status), [401, 200]);
}

#[test]
fn a_bound_key_speaks_of_its_own_site() {
    let keys = keys();
    let table = [
        (None, None, Some("default")),
        (None, Some("shop"), Some("shop")),
        (Some("shop"), None, Some("shop")),
        (Some("shop"), Some("shop"), Some("shop")),
        (Some("shop"), Some("other"), None),
    ];
    for (bound, asked, expected) in table {
        let shown = if bound.is_some() { "{rs}" } else { "{r}" };
        let caller = caller(showing(vec![("x-metronome-key", shown)], "/x").open(&keys, Need::Read).unwrap());
        assert_eq!(caller.bound(), bound);
        assert_eq!(caller.site(asked).ok().as_deref(), expected, "{bound:?} {asked:?}");
    }
}
