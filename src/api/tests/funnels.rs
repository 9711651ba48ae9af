//! `/funnels` and `/flows`: what they answer, and what they say of a question that does not fit.

use super::*;

#[tokio::test]
async fn funnels_and_flows_answer_and_say_what_fits() {
    let app = app().await;
    let steps = r#""steps":[["is","id",["/a/b.c"]],["is","action",["download"]]]"#;
    let said = app.ask("POST", "/funnels.json?range=7d", &format!(r#"{{{steps},"over":"user","strict":true}}"#)).await;
    assert_eq!(said.status, 200, "{}", said.body);
    assert!(said.body.starts_with(r#"{"steps":[{"reached":0,"rate":null,"#), "{}", said.body);
    let said = app.ask("POST", "/funnels.csv", &format!(r#"{{{steps},"window":"30m"}}"#)).await;
    assert_eq!(said.body, "step,reached,rate,rate_from_previous,median_ms\r\n1,0,,,\r\n2,0,,,\r\n");
    let one = r#"{"steps":[["exists","id"]]}"#.to_owned();
    let many = format!(r#"{{"steps":[{}]}}"#, vec![r#"["exists","id"]"#; 100].join(","));
    let table = [
        (one, "steps are 1; there may be 2 to 20"),
        (many, "steps are 100; there may be 2 to 20"),
        ("[]".to_owned(), "the body is a funnel such as"),
        ("{".to_owned(), "body is no JSON"),
        (format!("{{{steps},\"window\":\"half\"}}"), "such as 30m"),
        (format!("{{{steps},\"strict\":1}}"), "true, false"),
        (format!("{{{steps},\"by\":\"contry\"}}"), "did you mean"),
        (format!("{{{steps},\"stricter\":true}}"), "did you mean"),
        (format!("{{{steps},\"over\":\"item\"}}"), "visitor, visit, user"),
        (format!("{{{steps},\"range\":\"7d\"}}"), "range is given twice"),
        (r#"{"steps":[["is","id",["a"]],["isnt","id",["a"]]]}"#.to_owned(), "steps[1][0]"),
    ];
    for (body, says) in table {
        let said = app.ask("POST", "/funnels.json?range=7d", &body).await;
        assert_eq!(said.status, 400, "{body}: {}", said.body);
        assert!(said.body.contains(says), "{body}: {}", said.body);
    }
    let flow = app.answer("/flows.json?from_path=/a").await;
    assert!(flow.starts_with(r#"{"edges":[],"nodes":[],"meta":{"#), "{flow}");
    assert_eq!(app.answer("/flows.csv").await, "step,from,to,weight\r\n");
    let table = [
        ("from_path=/a&to_path=/b", "exclude each other"),
        ("steps=6", "from 1 to 5"),
        ("steps=2", "from_path"),
        ("where=%5B%22is%22,%22action%22,%5B%22/a%22%5D%5D", "action may differ within a visit; flows take path,"),
    ];
    for (query, says) in table {
        let said = app.get(&format!("/flows.json?{query}")).await;
        assert!(said.status == 400 && said.body.contains(says), "{query}: {}", said.body);
    }
}

#[tokio::test]
async fn a_funnel_is_asked_by_its_name_and_parameters_go_over_what_it_says() {
    let app = app().await;
    let named = app.answer("/funnels/fetch.json?range=7d").await;
    let said = app.ask("POST", "/funnels.json?range=7d", r#"{"steps":[["is","id",["/a/b.c"]],"fetched"]}"#).await;
    assert_eq!(named, said.body);
    let by = app.answer("/funnels/fetch.csv?range=7d&by=browser&over=visit&window=1h&strict=true&limit=5").await;
    assert_eq!(by, "browser,step,reached,rate,rate_from_previous,median_ms\r\n");
    let table = [
        ("/funnels/fetsh.json", 404, "did you mean \"fetch\"?"),
        ("/funnels/fetch.json?site=shop", 404, "[[site.funnel]] in the configuration makes one"),
        ("/funnels/fetch", 404, ".json, .csv or .svg"),
        ("/funnels/%FF.json", 404, "known are fetch"),
        ("/funnels/fetch.json?over=item", 400, "visitor, visit, user"),
        ("/funnels/fetch.json?windw=1h", 400, "did you mean \"window\"?"),
        ("/funnels/fetch.json?by=brouser", 400, "did you mean"),
    ];
    for (uri, status, says) in table {
        let said = app.get(uri).await;
        assert_eq!(said.status, status, "{uri}: {}", said.body);
        let problem: serde_json::Value = serde_json::from_str(&said.body).unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(says), "{uri}: {}", said.body);
    }
    let meta: serde_json::Value = serde_json::from_str(&app.answer("/meta.json").await).unwrap();
    assert_eq!((&meta["goals"], &meta["funnels"]), (&serde_json::json!(["fetched"]), &serde_json::json!(["fetch"])));
}
