//! Tool calls: which of them a delta belongs to. OpenAI's clients put fragments together by `index`, and answer a call by its `id`;
//! some servers leave one of them out, or the call's `type`, count every call as the first, or send arguments as an object.

use serde_json::{Value, json};

use crate::scan::{Malformed, Scan};

/// The calls of an answer that have begun.
#[derive(Debug, Default)]
pub(super) struct Tools {
    begun: Vec<Begun>,
    /// By choice: so that a call with a higher index than any before it is not looked for among all of them.
    tops: Vec<Top>,
    /// How many lists have been read.
    lists: u64,
}

#[derive(Debug)]
struct Begun {
    choice: u64,
    /// The provider's index.
    given: Option<u64>,
    id: String,
    /// The index the client sees.
    index: u64,
    name: String,
    /// Its arguments have begun.
    argued: bool,
    /// The number of the last list that had a piece of it.
    list: u64,
}

/// What the calls of a choice have reached.
#[derive(Debug, Default)]
struct Top {
    choice: u64,
    /// The highest index that the provider gave.
    given: Option<u64>,
    /// One more than the highest that the client sees.
    next: u64,
}

/// A call, or a fragment of one, as it came.
#[derive(Debug, Default)]
struct Fragment<'t> {
    index: Option<u64>,
    id: &'t str,
    name: &'t str,
    /// It has arguments.
    argued: bool,
    /// Its arguments are no text.
    raw: bool,
    /// In a whole answer: it has no arguments.
    bare: bool,
    /// It has a function, and does not say that it is a call of one.
    untyped: bool,
}

/// What a fragment has to become.
struct Place {
    index: u64,
    /// The id to give it.
    id: Option<String>,
    /// It begins a call.
    begins: bool,
}

impl Tools {
    /// The list of calls in a delta or a message of `choice`, if something in it has to change.
    pub(super) fn mend(&mut self, choice: u64, list: &str, whole: bool) -> Option<String> {
        self.lists += 1;
        let mut places = Vec::new();
        let mut wrong = false;
        let mut scan = Scan::new(list);
        let read = scan.items(|scan| {
            let fragment = fragment(scan, list)?;
            let place = self.place(choice, &fragment);
            let moved = !whole && fragment.index != Some(place.index);
            wrong |= moved || fragment.raw || place.id.is_some() || (whole && fragment.bare);
            wrong |= place.begins && fragment.untyped;
            places.push(place);
            Ok(())
        });
        if read.is_err() || !wrong {
            return None;
        }
        rewrite(list, places, whole)
    }

    /// Which call a fragment belongs to; a new one is noted.
    fn place(&mut self, choice: u64, fragment: &Fragment<'_>) -> Place {
        let list = self.lists;
        let at = self.top(choice);
        let (highest, next) = self.tops.get(at).map_or((None, 0), |top| (top.given, top.next));
        let mut mine = self.begun.iter_mut().rev().filter(|begun| begun.choice == choice);
        let known = match fragment.index {
            Some(index) if Some(index) > highest => None,
            Some(index) => mine.find(|begun| begun.given == Some(index)),
            None if !fragment.id.is_empty() => mine.find(|begun| begun.id == fragment.id),
            None => mine.next().filter(|last| !last.is_over(fragment, list)),
        };
        let other = |begun: &Begun| !fragment.name.is_empty() && !fragment.id.is_empty() && begun.id != fragment.id;
        if let Some(known) = known.filter(|known| !other(known)) {
            return known.go_on(fragment, list);
        }
        let mut mine = self.begun.iter().filter(|begun| begun.choice == choice);
        let free = fragment
            .index
            .filter(|index| *index >= next || mine.all(|begun| begun.index != *index));
        let index = free.unwrap_or(next);
        let made = fragment.id.is_empty().then(new_id);
        self.begun.push(Begun {
            choice,
            given: fragment.index,
            id: made.clone().unwrap_or_else(|| fragment.id.to_owned()),
            index,
            name: fragment.name.to_owned(),
            argued: fragment.argued,
            list,
        });
        if let Some(top) = self.tops.get_mut(at) {
            top.given = top.given.max(fragment.index);
            top.next = top.next.max(index.saturating_add(1));
        }
        Place {
            index,
            id: made,
            begins: true,
        }
    }

    /// Where the top of a choice is noted.
    fn top(&mut self, choice: u64) -> usize {
        let known = self.tops.iter().position(|top| top.choice == choice);
        known.unwrap_or_else(|| {
            self.tops.push(Top {
                choice,
                ..Top::default()
            });
            self.tops.len() - 1
        })
    }
}

impl Begun {
    /// True if `fragment`, which has neither an index nor an id, begins the next call: it has a name, though this one has one and
    /// arguments, or another name, or stands in the same list. (Arguments that are whole say less: some servers send blanks after.)
    fn is_over(&self, fragment: &Fragment<'_>, list: u64) -> bool {
        let named = !self.name.is_empty() && (self.argued || self.name != fragment.name);
        !fragment.name.is_empty() && (named || self.list == list)
    }

    /// Takes in a further fragment.
    fn go_on(&mut self, fragment: &Fragment<'_>, list: u64) -> Place {
        if self.name.is_empty() {
            fragment.name.clone_into(&mut self.name);
        }
        self.argued |= fragment.argued;
        self.list = list;
        Place {
            index: self.index,
            id: None,
            begins: false,
        }
    }
}

fn fragment<'t>(scan: &mut Scan<'_>, list: &'t str) -> Result<Fragment<'t>, Malformed> {
    let mut found = Fragment {
        bare: true,
        ..Fragment::default()
    };
    let (mut typed, mut function) = (false, false);
    scan.members(|scan, key| {
        match key.name {
            b"index" => found.index = list.get(scan.skip()?).and_then(|n| n.parse().ok()),
            b"id" if scan.peek() == b'"' => {
                let value = list.get(scan.skip()?).unwrap_or_default();
                found.id = value.trim_matches('"');
            }
            b"custom" => {
                found.bare = false;
                scan.skip()?;
            }
            b"type" if scan.peek() == b'"' => typed = scan.skip()?.len() > 2,
            b"function" if scan.peek() == b'{' => scan.members(|scan, key| {
                function = true;
                let first = scan.peek();
                let value = scan.skip()?;
                match key.name {
                    b"name" if first == b'"' => {
                        found.name = list.get(value.start + 1..value.end - 1).unwrap_or_default();
                    }
                    b"arguments" => {
                        found.argued = first != b'n' && list.get(value) != Some("\"\"");
                        found.bare = first == b'n';
                        found.raw = !matches!(first, b'"' | b'n');
                    }
                    _ => {}
                }
                Ok(())
            })?,
            _ => {
                scan.skip()?;
            }
        }
        Ok(())
    })?;
    found.untyped = function && !typed;
    Ok(found)
}

/// The list with its calls in their places.
fn rewrite(list: &str, places: Vec<Place>, whole: bool) -> Option<String> {
    let mut calls: Vec<Value> = serde_json::from_str(list).ok()?;
    for (call, place) in calls.iter_mut().zip(places) {
        let fields = call.as_object_mut()?;
        if !whole {
            fields.insert("index".to_owned(), place.index.into());
        }
        if let Some(id) = place.id {
            fields.insert("id".to_owned(), id.into());
        }
        let typed = fields
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| !kind.is_empty());
        if place.begins && !typed && fields.get("function").is_some_and(Value::is_object) {
            fields.insert("type".to_owned(), json!("function"));
        }
        let Some(Value::Object(function)) = fields.get_mut("function") else {
            continue;
        };
        match function.get("arguments") {
            Some(Value::String(_)) => {}
            Some(Value::Null) | None if whole => {
                function.insert("arguments".to_owned(), json!("{}"));
            }
            Some(Value::Null) | None => {}
            Some(other) => {
                let text = other.to_string();
                function.insert("arguments".to_owned(), text.into());
            }
        }
    }
    Some(Value::Array(calls).to_string())
}

/// An id for a call that has none: unique is enough.
fn new_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new();
    format!(
        "call_{:016x}{:08x}",
        random.hash_one(0_u8),
        random.hash_one(1_u8) as u32
    )
}
