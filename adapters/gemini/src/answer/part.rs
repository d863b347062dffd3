//! One part of an answer: what it is to the client.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::Context;

use super::Choice;
use crate::json::{pieces, push_field, push_string};

/// A part, read as far as the translation looks at it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part<'a> {
    #[serde(borrow)]
    pub(crate) text: Option<&'a RawValue>,
    pub(crate) thought: Option<bool>,
    #[serde(borrow)]
    pub(crate) thought_signature: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) function_call: Option<Call<'a>>,
    #[serde(borrow)]
    inline_data: Option<Inline<'a>>,
}

/// A call of a function.
#[derive(Deserialize)]
pub(crate) struct Call<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) args: Option<&'a RawValue>,
}

/// A file inside the answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inline<'a> {
    #[serde(borrow, default)]
    mime_type: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// What a part is to the client. Texts are pieces of JSON strings: still escaped, without their quotes.
pub(crate) enum Piece<'a> {
    /// text of the answer
    Text(&'a str),
    /// a summary of thoughts
    Thought(&'a str),
    /// a call: its number, and its fields without braces
    Call(u64, String),
    /// an image: its fields without braces
    Image(String),
    /// not shown
    Nothing,
}

impl Choice {
    /// Reads the next part and remembers what must come back. `ctx` makes ids for calls that have none.
    pub(crate) fn read<'a>(&mut self, raw: &'a RawValue, ctx: &Context) -> Piece<'a> {
        let raw = raw.get();
        let Ok(part) = serde_json::from_str::<Part<'_>>(raw) else {
            self.kept.add_other(raw);
            return Piece::Nothing;
        };
        let signature = part.thought_signature.map(RawValue::get);
        if let Some(call) = &part.function_call {
            self.kept.add_call(raw);
            self.calls += 1;
            return Piece::Call(self.calls - 1, call.fields(signature, ctx));
        }
        if let Some(text) = part.text {
            let text = pieces(Some(text));
            if part.thought != Some(true) {
                self.kept.add_text(raw, text, signature);
                return Piece::Text(text);
            }
            if signature.is_some() {
                self.kept.add_other(raw);
            }
            return Piece::Thought(text);
        }
        if raw != "{}" {
            self.kept.add_other(raw);
        }
        match &part.inline_data {
            // A draft that the model thought with is none of the answer's images.
            Some(file) if part.thought != Some(true) => file.image(),
            _ => Piece::Nothing,
        }
    }
}

impl Call<'_> {
    fn fields(&self, signature: Option<&str>, ctx: &Context) -> String {
        let mut out = String::with_capacity(128 + self.args.map_or(0, |args| args.get().len() * 9 / 8));
        out.push_str("\"id\":");
        match self.id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => push_string(&mut out, id),
            None => push_string(&mut out, &own_id(ctx)),
        }
        out.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        push_string(&mut out, &self.name);
        out.push_str(",\"arguments\":");
        push_string(&mut out, self.args.map_or("{}", RawValue::get));
        out.push('}');
        if let Some(signature) = signature {
            let extra = ["{\"google\":{\"thought_signature\":", signature, "}}"].concat();
            push_field(&mut out, "extra_content", &extra);
        }
        out
    }
}

/// How the ids begin that calls get here. The API does not know them, so they are not sent back to it.
pub(crate) const OWN_ID: &str = "gm_";

/// An id for a call, of at most 40 characters: other providers, to which a conversation may move, take no longer ones.
fn own_id(ctx: &Context) -> String {
    let id = ctx.id("");
    [OWN_ID, id.strip_prefix("req").unwrap_or(&id)].concat()
}

impl<'a> Inline<'a> {
    fn image(&self) -> Piece<'a> {
        if !self.mime_type.starts_with("image/") {
            return Piece::Nothing;
        }
        let mut out = String::from("\"type\":\"image_url\",\"image_url\":{\"url\":\"data:");
        out.push_str(&self.mime_type.replace(['"', '\\'], ""));
        out.push_str(";base64,");
        out.push_str(pieces(Some(self.data)));
        out.push_str("\"}");
        Piece::Image(out)
    }
}
