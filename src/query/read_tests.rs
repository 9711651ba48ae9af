//! Reading: questions of ours and of Plausible's documentation, and everything that does not fit, told at once.

use super::*;
use crate::event::{Key, Known};
use crate::query::goal::Goal;
use crate::query::include::Compare;
use crate::query::range::Interval;
use crate::store::plan::Limits;
use jiff::tz::TimeZone;
use serde_json::json;

/// Noon of 2015-05-20 (a Wednesday), UTC.
const NOW: i64 = 1_432_123_200_000;

fn asked(json: Value) -> Result<Query, Vec<Unfit>> {
    let goal = |name: &str, path: &str, value: &str| Goal {
        name: name.to_owned(),
        filter: Filter::is(Known::Path, path),
        value: Key::named(value),
    };
    let goals = [goal("Signup", "/signup", "value"), goal("Order", "/order", "price")];
    let (site, site_zone) = ("default".to_owned(), TimeZone::UTC);
    read(&json, &Setting { site, site_zone, goals: &goals, now: NOW, limits: Limits::default() })
}

#[test]
fn a_question_with_everything_is_read() {
    let query = asked(json!({
        "site_id": "opendata", "metrics": ["visitors", "visits", "bounce_rate", "p75(lcp_ms)"],
        "date_range": "30d", "dimensions": ["day", "source"],
        "filters": [["is", "country", ["US", "CA"]], ["not", ["contains", "source", ["x"]]]],
        "order_by": [["visitors", "desc"], ["time:day", "asc"]],
        "include": {"total_rows": true, "compare": "previous_period", "time_labels": true},
        "pagination": {"limit": 100, "offset": 10}, "tz": "Europe/Vienna", "bots": "include", "goal": "Signup"
    }))
    .unwrap();
    let names: Vec<String> = query.metrics.iter().map(Metric::name).collect();
    assert_eq!(names, ["visitors", "visits", "bounce_rate", "p75(lcp_ms)"]);
    assert_eq!(query.dimensions, [Dimension::Time(Interval::Day), Dimension::Key(Known::Source.into())]);
    assert_eq!(query.when.range.ends(), ["2015-04-21", "2015-05-20"]);
    assert_eq!(query.when.range.zone.iana_name(), Some("Europe/Vienna"));
    assert_eq!(query.order, [(By::Metric(0), Direction::Descending), (By::Dimension(0), Direction::Ascending)]);
    assert_eq!((query.limit, query.offset, query.bots), (100, 10, Bots::Include));
    let signup = Reached { filter: Filter::is(Known::Path, "/signup"), value: Some(Known::Value.into()) };
    assert_eq!((query.goal, query.filter_without_goal), (Some(signup), None));
    let include = Include { total_rows: true, compare: Some(Compare::PreviousPeriod), time_labels: true };
    assert_eq!(query.include, include);
}

#[test]
fn a_goal_among_the_filters_is_the_goal_and_what_it_is_worth_one_key_says() {
    let of = |filters: Value, metric: &str| asked(json!({"metrics": [metric], "filters": filters}));
    let query = of(json!([["is", "country", ["US"]], ["is", "event:goal", ["Order"]]]), "total_revenue").unwrap();
    assert_eq!(query.filter_without_goal, Some(Filter::is(Known::Country, "US")));
    assert_eq!(query.goal.as_ref().and_then(|goal| goal.value.clone()), Some(Key::named("price")));
    assert!(query.keys().contains(&(Key::named("price"), "goal".to_owned())));
    assert_eq!(of(json!(["is", "event:goal", ["Order"]]), "views").unwrap().filter_without_goal, Some(Filter::All));
    let both = json!([["is", "event:goal", ["Order", "Signup"]]]);
    assert!(of(both.clone(), "conversions").is_ok());
    let unfit = &of(both, "average_revenue").unwrap_err()[0];
    assert!(unfit.at == "metrics[0]" && unfit.message.contains("ask one of them at a time"), "{unfit:?}");
}

#[test]
fn plausibles_documented_questions_are_read() {
    let query = asked(json!({
        "site_id": "dummy.site", "metrics": ["visitors", "pageviews"], "date_range": "7d",
        "dimensions": ["visit:country", "time:week", "event:props:plan"],
        "filters": [["contains", "event:page", ["/blog"]], ["or", [["is", "visit:country", ["US"]], ["is", "visit:city", ["Paris"]]]]],
        "order_by": [["pageviews", "desc"], ["visit:country", "asc"]],
        "include": {"imports": false}, "pagination": {"limit": 10}
    }))
    .unwrap();
    let names: Vec<String> = query.metrics.iter().map(Metric::name).collect();
    assert_eq!(names, ["visitors", "views"]);
    let expected =
        [Dimension::Key(Known::Country.into()), Dimension::Time(Interval::Week), Dimension::Key(Key::named("plan"))];
    assert_eq!(query.dimensions, expected);
    assert_eq!(query.order, [(By::Metric(1), Direction::Descending), (By::Dimension(0), Direction::Ascending)]);
    assert_eq!((query.limit, query.offset), (10, 0));
}

#[test]
fn defaults_are_those_of_plausible() {
    let query = asked(json!({"metrics": ["views"]})).unwrap();
    assert_eq!(query.order, [(By::Metric(0), Direction::Descending)]);
    assert_eq!((query.bots, query.limit, query.filter), (Bots::Exclude, ROWS_MAX, Filter::All));
    let query = asked(json!({"metrics": ["views"], "dimensions": ["path", "day"]})).unwrap();
    assert_eq!(query.order, [(By::Dimension(1), Direction::Ascending), (By::Metric(0), Direction::Descending)]);
    let query = asked(json!({"metrics": ["conversions"], "filters": [["is", "event:goal", ["Signup"]]]})).unwrap();
    assert!(query.goal.is_some());
    let query = asked(json!({"metrics": ["views"], "include": {"comparisons": {"mode": "year_over_year"}}})).unwrap();
    assert_eq!(query.include.compare, Some(Compare::YearOverYear));
}

#[test]
fn dates_to_compare_with_are_of_the_asked_zone() {
    let compare = json!({"compare": ["2015-01-01", "2015-01-02"]});
    let query = asked(json!({"metrics": ["views"], "tz": "Europe/Vienna", "include": compare})).unwrap();
    let Some(Compare::Custom(when)) = query.include.compare else { panic!("{:?}", query.include) };
    assert_eq!(when.range.zone.iana_name(), Some("Europe/Vienna"));
}

#[test]
fn what_does_not_fit_says_where_and_what_would() {
    let table = [
        (json!([]), "query", "a list is no query"),
        (json!({}), "metrics", "at least one metric"),
        (json!({"metrics": "views"}), "metrics", "a text is no list"),
        (json!({"metrics": ["vizits"]}), "metrics[0]", "did you mean \"visits\"?"),
        (json!({"metrics": ["views", "p0(n)"]}), "metrics[1]", "p1 to p99"),
        (json!({"metrics": ["p100(n)"]}), "metrics[0]", "p1 to p99"),
        (json!({"metrics": ["median(n)"]}), "metrics[0]", "known are count, sum"),
        (json!({"metrics": ["sum()"]}), "metrics[0]", "not empty"),
        (json!({"metrics": ["sum(browser)"]}), "metrics[0]", "holds no numbers"),
        (json!({"metrics": [1]}), "metrics[0]", "a number is no name"),
        (json!({"metrics": ["conversions"]}), "metrics[0]", "needs a goal"),
        (json!({"metrics": ["conversions"], "goal": "Sale"}), "goal", "known are Signup"),
        (json!({"metrics": ["views"], "metric": 1}), "metric", "did you mean \"metrics\"?"),
        (json!({"metrics": ["bounce_rate"], "dimensions": ["status"]}), "metrics[0]", "status, which differs within"),
        (json!({"metrics": ["exits"], "filters": [["is", "id", ["x"]]]}), "metrics[0]", "path does"),
        (json!({"metrics": ["current_visitors"], "dimensions": ["day"]}), "metrics[0]", "no dimension of time"),
        (json!({"metrics": ["views"], "dimensions": ["time:year"]}), "dimensions[0]", "known are minute"),
        (json!({"metrics": ["views"], "dimensions": ["visit:exit_page"]}), "dimensions[0]", "ask `exits` by `path`"),
        (json!({"metrics": ["views"], "dimensions": vec!["a"; 7]}), "dimensions", "at most 6"),
        (json!({"metrics": vec!["views"; 21]}), "metrics", "at most 20"),
        (json!({"metrics": ["views"], "date_range": "7days"}), "date_range", "it may be today"),
        (json!({"metrics": ["views"], "date_range": ["2015-01-01"]}), "date_range", "two ends"),
        (json!({"metrics": ["views"], "date_range": ["2015-01-01", "x"]}), "date_range[1]", "it may be a date"),
        (json!({"metrics": ["views"], "tz": "Mars"}), "tz", "IANA"),
        (json!({"metrics": ["views"], "order_by": [["visits", "desc"]]}), "order_by[0]", "neither a metric nor"),
        (json!({"metrics": ["views"], "order_by": [["views", "down"]]}), "order_by[0]", "no direction"),
        (json!({"metrics": ["views"], "order_by": ["views"]}), "order_by[0]", "\"asc\" or \"desc\""),
        (json!({"metrics": ["views"], "pagination": {"limit": 0}}), "pagination.limit", "from 1 to 10000"),
        (json!({"metrics": ["views"], "pagination": {"offset": -1}}), "pagination.offset", "from 0"),
        (json!({"metrics": ["views"], "pagination": {"page": 1}}), "pagination.page", "known are limit, offset"),
        (json!({"metrics": ["views"], "include": {"imports": true}}), "include.imports", "imported"),
        (json!({"metrics": ["views"], "include": {"total": true}}), "include.total", "known are total_rows"),
        (json!({"metrics": ["views"], "include": {"compare": "last"}}), "include.compare", "previous_period"),
        (json!({"metrics": ["views"], "bots": "yes"}), "bots", "exclude, include, only"),
        (json!({"metrics": ["views"], "filters": [["is"]]}), "filters[0]", "takes a key and a list"),
        (json!({"metrics": ["views"], "partial": 1}), "partial", "true or false"),
    ];
    for (json, at, says) in table {
        let unfit = asked(json.clone()).unwrap_err();
        let told = unfit.iter().any(|unfit| unfit.at == at && unfit.message.contains(says));
        assert!(told, "{json}: {unfit:?}");
    }
    let many = asked(json!({"metrics": ["x"], "date_range": "x", "dimensions": [""], "bots": 1})).unwrap_err();
    assert_eq!(many.len(), 4, "{many:?}");
}
