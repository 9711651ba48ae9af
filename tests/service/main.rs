//! The built binary from outside, as its users meet it: started, asked, stopped, killed.
//! One test binary, so that it is linked once.

mod access_log;
mod clock;
mod connections;
mod crash;
mod disk;
mod follow;
mod foreign;
mod operating;
mod queries;
mod support;
mod web_servers;
