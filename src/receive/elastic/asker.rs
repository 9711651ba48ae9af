//! Who asks: which of its senders a request is from, as far as that decides how it is pushed back.
//! - Bulk helpers of the official Python and JavaScript clients send refused items again, and give up within milliseconds on a
//!   refused request.
//! - rsyslog, which names no agent, loses a batch on any answer that is an error, and keeps it where there is none.
//! - Everyone else sends a request again that was answered 503.

use axum::http::{HeaderMap, header};

/// A kind of sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A bulk helper that sends again the items that were refused for now.
    Helper,
    /// One without an agent's name, which believes errors for good.
    Nameless,
    /// Any other.
    Other,
}

/// Who sent these headers.
pub fn asker(headers: &HeaderMap) -> Asker {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let meta: Vec<&str> = text("x-elastic-client-meta").unwrap_or_default().split(',').collect();
    let speaks = |language: &str| meta.iter().any(|pair| pair.starts_with(language));
    if meta.contains(&"h=bp") && (speaks("py=") || speaks("js=")) {
        return Asker::Helper;
    }
    match text(header::USER_AGENT.as_str()) {
        None | Some("") => Asker::Nameless,
        // The same helper without the mark; whoever asks by hand reads an answer of items too.
        Some(agent) if agent.starts_with("opensearch-py/") => Asker::Helper,
        Some(_) => Asker::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn senders_are_told_apart_as_they_were_seen() {
        let table = [
            ("elasticsearch-py/8.19.3 (Python/3.11.7)", "es=8.19.3,py=3.11.7,t=8.19.0,ur=2.8.0,h=bp", Asker::Helper),
            ("elasticsearch-py/8.19.3 (Python/3.11.7)", "es=8.19.3,py=3.11.7,t=8.19.0,ur=2.8.0", Asker::Other),
            ("elasticsearch-js/9.4.3 (linux)", "es=9.4.3,js=20.20.2,t=9.4.0,hc=20.20.2,h=bp", Asker::Helper),
            ("elasticsearch-js/9.4.3 (linux)", "es=9.4.3,js=20.20.2,t=9.4.0,un=20.20.2", Asker::Other),
            ("go-elasticsearch/8.19.7 (linux amd64)", "es=8.19.7,go=1.26.8,t=8.9.0,hc=1.26.8,h=bp", Asker::Other),
            ("opensearch-py/3.2.0 (Python 3.11.7)", "", Asker::Helper),
            ("Fluent-Bit", "", Asker::Other),
            ("syslog-ng 3.38.1/libcurl 7.88.1", "", Asker::Other),
            ("", "", Asker::Nameless),
        ];
        for (agent, meta, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in [("user-agent", agent), ("x-elastic-client-meta", meta)] {
                if !value.is_empty() {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            assert_eq!(asker(&headers), expected, "{agent} {meta}");
        }
    }
}
