//! `POST /explain`: reads as `/tick` does, says why, stores nothing.

use crate::support::{Setup, request};
use axum::body::Body;

#[tokio::test]
async fn each_event_is_explained_and_none_stored() {
    let app = Setup::default().start();
    let body = r#"[{"referrer":"https://www.google.com/search","status":"paid"},{"@timestamp":"never"},7]"#;
    let said = app.send(request("POST", "/explain?site=shop").body(Body::from(body)).unwrap()).await;
    assert_eq!(said.status, 200, "{}", said.text());
    let results = said.json()["results"].clone();
    let event = &results[0]["event"];
    assert_eq!((event["site"].as_str(), event["referer"].as_str()), (Some("shop"), Some("google.com/search")));
    assert_eq!(event["x.status"], "paid");
    let about: Vec<&str> =
        results[0]["notes"].as_array().unwrap().iter().filter_map(|note| note["about"].as_str()).collect();
    assert!(["name", "source", "channel", "action", "visitor"].iter().all(|one| about.contains(one)), "{about:?}");
    assert!(results[1]["rejected"].as_str().unwrap().contains("@timestamp"));
    assert_eq!((&results[2]["at"], results[2]["event"].is_null()), (&2.into(), true));
    assert_eq!(app.events().len(), 0);
}
