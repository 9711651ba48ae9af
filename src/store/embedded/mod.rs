//! Embedded: the store on this machine's disk.

pub mod items;
