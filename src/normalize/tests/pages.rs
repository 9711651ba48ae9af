//! `url`, `path`, `id`, what the query says, and routes.

use super::support::{World, whole};
use crate::normalize::routes::Route;

#[test]
fn an_address_is_split_and_dropped() {
    World::tick().expect(&[
        (
            r#"{"url":"https://www.Shop.org:443/a/./b/?x=1#top"}"#,
            r#"{"url":null,"path":"/a/b","url_host":"www.shop.org","id":"/a/b","x":null}"#,
        ),
        (r#"{"url":"/a?x"}"#, r#"{"path":"/a","url_host":null}"#),
        (r#"{"url":"https://a.org"}"#, r#"{"path":"/","url_host":"a.org"}"#),
        (r#"{"url":"//a.org/x"}"#, r#"{"path":"/x","url_host":"a.org"}"#),
        (r#"{"url":"https://a.org/u","path":"/p"}"#, r#"{"path":"/p","url_host":"a.org"}"#),
        (r#"{"url":"https://a.org/u","url_host":"B.org"}"#, r#"{"path":"/u","url_host":"b.org"}"#),
        (r#"{"path":"https://a.org/x/?y#z"}"#, r#"{"path":"/x","url_host":"a.org"}"#),
        (r#"{"path":"//a/"}"#, r#"{"path":"/a"}"#),
        (r#"{"path":"a/%7eb/%c3"}"#, r#"{"path":"/a/~b/%C3"}"#),
        (r#"{"path":"/"}"#, r#"{"path":"/","id":"/"}"#),
    ]);
}

#[test]
fn the_item_is_the_page_unless_it_is_named() {
    World::tick().expect(&[
        (r#"{"path":"/a/"}"#, r#"{"id":"/a"}"#),
        (r#"{"path":"/a","id":"b/"}"#, r#"{"id":"b/"}"#),
        (r#"{"path":"/a","id":"/b//c/?d"}"#, r#"{"id":"/b//c"}"#),
        (r#"{"id":"x"}"#, r#"{"id":"x","path":null}"#),
        (r#"{}"#, r#"{"id":null,"path":null}"#),
    ]);
}

#[test]
fn only_kept_parameters_become_keys() {
    World::tick().expect(&[
        (r#"{"url":"/a?utm_source=S&utm_medium=M&utm_campaign=C&utm_term=T&utm_content=K&utm_id=9&q=secret"}"#,
         r#"{"utm_source":"S","utm_medium":"M","utm_campaign":"C","utm_term":"T","utm_content":"K","utm_id":"9","q":null}"#),
        (r#"{"url":"/a?utm_source=url","utm_source":"own"}"#, r#"{"utm_source":"own"}"#),
        (r#"{"url":"/a?source=s&ref=r&gclid=1"}"#, r#"{"ref":null,"gclid":null,"x.source":null,"source":"s"}"#),
        (r#"{"path":"/a?utm_source=s"}"#, r#"{"path":"/a","utm_source":"s"}"#),
        (r#"{"url":"/a?utm_source=&utm_medium=a+b%21"}"#, r#"{"utm_source":null,"utm_medium":"a b!"}"#),
    ]);
    let secret = World::tick().event(r#"{"url":"https://a.org/?token=s3cret#s3cret","path":"/p?s3cret"}"#);
    assert!(!whole(&secret).contains("s3cret"), "{}", whole(&secret));
    let kept = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let world = World::tick().with_rules(|rules| {
        rules.kept_parameters = kept(&["lang", "status", "country", "id"]);
        rules.search_parameter = Some("q".to_owned());
        rules.path_parameters = kept(&["page"]);
    });
    world.expect(&[
        (
            r#"{"url":"/a?lang=de&status=7&country=DE&q=two+words&utm_source=s&source=x"}"#,
            r#"{"lang":"de","status":7,"x.country":"DE","search":"two words","utm_source":null,"source":null}"#,
        ),
        (r#"{"url":"/a?lang=de&status=x&id=/i/","lang":"fr"}"#, r#"{"lang":"fr","x.status":"x","id":"/i"}"#),
        (r#"{"url":"/a/?x=1&page=2"}"#, r#"{"path":"/a?page=2","id":"/a?page=2"}"#),
        (r#"{"path":"/a?page=2","id":"/a/?page=3&y"}"#, r#"{"path":"/a?page=2","id":"/a?page=3"}"#),
    ]);
    let hash = World::tick().with_rules(|rules| rules.hash_routes = true);
    hash.expect(&[(r#"{"url":"https://a.org/#/users/7?x=y"}"#, r##"{"path":"/#/users/7","id":"/#/users/7"}"##)]);
}

#[test]
fn names_in_routes_become_keys_of_every_event() {
    let world = World::tick().with_rules(|rules| {
        let route = |method, pattern, action| Route::new(method, pattern, action).expect("a route");
        rules.routes = vec![
            route(Some("POST"), "/orders/{order}", Some("order")),
            route(None, "/datasets/{id}.{format}", Some("download")),
            route(None, "/sets/{status}/{city}/{set_name}", None),
        ];
    });
    world.expect(&[
        // Its action applies to access lines alone.
        (r#"{"path":"/datasets/roads.CSV"}"#, r#"{"id":"roads","format":"csv","action":"view"}"#),
        (r#"{"path":"/datasets/h%C3%B6he.csv"}"#, r#"{"id":"höhe"}"#),
        (r#"{"path":"/datasets/roads.csv","id":"own","format":"f"}"#, r#"{"id":"own","format":"f"}"#),
        (r#"{"path":"/orders/7"}"#, r#"{"order":"7","id":"/orders/7"}"#),
        (r#"{"path":"/orders/7","method":"GET"}"#, r#"{"order":null}"#),
        (r#"{"path":"/sets/200/Bonn/a"}"#, r#"{"status":200,"x.city":"Bonn","set_name":"a"}"#),
        (r#"{"path":"/sets/new/Bonn/a","set_name":"b"}"#, r#"{"x.status":"new","set_name":"b"}"#),
        (r#"{"path":"/elsewhere"}"#, r#"{"format":null}"#),
    ]);
}
