//! Base64, as far as a stream's messages, blocks and counted requests need it.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// The standard alphabet. Padding may be missing, as some clients leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes of a text in the standard alphabet; `None` if it is none.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Bytes as a text, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Adds the base64 text `more` to what is there, so that both are one text: each piece of a stream may end with its own padding.
/// False if one of them is none.
pub(crate) fn join(whole: &mut String, more: &str) -> bool {
    // Some writers of JSON escape the slash, which is one of base64's letters.
    let more = &more.replace("\\/", "/");
    if whole.is_empty() || (whole.len().is_multiple_of(4) && !whole.ends_with('=')) {
        whole.push_str(more);
        return true;
    }
    let (Some(mut bytes), Some(rest)) = (decode(whole), decode(more)) else {
        return false;
    };
    bytes.extend(rest);
    *whole = BASE64.encode(&bytes);
    true
}

#[cfg(test)]
mod tests {
    use super::{decode, join};

    #[test]
    fn pieces_with_their_own_padding_become_one_text() {
        for (pieces, whole) in [
            (&["Zg==", "b29i", "YXI="][..], "Zm9vYmFy"),
            (&["Zm9v", "YmFy"], "Zm9vYmFy"),
            (&["Zm8=", "b2I="], "Zm9vYg=="),
            (&["/+8=", "AA=="], "/+8A"),
        ] {
            let mut joined = String::new();
            assert!(pieces.iter().all(|piece| join(&mut joined, piece)), "{pieces:?}");
            assert_eq!(joined, whole);
        }
        assert!(!join(&mut "Zg==".to_owned(), "!"));
    }

    #[test]
    fn base64_of_every_length_is_read_and_nothing_else() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg", "foob"),
            ("/+8=", "\u{0}"),
        ] {
            let expected = if text == "/+8=" {
                vec![0xff, 0xef]
            } else {
                bytes.as_bytes().to_vec()
            };
            assert_eq!(decode(text), Some(expected), "{text}");
        }
        for text in ["Z", "Zm9v!", "Zg= =", "Zm 9v"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
