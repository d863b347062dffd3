//! The bytes that are special in a JSON string: quotation marks, backslashes and control characters (RFC 8259, section 7), found many at a
//! time.

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
#[cfg(target_arch = "wasm32")]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(any(
    test,
    not(any(
        target_arch = "wasm32",
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little")
    ))
))]
mod words;

/// How many bytes are looked at together.
pub(crate) const BLOCK: usize = 64;

/// The bytes that make an escape with the backslash before them (RFC 8259, section 7).
pub(crate) const SHORT: [bool; 256] = {
    let mut short = [false; 256];
    let mut rest: &[u8] = b"\"\\/bfnrt";
    while let [byte, after @ ..] = rest {
        short[*byte as usize] = true;
        rest = after;
    }
    short
};

/// One bit for each byte, the first lowest: is it special? The end of a text counts as special.
pub(crate) fn specials(text: &[u8]) -> u64 {
    if let Some(block) = text.first_chunk() {
        return marks(block);
    }
    let mut block = [0; BLOCK];
    block[..text.len()].copy_from_slice(text);
    marks(&block)
}

fn marks(block: &[u8; BLOCK]) -> u64 {
    cfg_select! {
        target_arch = "wasm32" => { simd128::marks(block) }
        target_arch = "x86_64" => { sse2::marks(block) }
        all(target_arch = "aarch64", target_endian = "little") => { neon::marks(block) }
        _ => { words::marks(block) }
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, marks, specials, words};

    #[test]
    fn every_byte_is_judged_wherever_it_stands_and_whatever_stands_beside_it() {
        for byte in 0..=u8::MAX {
            let special = byte < 0x20 || byte == b'"' || byte == b'\\';
            for around in [b'a', b'"', 0, 0x7f, 0x80, 0xff, 0x1f, 0x20, 0x21] {
                let near = around < 0x20 || around == b'"';
                for at in 0..BLOCK {
                    let mut block = [around; BLOCK];
                    block[at] = byte;
                    let expected = (if near { u64::MAX } else { 0 } & !(1 << at)) | u64::from(special) << at;
                    assert_eq!(marks(&block), expected, "{byte} at {at} among {around}");
                    assert_eq!(words::marks(&block), expected, "{byte} at {at} among {around}");
                }
            }
        }
    }

    #[test]
    fn the_end_of_a_text_is_special() {
        assert_eq!(specials(b""), u64::MAX);
        assert_eq!(specials(b"ab\"c"), u64::MAX << 4 | 0b100);
    }
}
