//! Routes: patterns of paths (`/datasets/{id}.{format}`) that name parts of them.
//! - `{name}` takes one byte or more, never a `/`; of several ways to match, the earlier name takes more.
//! - Matching is bounded: a pattern has at most [`NAMES_MAX`] names, and a name stays within its segment.

/// How many names a route may have.
pub const NAMES_MAX: usize = 16;

/// A configured route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pattern: String,
    method: Option<String>,
    action: Option<String>,
    segments: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Name(String),
}

/// A pattern that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// It does not begin with a slash.
    #[error("read route {0:?}: it begins with no /")]
    NoSlash(String),
    /// A brace is not closed, not opened, or stands in another.
    #[error("read route {0:?}: its braces do not pair")]
    Braces(String),
    /// A name is empty or given twice.
    #[error("read route {route:?}: the name {name:?} is empty or given twice")]
    Name {
        /// The pattern.
        route: String,
        /// The name.
        name: String,
    },
    /// Two names touch: where one ends cannot be told.
    #[error("read route {0:?}: two names touch")]
    Touching(String),
    /// More names than a route may have.
    #[error("read route {0:?}: more than {NAMES_MAX} names")]
    TooMany(String),
}

impl Route {
    /// A route of this pattern. With a `method` it matches requests of that method alone; with an `action` it gives it
    /// to the access lines that match.
    pub fn new(method: Option<&str>, pattern: &str, action: Option<&str>) -> Result<Self, RouteError> {
        let Some(rest) = pattern.strip_prefix('/') else {
            return Err(RouteError::NoSlash(pattern.to_owned()));
        };
        let trimmed = rest.trim_end_matches('/');
        let segments: Vec<Vec<Part>> =
            trimmed.split('/').map(|segment| parts(pattern, segment)).collect::<Result<_, _>>()?;
        check_names(pattern, &segments)?;
        Ok(Self {
            pattern: pattern.to_owned(),
            method: method.map(str::to_ascii_uppercase),
            action: action.map(str::to_owned),
            segments,
        })
    }

    /// As it was written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The method it is limited to.
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// The action it gives.
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// The names and what they stand for, where `path` (normalized) matches.
    pub fn matches<'a>(&'a self, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
        let mut found = Vec::new();
        let mut given = path.strip_prefix('/')?.split('/');
        for segment in &self.segments {
            if !match_parts(segment, given.next()?, &mut found) {
                return None;
            }
        }
        given.next().is_none().then_some(found)
    }
}

fn parts(pattern: &str, segment: &str) -> Result<Vec<Part>, RouteError> {
    let braces = || RouteError::Braces(pattern.to_owned());
    let mut parts = Vec::new();
    let mut rest = segment;
    while !rest.is_empty() {
        let open = rest.find('{').unwrap_or(rest.len());
        if rest[..open].contains('}') {
            return Err(braces());
        }
        if open > 0 {
            parts.push(Part::Literal(rest[..open].to_owned()));
        }
        let Some(inside) = rest.get(open + 1..) else { break };
        let close = inside.find('}').ok_or_else(braces)?;
        if inside[..close].contains('{') {
            return Err(braces());
        }
        if matches!(parts.last(), Some(Part::Name(_))) {
            return Err(RouteError::Touching(pattern.to_owned()));
        }
        parts.push(Part::Name(inside[..close].to_owned()));
        rest = &inside[close + 1..];
    }
    Ok(parts)
}

fn check_names(pattern: &str, segments: &[Vec<Part>]) -> Result<(), RouteError> {
    let mut names: Vec<&str> = Vec::new();
    for part in segments.iter().flatten() {
        let Part::Name(name) = part else { continue };
        if name.is_empty() || names.contains(&name.as_str()) {
            return Err(RouteError::Name { route: pattern.to_owned(), name: name.clone() });
        }
        names.push(name);
    }
    if names.len() > NAMES_MAX {
        return Err(RouteError::TooMany(pattern.to_owned()));
    }
    Ok(())
}

/// Matches one segment from its end: the last name takes least, so that `{id}.{format}` of `a.tar.gz` is `a.tar`, `gz`.
/// Each literal is searched once, from the right, so a segment costs its length times its literals.
fn match_parts<'a>(parts: &'a [Part], segment: &'a str, found: &mut Vec<(&'a str, &'a str)>) -> bool {
    let mut rest = segment;
    let before = found.len();
    let mut open: Option<&str> = None;
    for (at, part) in parts.iter().enumerate().rev() {
        match (part, open) {
            (Part::Name(name), _) => open = Some(name),
            (Part::Literal(text), None) => match rest.strip_suffix(text.as_str()) {
                Some(left) => rest = left,
                None => return false,
            },
            (Part::Literal(text), Some(name)) => {
                let Some((start, value)) = find_last(rest, text, at == 0) else { return false };
                found.insert(before, (name, value));
                rest = &rest[..start];
                open = None;
            }
        }
    }
    match open {
        Some(_) if rest.is_empty() => false,
        Some(name) => {
            found.insert(before, (name, rest));
            true
        }
        None => rest.is_empty(),
    }
}

/// The last place of `literal` in `text` with something after it, and that something; at the very start if `first`.
fn find_last<'a>(text: &'a str, literal: &str, first: bool) -> Option<(usize, &'a str)> {
    if first {
        let value = text.strip_prefix(literal)?;
        return (!value.is_empty()).then_some((0, value));
    }
    let last = text.char_indices().next_back().map(|(at, _)| at)?;
    let start = text[..last].rfind(literal)?;
    Some((start, &text[start + literal.len()..]))
}

#[cfg(test)]
#[path = "tests/routes.rs"]
mod tests;
