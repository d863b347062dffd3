//! The bytes that are special in a JSON string: quotation marks, backslashes and control characters (RFC 8259, section 7), found many at a
//! time.

/// How many bytes are looked at together.
pub(super) const BLOCK: usize = 64;

/// The bytes that make an escape with the backslash before them (RFC 8259, section 7).
pub(super) const SHORT: [bool; 256] = {
    let mut short = [false; 256];
    let mut rest: &[u8] = b"\"\\/bfnrt";
    while let [byte, after @ ..] = rest {
        short[*byte as usize] = true;
        rest = after;
    }
    short
};

/// One bit for each byte, the first lowest: is it special? The end of a text counts as special.
pub(super) fn specials(text: &[u8]) -> u64 {
    if let Some(block) = text.first_chunk() {
        return marks(block);
    }
    let mut block = [0; BLOCK];
    block[..text.len()].copy_from_slice(text);
    marks(&block)
}

/// Every engine that runs components has these instructions.
#[cfg(target_arch = "wasm32")]
#[target_feature(enable = "simd128")]
fn marks(block: &[u8; BLOCK]) -> u64 {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128_or};
    let (words, _) = block.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    let mut marks = 0;
    for [low, high] in pairs.iter().rev() {
        let bytes = u64x2(u64::from_le_bytes(*low), u64::from_le_bytes(*high));
        let quoted = v128_or(u8x16_eq(bytes, u8x16_splat(b'"')), u8x16_eq(bytes, u8x16_splat(b'\\')));
        let special = v128_or(quoted, u8x16_lt(bytes, u8x16_splat(0x20)));
        marks = marks << 16 | u64::from(u8x16_bitmask(special));
    }
    marks
}

/// Eight bytes at a time, for tests on other machines.
#[cfg(not(target_arch = "wasm32"))]
fn marks(block: &[u8; BLOCK]) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    // Adding to the lower seven bits reaches the highest, and no other byte.
    let less = |word: u64, than: u8| !(((word & !TOPS) + ONES * u64::from(0x80 - than)) | word) & TOPS;
    let (words, _) = block.as_chunks::<8>();
    words.iter().rev().fold(0, |marks, word| {
        let word = u64::from_le_bytes(*word);
        let is = |byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
        let tops = less(word, 0x20) | is(b'"') | is(b'\\');
        // Each of the eight bits goes to its place in the highest byte, and to others below that.
        marks << 8 | (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, specials};

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
                    assert_eq!(specials(&block), expected, "{byte} at {at} among {around}");
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
