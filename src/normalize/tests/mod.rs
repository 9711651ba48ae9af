//! The whole of normalizing, one row per rule of the events page.

mod keys;
mod support;
