//! The whole of normalizing, one row per rule of the events page.

mod access_lines;
mod actions;
mod hostile;
mod keys;
mod limits;
mod origins;
mod pages;
mod people;
mod support;
mod times;
