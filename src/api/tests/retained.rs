//! A range that is older than any event kept or still held: refused where events answer, answered where item tables do.

use super::*;

/// Routes that events answer, without their range.
const OF_EVENTS: [&str; 12] = [
    "/events.json?",
    "/events.ndjson?",
    "/errors.json?",
    "/errors/0123456789abcdef.json?",
    "/flows.json?",
    "/times.json?metric=lcp_ms&",
    "/retention.json?",
    "/recommendations/x.json?",
    "/tock.json?fields=visitors&",
    "/tock.json?interval=hour&",
    "/tock.json?tz=Asia/Tokyo&",
    "/tock.json?where=%5B%22is%22,%22path%22,%5B%22/a%22%5D%5D&",
];

#[tokio::test]
async fn a_range_older_than_events_are_kept_is_refused_where_events_answer() {
    let app = app().await;
    for route in OF_EVENTS {
        let said = app.get(&format!("{route}site=brief&from=2014-11-01&to=2014-11-30")).await;
        assert_eq!(said.status, 400, "{route}: {}", said.body);
        assert!(said.body.contains("it may end on 2014-12-13 or later"), "{route}: {}", said.body);
        assert!(said.body.contains(r#""at":"to""#), "{route}: {}", said.body);
        let said = app.get(&format!("{route}site=default&from=2014-11-01&to=2014-11-30")).await;
        assert!(!said.body.contains("no event from before that is kept"), "{route}: {}", said.body);
    }
    let question = r#"{"site_id":"brief","metrics":["views"],"date_range":["2014-11-01","2014-11-30"]}"#;
    let said = app.ask("POST", "/query", question).await;
    assert!(said.status == 400 && said.body.contains(r#""at":"date_range""#), "{}", said.body);
}

#[tokio::test]
async fn item_tables_outlive_events() {
    let app = app().await;
    for uri in ["/tock.json?", "/tock/x.json?", "/tock.json?fields=views,total&", "/top.json?by=id&metric=views&"] {
        let said = app.get(&format!("{uri}site=brief&from=2014-11-01&to=2014-11-30")).await;
        assert_eq!(said.status, 200, "{uri}: {}", said.body);
    }
}

#[tokio::test]
async fn a_range_that_begins_before_events_are_kept_begins_with_them_and_says_so() {
    let app = app().await;
    let said = app.answer("/flows.json?site=brief&range=90d").await;
    assert!(said.contains(r#""from":"2014-12-13""#), "{said}");
    let question = r#"{"site_id":"brief","metrics":["views"],"date_range":"12mo"}"#;
    let said = app.ask("POST", "/query", question).await;
    assert!(said.status == 200 && said.body.contains(r#""from":"2014-12-13""#), "{}", said.body);
}
