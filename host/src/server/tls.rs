//! TLS for clients, with the operator's certificate: HTTP/2 and HTTP/1.1 by ALPN.

use std::{fmt::Display, sync::Arc};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsAcceptor;

use crate::config::{Problem, Tls};

/// Reads the certificate chain and its key, both PEM. The error names the setting that is wrong.
pub fn acceptor(tls: &Tls) -> Result<TlsAcceptor, Problem> {
    let chain = CertificateDer::pem_file_iter(&tls.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| problem(tls, "cert", &error))?;
    if chain.is_empty() {
        return Err(problem(tls, "cert", &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| problem(tls, "key", &error))?;
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(tls, "cert", &error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| problem(tls, "key", &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn problem(tls: &Tls, key: &str, error: &dyn Display) -> Problem {
    let file = if key == "cert" { &tls.cert } else { &tls.key };
    Problem {
        line: Some(tls.line),
        key: Some(format!("server.tls.{key}")),
        message: format!("names {}, which cannot be used: {error}", file.display()),
        remedy: "give the path of a PEM file that this user may read, the key that belongs to the certificate"
            .to_owned(),
    }
}
