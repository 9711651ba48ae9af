//! Scope: which events a question is about before it says anything: a site's, people's or bots'.

use crate::event::Known;
use crate::store::plan::{Bots, Case, Filter};

/// The events of a site, people or bots.
pub fn of_site(site: &str, bots: Bots) -> Filter {
    let has_bot = Filter::Exists(Known::Bot.into());
    Filter::is(Known::Site, site).and(match bots {
        Bots::Include => Filter::All,
        Bots::Only => has_bot,
        Bots::Exclude => not(has_bot),
    })
}

/// Events with one of these actions.
pub fn of_actions(actions: &[&str]) -> Filter {
    Filter::Is(Known::Action.into(), actions.iter().map(|action| (*action).to_owned()).collect(), Case::Exact)
}

/// Events that a filter does not match.
pub fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

/// Events that have a key.
pub fn having(key: Known) -> Filter {
    Filter::Exists(key.into())
}
