//! The HTTP surface as its clients see it: every route behind the gate, over real rooms.

#[path = "../contract/arrived.rs"]
mod arrived;
mod broken;
mod described;
mod elastic;
mod explain;
mod export;
mod imports;
mod json_suite;
mod live;
mod pixel;
mod plausible;
mod scopes;
mod support;
mod tick;
