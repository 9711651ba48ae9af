//! The wire: every receiver beside `/tick`, by the bytes that real senders were seen to send (fixtures/wire), and by one
//! scenario in each receiver's own words.

mod crowd;
mod elastic;
mod forward;
mod lines;
mod logstash_http;
mod lumberjack;
#[path = "../service/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the service, which use more of it")]
mod service;
mod support;
mod syslog;
mod tick;
mod tls;
