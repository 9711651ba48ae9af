//! Files: how many the process may have open, and so how many connections it may take.
//! - The limit is raised as far as the system allows without asking.
//! - Connections never take the files that journal, store and catalog need: past their share, which ports divide evenly, they
//!   wait to be accepted.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files kept for everything but connections; at the least half of all.
const KEPT: u64 = 512;

/// How many connections may be open at each of so many ports, of those that are asked for.
pub(super) fn connections_max(asked: usize, ports: usize) -> usize {
    let files_max = raise().unwrap_or(u64::MAX);
    let all = usize::try_from(share(files_max)).unwrap_or(usize::MAX);
    let allowed = asked.min((all / ports.max(1)).max(1));
    if allowed < asked {
        tracing::warn!(
            asked,
            allowed,
            files_max,
            "fewer connections than configured: open files are limited (ulimit -n)"
        );
    }
    allowed
}

/// Connections' share of the files.
fn share(files_max: u64) -> u64 {
    files_max.saturating_sub(KEPT).max(files_max / 2)
}

/// Raises the limit to what may be had; answers what it is then, `None` where there is none.
fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => limit.maximum,
        // What was given has to do.
        Err(_) => limit.current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_everything_else() {
        for (files_max, expected) in [(20_000, 19_488), (1024, 512), (200, 100), (2, 1), (u64::MAX, u64::MAX - KEPT)] {
            assert_eq!(share(files_max), expected, "of {files_max}");
        }
    }
}
