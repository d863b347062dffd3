//! Sixteen bytes at a time, on AArch64.
#![expect(
    unsafe_code,
    reason = "that the processor has the instructions, only the architecture says"
)]

use core::arch::aarch64::{
    vandq_u8, vceqq_u8, vcltq_u8, vcombine_u8, vcreate_u8, vdupq_n_u8, vgetq_lane_u64, vld1q_u8, vorrq_u8, vpaddq_u8,
    vreinterpretq_u64_u8,
};

use super::BLOCK;

#[inline]
pub(super) fn marks(block: &[u8; BLOCK]) -> u64 {
    // SAFETY: NEON is part of AArch64.
    unsafe { look(block) }
}

#[inline]
#[target_feature(enable = "neon")]
fn look(block: &[u8; BLOCK]) -> u64 {
    let (sixteens, _) = block.as_chunks::<16>();
    // Of eight bytes each stands for a bit of its own.
    let own = vcreate_u8(0x8040_2010_0804_0201);
    let own = vcombine_u8(own, own);
    let mut bits = [vdupq_n_u8(0); BLOCK / 16];
    for (bits, sixteen) in bits.iter_mut().zip(sixteens) {
        // SAFETY: sixteen bytes are read, wherever they lie.
        let bytes = unsafe { vld1q_u8(sixteen.as_ptr()) };
        let quoted = vorrq_u8(vceqq_u8(bytes, vdupq_n_u8(b'"')), vceqq_u8(bytes, vdupq_n_u8(b'\\')));
        *bits = vandq_u8(vorrq_u8(quoted, vcltq_u8(bytes, vdupq_n_u8(0x20))), own);
    }
    // No instruction gathers them: neighbours are added, three times, until of eight bytes there is one.
    let [first, second, third, fourth] = bits;
    let sums = vpaddq_u8(vpaddq_u8(first, second), vpaddq_u8(third, fourth));
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)))
}
