//! The HTTP surface as its clients see it: every route behind the gate, over real rooms.

mod described;
mod explain;
mod json_suite;
mod pixel;
mod scopes;
mod support;
mod tick;
