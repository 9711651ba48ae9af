//! The HTTP surface as its clients see it: every route behind the gate, over real rooms.

mod broken;
mod described;
mod explain;
mod export;
mod json_suite;
mod live;
mod pixel;
mod scopes;
mod support;
mod tick;
