//! Where an answer's text is from, as servers of chats say it: in `annotations` beside the text.

use std::{collections::HashSet, ops::Range};

use super::responses::json::Object;

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

    fn len(&self) -> usize {
        self.url.len() + self.title.as_ref().map_or(0, String::len)
    }
}

/// The sources of one answer.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Those that were told.
    told: HashSet<Source>,
    /// The bytes that are kept.
    kept: usize,
}

impl Sources {
    /// The source that an annotation names, unless the same was named before: some servers say in each chunk what they have said so
    /// far.
    pub(super) fn cite(&mut self, annotation: &str) -> Option<Source> {
        let source = Source::of(annotation)?;
        if self.told.contains(&source) || !self.fits(source.len()) {
            return None;
        }
        self.told.insert(source.clone());
        Some(source)
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
