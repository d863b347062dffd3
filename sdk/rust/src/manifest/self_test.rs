//! Tests that travel in the manifest: the host plays them before a new version goes into service.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::json::Raw;

/// One exchange: a client's request, the provider's replies, and what must come of it.
///
/// ```
/// use witgate_sdk::SelfTest;
/// let test = SelfTest::new("hello", "chat.completions", r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#)
///     .reply(200, r#"{"text":"Hello"}"#)
///     .expect_answer(r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}"#);
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct SelfTest {
    name: String,
    operation: String,
    body: Raw<'static>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Raw<'static>>,
    replies: Vec<Reply>,
    expect: BTreeMap<&'static str, Raw<'static>>,
}

#[derive(Clone, Debug, Serialize)]
struct Reply {
    status: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    body: String,
}

impl SelfTest {
    /// A client's request, as JSON text.
    ///
    /// # Panics
    /// If `body` is not JSON.
    #[must_use]
    pub fn new(name: &str, operation: &str, body: &str) -> Self {
        Self {
            name: name.to_owned(),
            operation: operation.to_owned(),
            body: json(body),
            config: None,
            replies: Vec::new(),
            expect: BTreeMap::new(),
        }
    }

    /// The provider's settings, as JSON text.
    ///
    /// # Panics
    /// If `config` is not JSON.
    #[must_use]
    pub fn config(mut self, config: &str) -> Self {
        self.config = Some(json(config));
        self
    }

    /// The provider's next reply.
    #[must_use]
    pub fn reply(mut self, status: u16, body: &str) -> Self {
        self.replies.push(Reply {
            status,
            headers: BTreeMap::new(),
            body: body.to_owned(),
        });
        self
    }

    /// A header of the last reply.
    #[must_use]
    pub fn reply_header(mut self, name: &str, value: &str) -> Self {
        if let Some(reply) = self.replies.last_mut() {
            reply.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        self
    }

    /// The answer must be this JSON.
    ///
    /// # Panics
    /// If `answer` is not JSON.
    #[must_use]
    pub fn expect_answer(mut self, answer: &str) -> Self {
        self.expect.insert("answer", json(answer));
        self
    }

    /// The chunks must be this list, as JSON text.
    ///
    /// # Panics
    /// If `chunks` is not JSON.
    #[must_use]
    pub fn expect_chunks(mut self, chunks: &str) -> Self {
        self.expect.insert("chunks", json(chunks));
        self
    }

    /// It must fail, with these fields of a failure, as a JSON object.
    ///
    /// # Panics
    /// If `failure` is not JSON.
    #[must_use]
    pub fn expect_failure(mut self, failure: &str) -> Self {
        self.expect.insert("failure", json(failure));
        self
    }
}

fn json(text: &str) -> Raw<'static> {
    Raw::parse_text(text)
        .expect("a self-test is made of JSON")
        .into_static()
}
