//! What a provider wants to get back unchanged: signatures of thoughts, encrypted reasoning, its own blocks. Chat Completions carries
//! it in further fields of messages and calls. A Responses client keeps one such field, a reasoning item's `encrypted_content`, and so
//! the fields travel there, as the very JSON text they came in.
//!
//! What is sealed is `{"reasoning": KEY, "message": {…}, "calls": {ID: {…}}}`: the field that the item's summary was, the further
//! fields of the message, and those of its calls. A client can read and change it, and gains nothing: over Chat Completions it could
//! send the same.

use crate::dialect::{
    fields::Fields,
    json::{push_comma, push_member, quoted},
    object::Object,
    state,
};

/// Fields that no state may set: the message says them itself.
const TAKEN: [&str; 7] = [
    "role",
    "content",
    "refusal",
    "tool_calls",
    "function_call",
    "tool_call_id",
    "name",
];

/// The state of one answer, or of a part of it.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The field that the text of the thoughts was: "reasoning_content" or "reasoning".
    pub(super) reasoning: Option<String>,
    message: Fields,
    calls: Vec<(String, Fields)>,
}

impl State {
    /// True if there is nothing to carry.
    pub(super) fn is_empty(&self) -> bool {
        self.reasoning.is_none() && self.message.is_empty() && self.calls.is_empty()
    }

    /// Keeps a field of the message, or a further piece of it.
    pub(super) fn keep(&mut self, key: &str, value: &str) {
        self.message.keep(key, value);
    }

    /// Keeps a field of the call `id`.
    pub(super) fn keep_of_call(&mut self, id: &str, key: &str, value: &str) {
        match self.calls.iter_mut().find(|(known, _)| known == id) {
            Some((_, fields)) => fields.keep(key, value),
            None => {
                let mut fields = Fields::default();
                fields.keep(key, value);
                self.calls.push((id.to_owned(), fields));
            }
        }
    }

    /// As `encrypted_content`, for `provider` alone.
    pub(super) fn seal(&self, provider: &str) -> String {
        let mut json = String::from("{");
        if let Some(key) = &self.reasoning {
            push_member(&mut json, "reasoning", &quoted(key));
        }
        if !self.message.is_empty() {
            push_member(&mut json, "message", &self.message.to_json());
        }
        if !self.calls.is_empty() {
            let mut calls = String::from("{");
            for (id, fields) in &self.calls {
                push_comma(&mut calls);
                calls.push_str(&quoted(id));
                calls.push(':');
                calls.push_str(&fields.to_json());
            }
            calls.push('}');
            push_member(&mut json, "calls", &calls);
        }
        json.push('}');
        state::seal(provider, &json)
    }

    /// Reads what was sealed for `provider`, and adds it. False if it was not.
    pub(super) fn open(&mut self, provider: &str, sealed: &str) -> bool {
        let text = state::unseal(provider, sealed);
        let Some(content) = text.as_deref().and_then(Object::parse) else {
            return false;
        };
        self.reasoning = content.text("reasoning").map(Into::into).or(self.reasoning.take());
        for (key, value) in object(content.get("message")).iter() {
            self.message.add(key, value);
        }
        for (id, fields) in object(content.get("calls")).iter() {
            for (key, value) in object(Some(fields)).iter() {
                self.keep_of_call(id, key, value);
            }
        }
        true
    }

    /// Writes the message's fields.
    pub(super) fn push_message(&self, out: &mut String) {
        let reasoning = self.reasoning.as_deref();
        self.message
            .push(out, |key| !TAKEN.contains(&key) && Some(key) != reasoning);
    }

    /// Writes the fields of the call `id`.
    pub(super) fn push_call(&self, out: &mut String, id: &str) {
        if let Some((_, fields)) = self.calls.iter().find(|(known, _)| known == id) {
            fields.push(out, |key| {
                !matches!(key, "id" | "type" | "function" | "custom" | "index")
            });
        }
    }
}

fn object(text: Option<&str>) -> Object<'_> {
    text.and_then(Object::parse).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::State;

    fn through(state: &State) -> State {
        let mut back = State::default();
        assert!(back.open("p", &state.seal("p")));
        back
    }

    fn message(state: &State) -> String {
        let mut out = String::from("{");
        state.push_message(&mut out);
        out + "}"
    }

    #[test]
    fn a_signature_comes_back_byte_for_byte() {
        let blocks = r#"[ {"type":"thinking","thinking":"a\u00e9\/b","signature":"Er\/UB+==","n":1.0e2} ]"#;
        let mut state = State::default();
        state.keep("thinking_blocks", blocks);
        assert_eq!(message(&through(&state)), format!(r#"{{"thinking_blocks":{blocks}}}"#));
    }

    #[test]
    fn blocks_that_came_one_by_one_are_one_list_of_the_very_blocks() {
        let mut state = State::default();
        state.keep("thinking_blocks", r#"[{"index":0,"signature":"a","x":1e0}]"#);
        state.keep("thinking_blocks", r#"[{"index":1,"signature":"b"}]"#);
        let expected = r#"{"thinking_blocks":[{"index":0,"signature":"a","x":1e0},{"index":1,"signature":"b"}]}"#;
        assert_eq!(message(&through(&state)), expected);
    }

    #[test]
    fn pieces_of_one_thought_are_put_together() {
        let mut state = State::default();
        for text in ["He", "llo"] {
            let piece = format!(r#"[{{"index":0,"text":"{text}","type":"reasoning.text"}}]"#);
            state.keep("reasoning_details", &piece);
        }
        let expected = r#"{"reasoning_details":[{"index":0,"text":"Hello","type":"reasoning.text"}]}"#;
        assert_eq!(message(&through(&state)), expected);
    }

    #[test]
    fn two_items_of_one_answer_add_up_and_their_numbers_do_not_mix_them() {
        let seal = |blocks: &str| {
            let mut state = State::default();
            state.keep("thinking_blocks", blocks);
            state.seal("p")
        };
        let mut back = State::default();
        assert!(back.open("p", &seal(r#"[{"index":0,"signature":"a"}]"#)));
        assert!(back.open("p", &seal(r#"[{"index":0,"signature":"b"}]"#)));
        let expected = r#"{"thinking_blocks":[{"index":0,"signature":"a"},{"index":0,"signature":"b"}]}"#;
        assert_eq!(message(&back), expected);
    }

    #[test]
    fn a_calls_signature_comes_back_on_that_call() {
        let extra = r#"{"google":{"thought_signature":"CiQB0e2Kb\/=="}}"#;
        let mut state = State::default();
        state.keep_of_call("call_1", "extra_content", extra);
        let back = through(&state);
        let of = |id: &str| {
            let mut out = String::from("{");
            back.push_call(&mut out, id);
            out + "}"
        };
        assert_eq!(of("call_1"), format!(r#"{{"extra_content":{extra}}}"#));
        assert_eq!(of("call_2"), "{}");
    }

    #[test]
    fn what_the_message_says_itself_cannot_be_set() {
        let mut state = State::default();
        state.keep("role", "\"system\"");
        state.keep("tool_calls", "[]");
        assert_eq!(message(&through(&state)), "{}");
    }

    #[test]
    fn another_ones_encrypted_content_is_not_read() {
        let mut state = State::default();
        let other = through(&State::default()).seal("other");
        for foreign in ["gAAAAABq", "witgate.!", "", &other] {
            assert!(!state.open("p", foreign), "{foreign}");
        }
        assert!(state.is_empty());
    }
}
