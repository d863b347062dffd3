//! The TLS rules of one provider.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    version::{TLS12, TLS13},
};

/// What to ask of a provider's TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// TLS 1.2 is not enough.
    pub only_1_3: bool,
    /// Any certificate will do: for a server of the operator's own that has none anybody knows.
    pub any_certificate: bool,
    /// A PEM bundle of further authorities.
    pub ca_file: Option<PathBuf>,
}

static BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
static NEWEST: &[&SupportedProtocolVersion] = &[&TLS13];

/// rustls' settings for `rules`. The error says which file is wrong.
pub(super) fn config(rules: &Rules) -> Result<ClientConfig, String> {
    let crypto = Arc::new(ring::default_provider());
    let versions = if rules.only_1_3 { NEWEST } else { BOTH };
    let builder = ClientConfig::builder_with_provider(crypto.clone())
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?;
    let trusted = match &rules.ca_file {
        _ if rules.any_certificate => Trusted::Anybody,
        Some(bundle) => Trusted::Known(authorities(with_bundle(bundle)?.into(), &crypto).map_err(|e| e.to_string())?),
        None => Trusted::System,
    };
    let verifier = Arc::new(Verifier { crypto, trusted });
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// Reads the authorities that the system trusts, if nobody has yet: for a time when nobody waits for it.
pub fn read_authorities() {
    LazyLock::force(&SYSTEM);
}

/// The authorities that the system trusts. They lie in hundreds of files, so they are read once.
static SYSTEM: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::debug!(%error, "a system certificate cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system.certs);
    Arc::new(roots)
});

fn authorities(roots: Arc<RootCertStore>, crypto: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let none = |_| Error::General("there are no certificate authorities to check a server by".to_owned());
    WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(crypto))
        .build()
        .map_err(none)
}

/// The system's authorities, and those of a PEM bundle.
fn with_bundle(path: &Path) -> Result<RootCertStore, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut roots = RootCertStore::clone(&SYSTEM);
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    Ok(roots)
}

/// Checks a server's certificate, and always that the server holds its key.
#[derive(Debug)]
struct Verifier {
    crypto: Arc<CryptoProvider>,
    trusted: Trusted,
}

/// Whose certificates will do.
#[derive(Debug)]
enum Trusted {
    /// Anybody's.
    Anybody,
    /// Of those whom the system trusts. They are asked for when the first certificate comes: reading them takes as long as much of a
    /// gateway's start.
    System,
    /// Of these.
    Known(Arc<WebPkiServerVerifier>),
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let known = match &self.trusted {
            Trusted::Anybody => return Ok(ServerCertVerified::assertion()),
            Trusted::System => authorities(Arc::clone(&SYSTEM), &self.crypto)?,
            Trusted::Known(known) => Arc::clone(known),
        };
        known.verify_server_cert(certificate, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.crypto.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.crypto.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}
