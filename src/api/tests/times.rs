//! `/times` over the wire: both forms, and each thing that does not fit.

use super::*;

async fn app() -> App {
    let load = |path: &str, lcp: i64| {
        let mut event = event(0, path, "view", &[("path", path)]);
        event.set(Key::named("lcp_ms"), Value::Int(lcp));
        event
    };
    let events = [load("=a", 1), load("/b", 2), load("/b", 3)];
    let store = Memory::new();
    let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, 3).await.unwrap();
    over(Arc::new(store))
}

#[tokio::test]
async fn percentiles_come_as_json_and_csv() {
    let app = app().await;
    let answer: serde_json::Value =
        serde_json::from_str(&app.answer("/times.json?metric=lcp_ms&by=path").await).unwrap();
    let row = |path, count, p50, rest| serde_json::json!({"path": path, "count": count, "p50": p50, "p75": rest, "p95": rest, "p99": rest, "rating": "good"});
    assert_eq!(answer["results"], serde_json::json!([row("/b", 2, 2, 3), row("=a", 1, 1, 1)]));
    assert_eq!(answer["meta"]["sums"]["total"], 3);
    let csv = app.answer("/times.csv?metric=lcp_ms&by=path").await;
    assert_eq!(csv, "path,count,p50,p75,p95,p99,rating\r\n/b,2,2,3,3,3,good\r\n'=a,1,1,1,1,1,good\r\n");
    let all = app.answer("/times.csv?metric=lcp_ms&range=all").await;
    assert_eq!(all, "count,p50,p75,p95,p99,rating\r\n3,2,3,3,3,good\r\n");
}

#[tokio::test]
async fn what_does_not_fit_says_what_would() {
    let app = app().await;
    let long = format!("metric=lcp_ms&by={}", "x".repeat(129));
    for (query, says) in [
        ("", "metric is needed: time_on_page, scroll_depth or a key that holds numbers"),
        ("metric=path", "path holds no numbers; status, bytes, duration_ms"),
        ("metric=visitor", "visitor holds no numbers"),
        (&long, "128 bytes of a key's name"),
        ("metric=lcp_ms&by=minute&range=30d", "take longer ones"),
        ("metric=lcp_ms&limit=0", "from 1 to 10000"),
        ("metrik=lcp_ms", "did you mean"),
    ] {
        let said = app.get(&format!("/times.json?{query}")).await;
        assert_eq!(said.status, 400, "{query}: {}", said.body);
        assert!(said.body.contains(says) && said.body.contains("\"errors\":[{\"at\""), "{query}: {}", said.body);
    }
}
