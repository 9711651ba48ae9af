//! Filters: every operator read, and what is said of one that does not fit.

use super::*;
use crate::event::Known;
use serde_json::json;

fn said(filter: Value) -> Unfit {
    read(&filter, "where", &[]).unwrap_err()
}

#[test]
fn every_operator_is_read() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (path, exact) = (Key::from(Known::Path), Case::Exact);
    let is = Filter::Is(path.clone(), texts(&["/a"]), exact);
    let table = [
        (json!(["is", "path", ["/a"]]), is.clone()),
        (json!(["is_not", "event:page", ["/a"]]), negated(is.clone())),
        (json!(["is", "n", [1, 1.5, 1e3, -0.0, true, "x"]]), {
            Filter::Is(Key::named("n"), texts(&["1", "1.5", "1000", "0", "true", "x"]), exact)
        }),
        (json!(["is", "path", [null]]), negated(Filter::Exists(path.clone()))),
        (json!(["is", "path", [null, "/a"]]), { Filter::Or(vec![is.clone(), negated(Filter::Exists(path.clone()))]) }),
        (json!(["is", "event:name", ["pageview"]]), Filter::is(Known::Action, "view")),
        (json!(["contains", "path", ["/a"], {"case_sensitive": false}]), {
            Filter::Contains(path.clone(), texts(&["/a"]), Case::Folded)
        }),
        (json!(["contains_not", "path", ["/a"]]), negated(Filter::Contains(path.clone(), texts(&["/a"]), exact))),
        (json!(["matches", "path", ["^/a$"], {}]), Filter::Matches(path.clone(), texts(&["^/a$"]), exact)),
        (json!(["matches_not", "path", ["x"]]), negated(Filter::Matches(path.clone(), texts(&["x"]), exact))),
        (json!(["gt", "value", [10]]), Filter::Compare(Known::Value.into(), Comparison::Above, 10.0)),
        (json!(["gte", "value", [10]]), Filter::Compare(Known::Value.into(), Comparison::AtLeast, 10.0)),
        (json!(["lt", "value", [-1.5]]), Filter::Compare(Known::Value.into(), Comparison::Below, -1.5)),
        (json!(["lte", "value", [0]]), Filter::Compare(Known::Value.into(), Comparison::AtMost, 0.0)),
        (json!(["exists", "path"]), Filter::Exists(path.clone())),
        (json!(["not", ["is", "path", ["/a"]]]), negated(is.clone())),
        (json!(["and", [["is", "path", ["/a"]], ["exists", "path"]]]), {
            Filter::And(vec![is.clone(), Filter::Exists(path.clone())])
        }),
        (json!(["or", [["is", "path", ["/a"]], ["exists", "path"]]]), {
            Filter::Or(vec![is.clone(), Filter::Exists(path.clone())])
        }),
        (json!([["is", "path", ["/a"]], ["exists", "path"]]), Filter::And(vec![is.clone(), Filter::Exists(path)])),
        (json!([["is", "path", ["/a"]]]), is),
        (json!([]), Filter::All),
    ];
    for (json, expected) in table {
        assert_eq!(read(&json, "where", &[]), Ok(expected), "{json}");
    }
}

#[test]
fn a_goal_stands_for_its_filter() {
    let filter = Filter::is(Known::Path, "/signup");
    let goals = [Goal { name: "Signup".to_owned(), filter, value: Known::Value.into() }];
    let filter = read(&json!(["is", "event:goal", ["Signup"]]), "where", &goals);
    assert_eq!(filter, Ok(Filter::Or(vec![Filter::is(Known::Path, "/signup")])));
    let unfit = read(&json!(["is", "event:goal", ["Signop"]]), "where", &goals).unwrap_err();
    assert!(unfit.at == "where[2][0]" && unfit.message.contains("did you mean \"Signup\"?"), "{unfit:?}");
    assert!(said(json!(["is", "event:goal", ["Signup"]])).message.contains("[[site.goal]]"));
}

#[test]
fn what_does_not_fit_says_where_and_what_would() {
    let table = [
        (json!("x"), "where", "a text is no filter"),
        (json!({}), "where", "an object is no filter"),
        (json!([1]), "where", "begins with its operator"),
        (json!(["iz", "path", ["/a"]]), "where[0]", "did you mean \"is\"?"),
        (json!(["has_done", ["is", "event:name", ["x"]]]), "where[0]", "/funnels.json"),
        (json!(["is", "path"]), "where", "takes a key and a list of values"),
        (json!(["is", "path", "/a"]), "where[2]", "write [\"/a\"]"),
        (json!(["is", "path", []]), "where[2]", "it may be 1 to 1000"),
        (json!(["is", 1, ["/a"]]), "where[1]", "a number is no key's name"),
        (json!(["is", "event:pages", ["/a"]]), "where[1]", "did you mean \"event:page\"?"),
        (json!(["is", "path", [["/a"]]]), "where[2][0]", "a list is no value"),
        (json!(["contains", "path", [null]]), "where[2][0]", "null is no value"),
        (json!(["is", "path", ["/a"], "i"]), "where[3]", "case_sensitive"),
        (json!(["is", "path", ["/a"], {"case": true}]), "where[3]", "case_sensitive"),
        (json!(["gt", "value", ["10"]]), "where[2]", "takes one number"),
        (json!(["gt", "value", [1, 2]]), "where[2]", "takes one number"),
        (json!(["matches", "path", ["/a", "("]]), "where[2][1]", "regular expression"),
        (json!(["matches", "path", ["((a{0,1000}){0,1000}){0,1000}"]]), "where[2][0]", "size limit"),
        (json!(["matches", "path", ["(?=a)"]]), "where[2][0]", "look-around"),
        (json!(["and", ["is", "path", ["/a"]]]), "where[1][0]", "a text is no filter"),
        (json!(["or", []]), "where[1]", "at least one"),
        (json!(["not", ["exists", "path"], ["exists", "id"]]), "where", "not takes one filter"),
        (json!([["exists", "path"], ["exists"]]), "where[1]", "exists takes one key"),
        (json!(["not", ["is", "", ["x"]]]), "where[1][1]", "not empty"),
    ];
    for (json, at, says) in table {
        let unfit = said(json.clone());
        assert!(unfit.at == at && unfit.message.contains(says), "{json}: {unfit:?}");
    }
}

#[test]
fn a_question_is_bounded_at_its_bounds() {
    let nested = |deep| (1..deep).fold(json!(["exists", "path"]), |inner, _| json!(["not", inner]));
    assert!(read(&nested(DEPTH_MAX), "where", &[]).is_ok());
    assert!(said(nested(DEPTH_MAX + 1)).message.contains("more than 32 deep"));
    let clauses = |many| json!(vec![json!(["exists", "path"]); many]);
    assert!(read(&clauses(CLAUSES_MAX), "where", &[]).is_ok());
    assert!(said(clauses(CLAUSES_MAX + 1)).message.contains("more than 1000 filters"));
    let values = |many| json!(["is", "path", vec!["x"; many]]);
    assert!(read(&values(VALUES_MAX), "where", &[]).is_ok());
    assert!(said(values(VALUES_MAX + 1)).message.contains("1001 values"));
    let patterns = |many| json!(["matches", "path", vec!["x"; many]]);
    assert!(read(&patterns(PATTERNS_MAX), "where", &[]).is_ok());
    assert!(said(patterns(PATTERNS_MAX + 1)).message.contains("more than 20 regular"));
    assert!(said(json!(["is", "path", ["x".repeat(VALUE_BYTES_MAX + 1)]])).message.contains("8192 bytes"));
}
