//! Keys that an adapter may use and never see.

use crate::{Failure, Kind, Result};

/// Signs `data` with the secret that the setting `secret` holds. `algorithm` is `rs256`, `es256`, `hs256` or `hmac-sha256`, and must
/// be among the manifest's permissions.
///
/// ```no_run
/// use witgate_sdk::{Manifest, crypto};
/// let manifest = Manifest::new("acme", "1.0.0").secrets(&["private_key"]).crypto(&["rs256"]);
/// let signature = crypto::sign("rs256", "private_key", b"header.claims")?;
/// # Ok::<(), witgate_sdk::Failure>(())
/// ```
///
/// # Errors
/// Of kind `config`: the secret is missing or unfit, or the algorithm was not permitted. In a native test always, for there is no
/// host with keys.
pub fn sign(algorithm: &str, secret: &str, data: &[u8]) -> Result<Vec<u8>> {
    host_sign(algorithm, secret, data).map_err(|error| Failure::new(Kind::Config, error))
}

#[cfg(target_arch = "wasm32")]
fn host_sign(algorithm: &str, secret: &str, data: &[u8]) -> Result<Vec<u8>, String> {
    crate::bindings::base::witgate::adapter::host_crypto::sign(algorithm, secret, data)
}

#[cfg(not(target_arch = "wasm32"))]
fn host_sign(algorithm: &str, _secret: &str, _data: &[u8]) -> Result<Vec<u8>, String> {
    Err(format!("nothing signs with {algorithm} in a native test"))
}
