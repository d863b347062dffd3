//! Base64, as far as a stream's messages and blocks need it.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes of a text in the standard alphabet; `None` if it is none.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for four in text.chunks(4) {
        let mut bits = 0;
        for byte in four {
            bits = bits << 6 | sextet(*byte)?;
        }
        // What is missing of the last four.
        bits <<= 6 * (4 - four.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        let whole = match four.len() {
            1 => return None,
            length => length - 1,
        };
        out.extend(bytes.iter().take(whole));
    }
    Some(out)
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
    *whole = encode(&bytes);
    true
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letter = |place: usize| {
            LETTERS
                .get((bits >> (18 - 6 * place) & 63) as usize)
                .copied()
                .unwrap_or(b'=')
        };
        out.extend((0..=three.len()).map(|place| char::from(letter(place))));
        out.extend(std::iter::repeat_n('=', 3 - three.len()));
    }
    out
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
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
