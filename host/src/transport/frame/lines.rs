//! Newline-delimited JSON: a frame per line that is not blank. LF and CRLF end a line.

use std::ops::Range;

use memchr::memchr;

use super::Broken;

/// Finds lines in a buffer that grows. Places are counted from the begun line, so that they hold when what is before it goes.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Where the begun line stands in the buffer.
    base: usize,
    /// How much of it was searched for its end.
    seen: usize,
}

impl Scanner {
    /// Lets go of what is before the begun line; returns how long that is.
    pub(super) fn restart(&mut self) -> usize {
        std::mem::take(&mut self.base)
    }

    /// The next whole line, without its end.
    pub(super) fn next(&mut self, buffer: &[u8], limit: usize) -> Result<Option<Range<usize>>, Broken> {
        loop {
            let line = buffer.get(self.base..).unwrap_or_default();
            let unseen = line.get(self.seen..).unwrap_or_default();
            let Some(end) = memchr(b'\n', unseen).map(|at| self.seen + at) else {
                self.seen = line.len();
                return if self.seen > limit {
                    Err(Broken::TooLong { limit })
                } else {
                    Ok(None)
                };
            };
            if end > limit {
                return Err(Broken::TooLong { limit });
            }
            let found = text(line.get(..end).unwrap_or_default(), self.base);
            self.base += end + 1;
            self.seen = 0;
            if !found.is_empty() {
                return Ok(Some(found));
            }
        }
    }

    /// A last line that has no end.
    pub(super) fn rest(&mut self, buffer: &[u8]) -> Option<Range<usize>> {
        let found = text(buffer.get(self.base..).unwrap_or_default(), self.base);
        self.base = buffer.len();
        self.seen = 0;
        Some(found).filter(|line| !line.is_empty())
    }
}

/// Where the text of `line` is, blanks around it left out, in a buffer where the line stands at `base`.
fn text(line: &[u8], base: usize) -> Range<usize> {
    let start = line.len() - line.trim_ascii_start().len();
    let end = line.trim_ascii_end().len().max(start);
    base + start..base + end
}
