//! Server-sent events (WHATWG HTML, "event stream interpretation"), found in a buffer that grows. Lines end in LF, CRLF or CR, also
//! mixed; a byte-order mark may open the stream; comments and unknown fields are passed over.

use std::ops::Range;

use memchr::memchr2;

use super::Broken;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// An event, as spans over the buffer it was found in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// All of it, the blank line at its end included.
    pub(crate) whole: Range<usize>,
    /// Its name; empty if it has none.
    pub(crate) name: Range<usize>,
    /// The text of its data line.
    pub(crate) data: Range<usize>,
    /// The text of its data lines if there are several, joined by LF.
    pub(crate) joined: Option<Vec<u8>>,
    /// Its id.
    pub(crate) id: Option<Range<usize>>,
    /// Its retry time.
    pub(crate) retry: Option<Range<usize>>,
    /// It is written `data: TEXT LF LF` and nothing else.
    pub(crate) plain: bool,
}

/// Finds events. Places are counted from where the begun event starts, so that they hold when what is before it goes.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    forgiving: bool,
    /// The byte-order mark has been looked for.
    opened: bool,
    /// A LF that comes now belongs to the CR before it.
    after_cr: bool,
    /// Where the begun event stands in the buffer.
    base: usize,
    /// Where its unread line starts.
    line: usize,
    /// How much of it was searched for line ends.
    seen: usize,
    begun: Begun,
}

/// The fields of an event so far.
#[derive(Debug, Default)]
struct Begun {
    name: Range<usize>,
    data: Option<Range<usize>>,
    joined: Option<Vec<u8>>,
    id: Option<Range<usize>>,
    retry: Option<Range<usize>>,
}

impl Begun {
    fn is_empty(&self) -> bool {
        self.data.is_none() && self.name.is_empty() && self.id.is_none() && self.retry.is_none()
    }
}

/// What a line means.
enum Line {
    /// A field was read, or there was nothing to read.
    Read,
    /// A line that is an event by itself.
    Event(Range<usize>),
}

impl Scanner {
    /// A scanner that also takes what is no event stream but meant as one: a JSON object on a line without `data:` is an event, and a
    /// field `error` is an event of that name (llama.cpp until 2025).
    pub(crate) fn forgiving() -> Self {
        Self {
            forgiving: true,
            ..Self::default()
        }
    }

    /// Lets go of what is before the begun event; returns how long that is.
    pub(super) fn restart(&mut self) -> usize {
        std::mem::take(&mut self.base)
    }

    /// The next whole event.
    pub(super) fn next(&mut self, buffer: &[u8], limit: usize) -> Result<Option<Event>, Broken> {
        if !self.opened && !self.open(buffer) {
            return Ok(None);
        }
        if let Some(event) = self.plain(buffer, limit) {
            return Ok(Some(event));
        }
        loop {
            let event = buffer.get(self.base..).unwrap_or_default();
            if self.after_cr && !self.skip_lf(event) {
                return Ok(None);
            }
            let event = buffer.get(self.base..).unwrap_or_default();
            let unseen = event.get(self.seen..).unwrap_or_default();
            let Some(end) = memchr2(b'\n', b'\r', unseen).map(|at| self.seen + at) else {
                self.seen = event.len();
                return if self.seen > limit {
                    Err(Broken::TooLong { limit })
                } else {
                    Ok(None)
                };
            };
            if end > limit {
                return Err(Broken::TooLong { limit });
            }
            if let Some(found) = self.line(event, end) {
                return Ok(Some(found));
            }
        }
    }

    /// The next event if it is a plain one, as nearly all are: the short way to what reading its lines would give.
    fn plain(&mut self, buffer: &[u8], limit: usize) -> Option<Event> {
        if self.after_cr || self.seen > 0 || !self.begun.is_empty() {
            return None;
        }
        let text = buffer.get(self.base..)?.strip_prefix(b"data: ")?;
        let length = memchr2(b'\n', b'\r', text)?;
        // As where lines are read: the end of the blank line still lies within the limit.
        if length + 7 > limit || text.get(length..length + 2) != Some(b"\n\n".as_slice()) {
            return None;
        }
        let start = self.base + 6;
        self.base = start + length + 2;
        Some(Event {
            whole: start - 6..self.base,
            data: start..start + length,
            plain: true,
            ..Event::default()
        })
    }

    /// An event that has no blank line at its end, perhaps not even an end of its last line.
    pub(super) fn rest(&mut self, buffer: &[u8]) -> Option<Event> {
        let event = buffer.get(self.base..).unwrap_or_default();
        let end = event.len();
        if self.line < end
            && let Line::Event(data) = self.read(event, self.line..end)
        {
            return Some(self.alone(data, end));
        }
        let found = self.dispatch(event, end);
        self.begin(end);
        found
    }

    /// Looks for the byte-order mark. False: more bytes are needed to tell.
    fn open(&mut self, buffer: &[u8]) -> bool {
        if buffer.starts_with(BOM) {
            self.base = BOM.len();
        } else if BOM.starts_with(buffer) {
            return false;
        }
        self.opened = true;
        true
    }

    /// Passes over the LF of a CRLF. False: it is not here yet, if it comes at all.
    fn skip_lf(&mut self, event: &[u8]) -> bool {
        let Some(byte) = event.get(self.line) else {
            return false;
        };
        self.after_cr = false;
        if *byte == b'\n' {
            if self.line == 0 {
                self.base += 1;
            } else {
                self.line += 1;
                self.seen = self.line;
            }
        }
        true
    }

    /// Reads the line that ends at `end`, and gives the event it completes.
    fn line(&mut self, event: &[u8], end: usize) -> Option<Event> {
        let text = self.line..end;
        let mut next = end + 1;
        if event.get(end) == Some(&b'\r') {
            match event.get(next) {
                Some(b'\n') => next += 1,
                Some(_) => {}
                None => self.after_cr = true,
            }
        }
        if text.is_empty() {
            let found = self.dispatch(event, next);
            self.begin(next);
            return found;
        }
        match self.read(event, text) {
            Line::Event(data) => return Some(self.alone(data, next)),
            // Heartbeats must not pile up before the event they come before.
            Line::Read if self.begun.is_empty() => self.begin(next),
            Line::Read => {
                self.line = next;
                self.seen = next;
            }
        }
        None
    }

    /// Reads a line that is not empty.
    fn read(&mut self, event: &[u8], line: Range<usize>) -> Line {
        let text = event.get(line.clone()).unwrap_or_default();
        if let Some(value) = text.strip_prefix(b"data:") {
            let blank = usize::from(value.first() == Some(&b' '));
            self.data(event, line.start + 5 + blank..line.end);
            return Line::Read;
        }
        if self.forgiving
            && let Some(data) = self.forgive(text, &line)
        {
            return Line::Event(data);
        }
        let colon = memchr::memchr(b':', text).unwrap_or(text.len());
        let (name, value) = text.split_at(colon);
        let blank = usize::from(value.get(1) == Some(&b' '));
        let span = (line.start + colon + 1 + blank).min(line.end)..line.end;
        let value = event.get(span.clone()).unwrap_or_default();
        match name {
            b"data" => self.data(event, span),
            b"event" => self.begun.name = span,
            b"id" if !value.contains(&0) => self.begun.id = Some(span),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => self.begun.retry = Some(span),
            _ => {}
        }
        Line::Read
    }

    /// The JSON object of a line that is meant as an event.
    fn forgive(&mut self, text: &[u8], line: &Range<usize>) -> Option<Range<usize>> {
        if self.begun.data.as_ref().is_some_and(|data| !data.is_empty()) {
            return None;
        }
        let value = text.strip_prefix(b"error:");
        let object = value.unwrap_or(text).trim_ascii_start();
        if object.first() != Some(&b'{') {
            return None;
        }
        if value.is_some() {
            self.begun.name = line.start..line.start + 5;
        }
        Some(line.end - object.len()..line.end)
    }

    /// Adds a data line.
    fn data(&mut self, event: &[u8], span: Range<usize>) {
        let Some(first) = &self.begun.data else {
            self.begun.data = Some(span);
            return;
        };
        let first = event.get(first.clone()).unwrap_or_default();
        let joined = self.begun.joined.get_or_insert_with(|| first.to_vec());
        joined.push(b'\n');
        joined.extend_from_slice(event.get(span).unwrap_or_default());
    }

    /// The begun event, which ends at `end`, if it has a name or data.
    fn dispatch(&mut self, event: &[u8], end: usize) -> Option<Event> {
        if self.begun.data.is_none() && self.begun.name.is_empty() {
            return None;
        }
        let begun = std::mem::take(&mut self.begun);
        let data = begun.data.unwrap_or_default();
        let plain = data.start == 6
            && data.end + 2 == end
            && begun.joined.is_none()
            && event.get(data.end..end) == Some(b"\n\n".as_slice());
        let place = |span: Range<usize>| self.base + span.start..self.base + span.end;
        Some(Event {
            whole: place(0..end),
            name: place(begun.name),
            data: place(data),
            joined: begun.joined,
            id: begun.id.map(place),
            retry: begun.retry.map(place),
            plain,
        })
    }

    /// The event that the line with `data` is by itself; it ends at `end`.
    fn alone(&mut self, data: Range<usize>, end: usize) -> Event {
        self.begun.data = Some(data);
        self.begun.joined = None;
        let found = self.dispatch(&[], end).unwrap_or_default();
        self.begin(end);
        found
    }

    /// The next event begins `end` bytes on.
    fn begin(&mut self, end: usize) {
        self.base += end;
        self.line = 0;
        self.seen = 0;
        self.begun = Begun::default();
    }
}
