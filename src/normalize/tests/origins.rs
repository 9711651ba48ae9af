//! Referer, source and channel, as normalizing puts them together. (Which channel a source is: `source`'s own tables.)

use super::support::{World, whole};

#[test]
fn a_referer_is_normalized_and_never_the_sites_own() {
    World::tick().expect(&[
        (
            r#"{"referer":"https://www.washingtonpost.com/articles/dc-news/?a=b#c"}"#,
            r#"{"referer":"washingtonpost.com/articles/dc-news"}"#,
        ),
        (
            r#"{"referer":"https://www.Shop.org/x","url":"https://shop.org/y"}"#,
            r#"{"referer":null,"x.referer":null,"channel":"Direct"}"#,
        ),
        (r#"{"referer":"https://shop.org:8080/x","url_host":"www.shop.org"}"#, r#"{"referer":null}"#),
        (r#"{"referer":"https://blog.shop.org/x","url":"https://shop.org/y"}"#, r#"{"referer":"blog.shop.org/x"}"#),
        (r#"{"referer":"about:blank?secret"}"#, r#"{"referer":null,"x.referer":"about:blank"}"#),
    ]);
    let own = World::tick().with_rules(|rules| rules.hosts = vec!["shop.org".to_owned(), "www.mall.org:81".to_owned()]);
    own.expect(&[
        (r#"{"referer":"http://shop.org/x"}"#, r#"{"referer":null}"#),
        (r#"{"referer":"http://mall.org/x"}"#, r#"{"referer":null}"#),
        (r#"{"referer":"http://other.org/x"}"#, r#"{"referer":"other.org/x"}"#),
    ]);
    let event = World::tick().event(r#"{"referer":"http://r.org/?token=s3cret"}"#);
    assert!(!whole(&event).contains("s3cret"));
}

#[test]
fn the_source_in_its_order() {
    World::tick().expect(&[
        (r#"{"url":"/?utm_source=U&source=S&ref=R","referer":"http://google.com/"}"#, r#"{"source":"U"}"#),
        (r#"{"url":"/?source=S&ref=R","referer":"http://google.com/"}"#, r#"{"source":"S"}"#),
        (r#"{"url":"/?ref=R","referer":"http://google.com/"}"#, r#"{"source":"R"}"#),
        (r#"{"url":"/","referer":"http://www.google.com/x"}"#, r#"{"source":"google.com","channel":"Organic Search"}"#),
        (r#"{"referer":"http://arcgis.com/"}"#, r#"{"source":"arcgis.com","channel":"Referral"}"#),
        (r#"{"utm_source":"google","utm_medium":"cpc"}"#, r#"{"source":"google","channel":"Paid Search"}"#),
        (r#"{"url":"/?gclid=x"}"#, r#"{"channel":"Paid Search","source":null}"#),
        (r#"{"utm_medium":"email"}"#, r#"{"channel":"Email"}"#),
        (r#"{"utm_campaign":"spring"}"#, r#"{"channel":"Campaign"}"#),
        (r#"{}"#, r#"{"channel":"Direct","source":null}"#),
    ]);
}

#[test]
fn errors_have_a_fingerprint() {
    let print = |text: &str| World::tick().event(text).hash(crate::event::Known::Fingerprint);
    let one = print(r#"{"error_type":"TypeError","message":"x 1"}"#);
    assert!(one.is_some());
    assert_eq!(print(r#"{"error_type":"TypeError","message":"x 2"}"#), one);
    assert_ne!(print(r#"{"error_type":"RangeError","message":"x 2"}"#), one);
    assert_eq!(print(r#"{"message":"x 1"}"#), None);
}
