//! The smallest adapter: only what is required, for a provider that takes and gives OpenAI's shape. Also what the benchmarks call.

mod contract {
    wit_bindgen::generate!({ path: "../../../wit", world: "adapter-unary" });
}

use contract::exports::witgate::adapter::{meta, transform};
use contract::witgate::adapter::types::{Body, Context, Failure, Fetch, HttpRequest, Payload, Resumption, Step};

struct Plain;
contract::export!(Plain with_types_in contract);

impl meta::Guest for Plain {
    fn describe() -> String {
        r#"{"name": "plain", "version": "1.0.0", "operations": ["chat.completions", "embeddings"]}"#.into()
    }
}

impl transform::Guest for Plain {
    fn transform_request(ctx: Context, body: String) -> Result<Step, Failure> {
        let request = HttpRequest {
            method: "POST".into(),
            url: format!("{}/chat/completions", ctx.base_url),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Body::Text(body),
            framing: "buffered".into(),
            timeout_ms: None,
            idempotent: false,
            ext: vec![],
        };
        Ok(Step::Fetch(Fetch {
            emit: vec![],
            delay_ms: 0,
            request,
            state: String::new(),
        }))
    }

    fn transform_response(_: Context, reply: Resumption) -> Result<Step, Failure> {
        let body = match reply.response.body {
            Payload::Text(text) => text,
            Payload::Bytes(_) => String::new(),
        };
        if reply.response.status < 400 {
            return Ok(Step::Done(body));
        }
        Err(Failure {
            kind: if reply.response.status == 429 {
                "rate-limit"
            } else {
                "upstream"
            }
            .into(),
            status: reply.response.status,
            message: "the provider refused".into(),
            code: None,
            param: None,
            retry_after_ms: None,
            upstream: Some(body),
            ext: vec![],
        })
    }
}
