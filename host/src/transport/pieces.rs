//! The body of a request to a provider: bytes in pieces that go out one after the other. What is large, a picture in a long
//! conversation, need not be copied for the little that changes around it.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes, BytesMut};

/// Bytes in pieces, none of them empty. Cloning copies none of the bytes.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    /// Most bodies are one.
    first: Bytes,
    more: Vec<Bytes>,
}

impl Pieces {
    /// Adds one at the end.
    pub fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        if self.first.is_empty() {
            self.first = piece;
        } else {
            self.more.push(piece);
        }
    }

    /// The bytes of all of them.
    pub fn len(&self) -> usize {
        self.iter().map(Bytes::len).sum()
    }

    /// True without any bytes.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The pieces, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.first)
            .filter(|first| !first.is_empty())
            .chain(&self.more)
    }

    /// All of them as one, for who has to see it whole.
    pub fn whole(&self) -> Bytes {
        if self.more.is_empty() {
            return self.first.clone();
        }
        let mut whole = BytesMut::with_capacity(self.len());
        self.iter().for_each(|piece| whole.extend_from_slice(piece));
        whole.freeze()
    }
}

impl<B: Into<Bytes>> From<B> for Pieces {
    fn from(bytes: B) -> Self {
        Self {
            first: bytes.into(),
            more: Vec::new(),
        }
    }
}

/// Pieces on their way into a socket.
pub(super) struct Unsent(VecDeque<Bytes>);

impl Unsent {
    /// `head`, and then the `body`.
    pub(super) fn new(head: Bytes, body: &Pieces) -> Self {
        Self(std::iter::once(head).chain(body.iter().cloned()).collect())
    }
}

impl Buf for Unsent {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().map(|piece| &**piece).unwrap_or_default()
    }

    fn chunks_vectored<'s>(&'s self, slices: &mut [IoSlice<'s>]) -> usize {
        let pairs = slices.iter_mut().zip(&self.0);
        pairs.map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(front) = self.0.front_mut() {
            if count < front.len() {
                return front.advance(count);
            }
            count -= front.len();
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_bytes_one_after_the_other_however_they_are_taken() {
        let mut pieces = Pieces::default();
        assert!(pieces.is_empty());
        for piece in ["ab", "", "cde", "f"] {
            pieces.push(Bytes::from_static(piece.as_bytes()));
        }
        assert_eq!((pieces.len(), pieces.iter().count()), (6, 3));
        assert_eq!(pieces.whole(), "abcdef");
        for step in 1..=8 {
            let mut unsent = Unsent::new(Bytes::from_static(b"H"), &pieces);
            let mut sent = Vec::new();
            while unsent.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 8];
                let count = unsent.chunks_vectored(&mut slices);
                let all: Vec<u8> = slices.iter().take(count).flat_map(|slice| slice.to_vec()).collect();
                assert_eq!(all.len(), unsent.remaining());
                let taken = step.min(all.len());
                sent.extend_from_slice(&all[..taken]);
                unsent.advance(taken);
            }
            assert_eq!(sent, b"Habcdef", "{step} at a time");
        }
    }
}
