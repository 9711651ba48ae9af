use super::*;

fn matched(pattern: &str, path: &str) -> Option<String> {
    let route = Route::new(None, pattern, None).expect("a route");
    let found = route.matches(path)?;
    Some(found.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_route_names_parts_of_a_path() {
    let rows = [
        ("/datasets/{id}.{format}", "/datasets/roads.csv", Some("id=roads format=csv")),
        ("/datasets/{id}.{format}", "/datasets/roads.tar.gz", Some("id=roads.tar format=gz")),
        ("/datasets/{id}.{format}", "/datasets/roads", None),
        ("/datasets/{id}.{format}", "/datasets/.csv", None),
        ("/datasets/{id}.{format}", "/datasets/roads.", None),
        ("/datasets/{id}.{format}", "/datasets/a/b.csv", None),
        ("/datasets/{id}", "/datasets/7", Some("id=7")),
        ("/datasets/{id}/", "/datasets/7", Some("id=7")),
        ("/datasets/{id}", "/datasets", None),
        ("/{a}/x/{b}", "/1/x/2", Some("a=1 b=2")),
        ("/v-{n}-end", "/v-3-end", Some("n=3")),
        ("/v-{n}-end", "/v--end", None),
        ("/v{a}-{b}", "/v1-2-3", Some("a=1-2 b=3")),
        ("/", "/", Some("")),
        ("/", "/x", None),
        ("/plain", "/plain", Some("")),
        ("/é{x}", "/éö", Some("x=ö")),
        ("/{a}é{b}", "/1é2", Some("a=1 b=2")),
    ];
    for (pattern, path, expected) in rows {
        assert_eq!(matched(pattern, path).as_deref(), expected, "{pattern} {path}");
    }
}

#[test]
fn a_bad_pattern_says_what_is_wrong() {
    for (pattern, part) in [
        ("x", "begins with no /"),
        ("/{a", "braces"),
        ("/a}", "braces"),
        ("/{a{b}}", "braces"),
        ("/{}", "empty or given twice"),
        ("/{a}/{a}", "empty or given twice"),
        ("/{a}{b}", "touch"),
    ] {
        let error = Route::new(None, pattern, None).expect_err(pattern).to_string();
        assert!(error.contains(part), "{error}");
    }
    let many: String = (0..=NAMES_MAX).map(|n| format!("/{{n{n}}}")).collect();
    assert_eq!(Route::new(None, &many, None), Err(RouteError::TooMany(many.clone())));
}
