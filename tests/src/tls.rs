//! Certificates made for one test, and both ends of connections that use them.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// An authority that no system knows, and a certificate of it for `localhost`, `127.0.0.1`, `models.test` and `api.anthropic.com`.
pub struct Authority {
    folder: TempDir,
    root: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("the key signs");
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().expect("a key can be made");
        let names = ["localhost", "127.0.0.1", "models.test", "api.anthropic.com"].map(str::to_owned);
        let params = CertificateParams::new(names.to_vec()).expect("the names are valid");
        let leaf = params.signed_by(&key, &issuer).expect("the authority signs");
        let folder = TempDir::new().expect("a temporary folder can be made");
        for (name, text) in [
            ("ca.pem", root.pem()),
            ("cert.pem", leaf.pem()),
            ("key.pem", key.serialize_pem()),
        ] {
            std::fs::write(folder.path().join(name), text).expect("a file can be written");
        }
        Self {
            folder,
            root: root.der().clone(),
            chain: vec![leaf.der().clone()],
            key: key.serialize_der().into(),
        }
    }

    /// `ca.pem` (the authority), `cert.pem` or `key.pem` (a server's).
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server's end, which offers these protocols by ALPN.
    pub fn server(&self, protocols: &[&str]) -> TlsAcceptor {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions are known")
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), PrivateKeyDer::Pkcs8(self.key.clone_key()))
            .expect("key and certificate belong together");
        config.alpn_protocols = names(protocols);
        Arc::new(config).into()
    }

    /// GETs `path` from the server at `address` as a client that trusts this authority and offers these protocols. Gives the version
    /// that was spoken and the status.
    pub async fn get(&self, address: &str, path: &str, protocols: &[&str]) -> (hyper::Version, u16) {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).expect("the authority is one");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions are known")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = names(protocols);
        let stream = TcpStream::connect(address).await.expect("the server listens");
        let name = ServerName::try_from("localhost").expect("a name");
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = connecting.await.expect("the certificate is good");
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let request = hyper::Request::get(format!("https://localhost{path}"))
            .header("host", "localhost")
            .body(Empty::<Bytes>::new())
            .expect("the request is valid");
        let reply = if is_h2 {
            let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
            let (mut sender, connection) = handshake.await.expect("HTTP/2");
            tokio::spawn(connection);
            sender.send_request(request).await
        } else {
            let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
            let (mut sender, connection) = handshake.await.expect("HTTP/1.1");
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        let reply = reply.expect("an answer");
        (reply.version(), reply.status().as_u16())
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn names(protocols: &[&str]) -> Vec<Vec<u8>> {
    protocols.iter().map(|name| name.as_bytes().to_vec()).collect()
}
