//! The TLS rules of one provider.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
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
    if rules.any_certificate {
        let verifier = Arc::new(AnyCertificate(crypto));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth());
    }
    Ok(builder.with_root_certificates(roots(rules)?).with_no_client_auth())
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

fn roots(rules: &Rules) -> Result<Arc<RootCertStore>, String> {
    let Some(path) = &rules.ca_file else {
        return Ok(Arc::clone(&SYSTEM));
    };
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut roots = RootCertStore::clone(&SYSTEM);
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    Ok(Arc::new(roots))
}

/// Takes any certificate, but still checks that the server holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
