//! TLS: HTTP within it, by a client that holds the certificate against an authority; the shell; what is no handshake.

use crate::service::run;
use crate::support::{House, converse};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// An authority, and a certificate of this machine by it, as files.
struct Certified {
    folder: tempfile::TempDir,
    authority: String,
}

impl Certified {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).expect("an authority");
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&key).expect("an authority").pem();
        let issuer = rcgen::Issuer::new(parameters, key);
        let own = rcgen::KeyPair::generate().expect("a key");
        let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = parameters.signed_by(&own, &issuer).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("cert.pem"), certificate.pem()).expect("written");
        std::fs::write(folder.path().join("key.pem"), own.serialize_pem()).expect("written");
        Self { folder, authority }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path").to_owned()
    }

    fn house(&self) -> House {
        let (cert, key) = (self.file("cert.pem"), self.file("key.pem"));
        House::with(&[], &[("METRONOME_HTTP_TLS_CERT", &cert), ("METRONOME_HTTP_TLS_KEY", &key)])
    }
}

fn agent(authority: Option<&str>) -> ureq::Agent {
    let roots = authority.map(|pem| Certificate::from_pem(pem.as_bytes()).expect("a certificate"));
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots.into_iter().collect())))
        .build();
    ureq::Agent::config_builder().http_status_as_error(false).tls_config(tls).build().into()
}

#[test]
fn http_within_tls_by_who_knows_the_authority_alone() {
    let certified = Certified::new();
    let house = certified.house();
    let url = format!("https://localhost:{}/tick", house.server.address.port());
    let answer = agent(Some(&certified.authority)).post(&url).send(r#"{"path":"/a"}"#).expect("an answer");
    assert_eq!(answer.status(), 202);
    assert!(agent(None).post(&url).send("{}").is_err(), "nobody vouches for it");
    // No handshake: closed, and others are served.
    let heard = converse(house.server.address, b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(!heard.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&heard));
    let answer = agent(Some(&certified.authority)).get(url.replace("/tick", "/health")).call().expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[test]
fn the_shell_asks_the_server_that_holds_the_folder() {
    let certified = Certified::new();
    let house = certified.house();
    let asked = run(&house.folder.path().join("data"), &["tock", "/a"]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_at_the_start() {
    let certified = Certified::new();
    let (cert, key) = (certified.file("cert.pem"), certified.file("key.pem"));
    let empty = certified.file("empty.pem");
    std::fs::write(Path::new(&empty), "").expect("written");
    let table = [
        (&cert, None, "http.tls.cert"),
        (&cert, Some(&cert), "read key"),
        (&empty, Some(&key), "there is none in it"),
        (&"/nowhere.pem".to_owned(), Some(&key), "/nowhere.pem"),
    ];
    for (cert, key, says) in table {
        let mut settings = vec![("METRONOME_HTTP_TLS_CERT", cert.as_str())];
        settings.extend(key.map(|key| ("METRONOME_HTTP_TLS_KEY", key.as_str())));
        let folder = tempfile::tempdir().expect("a folder");
        let said = crate::service::Server::try_start(&folder.path().join("data"), &settings).err();
        assert!(said.as_deref().is_some_and(|said| said.contains(says)), "{says}: {said:?}");
    }
}
