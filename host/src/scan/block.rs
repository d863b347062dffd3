//! The bytes that are special in a JSON string: quotation marks, backslashes and control characters (RFC 8259, section 7), found many at a
//! time.

use wide::u8x16;

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
    block.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    marks(&block)
}

fn marks(block: &[u8; BLOCK]) -> u64 {
    let (sixteens, _) = block.as_chunks::<16>();
    sixteens.iter().rev().fold(0, |marks, sixteen| {
        let bytes = u8x16::new(*sixteen);
        let control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
        let quoted = bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'));
        marks << 16 | u64::from((control | quoted).to_bitmask())
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
                    let expected = if near { u64::MAX } else { 0 } & !(1 << at) | u64::from(special) << at;
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
