//! Sixteen bytes at a time, in a guest: every engine that runs components has these instructions.

use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128_or};

use super::BLOCK;

#[target_feature(enable = "simd128")]
pub(super) fn marks(block: &[u8; BLOCK]) -> u64 {
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
