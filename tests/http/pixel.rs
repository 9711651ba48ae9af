//! `/tick.gif`: an event in a query string.

use crate::support::{App, Said, Setup, request};
use axum::body::Body;

async fn show(app: &App, method: &str, uri: &str, page: Option<&str>) -> Said {
    let mut request = request(method, uri);
    if let Some(page) = page {
        request = request.header("referer", page);
    }
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_event_is_answered_with_a_dot_that_nobody_keeps() {
    let app = Setup::default().start();
    let said = show(&app, "GET", "/tick.gif?action=view&path=/x&value=2.5&key=k", None).await;
    assert_eq!((said.status, said.body.len(), &said.body[..6]), (200, 43, &b"GIF89a"[..]));
    assert_eq!(said.headers["content-type"], "image/gif");
    assert!(said.headers["cache-control"].to_str().unwrap().contains("no-store"));
    assert_eq!(said.headers["cross-origin-resource-policy"], "cross-origin");
    assert_eq!(
        (app.stored("path"), app.stored("value"), app.stored("key")),
        (vec!["/x".into()], vec!["2.5".into()], vec!["-".into()])
    );
}

#[tokio::test]
async fn without_path_and_url_the_page_is_the_one_that_shows_it() {
    let app = Setup::default().start();
    let page = Some("https://shop.example/a/b?utm_source=news#top");
    for uri in ["/tick.gif", "/tick.gif?path=/own", "/tick.gif?url=https://x.example/y", "/tick.gif?path="] {
        assert_eq!(show(&app, "GET", uri, page).await.status, 200);
    }
    assert_eq!(app.stored("path"), ["/a/b", "/own", "/y", "/a/b"]);
    assert_eq!(app.stored("utm_source"), ["news", "-", "-", "news"]);
    assert_eq!(app.stored("referer"), ["-", "-", "-", "-"], "the page is no referer");
    assert_eq!(show(&app, "GET", "/tick.gif", None).await.status, 200);
}

#[tokio::test]
async fn asking_for_the_head_is_no_event() {
    let app = Setup::default().start();
    let said = show(&app, "HEAD", "/tick.gif?path=/x", None).await;
    assert_eq!((said.status, said.body.len(), &said.headers["content-type"]), (200, 0, &"image/gif".parse().unwrap()));
    assert_eq!(app.events().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_taken_is_a_problem() {
    let app = Setup::default().start();
    for uri in ["/tick.gif?@timestamp=never", "/tick.gif?=1", "/tick.gif?a=%FF"] {
        assert_eq!(show(&app, "GET", uri, None).await.status, 400, "{uri}");
    }
    let long = format!("/tick.gif?path=/{}", "x".repeat(3_000));
    assert_eq!(show(&app, "GET", &long, None).await.status, 400);
}
