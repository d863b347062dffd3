//! Where an answer's text is from, as servers of chats say it: in `annotations` beside the text, or, with no word of where in the text,
//! in lists beside the choices: Perplexity's `citations` (addresses; xAI has them, too) and `search_results` (with titles).

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use serde_json::value::RawValue;

use super::object::{Object, list};

/// What is kept of the sources of one answer, in bytes. No answer has as many; further ones are not told.
const ROOM: usize = 4 << 20;

/// A place on the web.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Source {
    /// A JSON string.
    pub(super) url: String,
    /// A JSON string.
    pub(super) title: Option<String>,
    /// The characters of the answer's text that are from there.
    pub(super) part: Option<Range<u64>>,
}

impl Source {
    /// Reads an annotation of a chat; `None` if it is of another kind, or names no place.
    pub(super) fn of(annotation: &str) -> Option<Self> {
        let fields = Object::parse(annotation)?;
        if fields.text("type")? != "url_citation" {
            return None;
        }
        // Some write what is said of it beside the type, as a response does.
        let inner = fields.get("url_citation").and_then(Object::parse).unwrap_or(fields);
        let string = |key: &str| inner.get(key).filter(|text| text.starts_with('"')).map(str::to_owned);
        let place = |key: &str| inner.get(key)?.parse::<u64>().ok();
        Some(Self {
            url: string("url")?,
            title: string("title"),
            part: place("start_index").and_then(|start| Some(start..place("end_index")?)),
        })
    }

    /// Reads an item of a list: an address, or what is said of it.
    fn listed(item: &str) -> Option<Self> {
        let fields = Object::parse(item);
        let string = |key: &str| fields.as_ref()?.get(key).filter(|text| text.starts_with('"'));
        Some(Self {
            url: Some(item)
                .filter(|item| item.starts_with('"'))
                .or_else(|| string("url"))?
                .to_owned(),
            title: string("title").map(str::to_owned),
            part: None,
        })
    }

    /// True if it is said of which part of the text it is the source.
    fn is_placed(&self) -> bool {
        self.part.as_ref().is_some_and(|part| !part.is_empty())
    }

    fn len(&self) -> usize {
        self.url.len() + self.title.as_ref().map_or(0, String::len)
    }
}

/// The sources of one answer.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Those that were told.
    told: HashSet<Source>,
    /// Their addresses.
    addresses: HashSet<String>,
    /// Those of the lists, in order.
    listed: Vec<Source>,
    /// Where each address stands in them.
    places: HashMap<String, usize>,
    /// How many of them have had their turn.
    done: usize,
    /// The lists as they were last seen: Perplexity has them in every chunk.
    seen: [String; 2],
    /// The bytes that are kept.
    kept: usize,
}

impl Sources {
    /// The source that an annotation names, unless that was told before: some servers say in each chunk what they have said so far.
    pub(super) fn cite(&mut self, annotation: &str) -> Option<Source> {
        let source = Source::of(annotation)?;
        let known = match source.is_placed() {
            true => self.told.contains(&source),
            false => self.addresses.contains(&source.url),
        };
        if known || !self.fits(source.len()) {
            return None;
        }
        self.tell(&source);
        Some(source)
    }

    /// Takes in the lists that stand beside the choices.
    pub(super) fn find(&mut self, citations: Option<&RawValue>, results: Option<&RawValue>) {
        for (at, found) in [citations, results].into_iter().enumerate() {
            let found = found.map_or("", RawValue::get);
            let Some(seen) = self.seen.get_mut(at).filter(|seen| !found.is_empty() && *seen != found) else {
                continue;
            };
            found.clone_into(seen);
            for item in list(found).iter().flatten() {
                self.list(item.get());
            }
        }
    }

    /// Those of the lists whose addresses were not told. They are told last, since an annotation says more.
    pub(super) fn rest(&mut self) -> Vec<Source> {
        let listed = self.listed.get(self.done..).unwrap_or_default();
        let rest = listed.iter().filter(|source| !self.addresses.contains(&source.url));
        let rest: Vec<Source> = rest.cloned().collect();
        self.done = self.listed.len();
        rest.iter().for_each(|source| self.tell(source));
        rest
    }

    /// Notes an item of a list. Only one of the lists has titles.
    fn list(&mut self, item: &str) {
        let Some(source) = Source::listed(item) else { return };
        let place = self.places.get(&source.url).copied();
        let there = place.and_then(|at| self.listed.get(at));
        let length = match (there, &source.title) {
            (None, _) => source.len(),
            (Some(Source { title: None, .. }), Some(title)) => title.len(),
            (Some(_), _) => return,
        };
        if !self.fits(length) {
            return;
        }
        if let Some(there) = place.and_then(|at| self.listed.get_mut(at)) {
            there.title = source.title;
        } else {
            self.places.insert(source.url.clone(), self.listed.len());
            self.listed.push(source);
        }
    }

    fn tell(&mut self, source: &Source) {
        self.told.insert(source.clone());
        self.addresses.insert(source.url.clone());
    }

    fn fits(&mut self, length: usize) -> bool {
        // What stands around it in memory counts, too.
        let kept = self.kept + length + size_of::<Source>();
        let fits = kept <= ROOM;
        if fits {
            self.kept = kept;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, Sources};

    #[test]
    fn only_a_place_on_the_web_is_a_source() {
        let source = |url: &str, title: Option<&str>, part| {
            Some(Source {
                url: format!("\"{url}\""),
                title: title.map(|title| format!("\"{title}\"")),
                part,
            })
        };
        for (annotation, expected) in [
            (
                r#"{"type":"url_citation","url_citation":{"url":"u","title":"T","start_index":1,"end_index":3,"content":"x"}}"#,
                source("u", Some("T"), Some(1..3)),
            ),
            (
                r#"{"type":"url_citation","url":"u","start_index":1}"#,
                source("u", None, None),
            ),
            (
                r#"{"type":"url_citation","url_citation":{"url":"u","title":null,"start_index":-1,"end_index":"x"}}"#,
                source("u", None, None),
            ),
            (r#"{"type":"url_citation","url_citation":{"title":"T"}}"#, None),
            (r#"{"type":"url_citation","url_citation":{"url":7}}"#, None),
            (r#"{"type":"file","file":{"hash":"h","url":"u"}}"#, None),
            (r#"{"url":"u"}"#, None),
            ("null", None),
        ] {
            assert_eq!(Source::of(annotation), expected, "{annotation}");
        }
    }

    fn found(sources: &mut Sources, citations: &str, results: &str) {
        let read = |text| serde_json::from_str(text).expect("JSON");
        sources.find(read(citations), read(results));
    }

    #[test]
    fn lists_are_told_once_in_their_order_with_the_titles_of_either_and_without_what_was_told() {
        let mut sources = Sources::default();
        let titled =
            r#"[{"url":"b","title":"B","date":null},{"title":"no"},{"url":"a","title":"A"},{"url":"d","title":"D"}]"#;
        for _ in 0..3 {
            found(&mut sources, r#"["a","b","c",7,null,"a"]"#, "null");
            found(&mut sources, r#"["a","b","c",7,null,"a"]"#, titled);
        }
        assert!(
            sources
                .cite(r#"{"type":"url_citation","url_citation":{"url":"b"}}"#)
                .is_some()
        );
        let told: Vec<_> = sources
            .rest()
            .into_iter()
            .map(|source| (source.url, source.title))
            .collect();
        let quoted = |text: &str| format!("\"{text}\"");
        let expected = [("a", Some("A")), ("c", None), ("d", Some("D"))];
        assert_eq!(told, expected.map(|(url, title)| (quoted(url), title.map(quoted))));
        found(&mut sources, r#"["a","b","c","e"]"#, "{}");
        assert_eq!(sources.rest().len(), 1, "only what is new");
        assert!(
            sources
                .cite(r#"{"type":"url_citation","url":"e","start_index":0,"end_index":0}"#)
                .is_none()
        );
        assert!(
            sources
                .cite(r#"{"type":"url_citation","url":"e","start_index":0,"end_index":1}"#)
                .is_some()
        );
    }

    #[test]
    fn what_was_said_is_not_said_again_and_there_is_an_end_to_it() {
        let said = |url: &str, start: u64| {
            format!(r#"{{"type":"url_citation","url_citation":{{"url":"{url}","start_index":{start},"end_index":9}}}}"#)
        };
        let mut sources = Sources::default();
        let told: Vec<bool> = [("a", 0), ("a", 1), ("a", 0), ("b", 0)]
            .map(|(url, start)| sources.cite(&said(url, start)).is_some())
            .into();
        assert_eq!(told, [true, true, false, true]);
        let long = "x".repeat(1 << 20);
        let taken = (0..9).take_while(|start| sources.cite(&said(&long, *start)).is_some());
        assert_eq!(taken.count(), 3);
    }
}
