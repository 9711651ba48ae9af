//! The `metronome` command.

fn main() {}
