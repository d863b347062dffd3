//! Base64, as far as a stream's messages and blocks need it.

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
    use super::decode;

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
