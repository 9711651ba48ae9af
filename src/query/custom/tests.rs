//! Definitions: what fits, what is told of what does not, and values that would like to be structure.

use super::book::{Book, BookError, Origin};
use super::text::Form;
use super::*;
use crate::catalog::Catalog;
use crate::catalog::queries::Queries;
use crate::query::goal::Goals;
use serde_json::json;
use std::sync::Arc;

/// A parameter of each kind, at a leaf of each sort.
const PAGES: &str = r#"
title = "Pages of a section"

[parameters.section]
kind = "text"
example = "/news"
title = "A path"

[parameters.countries]
kind = "texts"
default = ["CH", "FR"]

[parameters.limit]
kind = "integer"
default = 10
min = 1
max = 100

[parameters.level]
kind = "integer"
default = 75
choices = [50, 75]

[parameters.worth]
kind = "number"
default = 1.5

[parameters.whole]
kind = "boolean"
default = false

[parameters.from]
kind = "text"
default = 2015-01-01

[query]
metrics = ["views", "p{level}(lcp_ms)"]
dimensions = ["path"]
date_range = ["{from}", "2015-01-31"]
filters = [
    ["contains", "path", ["{section}", "x{section}/{level}/{{section}}"]],
    ["is", "country", "{countries}"],
    ["gt", "value", ["{worth}"]],
    ["matches", "path", ["^/a{2,3}"]],
]
pagination = { limit = "{limit}" }
include = { total_rows = "{whole}" }
"#;

fn pages() -> Definition {
    Definition::read_text(PAGES.as_bytes(), Form::Toml).unwrap()
}

fn filled(given: &[(&str, &str)]) -> Result<Value, Vec<Unfit>> {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    pages().fill(&given)
}

fn refused(toml: &str) -> Vec<String> {
    let read = Definition::read_text(toml.as_bytes(), Form::Toml).and_then(|definition| {
        definition.try_out(&Goals::new(), 0)?;
        Ok(definition)
    });
    read.unwrap_err().into_iter().map(|unfit| format!("{}: {}", unfit.at, unfit.message)).collect()
}

#[test]
fn values_go_in_with_their_kind_and_into_texts_as_text() {
    assert_eq!(pages().try_out(&Goals::new(), 0), Ok(()));
    let given = [("section", "/a,b"), ("countries", "US"), ("countries", "CA, B"), ("level", "50"), ("worth", "2")];
    let query = filled(&given).unwrap();
    assert_eq!(query["filters"][0], json!(["contains", "path", ["/a,b", "x/a,b/50/{section}"]]));
    assert_eq!(query["filters"][1], json!(["is", "country", ["US", "CA, B"]]));
    assert_eq!(query["filters"][2], json!(["gt", "value", [2]]));
    assert_eq!(query["filters"][3], json!(["matches", "path", ["^/a{2,3}"]]));
    assert_eq!(query["metrics"], json!(["views", "p50(lcp_ms)"]));
    assert_eq!(query["date_range"], json!(["2015-01-01", "2015-01-31"]));
    assert_eq!((&query["pagination"]["limit"], &query["include"]["total_rows"]), (&json!(10), &json!(false)));
    let query = filled(&[("section", "/a"), ("countries", ""), ("whole", "true"), ("limit", "")]).unwrap();
    assert_eq!(query["filters"][1], json!(["is", "country", ["CH", "FR"]]));
    assert_eq!((&query["pagination"]["limit"], &query["include"]["total_rows"]), (&json!(10), &json!(true)));
}

#[test]
fn no_value_changes_the_structure_of_a_query() {
    let shape = |query: &Value| -> String {
        let mut shape = query.clone();
        blank(&mut shape);
        shape.to_string()
    };
    let usual = shape(&filled(&[("section", "/a"), ("countries", "US")]).unwrap());
    for hostile in [
        r#"""#,
        r#"\"#,
        r#""],["or"#,
        r#""]],["or",[["exists","path"]]"#,
        r#"{"$ref":"x"}"#,
        r#"["is","path",["/"]]"#,
        "{section}",
        "{{limit}}",
        "{limit}",
        "}{",
        "null",
        "true",
        "7",
        "\u{0}\n\u{202e}",
    ] {
        let query = filled(&[("section", hostile), ("countries", hostile)]).unwrap();
        assert_eq!(shape(&query), usual, "{hostile}");
        assert_eq!(query["filters"][0][2][0], hostile);
        assert_eq!(query["filters"][1][2], json!([hostile]));
        assert_eq!(query["filters"][0][2][1], format!("x{hostile}/75/{{section}}"));
    }
}

/// Takes the texts out of a tree and leaves what holds them.
fn blank(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(blank),
        Value::Object(members) => members.values_mut().for_each(blank),
        Value::String(text) => text.clear(),
        _ => {}
    }
}

#[test]
fn what_is_given_is_told_by_its_parameter_all_at_once() {
    let given = [
        ("countrys", "US"),
        ("limit", "101"),
        ("level", "60"),
        ("worth", "NaN"),
        ("whole", "yes"),
        ("from", "a"),
        ("from", "b"),
    ];
    let unfit: Vec<String> =
        filled(&given).unwrap_err().into_iter().map(|unfit| format!("{}: {}", unfit.at, unfit.message)).collect();
    assert_eq!(
        unfit,
        [
            "countrys: \"countrys\" is not known here; did you mean \"countries\"?",
            "from: from is given 2 times; it has one value",
            "level: level is 60; it may be one of 50, 75",
            "limit: limit is 101; it may be a whole number from 1 to 100",
            "section: section is needed; it may be a text of at most 2048 bytes",
            "whole: whole is \"yes\"; it may be true or false",
            "worth: worth is \"NaN\"; it may be a number",
        ]
    );
    for (name, value) in [("limit", "1.5"), ("limit", "1e999"), ("limit", "0"), ("limit", "[1]"), ("worth", "inf")] {
        assert!(filled(&[("section", "/"), (name, value)]).is_err(), "{name}={value}");
    }
    for (name, value) in [("limit", "1"), ("limit", "100"), ("worth", "-1e3"), ("level", "75")] {
        assert!(filled(&[("section", "/"), (name, value)]).is_ok(), "{name}={value}");
    }
}

#[test]
fn values_have_their_bounds() {
    let full = "x".repeat(parameter::TEXT_BYTES_MAX);
    assert!(filled(&[("section", &full)]).is_ok());
    assert!(filled(&[("section", &format!("{full}x"))]).is_err());
    let countries =
        |many| -> Vec<(&str, &str)> { [("section", "/")].into_iter().chain(vec![("countries", "US"); many]).collect() };
    assert!(filled(&countries(parameter::TEXTS_MAX)).is_ok());
    assert!(filled(&countries(parameter::TEXTS_MAX + 1)).is_err());
}

#[test]
fn a_definition_that_does_not_fit_is_told_with_every_place() {
    let unfit = refused(
        r#"
title = 5
titel = "x"
[parameters.Country]
kind = "text"
default = "CH"
[parameters.site]
kind = "text"
default = "shop"
[parameters.kinds]
kind = "texts"
default = "a"
[parameters.limit]
kind = "integer"
default = 200
min = "1"
max = 100
[parameters.odd]
kind = "strnig"
[parameters.bare]
kind = "boolean"
choices = [true]
[parameters.word]
kind = "text"
default = "c"
choices = ["a", 5]
hint = "x"
[query]
metrics = ["{word}s", "{wrd}", "x{kinds}"]
filters = [["{word}", "path", ["{limit}"]], ["not", "{word}"]]
"#,
    );
    for says in [
        "titel: \"titel\" is not known here; did you mean \"title\"?",
        "title: a number is no text",
        "parameters.Country: a parameter's name is 1 to 64 of a-z, 0-9, _ and -, the first of them a letter",
        "parameters.Country: it is nowhere in the query; \"{Country}\" stands for its value",
        "parameters.site: site has a meaning in every request; call it something else",
        "parameters.kinds.default: \"a\"; it may be a list of at most 100 texts",
        "parameters.limit.min: min is a number, and only integers and numbers have one",
        "parameters.limit.default: 200; it may be a whole number up to 100",
        "parameters.odd.kind: \"strnig\" is not known here",
        "parameters.bare.choices: choices are a list of 1 to 100 values of a text or number",
        "parameters.bare: it needs a default, or an example that the query is tried with",
        "parameters.word.choices[1]: 5; it may be a text of at most 2048 bytes",
        "parameters.word.hint: \"hint\" is not known here",
        "parameters.word.default: \"c\"; it may be one of \"a\", 5",
        "query.metrics[1]: {wrd} is not declared: \"wrd\" is not known here; did you mean \"word\"?; as plain text it is written {{wrd}}",
        "query.filters[0][0]: an operator, or a filter, is written out: no parameter stands for it",
        "query.filters[1][1]: a filter is written out: parameters stand for its key and values",
    ] {
        assert!(unfit.iter().any(|told| told.starts_with(says)), "{says}: {unfit:#?}");
    }
}

#[test]
fn a_query_that_cannot_be_read_is_refused_with_its_defaults_and_with_each_choice() {
    let unfit = refused("[query]\nmetrics = [\"viewz\"]\ndate_range = \"fortnight\"");
    assert!(unfit[0].starts_with("query.metrics[0]: metric \"viewz\" is not known here"), "{unfit:?}");
    assert!(unfit[1].starts_with("query.date_range: date_range is \"fortnight\""), "{unfit:?}");
    let choices = "[parameters.by]\nkind = \"text\"\ndefault = \"path\"\nchoices = [\"path\", \"visit:exit_page\"]\n";
    let unfit = refused(&format!("{choices}[query]\nmetrics = [\"views\"]\ndimensions = [\"{{by}}\"]"));
    assert_eq!(unfit.len(), 1, "{unfit:?}");
    assert!(unfit[0].starts_with("parameters.by.choices[1]: with it, dimensions[0]: "), "{unfit:?}");
    let list = "[parameters.which]\nkind = \"texts\"\ndefault = [\"a\"]\n";
    let unfit =
        refused(&format!("{list}[query]\nmetrics = [\"views\"]\nfilters = [[\"is\", \"path\", [\"x{{which}}\"]]]"));
    assert_eq!(unfit, [r#"query.filters[0][2][0]: {which} is a list: it stands alone, as "{which}""#]);
    assert_eq!(refused("[query]\nmetrics = [\n\"views\"")[0].split(':').next(), Some("line 3"));
    assert_eq!(refused("")[0], "query: it is missing; a query is what POST /query takes");
    let goal = "[query]\nmetrics = [\"conversions\"]\ngoal = \"signup\"";
    assert!(refused(goal)[0].starts_with("query.goal: \"signup\" is no goal"), "{:?}", refused(goal));
}

#[test]
fn a_definition_has_its_bounds() {
    let parameter = |name: usize| (format!("p{name}"), json!({"kind": "text", "default": "/"}));
    let with = |parameters: usize, uses: usize| {
        let values: Vec<String> = (0..uses).map(|at| format!("{{p{}}}", at % parameters)).collect();
        let parameters: Value = (0..parameters).map(parameter).collect::<Map<_, _>>().into();
        let query = json!({"metrics": ["views"], "filters": [["is", "path", values]]});
        Definition::read(&json!({"parameters": parameters, "query": query})).map_err(|unfit| unfit[0].message.clone())
    };
    assert!(with(PARAMETERS_MAX, USES_MAX).is_ok());
    assert_eq!(with(PARAMETERS_MAX + 1, USES_MAX).unwrap_err(), "33 parameters; at most 32 in one query");
    let many = with(PARAMETERS_MAX, USES_MAX + 1).unwrap_err();
    assert_eq!(many, "parameters stand at 257 places; at most 256");
    let choices = |many: usize| {
        let choice = vec!["/"; many];
        let parameters = json!({"p": {"kind": "text", "default": "/", "choices": choice}});
        let query = json!({"metrics": ["views"], "filters": [["is", "path", ["{p}"]]]});
        Definition::read(&json!({"parameters": parameters, "query": query})).is_ok()
    };
    assert!(choices(parameter::CHOICES_MAX) && !choices(parameter::CHOICES_MAX + 1) && !choices(0));
    let two = |many: usize| {
        let parameter = json!({"kind": "text", "default": "/", "choices": vec!["/"; many]});
        let query = json!({"metrics": ["views"], "filters": [["is", "path", ["{a}", "{b}"]]]});
        Definition::read(&json!({"parameters": {"a": parameter, "b": parameter}, "query": query})).is_ok()
    };
    assert!(two(parameter::CHOICES_MAX / 2) && !two(parameter::CHOICES_MAX / 2 + 1));
}

#[test]
fn a_file_goes_before_what_is_stored_and_what_does_not_fit_any_more_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Arc::new(Catalog::open(&folder.path().join("catalog")).unwrap());
    let stored = Queries::new(Arc::clone(&catalog));
    let titled = |title: &str| json!({"title": title, "query": {"metrics": ["views"]}});
    stored.put("both", &titled("stored")).unwrap();
    stored.put("older", &json!({"query": 5})).unwrap();
    let file = Definition::read(&titled("file")).unwrap();
    let book = Book::new([("both".to_owned(), file)].into(), stored);
    let list = book.list().unwrap();
    let shown: Vec<(&str, Origin)> = list.iter().map(|entry| (entry.name.as_str(), entry.origin)).collect();
    assert_eq!(shown, [("both", Origin::File), ("older", Origin::Stored)]);
    assert_eq!(list[0].definition.as_ref().unwrap().written["title"], "file");
    assert_eq!(book.get("both").unwrap().unwrap().definition.unwrap().written["title"], "file");
    let unfit = book.get("older").unwrap().unwrap().definition.unwrap_err();
    assert_eq!((unfit[0].at.as_str(), unfit.len()), ("query", 1));
    assert!(book.get("none").unwrap().is_none());
    assert!(matches!(book.remove("both"), Err(BookError::Filed { .. })));
}

#[test]
fn names_have_their_shape() {
    let longest = "a".repeat(64);
    for name in ["a", "404s", "item-downloads_2", &longest] {
        assert!(is_name(name), "{name}");
    }
    let longer = "a".repeat(65);
    for name in ["", "A", "a.b", "a/b", "ü", "a b", "..", &longer] {
        assert!(!is_name(name), "{name}");
    }
}

#[test]
fn a_site_is_fixed_where_no_parameter_chooses_it() {
    let site = |json: Value| Definition::read(&json).unwrap().site().map(str::to_owned);
    assert_eq!(site(json!({"query": {"metrics": ["views"]}})), None);
    assert_eq!(site(json!({"query": {"site_id": "shop"}})), Some("shop".to_owned()));
    assert_eq!(site(json!({"query": {"site": "shop"}})), Some("shop".to_owned()));
    let shop = json!({"shop": {"kind": "text", "default": "a"}});
    assert_eq!(site(json!({"parameters": shop, "query": {"site_id": "{shop}"}})), None);
}

#[test]
fn a_place_of_the_query_is_that_of_the_parameter_that_stands_there() {
    let pages = pages();
    let table = [
        ("date_range[0]", "from"),
        ("date_range[1]", "query.date_range[1]"),
        ("filters[1][2]", "countries"),
        ("filters[1][2][7]", "countries"),
        ("filters[0][2][1]", "query.filters[0][2][1]"),
        ("filters", "query.filters"),
        ("metrics[1]", "level"),
    ];
    for (at, from) in table {
        assert_eq!(pages.origin_of(at), from, "{at}");
    }
}
