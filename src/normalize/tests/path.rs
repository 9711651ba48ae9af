use super::*;

#[test]
fn a_path_has_one_form() {
    let rows = [
        ("/", "/"),
        ("", "/"),
        ("//", "/"),
        ("/a", "/a"),
        ("a", "/a"),
        ("/a/", "/a"),
        ("/a///", "/a"),
        ("//a", "/a"),
        ("/a//b", "/a//b"),
        (" /a ", "/a"),
        ("/%7Euser", "/~user"),
        ("/%41%2d%2E%5f", "/A-._"),
        ("/%c3%bc", "/%C3%BC"),
        ("/%2f%2F", "/%2F%2F"),
        ("/a%20b", "/a%20b"),
        ("/100%", "/100%"),
        ("/%zz%4", "/%zz%4"),
        ("/ü", "/ü"),
        ("/%ü", "/%ü"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/../a", "/a"),
        ("/a/..", "/"),
        ("/a/b/..", "/a"),
        ("/a/b/.", "/a/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/...", "/a/..."),
        ("/.hidden", "/.hidden"),
        ("/a//../b", "/a/b"),
        ("..", "/"),
    ];
    for (text, normal) in rows {
        assert_eq!(normalize(text), normal, "{text}");
        assert_eq!(normalize(normal), normal, "twice is once: {text}");
    }
}

#[test]
fn an_address_is_taken_apart() {
    let rows = [
        ("https://www.A.org:443/b/?c=d#e", Some((Some("www.A.org:443"), "/b/", Some("c=d"), Some("e")))),
        ("http://user:secret@a.org/x", Some((Some("a.org"), "/x", None, None))),
        ("http://[::1]:80/x", Some((Some("[::1]:80"), "/x", None, None))),
        ("//a.org/x", Some((Some("a.org"), "/x", None, None))),
        ("/x?y=http://b.org/", Some((None, "/x", Some("y=http://b.org/"), None))),
        ("/x#y?z", Some((None, "/x", None, Some("y?z")))),
        ("?a", Some((None, "", Some("a"), None))),
        ("https://a.org?x", Some((Some("a.org"), "", Some("x"), None))),
        ("https://a.org", Some((Some("a.org"), "", None, None))),
        ("localhost:8080/x", Some((None, "localhost:8080/x", None, None))),
        ("file:///c/x", Some((None, "/c/x", None, None))),
        ("app://open/x", Some((Some("open"), "/x", None, None))),
        ("mailto:a@b.org", None),
        ("about:blank", None),
        ("data:text/html,x", None),
        ("javascript:alert(1)", None),
    ];
    for (text, expected) in rows {
        let found = split(text).map(|a| (a.host, a.path, a.query, a.fragment));
        assert_eq!(found, expected, "{text}");
    }
    assert_eq!(split_path("//a.org/x").path, "//a.org/x");
    assert_eq!(split_path("http://a.org/x").host, Some("a.org"));
    assert_eq!(split_path("mailto:x").path, "mailto:x");
}

#[test]
fn a_host_has_one_form() {
    for (text, normal) in [
        ("A.org", "a.org"),
        ("a.org:80", "a.org"),
        ("a.org:443", "a.org"),
        ("a.org:8080", "a.org:8080"),
        ("a.org.", "a.org"),
        ("a.org.:80", "a.org"),
        ("[::1]:80", "[::1]"),
        ("www.a.org", "www.a.org"),
    ] {
        assert_eq!(host(text), normal, "{text}");
    }
    assert_eq!(bare_host("www.a.org"), "a.org");
}

#[test]
fn a_site_may_let_parameters_and_fragments_belong_to_the_path() {
    let mut rules = SiteRules::named("s");
    let of = |text: &str, rules: &SiteRules| page(&split(text).expect("an address"), rules).into_owned();
    assert_eq!(of("/p?id=7&x=1#/r", &rules), "/p");
    rules.path_parameters = vec!["id".to_owned(), "v".to_owned()];
    assert_eq!(of("/p?x=1&v=2&id=%37%c3", &rules), "/p?id=7%C3&v=2");
    assert_eq!(of("/p/?x=1", &rules), "/p");
    rules.hash_routes = true;
    for (text, expected) in [
        ("/#/users/7/?a=b", "/#/users/7"),
        ("/app#!/users", "/app#!/users"),
        ("/app#top", "/app"),
        ("/app#/", "/app"),
        ("/p?id=1#/x", "/p?id=1#/x"),
    ] {
        assert_eq!(of(text, &rules), expected, "{text}");
        assert_eq!(of(expected, &rules), expected, "twice is once: {text}");
    }
}

#[test]
fn parameters_are_decoded_as_forms_are() {
    let found: Vec<(String, String)> =
        parameters("a=1&b=x+y%20z&&c&d=%C3%BC&e=%ff&=v").map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
    let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("d", "ü"), ("e", "\u{FFFD}"), ("", "v")];
    assert_eq!(found, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
}

#[test]
fn an_extension_stands_behind_a_name() {
    let rows = [
        ("/a.csv", Some("csv")),
        ("/a.CSV", Some("csv")),
        ("/a.tar.gz", Some("gz")),
        ("/a.7z", Some("7z")),
        ("/a.b/c", None),
        ("/.gz", None),
        ("/a.", None),
        ("/release-1.2", None),
        ("/a.abcdefghijklm", None),
        ("/a.c%20v", None),
        ("/a.csv?x=y.z", Some("csv")),
    ];
    for (path, expected) in rows {
        assert_eq!(extension(path).as_deref(), expected, "{path}");
    }
}
