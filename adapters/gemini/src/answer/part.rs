//! One part of an answer: what it is to the client.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::Context;

use super::Choice;
use super::arguments::{Arguments, continues};
use crate::json::{Object, pieces, push_comma, push_field, push_string};

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

/// A call of a function, or a piece of one: it begins with its name and goes on without.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    #[serde(borrow)]
    partial_args: Option<Vec<Object<'a>>>,
    will_continue: Option<bool>,
}

/// A call that has begun and is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Begun {
    id: Option<String>,
    name: String,
    /// a JSON string
    signature: Option<String>,
    arguments: Arguments,
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
    /// Reads the next part and remembers what must come back. `ctx` makes ids for calls that have none. Two pieces, since a call may
    /// end where the next one begins.
    pub(crate) fn read<'a>(&mut self, raw: &'a RawValue, ctx: &Context) -> [Piece<'a>; 2] {
        let raw = raw.get();
        let Ok(part) = serde_json::from_str::<Part<'_>>(raw) else {
            self.kept.add_other(raw);
            return [Piece::Nothing, Piece::Nothing];
        };
        let signature = part.thought_signature.map(RawValue::get);
        match &part.function_call {
            Some(call) => self.read_call(raw, call, signature, ctx),
            None => [Piece::Nothing, self.read_plain(raw, &part, signature)],
        }
    }

    fn read_plain<'a>(&mut self, raw: &str, part: &Part<'a>, signature: Option<&str>) -> Piece<'a> {
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

    fn read_call(&mut self, raw: &str, call: &Call<'_>, signature: Option<&str>, ctx: &Context) -> [Piece<'static>; 2] {
        let named = !call.name.is_empty();
        let ended = if named { self.end_call(ctx) } else { Piece::Nothing };
        let piece = call.partial_args.is_some() || call.will_continue == Some(true);
        if !piece && (named || self.begun.is_none() && call.args.is_some()) {
            let args = call.args.map_or("{}", RawValue::get);
            return [
                ended,
                self.add_call(raw, call.id.as_deref(), &call.name, args, signature, ctx),
            ];
        }
        if named {
            self.begun = Some(Begun::default());
        }
        // Without a call that has begun this is nothing: the end of one that was whole.
        if let Some(begun) = &mut self.begun {
            begun.add(call, signature);
        }
        let whole = if call.continues() {
            Piece::Nothing
        } else {
            self.end_call(ctx)
        };
        [ended, whole]
    }

    /// The call that has begun, if one has: no more comes of it.
    pub(crate) fn end_call(&mut self, ctx: &Context) -> Piece<'static> {
        let Some(begun) = self.begun.take() else {
            return Piece::Nothing;
        };
        let args = begun.arguments.to_json();
        let (id, signature) = (begun.id.as_deref(), begun.signature.as_deref());
        let raw = begun.part(&args);
        self.add_call(&raw, id, &begun.name, &args, signature, ctx)
    }

    fn add_call(
        &mut self,
        raw: &str,
        id: Option<&str>,
        name: &str,
        args: &str,
        signature: Option<&str>,
        ctx: &Context,
    ) -> Piece<'static> {
        self.kept.add_call(raw);
        self.calls += 1;
        let mut out = String::with_capacity(128 + args.len() * 9 / 8);
        out.push_str("\"id\":");
        match id.filter(|id| !id.is_empty()) {
            Some(id) => push_string(&mut out, id),
            None => push_string(&mut out, &own_id(ctx)),
        }
        out.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        push_string(&mut out, name);
        out.push_str(",\"arguments\":");
        push_string(&mut out, args);
        out.push('}');
        if let Some(signature) = signature {
            let extra = ["{\"google\":{\"thought_signature\":", signature, "}}"].concat();
            push_field(&mut out, "extra_content", &extra);
        }
        Piece::Call(self.calls - 1, out)
    }
}

impl Call<'_> {
    /// More is to come of it.
    fn continues(&self) -> bool {
        self.will_continue == Some(true) || self.partial_args.iter().flatten().any(continues)
    }
}

impl Begun {
    /// Takes in the next piece, the first one too.
    fn add(&mut self, call: &Call<'_>, signature: Option<&str>) {
        if !call.name.is_empty() {
            self.name = call.name.to_string();
        }
        self.id = self.id.take().or_else(|| call.id.as_deref().map(str::to_owned));
        self.signature = self.signature.take().or_else(|| signature.map(str::to_owned));
        if let Some(args) = call.args {
            self.arguments.add_whole(args.get());
        }
        for piece in call.partial_args.iter().flatten() {
            self.arguments.add(piece);
        }
    }

    /// The part it would have been had it come whole: so the next request brings it back.
    fn part(&self, args: &str) -> String {
        let mut part = String::from("{\"functionCall\":{");
        for (key, text) in [("id", self.id.as_deref()), ("name", Some(&*self.name))] {
            if let Some(text) = text {
                push_comma(&mut part);
                push_string(&mut part, key);
                part.push(':');
                push_string(&mut part, text);
            }
        }
        push_field(&mut part, "args", args);
        part.push('}');
        if let Some(signature) = &self.signature {
            push_field(&mut part, "thoughtSignature", signature);
        }
        part.push('}');
        part
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
