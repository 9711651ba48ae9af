//! Query: the question language: names, filters, ranges and metrics, checked and typed, then compiled into plans.
//! - What a request says in words becomes typed here, or a list of what does not fit, each with its place.
//! - A number means the same wherever it is asked: reports take filters, ranges and metrics from here.
//! - Absent: the shapes of reports (`report`), HTTP and CSV (`api`), how plans are answered (`store`).

pub mod account;
pub mod answer;
pub mod custom;
pub mod dates;
pub mod filter;
pub mod goal;
pub mod include;
pub mod json;
pub mod keys;
pub mod meta;
pub mod metrics;
pub mod names;
pub mod number;
pub mod question;
pub mod range;
pub mod read;
pub mod recipe;
pub mod rekey;
pub mod run;
pub mod scope;
pub mod span;
pub mod unfit;
