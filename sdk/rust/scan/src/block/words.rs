//! Eight bytes at a time, on any machine.

use super::BLOCK;

pub(super) fn marks(block: &[u8; BLOCK]) -> u64 {
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
