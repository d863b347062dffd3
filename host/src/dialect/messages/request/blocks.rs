//! Content blocks that a user, a system prompt or a tool's result may have, as the parts of a chat's message.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Request, citations, refuse, wrong};
use crate::{
    dialect::json::{inside, push_comma, push_member, quoted},
    error::Result,
};

/// A block, read as far as the translation looks at it.
#[derive(Deserialize)]
pub(super) struct Block<'a> {
    #[serde(borrow)]
    pub(super) r#type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    citations: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_control: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) signature: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_use_id: Option<&'a RawValue>,
    pub(super) is_error: Option<bool>,
}

#[derive(Deserialize)]
struct Source<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    media_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    url: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// A content: its blocks, or the one text it is.
pub(super) enum Content<'a> {
    Text(&'a str),
    Blocks(Vec<Block<'a>>),
}

impl<'a> Content<'a> {
    /// Reads a content; `path` names it.
    pub(super) fn read(content: Option<&'a RawValue>, path: &str) -> Result<Self> {
        match content.map_or("\"\"", RawValue::get) {
            text if text.starts_with('"') => Ok(Self::Text(text)),
            "null" => Ok(Self::Text("\"\"")),
            list => serde_json::from_str(list)
                .map(Self::Blocks)
                .map_err(|reason| wrong(&format!("is no list of content blocks: {reason}"), path)),
        }
    }
}

/// The parts of a message as they are written. A list of nothing but texts is one string for a server.
#[derive(Default)]
pub(super) struct Parts {
    list: String,
    /// The texts joined: a piece of a JSON string.
    text: String,
    texts: usize,
    others: bool,
    marked: bool,
}

impl Parts {
    /// True if there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a text, which is a JSON string. An empty one says nothing.
    pub(super) fn push_text(&mut self, text: &str, marker: Option<&str>) {
        if text == "\"\"" {
            return;
        }
        if self.texts > 0 {
            self.text.push_str("\\n\\n");
        }
        self.texts += 1;
        self.text.push_str(inside(text));
        self.marked |= marker.is_some();
        push_comma(&mut self.list);
        self.list.push_str("{\"type\":\"text\",\"text\":");
        self.list.push_str(text);
        self.close(marker);
    }

    /// Adds any other part: its JSON text without the closing brace.
    fn push_other(&mut self, part: &str, marker: Option<&str>) {
        self.others = true;
        push_comma(&mut self.list);
        self.list.push_str(part);
        self.close(marker);
    }

    fn close(&mut self, marker: Option<&str>) {
        if let Some(marker) = marker {
            push_member(&mut self.list, "cache_control", marker);
        }
        self.list.push('}');
    }

    /// The value of `content`.
    pub(super) fn content(&self, adapter: bool) -> String {
        let plain = !self.others && !self.marked && (self.texts <= 1 || !adapter);
        if plain {
            ["\"", &self.text, "\""].concat()
        } else {
            ["[", &self.list, "]"].concat()
        }
    }

    /// Moves what is no text to `to`, for a place that takes texts only.
    pub(super) fn only_text(
        &mut self,
        pieces: &Content<'_>,
        request: &mut Request<'_>,
        path: &str,
        to: &mut Self,
    ) -> Result<()> {
        let Content::Blocks(blocks) = pieces else {
            return request.push_content(self, pieces, path);
        };
        for (at, block) in blocks.iter().enumerate() {
            let mut parts = Self::default();
            request.push_block(&mut parts, block, &format!("{path}[{at}]"))?;
            if parts.others {
                self.push_text("\"(The file is in the next message.)\"", None);
                push_comma(&mut to.list);
                to.list.push_str(&parts.list);
                to.others = true;
            } else if parts.texts > 0 {
                self.push_text(&["\"", &parts.text, "\""].concat(), None);
            }
        }
        Ok(())
    }
}

impl Request<'_> {
    /// Adds what `content` has to `parts`; `path` names it.
    pub(super) fn push_content(&mut self, parts: &mut Parts, content: &Content<'_>, path: &str) -> Result<()> {
        match content {
            Content::Text(text) => parts.push_text(text, None),
            Content::Blocks(blocks) => {
                for (at, block) in blocks.iter().enumerate() {
                    self.push_block(parts, block, &format!("{path}[{at}]"))?;
                }
            }
        }
        Ok(())
    }

    /// Adds one block to `parts`.
    pub(super) fn push_block(&mut self, parts: &mut Parts, block: &Block<'_>, path: &str) -> Result<()> {
        let marker = self.marker(block);
        self.drop_citations(block);
        match &*block.r#type {
            "text" => parts.push_text(block.text.map_or("\"\"", RawValue::get), marker),
            "image" => {
                let url = self.image(block, path)?;
                parts.push_other(
                    &format!("{{\"type\":\"image_url\",\"image_url\":{{\"url\":\"{url}\"}}"),
                    marker,
                );
            }
            "document" => self.push_document(parts, block, path, marker)?,
            "search_result" => {
                let mut text = Parts::default();
                text.push_text(block.title.map_or("\"\"", RawValue::get), None);
                text.push_text(block.source.map_or("\"\"", RawValue::get), None);
                let content = Content::read(block.content, path)?;
                self.push_content(&mut text, &content, path)?;
                parts.push_text(&text.content(false), marker);
            }
            kind => return Err(refuse(&format!("a block of type '{kind}'"), path.to_owned())),
        }
        Ok(())
    }

    /// Notes that a block's citations are left out, unless they were made here.
    pub(super) fn drop_citations(&mut self, block: &Block<'_>) {
        if citations::are_foreign(block.citations) {
            self.drop("messages.content.citations");
        }
    }

    /// The block's `cache_control`, where it is of use.
    pub(super) fn marker<'a>(&mut self, block: &Block<'a>) -> Option<&'a str> {
        let marker = block
            .cache_control
            .map(RawValue::get)
            .filter(|marker| *marker != "null")?;
        if self.taker.adapter {
            return Some(marker);
        }
        self.drop("cache_control");
        None
    }

    /// An image's URL: a piece of a JSON string.
    fn image(&self, block: &Block<'_>, path: &str) -> Result<String> {
        let source = source(block, path)?;
        match (&*source.r#type, source.data, source.url) {
            ("base64", Some(data), _) => Ok(data_url(&source, data.get(), "image/png")),
            ("url", _, Some(url)) => Ok(inside(url.get()).to_owned()),
            ("base64" | "url", ..) => Err(wrong("has no data", &format!("{path}.source"))),
            (kind, ..) => Err(refuse(&format!("an image by '{kind}'"), format!("{path}.source.type"))),
        }
    }

    fn push_document(&mut self, parts: &mut Parts, block: &Block<'_>, path: &str, marker: Option<&str>) -> Result<()> {
        let source = source(block, path)?;
        let file = match (&*source.r#type, source.data, source.url) {
            ("base64", Some(data), _) => data_url(&source, data.get(), "application/pdf"),
            ("url", _, Some(url)) if self.taker.adapter => inside(url.get()).to_owned(),
            ("text", Some(text), _) => {
                let mut said = self.heading(block);
                said.push_text(text.get(), None);
                parts.push_text(&said.content(false), marker);
                return Ok(());
            }
            ("content", ..) => {
                let mut said = self.heading(block);
                let content = Content::read(source.content, path)?;
                self.push_content(&mut said, &content, path)?;
                let others = std::mem::take(&mut said.others);
                if others {
                    push_comma(&mut parts.list);
                    parts.list.push_str(&said.list);
                    parts.others = true;
                } else {
                    parts.push_text(&said.content(false), marker);
                }
                return Ok(());
            }
            (kind, ..) => {
                return Err(refuse(
                    &format!("a document by '{kind}'"),
                    format!("{path}.source.type"),
                ));
            }
        };
        let heading = self.heading_without_title(block);
        if !heading.is_empty() {
            parts.push_text(&heading.content(false), None);
        }
        let name = match block.title.map(RawValue::get) {
            Some(title) if title.starts_with('"') => title.to_owned(),
            _ => quoted("document.pdf"),
        };
        parts.push_other(
            &format!("{{\"type\":\"file\",\"file\":{{\"filename\":{name},\"file_data\":\"{file}\"}}"),
            marker,
        );
        Ok(())
    }

    fn heading(&self, block: &Block<'_>) -> Parts {
        let mut heading = Parts::default();
        for text in [block.title, block.context].into_iter().flatten().map(RawValue::get) {
            if text.starts_with('"') {
                heading.push_text(text, None);
            }
        }
        heading
    }

    fn heading_without_title(&self, block: &Block<'_>) -> Parts {
        let mut heading = Parts::default();
        if let Some(context) = block.context.map(RawValue::get).filter(|text| text.starts_with('"')) {
            heading.push_text(context, None);
        }
        heading
    }
}

fn source<'a>(block: &Block<'a>, path: &str) -> Result<Source<'a>> {
    let source = block.source.map_or("null", RawValue::get);
    serde_json::from_str(source).map_err(|reason| wrong(&reason.to_string(), &format!("{path}.source")))
}

/// A data URL: a piece of a JSON string. `data` is a JSON string.
fn data_url(source: &Source<'_>, data: &str, default: &str) -> String {
    let kind = source.media_type.as_deref().unwrap_or(default);
    let kind = quoted(kind);
    ["data:", inside(&kind), ";base64,", inside(data)].concat()
}
