//! `/recommendations`: what is used together, the busiest items where nothing is, and what does not fit.

use super::*;
use crate::event::Known;

/// An event of a visit that began so many days ago, by a user of the same number.
fn used(visit: i64, id: &str) -> Event {
    let mut event = event(visit, id, "view", &[]);
    event.set(Known::Visitor, Value::Int(visit));
    event.set(Known::VisitAt, Value::Int(NOW - visit * DAY));
    event.set(Known::Visit, Value::hash(visit as u64));
    event.set(Known::User, Value::text("u".repeat(visit as usize)));
    event
}

async fn app() -> App {
    let mut events: Vec<Event> = (1..4).flat_map(|visit| [used(visit, "/a/b.c"), used(visit, "=1")]).collect();
    events.extend([used(4, "/z"), used(5, "/z"), used(6, "/z"), used(6, "/a/b.c"), used(6, "/d")]);
    let store = Memory::new();
    let end = events.len() as u64;
    let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, end).await.unwrap();
    over(Arc::new(store))
}

#[tokio::test]
async fn items_used_together_are_scored() {
    let app = app().await;
    // Of six baskets four have the item, three the other, all of them with it: 2 (3 ln 1.5 + ln 0.5 + 2 ln 2).
    let score = 2.0 * (3.0 * 1.5_f64.ln() + 0.5_f64.ln() + 2.0 * 2.0_f64.ln());
    for uri in [
        "/recommendations//a/b.c.json",
        "/recommendations/%2Fa%2Fb.c.json?method=llr&over=visit",
        "/recommendations.json?id=/a/./b.c",
        "/recommendations.json?id=/a/b.c&over=user",
    ] {
        let answer: serde_json::Value = serde_json::from_str(&app.answer(uri).await).unwrap();
        let found = answer["results"][0]["score"].as_f64().unwrap();
        assert!((found - score).abs() < 1e-9, "{uri}: {answer}");
        assert_eq!((&answer["method"], &answer["support"], &answer["baskets"]), (&"llr".into(), &4.into(), &6.into()));
        let results = serde_json::json!([{"id": "=1", "score": found, "together": 3, "support": 3}]);
        assert_eq!(answer["results"], results, "{uri}");
        assert!(answer["meta"]["notes"][0].as_str().unwrap().starts_with("a basket is "), "{answer}");
    }
    let csv = app.answer("/recommendations/%2Fa%2Fb.c.csv").await;
    assert!(csv.starts_with("id,score,together,support,views\r\n'=1,3.8") && csv.ends_with(",3,3,\r\n"), "{csv}");
}

#[tokio::test]
async fn an_item_that_is_too_new_gets_the_busiest_others() {
    let app = app().await;
    let answer: serde_json::Value =
        serde_json::from_str(&app.answer("/recommendations//z.json?limit=1").await).unwrap();
    let busiest = serde_json::json!([
        {"id": "/a/b.c", "score": null, "together": null, "support": null, "views": 4},
    ]);
    assert_eq!((&answer["method"], &answer["results"]), (&"popular".into(), &busiest), "{answer}");
    assert_eq!((&answer["support"], answer.get("baskets")), (&3.into(), None), "{answer}");
    let says = "no item is in 3 of the item's baskets; these are the most viewed ones";
    assert_eq!(answer["meta"]["notes"][1], says);
    let csv = app.answer("/recommendations/never.csv").await;
    assert_eq!(csv, "id,score,together,support,views\r\n/a/b.c,,,,4\r\n/z,,,,3\r\n'=1,,,,3\r\n/d,,,,1\r\n");
    let none = app.answer("/recommendations/never.json?site=shop").await;
    assert!(none.contains(r#""method":"popular","support":0,"results":[]"#), "{none}");
}

#[tokio::test]
async fn what_does_not_fit_says_what_would() {
    let app = app().await;
    let long = format!("{}.json", "x".repeat(2_049));
    let table = [
        ("/recommendations.json", 400, "id is missing"),
        ("/recommendations.json?id=1&method=cosine", 400, "it may be llr"),
        ("/recommendations/1.json?over=visitor", 400, "it may be visit, user"),
        ("/recommendations/1.json?limit=0", 400, "from 1 to 10000"),
        ("/recommendations/1.json?metod=llr", 400, "did you mean \\\"method\\\"?"),
        ("/recommendations/1.svg", 404, "as .json and .csv"),
        ("/recommendations/1", 404, "does not end in a format"),
        ("/recommendations/%FF.json", 400, "not UTF-8"),
    ];
    let long = (format!("/recommendations/{long}"), 400, "longer than 2048 bytes");
    let table = table.map(|(uri, status, says)| (uri.to_owned(), status, says)).into_iter().chain([long]);
    for (uri, status, says) in table {
        let said = app.get(&uri).await;
        assert!(said.status == status && said.body.contains(says), "{uri}: {} {}", said.status, said.body);
    }
}
