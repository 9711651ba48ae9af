//! Nearest: how a name from outside that nobody knows is told: cut, and with the known one that is nearest to it.

/// The first bytes of a text that came from outside, for a message.
pub fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Says that a name is unknown, and the nearest known one, or all of them.
pub fn unknown(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|other| (strsim::damerau_levenshtein(&cut(name), other), *other)).min();
    let name = cut(name);
    match near {
        Some((distance, other)) if distance <= 1 + other.len() / 3 => {
            format!("{name:?} is not known here; did you mean {other:?}?")
        }
        _ => format!("{name:?} is not known here; known are {}", known.join(", ")),
    }
}
