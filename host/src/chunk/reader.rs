//! Reads a chunk or an answer once, notes what is in it, and collects what has to change.

use std::ops::Range;

use super::{
    Flaw, Stamp,
    choice::{self, State},
    edits::Edits,
    quoted,
};
use crate::{
    call::Operation,
    scan::{Key, Malformed, Scan},
};

/// The reader of one answer: of its chunks, one after the other, or of all of it.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) stamp: Stamp,
    pub(super) edits: Edits,
    /// The last usage object, as JSON.
    pub(super) usage: String,
    /// It stood where OpenAI puts it.
    own_usage: bool,
    /// A finish reason has come.
    pub(super) finished: bool,
    state: State,
    /// The values of [`IDENTITY`] for what does not say them.
    ours: [String; 4],
    /// All four as members, ready to be spliced in.
    head: String,
    /// Where the text says them.
    theirs: [Option<Range<usize>>; 4],
}

/// The members that say whose an answer is, in the order of [`Reader::ours`].
const IDENTITY: [&str; 4] = ["id", "object", "created", "model"];

/// A member: where its key starts and its value stands.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) key: usize,
    pub(super) value: Range<usize>,
}

/// What a text had at its top level.
#[derive(Debug, Default)]
pub(super) struct Top {
    /// Its usage, if it is an object.
    pub(super) usage: Option<Member>,
    /// It has no choices: the list is empty, or there is none.
    pub(super) empty: bool,
    /// It counts, there or elsewhere.
    pub(super) counted: bool,
    /// It only says again that the answer has ended.
    pub(super) repeated: bool,
    /// It has a list of choices.
    pub(super) listed: bool,
    /// It cannot stand for others like it.
    pub(super) special: bool,
    error: bool,
    /// A usage that stands elsewhere.
    beside: Option<Range<usize>>,
    /// It has members.
    any: bool,
}

impl Reader {
    /// For the chunks of a stream.
    pub(super) fn stream(stamp: Stamp, operation: Operation) -> Self {
        let object = match operation {
            Operation::Completions => "\"text_completion\"",
            _ => "\"chat.completion.chunk\"",
        };
        Self::new(stamp, object, State::stream(operation))
    }

    /// For a whole answer.
    pub(super) fn whole(stamp: Stamp, operation: Operation) -> Self {
        let object = match operation {
            Operation::Completions => "\"text_completion\"",
            _ => "\"chat.completion\"",
        };
        Self::new(stamp, object, State::whole_answer(operation))
    }

    fn new(stamp: Stamp, object: &str, state: State) -> Self {
        let ours = [
            quoted(&stamp.id),
            object.to_owned(),
            stamp.created.to_string(),
            quoted(&stamp.model),
        ];
        let mut head = String::new();
        for (name, value) in IDENTITY.iter().zip(&ours) {
            add(&mut head, name, value);
        }
        Self {
            stamp,
            edits: Edits::default(),
            usage: String::new(),
            own_usage: false,
            finished: false,
            state,
            ours,
            head,
            theirs: Default::default(),
        }
    }

    /// Reads a text; what has to change in it is in `edits` then.
    pub(super) fn read(&mut self, text: &str) -> Result<Top, Flaw> {
        self.edits.clear();
        self.state.free.clear();
        self.theirs = Default::default();
        let mut top = Top {
            empty: true,
            ..Top::default()
        };
        let mut scan = Scan::new(text);
        if scan.peek() != b'{' {
            return Err(Flaw::Malformed("it is not a JSON object"));
        }
        let open = scan.place() + 1;
        scan.members(|scan, key| self.member(&mut top, scan, &key, text))
            .and_then(|()| scan.end())
            .map_err(|Malformed| Flaw::Malformed("it is not valid JSON"))?;
        if top.error {
            return Err(Flaw::Error(text.to_owned()));
        }
        self.note_usage(&mut top, text);
        self.fill(&top, open, text);
        Ok(top)
    }

    /// Reads a member of the top level.
    fn member(&mut self, top: &mut Top, scan: &mut Scan<'_>, key: &Key<'_>, text: &str) -> Result<(), Malformed> {
        top.any = true;
        match key.name {
            b"id" => self.theirs[0] = Some(scan.skip()?),
            b"object" => {
                let value = scan.skip()?;
                top.error |= text.get(value.clone()) == Some("\"error\"");
                self.theirs[1] = Some(value);
            }
            b"created" => self.theirs[2] = Some(scan.skip()?),
            b"model" => self.theirs[3] = Some(scan.skip()?),
            b"choices" if scan.peek() == b'[' => self.choices(top, scan, text)?,
            b"choices" if !self.state.is_whole() => {
                self.edits.replace(scan.skip()?, format_args!("[]"));
                top.listed = true;
            }
            b"usage" => {
                let object = scan.peek() == b'{';
                let value = scan.skip()?;
                if object && value.len() > 2 {
                    top.usage = Some(Member { key: key.start, value });
                }
            }
            b"x_groq" if scan.peek() == b'{' => groq(top, scan, text)?,
            b"error" => top.error |= is_error(text.get(scan.skip()?)),
            b"type" => top.error |= text.get(scan.skip()?) == Some("\"error\""),
            _ => {
                let string = scan.peek() == b'"';
                let value = scan.skip()?;
                if string {
                    self.state.free.push(value.start + 1..value.end - 1);
                }
            }
        }
        Ok(())
    }

    fn choices(&mut self, top: &mut Top, scan: &mut Scan<'_>, text: &str) -> Result<(), Malformed> {
        let outcome = choice::list(scan, text, &mut self.state, &mut self.edits)?;
        top.listed = true;
        top.empty = outcome.count == 0;
        top.repeated = outcome.repeated;
        top.special |= outcome.special;
        top.error |= outcome.failed;
        top.beside = outcome.usage.or(top.beside.take());
        self.finished |= outcome.finished;
        Ok(())
    }

    /// The strings that others like the text that was read last may have other words in; none if there can be no others like it.
    pub(super) fn free(&self, top: &Top) -> &[Range<usize>] {
        if top.special || top.counted || top.empty {
            return &[];
        }
        // What changes has to stand where it stood.
        let changed = self.edits.end();
        let from = self.state.free.partition_point(|span| span.start < changed);
        self.state.free.get(from..).unwrap_or_default()
    }

    /// Keeps the usage. What Groq and Moonshot say beside it counts only where nothing else does.
    fn note_usage(&mut self, top: &mut Top, text: &str) {
        self.own_usage |= top.usage.is_some();
        let beside = top.beside.take().filter(|_| !self.own_usage);
        if let Some(value) = top.usage.as_ref().map(|usage| usage.value.clone()).or(beside) {
            top.counted = true;
            self.usage.clear();
            self.usage.push_str(text.get(value).unwrap_or_default());
        }
    }

    /// Fills in what every chunk and answer says, where it does not; `open` is the place after the first bracket.
    fn fill(&mut self, top: &Top, open: usize, text: &str) {
        let mut missing = String::new();
        if self.theirs.iter().all(Option::is_none) {
            missing.push_str(&self.head);
        } else {
            for (at, name) in IDENTITY.iter().enumerate() {
                match &self.theirs[at] {
                    None => add(&mut missing, name, &self.ours[at]),
                    Some(span) if self.says_nothing(at, text.get(span.clone()), top.empty) => {
                        self.edits.replace(span.clone(), format_args!("{}", self.ours[at]));
                    }
                    Some(_) => {}
                }
            }
        }
        if !top.listed && !self.state.is_whole() {
            add(&mut missing, "choices", "[]");
        }
        if !missing.is_empty() {
            let comma = if top.any { "," } else { "" };
            self.edits.replace(open..open, format_args!("{missing}{comma}"));
        }
    }

    /// True if a member of [`IDENTITY`] has no use as it is. A chunk without choices may be nameless (Azure's first one is).
    fn says_nothing(&self, at: usize, value: Option<&str>, empty: bool) -> bool {
        match value {
            Some("null") => true,
            Some("\"\"") => !empty || at == 1,
            value => at == 1 && value != Some(self.ours[1].as_str()),
        }
    }

    /// The members of [`IDENTITY`] for a chunk that belongs to `text`, which was read last.
    pub(super) fn identity(&self, text: &str) -> String {
        let mut members = String::new();
        for (at, name) in IDENTITY.iter().enumerate() {
            let theirs = self.theirs[at].clone().and_then(|span| text.get(span));
            let value = theirs.filter(|value| !self.says_nothing(at, Some(value), false));
            add(&mut members, name, value.unwrap_or(&self.ours[at]));
        }
        members
    }
}

/// Adds a member to a list of them.
fn add(members: &mut String, name: &str, value: &str) {
    if !members.is_empty() {
        members.push(',');
    }
    members.push('"');
    members.push_str(name);
    members.push_str("\":");
    members.push_str(value);
}

/// Groq's own member: its usage, in some streams the only one, and its errors.
fn groq(top: &mut Top, scan: &mut Scan<'_>, text: &str) -> Result<(), Malformed> {
    scan.members(|scan, key| {
        let object = scan.peek() == b'{';
        let value = scan.skip()?;
        match key.name {
            b"usage" if object => top.beside = Some(value),
            b"error" => top.error |= is_error(text.get(value)),
            _ => {}
        }
        Ok(())
    })
}

/// An `error` that says something: not null, not false, not empty.
fn is_error(value: Option<&str>) -> bool {
    !matches!(value, None | Some("null" | "false" | "\"\"" | "{}"))
}
