//! The sources of an answer's text that are on the web, as OpenAI's annotations. What else is cited, documents and search results,
//! stays in `extra_content` only, as does all else that is said of a source.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{Object, push_comma, push_field, push_list, push_number, push_string, string};

/// A source on the web.
#[derive(Debug)]
pub struct Source<'a> {
    /// its address
    pub url: Cow<'a, str>,
    /// what it is called, "" if that is not said
    pub title: Cow<'a, str>,
}

/// The annotations of one answer, in characters of its whole text.
#[derive(Debug, Default)]
pub struct Annotations {
    said: u64,
    list: String,
}

impl Annotations {
    /// Takes in the next text of the answer, in pieces of a JSON string, and its sources. A source without text marks its place.
    pub fn text<'a>(&mut self, pieces: &str, sources: impl IntoIterator<Item = Source<'a>>) {
        let start = self.said;
        self.said += characters(pieces);
        for source in sources {
            push_comma(&mut self.list);
            self.list
                .push_str("{\"type\":\"url_citation\",\"url_citation\":{\"url\":");
            push_string(&mut self.list, &source.url);
            push_text(&mut self.list, "title", &source.title);
            push_number(&mut self.list, "start_index", start);
            push_number(&mut self.list, "end_index", self.said);
            self.list.push_str("}}");
        }
    }

    /// Writes `annotations` into a message or a delta, if there are any.
    pub fn push(&self, out: &mut String) {
        push_list(out, "annotations", &self.list);
    }
}

/// Those of Anthropic's citations that name a place on the web; `citations` is a JSON list.
pub(crate) fn sources(citations: &str) -> Vec<Source<'_>> {
    let list: Vec<&RawValue> = serde_json::from_str(citations).unwrap_or_default();
    let source = |raw: &&'_ RawValue| {
        let citation = Object::parse(raw.get())?;
        let kind = citation.text("type")?;
        let url = citation.text("url").filter(|_| kind == "web_search_result_location")?;
        let title = citation.text("title").unwrap_or_default();
        Some(Source {
            url: url.into_owned().into(),
            title: title.into_owned().into(),
        })
    };
    list.iter().filter_map(source).collect()
}

fn push_text(out: &mut String, key: &str, text: &str) {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_string(&mut quoted, text);
    push_field(out, key, &quoted);
}

/// How many characters these pieces of a JSON string say.
fn characters(pieces: &str) -> u64 {
    let count = if pieces.contains('\\') {
        string(&["\"", pieces, "\""].concat()).map_or(0, |text| text.chars().count())
    } else {
        pieces.chars().count()
    };
    count as u64
}

#[cfg(test)]
mod tests {
    use super::characters;

    #[test]
    fn characters_are_counted_and_not_their_bytes_and_escapes() {
        for (pieces, count) in [("", 0), ("S\u{fc}\u{df}", 3), (r#"a\n\u00fc\ud83d\ude00\""#, 5)] {
            assert_eq!(characters(pieces), count, "{pieces}");
        }
    }
}
