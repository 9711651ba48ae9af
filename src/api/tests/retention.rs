//! `/retention` over the wire: both forms, and what cannot be said.

use super::*;

async fn app(key: &str) -> App {
    let events = [event(2, "/x", "view", &[(key, "anna")]), event(1, "/x", "view", &[(key, "anna")])];
    let store = Memory::new();
    let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, 2).await.unwrap();
    over(Arc::new(store))
}

#[tokio::test]
async fn cohorts_come_as_json_and_csv() {
    let app = app("user").await;
    let answer: serde_json::Value = serde_json::from_str(&app.answer("/retention.json?by=day&range=7d").await).unwrap();
    assert_eq!(answer["cohorts"], serde_json::json!([{"cohort": "2015-01-20", "size": 1, "active": [1, 1, 0]}]));
    assert_eq!(answer["meta"]["notes"].as_array().map(Vec::len), Some(2));
    let csv = app.answer("/retention.csv?by=day&range=all&site=default").await;
    assert!(csv.starts_with("cohort,size,period,active\r\n2015-01-20,1,0,1\r\n2015-01-20,1,1,1\r\n"), "{csv}");
    let weeks = app.answer("/retention.csv?range=7d").await;
    assert_eq!(weeks, "cohort,size,period,active\r\n2015-01-19,1,0,1\r\n");
}

#[tokio::test]
async fn what_cannot_be_answered_says_what_to_send() {
    let app = app("nobody").await;
    let said = app.get("/retention.json").await;
    assert!(said.status == 400 && said.body.contains("problem:unsupported"), "{}", said.body);
    assert!(said.body.contains("send `user`, or a `visitor` of your own"), "{}", said.body);
    for (query, says) in [
        ("by=hour", "it may be day, week, month"),
        ("by=day&from=2010-01-01", "more than 400 periods"),
        ("bye=day", "did you mean \\\"by\\\"?"),
    ] {
        let said = app.get(&format!("/retention.json?{query}")).await;
        assert!(said.status == 400 && said.body.contains(says), "{query}: {}", said.body);
    }
}
