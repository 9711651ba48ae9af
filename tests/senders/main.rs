//! Senders: real client libraries and programs, unmodified, against the real binary: what they are told is safe is there.

mod elastic;
mod elastic_syslog;
mod files;
mod forward;
mod logstash;
mod proxy;
#[path = "../service/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the service, which use more of it")]
mod service;
#[path = "../wire/support.rs"]
mod support;
mod syslog;
