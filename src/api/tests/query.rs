//! `/query`: its shape, its account, what it says of a question that does not fit.

use super::*;
use serde_json::{Value, json};

async fn asked(app: &App, query: Value) -> Value {
    let said = app.ask("POST", "/query", &query.to_string()).await;
    assert_eq!(said.status, 200, "{query}: {}", said.body);
    serde_json::from_str(&said.body).unwrap()
}

#[tokio::test]
async fn an_answer_has_rows_an_account_and_the_question() {
    let app = app().await;
    let answer = asked(
        &app,
        json!({
            "metrics": ["views", "downloads", "events"], "dimensions": ["id"], "date_range": "7d",
            "include": {"total_rows": true}, "pagination": {"limit": 1}
        }),
    )
    .await;
    assert_eq!(answer["results"], json!([{"dimensions": ["/a/b.c"], "metrics": [3, 1, 4]}]));
    let sums = json!({"total": 4, "shown": 3, "rest": 1, "without_visitor": 4, "bots": 0});
    assert_eq!(answer["meta"]["sums"]["views"], sums);
    assert_eq!(answer["meta"]["total_rows"], 2);
    assert_eq!(answer["meta"]["notes"], json!(["cut: rows 1 to 1 of 2; pagination asks for more"]));
    assert_eq!(answer["query"]["date_range"], json!(["2015-01-16", "2015-01-22"]));
    assert_eq!(answer["query"]["metrics"], json!(["views", "downloads", "events"]));
}

#[tokio::test]
async fn plausibles_names_are_ours_and_time_goes_forward() {
    let app = app().await;
    let plausible = json!({
        "site_id": "default", "metrics": ["pageviews"], "date_range": "7d", "dimensions": ["time:day"],
        "filters": [["is", "event:name", ["pageview"]]], "include": {"time_labels": true}
    });
    let answer = asked(&app, plausible).await;
    let rows = [("2015-01-20", 1), ("2015-01-21", 1), ("2015-01-22", 2)];
    let rows = rows.map(|(day, views)| json!({"dimensions": [day], "metrics": [views]}));
    assert_eq!(answer["results"], json!(rows));
    assert_eq!(answer["meta"]["time_labels"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn rows_are_compared_by_their_place_in_the_range() {
    let app = app().await;
    let answer = asked(
        &app,
        json!({
            "metrics": ["views"], "dimensions": ["day"], "date_range": ["2015-01-21", "2015-01-22"],
            "include": {"compare": ["2015-01-20", "2015-01-21"]}
        }),
    )
    .await;
    let change: Vec<&Value> =
        answer["results"].as_array().unwrap().iter().map(|row| &row["comparison"]["change"][0]).collect();
    assert_eq!(change, [&json!(0), &json!(100)]);
    assert_eq!(answer["meta"]["comparison_range"], json!(["2015-01-20", "2015-01-21"]));
}

#[tokio::test]
async fn a_row_that_was_not_there_is_compared_with_nothing() {
    let app = app().await;
    let query = json!({
        "metrics": ["views", "bounce_rate"], "dimensions": ["day"], "date_range": ["2015-01-21", "2015-01-21"],
        "include": {"compare": "previous_period"}, "filters": [["exists", "browser"]]
    });
    let answer = asked(&app, query).await;
    let comparison = json!({"dimensions": ["2015-01-21"], "metrics": [0, null], "change": [null, null]});
    assert_eq!(answer["results"][0]["comparison"], comparison);
}

#[tokio::test]
async fn a_page_past_the_end_is_empty_and_says_so() {
    let app = app().await;
    let query = json!({"metrics": ["views"], "dimensions": ["id"], "date_range": "7d", "pagination": {"offset": 50}});
    let answer = asked(&app, query).await;
    assert_eq!(answer["results"], json!([]));
    assert_eq!(answer["meta"]["notes"], json!(["offset 50 is past the last of 2 rows"]));
}

#[tokio::test]
async fn csv_has_a_header_and_inert_cells() {
    let app = app().await;
    let query = r#"{"metrics":["views","avg(value)"],"dimensions":["referer"],"date_range":"today"}"#;
    let said = app.ask("POST", "/query.csv", query).await;
    assert_eq!(said.body, "referer,views,avg(value)\r\n'=cmd|x,1,\r\narcgis.com,1,\r\n");
    let encoded = "/query.csv?q=%7B%22metrics%22:%5B%22views%22%5D,%22date_range%22:%22today%22%7D";
    assert_eq!(app.answer(encoded).await, "views\r\n2\r\n");
}

#[tokio::test]
async fn what_does_not_fit_is_told_with_its_place() {
    let app = app().await;
    let deep = format!(r#"{{"metrics":["views"],"filters":[{}{}]}}"#, "[\"not\",".repeat(1_000), "]".repeat(1_000));
    let table = [
        ("", "query", "is no JSON"),
        ("[]", "query", "a query is an object"),
        ("{}", "metrics", "at least one metric"),
        (deep.as_str(), "query", "filters go 32 deep"),
        (r#"{"metrics":["views"],"dimensions":["planet"]}"#, "dimensions[0]", "no event has the key"),
        (r#"{"metrics":["sum(prize)"]}"#, "metrics[0]", "no event has the key"),
        (r#"{"metrics":["views"],"filters":[["is","brouser",["x"]]]}"#, "filters", "did you mean \"browser\"?"),
        (
            r#"{"metrics":["views"],"dimensions":["minute"],"date_range":"30d"}"#,
            "query",
            "more than 10000 intervals in this range",
        ),
        (r#"{"metrics":["views"],"filters":[["matches","path",["("]]]}"#, "filters[0][2][0]", "regular expression"),
    ];
    for (body, at, says) in table {
        let said = app.ask("POST", "/query", body).await;
        assert_eq!(said.status, 400, "{body:.60}: {}", said.body);
        let problem: Value = serde_json::from_str(&said.body).unwrap();
        assert_eq!(problem["errors"][0]["at"], at, "{body:.60}: {}", said.body);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{body:.60}: {}", said.body);
    }
}

#[tokio::test]
async fn what_there_is_to_ask_is_told_for_one_site() {
    let app = app().await;
    let answer: Value = serde_json::from_str(&app.answer("/meta.json?range=7d").await).unwrap();
    let keys = answer["keys"].as_array().unwrap();
    let of = |name: &str| keys.iter().find(|held| held["key"] == name).map(|held| held["events"].clone());
    assert_eq!((of("browser"), of("referer"), of("never")), (Some(json!(1)), Some(json!(2)), None));
    assert_eq!(answer["sites"], json!(["default", "shop"]));
    assert!(answer["metrics"].as_array().unwrap().contains(&json!("bounce_rate")));
    assert_eq!(answer["held"], json!({"first": "2014-12-13T12:00:00.000Z", "last": "2015-01-22T12:00:00.000Z"}));
    let count = |site: &str, reason: &str, events: u64| json!({"site": site, "reason": reason, "events": events});
    assert_eq!(answer["rejected"], json!([count("shop", "time", 4), count("default", "not_json", 3)]));
    assert_eq!(answer["filtered"], json!([count("shop", "privacy", 5)]));
    assert_eq!(answer["counting_since"], "2015-01-21T12:00:00.000Z");
    assert_eq!(answer["meta"]["sums"], json!({"total": 5, "shown": 5, "rest": 0, "without_visitor": 5, "bots": 0}));
    let shop: Value = serde_json::from_str(&app.answer("/meta.json?range=7d&site=shop").await).unwrap();
    assert!(shop["keys"].as_array().unwrap().iter().all(|held| held["key"] != "referer"));
}
