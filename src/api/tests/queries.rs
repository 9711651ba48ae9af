//! `/queries`: put, listed, shown, asked, deleted; who sees which; what is said of what does not fit.

use super::*;
use crate::catalog::keys::Scope;
use serde_json::{Value, json};

const PAGES: &str = r#"
title = "Pages"
[parameters.range]
kind = "text"
title = "Over which time"
default = "7d"
[parameters.id]
kind = "texts"
example = ["17"]
[query]
metrics = ["views"]
dimensions = ["id"]
date_range = "{range}"
filters = [["is", "id", "{id}"]]
"#;

impl App {
    /// Asks with a key, and with a type of the body where there is one.
    async fn knock(&self, key: &str, method: &str, uri: &str, content_type: &str, body: &str) -> Said {
        let mut request =
            Request::builder().method(method).uri(uri).extension(Peer(SocketAddr::from(([127, 0, 0, 1], 9))));
        for (name, value) in [("authorization", format!("Bearer {key}")), ("content-type", content_type.to_owned())] {
            if !value.trim_end().is_empty() && value != "Bearer " {
                request = request.header(name, value);
            }
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Said { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn put(&self, name: &str, body: &str) -> Said {
        self.knock("", "PUT", &format!("/queries/{name}"), "application/toml", body).await
    }

    async fn json(&self, uri: &str) -> Value {
        serde_json::from_str(&self.answer(uri).await).unwrap()
    }
}

#[tokio::test]
async fn a_query_is_put_listed_shown_asked_replaced_and_deleted() {
    let app = app().await;
    let said = app.put("pages", PAGES).await;
    assert_eq!(said.status, 201, "{}", said.body);
    assert_eq!(app.put("pages", PAGES).await.status, 200);
    let written = app.json("/queries/pages").await;
    assert_eq!(written["query"]["filters"], json!([["is", "id", "{id}"]]));
    let list = app.json("/queries.json").await;
    let names: Vec<&Value> = list["queries"].as_array().unwrap().iter().map(|query| &query["name"]).collect();
    assert_eq!(names, ["filed", "pages"]);
    let parameters = json!([
        {"name": "id", "kind": "texts", "example": ["17"], "required": true},
        {"name": "range", "kind": "text", "title": "Over which time", "default": "7d", "required": false},
    ]);
    let listed =
        json!({"name": "pages", "from": "stored", "title": "Pages", "description": null, "parameters": parameters});
    assert_eq!(list["queries"][1], listed);
    let answer = app.json("/queries/pages.json?id=17&id=/a/b.c").await;
    let rows = json!([{"dimensions": ["/a/b.c"], "metrics": [3]}, {"dimensions": ["17"], "metrics": [1]}]);
    assert_eq!(answer["results"], rows);
    assert_eq!(answer["query"]["date_range"], json!(["2015-01-16", "2015-01-22"]));
    assert_eq!(app.answer("/queries/pages.csv?id=17&range=today").await, "id,views\r\n");
    assert_eq!(app.answer("/queries/pages.csv?id=17&site=shop").await, "id,views\r\n17,1\r\n");
    let as_json = app.answer("/queries/pages").await;
    assert_eq!(app.knock("", "PUT", "/queries/again", "application/json", &as_json).await.status, 201);
    assert_eq!(app.knock("", "PUT", "/queries/again", "", &as_json).await.status, 200);
    assert_eq!(app.knock("", "PUT", "/queries/again", "", PAGES).await.body, as_json);
    assert_eq!(app.ask("DELETE", "/queries/pages", "").await.status, 204);
    for (method, uri) in [("GET", "/queries/pages"), ("GET", "/queries/pages.csv"), ("DELETE", "/queries/pages")] {
        let said = app.ask(method, uri, "").await;
        assert!(said.status == 404 && said.body.contains("GET /queries.json lists them"), "{uri}: {}", said.body);
    }
}

#[tokio::test]
async fn what_is_asked_of_a_query_and_does_not_fit_is_told_by_its_parameter() {
    let app = app().await;
    app.put("pages", PAGES).await;
    let table = [
        ("", 400, "id: id is needed; it may be a list of at most 100 texts"),
        ("id=1&rnage=7d", 400, "rnage: \"rnage\" is not known here; did you mean \"range\"?"),
        ("id=1&range=7d&range=30d", 400, "range: range is given 2 times"),
        ("id=1&range=fortnight", 400, "range: date_range is \"fortnight\""),
        ("id=1&site=a&site=b", 400, "site: site is given twice"),
        ("id=1&partial=maybe", 400, "partial: partial is \"maybe\"; it may be true, false"),
        ("id=%FF", 400, "query: a pair after decoding is not UTF-8"),
    ];
    for (given, status, says) in table {
        let said = app.get(&format!("/queries/pages.json?{given}")).await;
        let problem: Value = serde_json::from_str(&said.body).unwrap();
        let error = &problem["errors"][0];
        let told = format!("{}: {}", error["at"].as_str().unwrap(), error["message"].as_str().unwrap());
        assert!(said.status == status && told.starts_with(says), "{given}: {}", said.body);
    }
    let of_shop = app.get("/queries/filed.json?site=default").await;
    assert!(of_shop.status == 400 && of_shop.body.contains("of the site \\\"shop\\\""), "{}", of_shop.body);
    assert_eq!(app.get("/queries/filed.json?site=shop").await.status, 200);
    assert_eq!(app.get("/queries/filed?x=1").await.status, 400);
    // A key that no event has is the definition's, not a parameter's.
    let unknown = r#"{"query": {"metrics": ["views"], "dimensions": ["colour"]}}"#;
    assert_eq!(app.put("colours", unknown).await.status, 400, "JSON is no TOML");
    assert_eq!(app.knock("", "PUT", "/queries/colours", "application/json", unknown).await.status, 201);
    let said = app.get("/queries/colours.json").await;
    assert!(said.status == 400 && said.body.contains("\"at\":\"query.dimensions[0]\""), "{}", said.body);
}

#[tokio::test]
async fn what_cannot_be_put_is_refused() {
    let app = app().await;
    let long = format!("{PAGES}#{}", "x".repeat(64 << 10));
    let full = format!("{PAGES}#{}", "x".repeat((64 << 10) - PAGES.len() - 1));
    let table = [
        ("/queries/Pages", "application/toml", PAGES, 400, "1 to 64 of a-z, 0-9, _ and -"),
        ("/queries/a.b", "application/toml", PAGES, 400, "1 to 64 of a-z, 0-9, _ and -"),
        ("/queries/a?x", "application/toml", PAGES, 400, "is not known here"),
        ("/queries/filed", "application/toml", PAGES, 409, "filed.toml: it is changed there"),
        ("/queries/a", "text/html", PAGES, 415, "application/toml or application/json"),
        ("/queries/a", "application/toml", "[query", 400, "line 1"),
        ("/queries/a", "application/json; charset=utf-8", "{", 400, "definition is no JSON"),
        ("/queries/a", "application/json", "[]", 400, "a list is no definition"),
        ("/queries/a", "application/toml", "[query]\nmetrics = [\"viewz\"]", 400, "query.metrics[0]"),
        ("/queries/a", "application/toml", &long, 413, "at most 65536 bytes"),
        ("/queries/a", "application/toml", &full, 201, "Pages"),
    ];
    for (uri, content_type, body, status, says) in table {
        let said = app.knock("", "PUT", uri, content_type, body).await;
        assert!(said.status == status && said.body.contains(says), "{uri}: {} {}", said.status, said.body);
    }
    let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
    let said = app.knock("", "PUT", "/queries/a", "application/json", &deep).await;
    assert!(said.status == 400 && said.body.contains("lists deep"), "{}", said.body);
    let said = app.ask("DELETE", "/queries/filed", "").await;
    assert!(said.status == 409 && said.body.contains("urn:metronome:problem:conflict"), "{}", said.body);
}

#[tokio::test]
async fn a_key_sees_and_asks_what_its_site_allows_and_puts_nothing() {
    let app = app().await;
    app.put("pages", PAGES).await;
    let choosing =
        r#"{"parameters":{"shop":{"kind":"text","default":"shop"}},"query":{"site_id":"{shop}","metrics":["views"]}}"#;
    app.knock("", "PUT", "/queries/chosen", "application/json", choosing).await;
    let key = |scope, site| app.keys.make(scope, site).unwrap().1;
    let (of_default, of_shop) = (key(Scope::Read, Some("default")), key(Scope::Read, Some("shop")));
    let (all, write) = (key(Scope::Read, None), key(Scope::Write, Some("shop")));
    let admin = key(Scope::Admin, None);
    let table = [
        (&of_default, "GET", "/queries/pages.json?id=17", 200),
        (&of_default, "GET", "/queries/pages.json?id=17&site=shop", 403),
        (&of_default, "GET", "/queries/filed.json", 403),
        (&of_default, "GET", "/queries/filed", 403),
        (&of_default, "GET", "/queries/chosen.json", 403),
        (&of_default, "GET", "/queries/chosen.json?shop=default", 200),
        (&of_shop, "GET", "/queries/filed.json", 200),
        (&of_shop, "GET", "/queries/chosen.json", 200),
        (&all, "GET", "/queries/filed.csv", 200),
        (&all, "PUT", "/queries/pages", 403),
        (&all, "DELETE", "/queries/pages", 403),
        (&write, "GET", "/queries.json", 403),
        (&write, "GET", "/queries/pages.json?id=17", 403),
        (&admin, "PUT", "/queries/pages", 200),
    ];
    for (key, method, uri, status) in table {
        let said = app.knock(key, method, uri, "application/toml", PAGES).await;
        assert_eq!(said.status, status, "{method} {uri}: {}", said.body);
    }
    let rows = [(&of_default, vec!["chosen", "pages"]), (&of_shop, vec!["chosen", "filed", "pages"]), (&write, vec![])];
    for (key, names) in rows {
        let description = app.knock(key, "GET", "/openapi.json", "", "").await.body;
        let described: Value = serde_json::from_str(&description).unwrap();
        let paths = described["paths"].as_object().unwrap().keys();
        let own: Vec<&str> = paths.filter_map(|path| path.strip_prefix("/queries/")?.strip_suffix(".json")).collect();
        assert_eq!(own.into_iter().filter(|name| *name != "{name}").collect::<Vec<_>>(), names);
    }
    let open = app.get("/openapi.json").await;
    assert!(open.status == 200 && !open.body.contains("/queries/pages"), "{}", open.status);
}

#[tokio::test]
async fn a_query_that_does_not_read_any_more_is_told_to_those_alone_who_read_every_site() {
    let app = app().await;
    // As another version of the program may have put it.
    let older = json!({"query": {"site_id": "shop", "metrics": ["views"]}, "secret-of-shop": 1});
    let catalog = Catalog::open(&app.folder.path().join("catalog")).unwrap();
    Queries::new(Arc::new(catalog)).put("older", &older).unwrap();
    let key = |scope, site| app.keys.make(scope, site).unwrap().1;
    let (of_default, of_shop) = (key(Scope::Read, Some("default")), key(Scope::Read, Some("shop")));
    let (all, admin) = (key(Scope::Read, None), key(Scope::Admin, None));
    for (key, may) in [(&of_default, false), (&of_shop, false), (&all, true), (&admin, true)] {
        let list = app.knock(key, "GET", "/queries.json", "", "").await.body;
        assert_eq!((list.contains("\"older\""), list.contains("secret-of-shop")), (may, may), "{list}");
        for uri in ["/queries/older", "/queries/older.json", "/queries/older.csv"] {
            let said = app.knock(key, "GET", uri, "", "").await;
            assert_eq!((said.status, said.body.contains("secret-of-shop")), (if may { 400 } else { 404 }, may));
            let never = app.knock(key, "GET", &uri.replace("older", "never"), "", "").await;
            assert!(may || said.body == never.body, "{}", said.body);
        }
    }
}

#[tokio::test]
async fn the_description_has_each_query_with_its_parameters() {
    let app = app().await;
    let kinds = r#"{"description": "About", "parameters": {
        "n": {"kind": "integer", "default": 5, "min": 1, "max": 9},
        "w": {"kind": "number", "default": 0.5, "choices": [0.5, 2]},
        "b": {"kind": "boolean", "default": true}},
        "query": {"metrics": ["views"], "pagination": {"limit": "{n}"}, "filters": [["gt", "value", ["{w}"]]],
        "include": {"total_rows": "{b}"}}}"#;
    assert_eq!(app.knock("", "PUT", "/queries/kinds", "", kinds).await.status, 201);
    app.put("pages", PAGES).await;
    let described = app.json("/openapi.json").await;
    let pages = &described["paths"]["/queries/pages.json"]["get"];
    assert_eq!((&pages["operationId"], &pages["summary"]), (&json!("queries_pages"), &json!("Pages")));
    assert_eq!(pages["responses"], described["paths"]["/queries/{name}.json"]["get"]["responses"]);
    let text = json!({"type": "string", "maxLength": 2048});
    let parameters = json!([
        {"name": "id", "in": "query", "required": true, "example": ["17"],
         "schema": {"type": "array", "maxItems": 100, "items": text}},
        {"name": "range", "in": "query", "description": "Over which time",
         "schema": {"type": "string", "maxLength": 2048, "default": "7d"}},
        {"$ref": "#/components/parameters/site"},
        {"$ref": "#/components/parameters/partial"},
    ]);
    assert_eq!(pages["parameters"], parameters);
    let kinds = &described["paths"]["/queries/kinds.json"]["get"];
    assert_eq!((&kinds["summary"], &kinds["description"]), (&json!("kinds"), &json!("About")));
    let schema = |at: usize| &kinds["parameters"][at]["schema"];
    assert_eq!(schema(0), &json!({"type": "boolean", "default": true}));
    assert_eq!(schema(1), &json!({"type": "integer", "default": 5, "minimum": 1.0, "maximum": 9.0}));
    assert_eq!(schema(2), &json!({"type": "number", "default": 0.5, "enum": [0.5, 2]}));
}
