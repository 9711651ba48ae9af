//! Routes: the one table of what is served: method, path, scope, handler.
//! - Each room adds its own rows; `app` merges them; the description of the API is tested against the whole.
//! - `GET` answers `HEAD` too; every path answers `OPTIONS`; any other method is 405 with `Allow`, any other path 404.

use super::gate::{self, Door, Gate};
use super::{Manners, Need};
use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One row.
pub struct Route {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: Method,
    /// The path as the router knows it: `/jobs/{id}`, `/tock/{*rest}`.
    pub path: &'static str,
    /// The paths as the description of the API knows them; the path itself where they are the same.
    pub described: &'static [&'static str],
    /// What it needs.
    pub need: Need,
    manners: Option<Arc<dyn Manners>>,
    handler: MethodRouter,
}

impl fmt::Debug for Route {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} ({:?})", self.method, self.path, self.need)
    }
}

/// What a path needs, who answers for it, and its methods.
type Methods = (Need, Option<Arc<dyn Manners>>, Vec<String>);

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
        self.rows.push(Route { method, path, described, need, manners: None, handler });
        self
    }

    /// The same rows, of a surface with manners of its own.
    pub fn with_manners(mut self, manners: &Arc<dyn Manners>) -> Self {
        self.rows.iter_mut().for_each(|row| row.manners = Some(Arc::clone(manners)));
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
        let door = |need, purpose, manners| {
            from_fn_with_state(Door { gate: gate.clone(), need, purpose, manners }, gate::pass)
        };
        // One surface at the most has manners of its own; what no route takes may be meant for it.
        let foreign = self.rows.iter().find_map(|row| row.manners.clone());
        let mut methods: BTreeMap<&'static str, Methods> = BTreeMap::new();
        let mut router = Router::new();
        for row in self.rows {
            let (.., allowed) = methods.entry(row.path).or_insert((row.need, row.manners.clone(), Vec::new()));
            allowed.push(row.method.to_string());
            if row.method == Method::GET {
                allowed.push(Method::HEAD.to_string());
            }
            router = router.route(row.path, row.handler.route_layer(door(row.need, row.need, row.manners)));
        }
        for (path, (need, manners, allowed)) in methods {
            let allow = HeaderValue::from_str(&format!("{}, OPTIONS", allowed.join(", ")));
            let allow = allow.unwrap_or(HeaderValue::from_static("OPTIONS"));
            let answer = move || std::future::ready(gate::options(need, allow));
            // Asking what is allowed needs no key, but speaks of origins as the route itself does.
            let answer = on(MethodFilter::OPTIONS, answer).route_layer(door(Need::Open, need, manners));
            router = router.route(path, answer);
        }
        let other = foreign.clone();
        let not_found = move |request: Request| gate::not_found(foreign.clone(), request);
        let not_allowed = move |request: Request| gate::method_not_allowed(other.clone(), request);
        router
            .method_not_allowed_fallback(not_allowed.layer(door(Need::Open, Need::Open, None)))
            .fallback(not_found.layer(door(Need::Open, Need::Open, None)))
    }
}
