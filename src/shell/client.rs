//! Client: how every command asks: the same HTTP API, of a running server or of the data folder opened in this process.
//! - No command reads the store by itself: what the shell says is what the API says.
//! - An answer that is a problem becomes an error with its detail.
//! - A server's certificate is held against the system's (`SSL_CERT_FILE` names others). That of the server which holds the
//!   data folder is not: the folder itself says where it listens, and its certificate need not name this machine's loopback.

use super::ShellError;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use ureq::tls::{RootCerts, TlsConfig};

/// How long a server may take to answer: an import's end seals days.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3600);

/// Whom to ask.
pub enum Client {
    /// A server.
    Remote {
        /// Its address, without a trailing slash.
        url: String,
        /// A key of it.
        key: Option<String>,
        /// The connections.
        agent: ureq::Agent,
    },
    /// The data folder, opened here.
    Local(Router),
}

impl Client {
    /// A client of the server at `url`.
    pub fn remote(url: &str, key: Option<String>) -> Self {
        Self::verifying(url, key, true)
    }

    /// A client of the server that holds the data folder, at the address that it left there.
    pub fn held(url: &str, key: Option<String>) -> Self {
        Self::verifying(url, key, false)
    }

    fn verifying(url: &str, key: Option<String>, verifies: bool) -> Self {
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::PlatformVerifier)
            .disable_verification(!verifies)
            .build();
        let settings = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_TIMEOUT));
        let agent = settings.tls_config(tls).build().into();
        Self::Remote { url: url.trim_end_matches('/').to_owned(), key, agent }
    }

    /// Asks, and gives back the body of a success.
    pub async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes, ShellError> {
        let (status, answer) = match self {
            Self::Remote { url, key, agent } => {
                let (agent, url, key) = (agent.clone(), format!("{url}{path}"), key.clone());
                let asked = tokio::task::spawn_blocking(move || ask_remote(&agent, method, &url, key.as_deref(), body));
                asked.await.map_err(|error| ShellError::Ask { path: path.to_owned(), why: error.to_string() })?
            }
            Self::Local(router) => ask_local(router.clone(), method, path, body).await,
        }
        .map_err(|why| ShellError::Ask { path: path.to_owned(), why })?;
        if (200..300).contains(&status) { Ok(answer) } else { Err(refused(status, &answer)) }
    }
}

fn ask_remote(
    agent: &ureq::Agent,
    method: Method,
    url: &str,
    key: Option<&str>,
    body: Vec<u8>,
) -> Result<(u16, Bytes), String> {
    let mut request = Request::builder().method(method).uri(url);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let request = request.body(body).map_err(|error| error.to_string())?;
    let mut answer = agent.run(request).map_err(|error| error.to_string())?;
    let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec().map_err(|error| error.to_string())?;
    Ok((answer.status().as_u16(), body.into()))
}

async fn ask_local(router: Router, method: Method, path: &str, body: Vec<u8>) -> Result<(u16, Bytes), String> {
    let request =
        Request::builder().method(method).uri(path).body(Body::from(body)).map_err(|error| error.to_string())?;
    let Ok(answer) = router.oneshot(request).await;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok((status, body.to_bytes()))
}

/// What a problem says: its detail, or where several things are wrong, each with its place on a line of its own.
fn refused(status: u16, answer: &[u8]) -> ShellError {
    let problem: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if errors.len() > 1 {
        let place = |at: &serde_json::Value| at.as_str().map_or_else(|| at.to_string(), str::to_owned);
        let message = |error: &serde_json::Value| error["message"].as_str().unwrap_or_default().to_owned();
        let lines = errors.iter().map(|error| format!("\n  {}: {}", place(&error["at"]), message(error)));
        return ShellError::Refused { status, why: lines.collect() };
    }
    let detail = ["detail", "title"].iter().find_map(|key| problem[*key].as_str());
    ShellError::Refused { status, why: detail.unwrap_or("no reason given").to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_all_that_is_wrong() {
        let table = [
            ("", "refused (400): no reason given"),
            (r#"{"title":"Not valid"}"#, "refused (400): Not valid"),
            (r#"{"detail":"no day","errors":[{"at":"from","message":"no day"}]}"#, "refused (400): no day"),
            (
                r#"{"detail":"a","errors":[{"at":"metrics[0]","message":"a"},{"at":3,"message":"b"}]}"#,
                "refused (400): \n  metrics[0]: a\n  3: b",
            ),
        ];
        for (answer, said) in table {
            assert_eq!(refused(400, answer.as_bytes()).to_string(), said);
        }
    }
}
