//! `/events.ndjson`: what it holds, how little is asked ahead, and its bound.

use super::*;

const MANY: i64 = 2_345;

/// Over several pages of the store, many of one millisecond.
async fn many() -> App {
    let store = Memory::new();
    let entry = |n: i64| {
        let number = n.to_string();
        let kind = [("message", if n % 2 == 0 { "even" } else { "odd" }), ("event_id", number.as_str())];
        let mut event = event(0, "/a", "view", &kind);
        event.set(crate::event::Known::Timestamp, Value::Int(NOW - n / 7));
        Entry { position: n.unsigned_abs(), event }
    };
    store.write((0..MANY).map(entry).collect(), MANY.unsigned_abs()).await.unwrap();
    over(Arc::new(store))
}

fn read(lines: &str) -> Vec<serde_json::Value> {
    assert!(lines.is_empty() || lines.ends_with('\n'));
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The body of an export that nothing was read of.
async fn begin(app: &App) -> Body {
    let mut request = Request::builder().uri("/events.ndjson").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(SocketAddr::from(([127, 0, 0, 1], 9))));
    app.router.clone().oneshot(request).await.unwrap().into_body()
}

#[tokio::test]
async fn an_export_is_all_pages_of_events_as_they_are_shown() {
    let app = many().await;
    for query in ["range=all", "range=all&q=odd", "range=all&bots=only", "range=all&site=shop"] {
        let (mut shown, mut after) = (Vec::new(), String::new());
        loop {
            let page = app.answer(&format!("/events.json?limit=1000&{query}{after}")).await;
            let page: serde_json::Value = serde_json::from_str(&page).unwrap();
            shown.extend(page["events"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let said = app.get(&format!("/events.ndjson?{query}")).await;
        assert_eq!((said.status, said.headers["content-type"].to_str().unwrap()), (200, "application/x-ndjson"));
        assert_eq!(read(&said.body), shown, "{query}");
    }
    assert_eq!(app.answer("/events.ndjson?range=all&site=nobody").await, "");
    assert_eq!(read(&app.answer("/events.ndjson?where=[%22is%22,%22event_id%22,[%2217%22]]").await).len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_the_first_line() {
    let app = app().await;
    for (query, says) in [
        ("limit=5", "\\\"limit\\\" is not known"),
        ("after=x", "\\\"after\\\" is not known"),
        ("q=-", "without a word"),
        ("where=[%22is%22]", "takes a key"),
    ] {
        let said = app.get(&format!("/events.ndjson?{query}")).await;
        assert!(said.status == 400 && said.body.contains(says), "{query}: {}", said.body);
    }
}

#[tokio::test]
async fn a_page_is_asked_for_when_the_one_before_was_taken() {
    let app = many().await;
    let asked = async || {
        let metrics = app.answer("/metrics").await;
        let count = "metronome_question_seconds_count{report=\"export\"} ";
        metrics.lines().find_map(|line| line.strip_prefix(count)).unwrap().parse::<u64>().unwrap()
    };
    let mut body = begin(&app).await;
    assert_eq!(asked().await, 1);
    for pages in 1..=3 {
        let lines = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let of_page = if pages < 3 { 1_000 } else { 345 };
        assert_eq!(read(std::str::from_utf8(&lines).unwrap()).len(), of_page);
        assert_eq!(asked().await, pages);
    }
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn past_the_bound_an_export_is_refused_until_one_has_ended_or_its_client_left() {
    let app = many().await;
    let mut body = begin(&app).await;
    body.frame().await.unwrap().unwrap();
    let second = app.get("/events.ndjson").await;
    assert_eq!((second.status, &second.headers["retry-after"]), (503, &"30".parse().unwrap()));
    assert!(second.body.contains("all 1 exports (limits.exports_max) are taken"), "{}", second.body);
    drop(body);
    for _ in 0..2 {
        assert_eq!(app.get("/events.ndjson").await.status, 200);
    }
}
