//! Sixteen bytes at a time, on x86-64.
#![expect(
    unsafe_code,
    reason = "that the processor has the instructions, only the architecture says"
)]

use core::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
};

use super::BLOCK;

#[inline]
pub(super) fn marks(block: &[u8; BLOCK]) -> u64 {
    // SAFETY: SSE2 is part of x86-64.
    unsafe { look(block) }
}

#[inline]
#[target_feature(enable = "sse2")]
fn look(block: &[u8; BLOCK]) -> u64 {
    let (sixteens, _) = block.as_chunks::<16>();
    let mut marks = 0;
    for sixteen in sixteens.iter().rev() {
        // SAFETY: sixteen bytes are read, wherever they lie.
        let bytes = unsafe { _mm_loadu_si128(sixteen.as_ptr().cast::<__m128i>()) };
        let quotation = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"'.cast_signed()));
        let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\'.cast_signed()));
        // Bytes without a sign have no `less than` here.
        let control = _mm_cmpeq_epi8(bytes, _mm_min_epu8(bytes, _mm_set1_epi8(0x1f)));
        let special = _mm_or_si128(_mm_or_si128(quotation, backslash), control);
        marks = marks << 16 | u64::from(_mm_movemask_epi8(special).cast_unsigned());
    }
    marks
}
