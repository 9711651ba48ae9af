//! `/live.json`: its shape, that any question says the same, and what does not fit.

use super::*;

/// Events around now, some of them bots, downloads, without a visitor, of another site.
async fn app() -> App {
    let entry = |n: i64| {
        let kind = ["view", "download", "engage"][n.unsigned_abs() as usize % 3];
        let mut event = event(0, "/a", kind, if n % 5 == 0 { &[("bot", "Robot")] } else { &[] });
        event.set(crate::event::Known::Timestamp, Value::Int(NOW - n * 17_003));
        if n % 4 > 0 {
            event.set(crate::event::Known::Visitor, Value::hash(n.unsigned_abs() % 23));
        }
        Entry { position: n.unsigned_abs(), event }
    };
    let store = Memory::new();
    store.write((0..200).map(entry).collect(), 200).await.unwrap();
    over(Arc::new(store))
}

fn read(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn any_question_says_the_same_of_now() {
    let app = app().await;
    for bots in ["exclude", "include", "only"] {
        let live = read(&app.answer(&format!("/live.json?bots={bots}&limit=7")).await);
        let ask = async |question: serde_json::Value| {
            let said = app.ask("POST", "/query", &question.to_string()).await;
            assert_eq!(said.status, 200, "{}", said.body);
            read(&said.body)
        };
        let current = ask(serde_json::json!({"metrics": ["current_visitors"], "bots": bots})).await;
        assert_eq!(live["current_visitors"], current["results"][0]["metrics"][0], "{bots}");
        let (from, to) = (&live["meta"]["from"], &live["meta"]["to"]);
        let minutes = ask(serde_json::json!({"metrics": ["visitors", "views", "events"], "dimensions": ["minute"],
            "date_range": [from, to], "bots": bots}))
        .await;
        let told = live["minutes"].as_array().unwrap().iter();
        let told = told.filter(|minute| minute["visitors"] != 0 || minute["events"] != 0);
        let told: Vec<_> = told
            .map(|minute| {
                serde_json::json!({"dimensions": [minute["minute"]],
                "metrics": [minute["visitors"], minute["views"], minute["events"]]})
            })
            .collect();
        assert!(told.len() > 10 && told == *minutes["results"].as_array().unwrap(), "{bots}: {told:?} {minutes}");
        let sums = &minutes["meta"]["sums"]["events"];
        for name in ["total", "without_visitor", "bots"] {
            assert_eq!(live["meta"]["sums"][name], sums[name], "{bots}: {name}");
        }
        let newest = read(&app.answer(&format!("/events.json?bots={bots}&limit=7")).await);
        assert_eq!(live["newest"], newest["events"], "{bots}");
    }
}

#[tokio::test]
async fn what_it_does_not_take_is_refused_with_what_it_does() {
    let app = app().await;
    for path in ["/live.json", "/live"] {
        for (query, says) in [
            ("range=7d", "known are site, tz, bots, where, partial, limit"),
            ("limit=101", "from 0 to 100"),
            ("tz=Mars/Base", "IANA"),
            ("where=[%22is%22]", "takes a key"),
        ] {
            let said = app.get(&format!("{path}?{query}")).await;
            assert!(said.status == 400 && said.body.contains(says), "{path}?{query}: {}", said.body);
        }
    }
    let quiet = read(&app.answer("/live.json?site=nobody&limit=0").await);
    assert_eq!((&quiet["current_visitors"], quiet["minutes"].as_array().unwrap().len()), (&0.into(), 30));
}
