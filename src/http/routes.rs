//! Routes: the one table of what is served: method, path, scope, handler.
//! - Each room adds its own rows; `app` merges them; the description of the API is tested against the whole.
//! - `GET` answers `HEAD` too; every path answers `OPTIONS`; any other method is 405 with `Allow`, any other path 404.

use super::Need;
use super::gate::{self, Door, Gate};
use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One row.
#[derive(Debug)]
pub struct Route {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: Method,
    /// The path as the router knows it: `/jobs/{id}`, `/tock/{*rest}`.
    pub path: &'static str,
    /// The paths as the description of the API knows them; the path itself where they are the same.
    pub described: &'static [&'static str],
    /// What it needs.
    pub need: Need,
    handler: MethodRouter,
}

/// The table.
#[derive(Debug, Default)]
pub struct Routes {
    rows: Vec<Route>,
}

impl Routes {
    /// Adds a row; `path` holds the one path, as router and description both know it.
    pub fn add<H, T, S>(
        self,
        method: Method,
        path: &'static [&'static str; 1],
        need: Need,
        handler: H,
        state: &S,
    ) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        self.add_described(method, path[0], path, need, handler, state)
    }

    /// Adds a row that the description of the API knows by other paths.
    pub fn add_described<H, T, S>(
        mut self,
        method: Method,
        path: &'static str,
        described: &'static [&'static str],
        need: Need,
        handler: H,
        state: &S,
    ) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        // Only the four methods of a row are ever given, and each is a filter.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::TRACE);
        let handler = on(filter, handler).with_state(state.clone());
        self.rows.push(Route { method, path, described, need, handler });
        self
    }

    /// Adds all rows of another table.
    pub fn merge(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self
    }

    /// The rows, in the order they were added.
    pub fn rows(&self) -> &[Route] {
        &self.rows
    }

    /// The router of the whole table behind the gate. A path and method given twice is a mistake in the program and panics.
    pub fn into_router(self, gate: Gate) -> Router {
        let gate = Arc::new(gate);
        let door = |need, purpose| from_fn_with_state(Door { gate: gate.clone(), need, purpose }, gate::pass);
        let mut methods: BTreeMap<&'static str, (Need, Vec<String>)> = BTreeMap::new();
        let mut router = Router::new();
        for row in self.rows {
            let (_, allowed) = methods.entry(row.path).or_insert((row.need, Vec::new()));
            allowed.push(row.method.to_string());
            if row.method == Method::GET {
                allowed.push(Method::HEAD.to_string());
            }
            router = router.route(row.path, row.handler.route_layer(door(row.need, row.need)));
        }
        for (path, (need, allowed)) in methods {
            let allow = HeaderValue::from_str(&format!("{}, OPTIONS", allowed.join(", ")));
            let allow = allow.unwrap_or(HeaderValue::from_static("OPTIONS"));
            let answer = move || std::future::ready(gate::options(need, allow));
            // Asking what is allowed needs no key, but speaks of origins as the route itself does.
            let answer = on(MethodFilter::OPTIONS, answer).route_layer(door(Need::Open, need));
            router = router.route(path, answer);
        }
        router
            .method_not_allowed_fallback(gate::method_not_allowed.layer(door(Need::Open, Need::Open)))
            .fallback(gate::not_found.layer(door(Need::Open, Need::Open)))
    }
}
