//! A provider's own state (signatures of thoughts, encrypted reasoning) on its way through clients that know nothing of it. It is put
//! into a field that clients keep and send back as it is, sealed: marked as ours, and with the provider it is from, so that it goes
//! back to that one alone.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::value::RawValue;

/// What every sealed state begins with. No provider's own begins so.
pub const MARK: &str = "witgate.";

/// More than this is not unsealed: nothing that was sealed here is longer.
const LONGEST: usize = 16 << 20;

/// Seals `state`, a JSON text, of `provider`.
pub fn seal(provider: &str, state: &str) -> String {
    let provider = serde_json::Value::from(provider);
    let mut sealed = MARK.to_owned();
    BASE64.encode_string(format!("[{provider},{state}]"), &mut sealed);
    sealed
}

/// True for a sealed state, of whatever provider.
pub fn is_sealed(text: &str) -> bool {
    text.starts_with(MARK)
}

/// The JSON text that was sealed, if it is one of `provider`.
pub fn unseal(provider: &str, sealed: &str) -> Option<String> {
    let text = sealed.strip_prefix(MARK).filter(|text| text.len() <= LONGEST)?;
    let text = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
    let (from, state): (String, &RawValue) = serde_json::from_str(&text).ok()?;
    (from == provider).then(|| state.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{is_sealed, seal, unseal};

    #[test]
    fn what_is_sealed_comes_back_byte_for_byte_and_to_its_provider_alone() {
        let state = r#"{ "a" : 1.0e-0, "ü":"\u0041" }"#;
        let sealed = seal("p\"1", state);
        assert!(is_sealed(&sealed));
        assert_eq!(unseal("p\"1", &sealed).as_deref(), Some(state));
        assert_eq!(unseal("other", &sealed), None);
    }

    #[test]
    fn what_was_not_sealed_here_is_not_unsealed() {
        for text in ["", "EqQBCgQCAhIM", "witgate.", "witgate.!!!", "witgate.W10"] {
            assert_eq!(unseal("p", text), None, "{text}");
        }
    }
}
