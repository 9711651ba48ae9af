//! `/errors`: by cause, one cause, and what does not fit.

use super::*;

#[tokio::test]
async fn errors_come_by_cause_and_one_cause_with_its_newest() {
    let failed = |ago, message: &'static str, print| {
        let mut event = event(ago, "/a", "error", &[("error_type", "TypeError"), ("message", message)]);
        event.set(crate::event::Known::Fingerprint, Value::hash(print));
        event
    };
    let events = [failed(1, "=1, or 2", 0xab), failed(2, "3", 0xab), failed(2, "4", 0xcd), event(1, "/a", "view", &[])];
    let store = Memory::new();
    let entries = events.into_iter().zip(0..).map(|(event, position)| Entry { position, event }).collect();
    store.write(entries, 4).await.unwrap();
    let app = over(Arc::new(store));
    let all: serde_json::Value = serde_json::from_str(&app.answer("/errors.json?limit=1").await).unwrap();
    assert_eq!(all["results"].as_array().unwrap().len(), 1);
    assert_eq!(all["results"][0]["message"], "=1, or 2");
    let sums = serde_json::json!({"total": 3, "shown": 2, "rest": 1, "without_visitor": 3, "bots": 0});
    assert_eq!(all["meta"]["sums"], sums);
    let one: serde_json::Value = serde_json::from_str(&app.answer("/errors/00000000000000AB.json").await).unwrap();
    let group = all["results"][0].as_object().unwrap();
    assert!(group.iter().all(|(name, value)| one[name] == *value), "{one}");
    assert_eq!((one["newest"].as_array().unwrap().len(), &one["newest"][1]["message"]), (2, &"3".into()));
    assert_eq!(one["meta"]["sums"]["total"], 2);
    assert_eq!(
        app.answer("/errors.csv?where=[%22is%22,%22message%22,[%224%22,%22=1,%20or%202%22]]").await,
        "fingerprint,error_type,message,events,visitors,first_seen,last_seen,releases\r\n\
         00000000000000ab,TypeError,\"'=1, or 2\",1,0,2015-01-21T12:00:00.000Z,2015-01-21T12:00:00.000Z,\r\n\
         00000000000000cd,TypeError,4,1,0,2015-01-20T12:00:00.000Z,2015-01-20T12:00:00.000Z,\r\n"
    );
    let table = [
        ("00000000000000ab.json?range=today", 404, "to 2015-01-22 has the fingerprint 00000000000000ab"),
        ("00000000000000ef.json", 404, "has the fingerprint 00000000000000ef"),
        ("ab.json", 400, "it is 16 hex digits"),
        ("+0000000000000ab.json", 400, "it is 16 hex digits"),
        ("00000000000000ab.json?limit=10001", 400, "from 1 to 10000"),
        ("00000000000000ab.csv", 404, "does not end in .json"),
    ];
    for (uri, status, says) in table {
        let said = app.get(&format!("/errors/{uri}")).await;
        assert!(said.status == status && said.body.contains(says), "{uri}: {} {}", said.status, said.body);
    }
}
