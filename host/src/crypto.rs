//! Signing with a provider's secret: for guests that may use it and never see it, and for the statements that tokens are exchanged for.

use ring::{
    hmac, rand,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};

use crate::secret::Secret;

/// Signs `data`. `rs256` and `es256` are JWS signatures (RFC 7518) and want a PEM private key, `hs256` and `hmac-sha256` take the
/// secret's bytes as they are. The error never holds the secret.
pub(crate) fn sign(algorithm: &str, secret: &Secret, data: &[u8]) -> Result<Vec<u8>, String> {
    match algorithm {
        "hs256" | "hmac-sha256" => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
            Ok(hmac::sign(&key, data).as_ref().to_vec())
        }
        "rs256" => rs256(secret, data),
        "es256" => es256(secret, data),
        other => Err(format!("the host cannot sign with `{other}`")),
    }
}

fn rs256(secret: &Secret, data: &[u8]) -> Result<Vec<u8>, String> {
    let key = match private_key(secret)? {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        _ => return Err("the secret is no RSA key".to_owned()),
    };
    let key = key.map_err(|reason| format!("the secret is no RSA key that can be used: {reason}"))?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &rand::SystemRandom::new(), data, &mut signature)
        .map_err(|_| "signing failed".to_owned())?;
    Ok(signature)
}

fn es256(secret: &Secret, data: &[u8]) -> Result<Vec<u8>, String> {
    let PrivateKeyDer::Pkcs8(key) = private_key(secret)? else {
        return Err("the secret is no PKCS#8 key (`BEGIN PRIVATE KEY`)".to_owned());
    };
    let random = rand::SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_pkcs8_der(), &random)
        .map_err(|reason| format!("the secret is no P-256 key that can be used: {reason}"))?;
    let signature = key.sign(&random, data).map_err(|_| "signing failed".to_owned())?;
    Ok(signature.as_ref().to_vec())
}

fn private_key(secret: &Secret) -> Result<PrivateKeyDer<'static>, String> {
    // Environment variables and one-line config values often carry a key's line ends as two characters.
    let text = secret.expose().replace("\\n", "\n");
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| "the secret is no PEM private key".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hmac_is_that_of_the_rfc() {
        // RFC 4231, test case 2.
        let signed = sign("hmac-sha256", &Secret::new("Jefe"), b"what do ya want for nothing?").unwrap();
        let hex: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_wrong_key_is_described_and_never_shown() {
        for algorithm in ["rs256", "es256"] {
            let error = sign(algorithm, &Secret::new("hunter2"), b"x").unwrap_err();
            assert!(error.contains("PEM") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_signature_of_a_p256_key_verifies() {
        use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair as _, UnparsedPublicKey};
        let random = rand::SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let public = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &random).unwrap();
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\\n{text}\\n-----END PRIVATE KEY-----");
        let signature = sign("es256", &Secret::new(pem), b"data").unwrap();
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public.public_key().as_ref());
        verifier.verify(b"data", &signature).unwrap();
    }
}
