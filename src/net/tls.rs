//! TLS: the server's side, of a certificate and its key in PEM files.
//! - A peer that has not shaken hands within [`HANDSHAKE_MAX`] loses its connection.
//! - Absent: certificates of clients; reloading.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// Time for the handshake, as for an HTTP head.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM.
    #[error("read {what} {path}")]
    Read {
        /// A certificate or a key.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The file holds no certificate.
    #[error("read certificate {path}: there is none in it; a chain in PEM begins with -----BEGIN CERTIFICATE-----")]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// The two do not go together, or the key is of a kind that cannot be used.
    #[error("use certificate {path} with its key")]
    Unfit {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// A certificate to shake hands with; cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tls")
    }
}

impl Tls {
    /// Reads a chain and the key of its first certificate. Blocking.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |what, path: &Path| {
            let path = path.to_owned();
            move |source| TlsError::Read { what, path, source }
        };
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_file_iter(cert).and_then(Iterator::collect).map_err(read("certificate", cert))?;
        if chain.is_empty() {
            return Err(TlsError::Empty { path: cert.to_owned() });
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(read("key", key))?;
        let unfit = |source| TlsError::Unfit { path: cert.to_owned(), source };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(unfit)?.with_no_client_auth().with_single_cert(chain, private).map_err(unfit)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Shakes hands over a connection.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        match timeout(HANDSHAKE_MAX, self.acceptor.accept(stream)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no TLS handshake came in time")),
        }
    }
}
