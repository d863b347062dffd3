//! New inputs out of old ones: bytes and words changed, parts of two inputs joined, and JSON changed as JSON.

mod json;

use crate::random::Random;

/// Inputs do not grow over this: 64 KiB.
const LONGEST: usize = 64 << 10;
/// But for the rare one that shows what costs more than in proportion: 1 MiB.
const HUGE: usize = 1 << 20;

/// Makes inputs for one target.
#[derive(Debug)]
pub struct Mutator {
    corpus: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    random: Random,
}

impl Mutator {
    /// For a target that starts from `corpus` and knows `words`.
    pub fn new(corpus: Vec<Vec<u8>>, words: Vec<Vec<u8>>, seed: u64) -> Self {
        Self {
            corpus,
            words,
            random: Random::new(seed),
        }
    }

    fn change(&mut self, data: &mut Vec<u8>) {
        let at = self.random.below(data.len() + 1);
        match self.random.below(9) {
            0 => {
                let bit = 1 << self.random.below(8);
                data.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
            }
            1 => {
                let new = self.random.number().to_le_bytes()[0];
                data.get_mut(at).into_iter().for_each(|byte| *byte = new);
            }
            2 => {
                data.drain(self.random.part(data.len()));
            }
            3 => data.truncate(at),
            4 => {
                let part = self.random.part(data.len());
                let part = data.get(part).unwrap_or_default().to_vec();
                data.splice(at..at, part);
            }
            5 => self.splice(data, at),
            6 => {
                data.splice(at..at, mark(&mut self.random));
            }
            _ => {
                let word = self.random.pick(&self.words).cloned().unwrap_or_default();
                let end = if self.random.once_in(2) { at + word.len() } else { at };
                data.splice(at..end.min(data.len()), word);
            }
        }
    }

    /// Goes on with a part of another input.
    fn splice(&mut self, data: &mut Vec<u8>, at: usize) {
        if let Some(other) = self.random.pick(&self.corpus) {
            let part = self.random.part(other.len());
            data.truncate(at);
            data.extend_from_slice(other.get(part).unwrap_or_default());
        }
    }

    /// Says a short part over and over, each time a little different: a list of very many, or a very long word.
    fn blow_up(&mut self, data: &mut Vec<u8>) {
        let begin = self.random.below(data.len() + 1);
        let end = (begin + 1 + self.random.below(40)).min(data.len());
        let items = [
            &b"{},"[..],
            b"0,",
            b"[],",
            b"\"k\":0,",
            b"{\"index\":0},",
            b"data: x\n",
            b"\n",
        ];
        let part = match self.random.pick(&items) {
            Some(item) if self.random.once_in(2) => item.to_vec(),
            _ => data.get(begin..end).unwrap_or_default().to_vec(),
        };
        let counted = self.random.once_in(2);
        let mut out = data.get(..begin).unwrap_or_default().to_vec();
        let tail = data.get(end..).unwrap_or_default();
        for number in 0..HUGE / part.len().max(4) {
            // A number in the place of the one that is there, so that `"k":0` becomes as many keys, and an index as many items.
            match part.iter().position(|byte| matches!(byte, b'0' | b'k' | b'1')) {
                Some(place) if counted => {
                    out.extend_from_slice(part.get(..place).unwrap_or_default());
                    out.extend_from_slice(number.to_string().as_bytes());
                    out.extend_from_slice(part.get(place + 1..).unwrap_or_default());
                }
                _ => out.extend_from_slice(&part),
            }
        }
        out.extend_from_slice(tail);
        *data = out;
    }
}

/// Each input is one of the corpus with a few changes; they do not end.
impl Iterator for Mutator {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut data = self.random.pick(&self.corpus).cloned().unwrap_or_default();
        // Changes of JSON first: after a change of bytes there may be none.
        for _ in 0..self.random.below(4) {
            json::change(&mut data, &self.words, &mut self.random);
        }
        for _ in 0..self.random.below(4) {
            self.change(&mut data);
        }
        data.truncate(LONGEST);
        if self.random.once_in(1000) {
            self.blow_up(&mut data);
        }
        Some(data)
    }
}

/// Bytes that mean something to a parser of streams or of JSON.
fn mark(random: &mut Random) -> Vec<u8> {
    let marks: &[&[u8]] = &[
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\0",
        b"\"",
        b"\\",
        b"\\u",
        b"\\ud800",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xc3",
        b"\xe2\x80\xa8",
        b"\x7f",
        b"\x1f",
        b"-",
        b"1e999",
        b"[[[[",
        b"data:",
    ];
    random.pick(marks).copied().unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::Mutator;

    #[test]
    fn a_seed_gives_the_same_inputs_again() {
        let made = |seed| {
            let mutator = Mutator::new(vec![br#"{"a":[1,{"b":2}]}"#.to_vec()], vec![b"word".to_vec()], seed);
            mutator.take(2000).collect::<Vec<_>>()
        };
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
    }
}
