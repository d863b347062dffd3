//! What is asked: one chat request of about a kilobyte, as OpenAI's clients write it.

use serde_json::{Value, json};

/// A mark in every answer of the mock, also in the first event of a stream: an answer without it is none.
pub(crate) const MARK: &str = "BENCHMARK";

const INSTRUCTIONS: &str = "You help the members of a mountaineering club to plan tours. Answer in plain English, name the map sheet \
    you rely on, and say so when the route notes do not cover the question. Never make up a hut, never promise good weather, and \
    stay below two hundred words.";

const QUESTION: &str = "Route notes: the north path leaves the valley station at 1,180 m and reaches the old customs hut after three \
    hours; the last forty minutes are secured with cables and are closed after rain. The south path is two hours longer, has water \
    at two places and no exposed parts. The hut opens on 20 June and takes bookings for groups of up to eight. Question: we are \
    five, one of us is not free from giddiness, and we can start on 24 June at nine in the morning. It rained until last night. \
    Which path should we take, when will we be at the hut, and what must we do before we leave?";

/// The request's JSON for a model, streamed (with usage asked for) or not.
pub(crate) fn body(model: &str, stream: bool) -> Vec<u8> {
    let mut body = json!({
        "model": model,
        "messages": [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": QUESTION}],
        "temperature": 0.2,
        "max_tokens": 256,
    });
    if stream {
        body["stream"] = Value::Bool(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_size_that_the_tables_name() {
        let size = body("gpt-4o-mini", false).len();
        assert!((900..1200).contains(&size), "{size} bytes are not about a kilobyte");
    }
}
