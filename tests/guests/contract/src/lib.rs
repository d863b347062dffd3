//! A guest that uses every feature of the contract. The model of a call names the feature.

use bindings::{
    Body, Context, Failure, Fetch, Part, PartData, Resumption, Step, answer, auth, chunk, failure, get, host_crypto,
    jobs, last_chunk, meta, models, post, send, setting, streaming, text, transform,
};
use serde_json::{Value, json};

struct Contract;
bindings::export!(Contract with_types_in bindings);

impl meta::Guest for Contract {
    fn describe() -> String {
        json!({
            "name": "contract",
            "version": "1.0.0",
            "operations": ["chat.completions"],
            "auth": {"kind": "custom"},
            "permissions": {"secrets": ["client_secret", "signing_key"], "crypto": ["hs256"]},
            "forward-headers": ["X-Tenant"],
            "expose-headers": {"x-their-id": "x-our-id"},
        })
        .to_string()
    }
}

impl transform::Guest for Contract {
    fn transform_request(ctx: Context, body: String) -> Result<Step, Failure> {
        let url = |path: &str| format!("{}{path}", ctx.base_url);
        let secret = setting(&ctx, "client_secret");
        Ok(match ctx.model.as_str() {
            "context" => {
                let mut request = post(
                    &url("/chat"),
                    &json!({"ext": ctx.ext, "config": setting(&ctx, "region")}).to_string(),
                );
                request.idempotent = true;
                send(request, "")
            }
            "secrets" => {
                let mut request = post(
                    &url(&format!("/{secret}?q={secret}")),
                    &json!({"key": secret, "foreign": "wgs_00000000000000000000000000000000"}).to_string(),
                );
                request.headers.push(("x-key".into(), format!("Key {secret}")));
                send(request, "")
            }
            "form" => {
                let mut request = post(&url("/form"), &format!("grant=x&secret={secret}"));
                request.headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
                send(request, "")
            }
            "sign" => {
                let signature =
                    host_crypto::sign("hs256", "signing_key", b"data").map_err(|e| failure("config", &e))?;
                let refused = host_crypto::sign("rs256", "signing_key", b"data").unwrap_err();
                let unknown = host_crypto::sign("hs256", "api_key_of_another", b"data").unwrap_err();
                let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
                send(
                    post(
                        &url("/sign"),
                        &json!({"signature": hex, "errors": [refused, unknown]}).to_string(),
                    ),
                    "",
                )
            }
            "multipart" => {
                let body: Value = serde_json::from_str(&body).expect("JSON");
                let upload = body["file"]["upload"].as_str().unwrap_or_default().to_owned();
                let part = |name: &str, data| Part {
                    name: name.into(),
                    filename: None,
                    content_type: None,
                    data,
                };
                let mut request = post(&url("/form"), "");
                request.headers.clear();
                request.body = Body::Multipart(vec![
                    part("model", PartData::Text("whisper".into())),
                    part("key", PartData::Text(secret)),
                    part("raw", PartData::Bytes(vec![0, 255])),
                    part("file", PartData::Upload(upload)),
                ]);
                send(request, "")
            }
            "upload" => {
                let body: Value = serde_json::from_str(&body).expect("JSON");
                let mut request = post(&url("/raw"), "");
                request.headers.clear();
                request.body = Body::Upload(body["file"]["upload"].as_str().unwrap_or_default().into());
                send(request, "")
            }
            "base64" => {
                let body: Value = serde_json::from_str(&body).expect("JSON");
                send(
                    post(&url("/json"), &json!({"data": body["file"]["base64"]}).to_string()),
                    "",
                )
            }
            "gzip" => {
                let mut request = post(&url("/gzip"), &"a".repeat(1000));
                request.ext = vec![("compress".into(), "gzip".into())];
                send(request, "")
            }
            "no-credentials" => {
                let mut request = post(&url("/open"), "{}");
                request.ext = vec![("credentials".into(), "omit".into())];
                send(request, "")
            }
            "relay" => {
                let mut request = get(&url("/file"));
                request.framing = "relay".into();
                send(request, "")
            }
            "sse" | "sse-follow-up" => {
                let mut request = post(&url("/stream"), "{}");
                request.framing = "sse".into();
                send(request, "stream")
            }
            "job" | "job-stream" | "job-emit" => send(post(&url("/jobs"), "{}"), "create"),
            "retry" => {
                let mut request = post(&url("/chat"), "{}");
                request.idempotent = true;
                send(request, "")
            }
            "no-retry" => send(post(&url("/chat"), "{}"), ""),
            _ => answer("without a request"),
        })
    }

    fn transform_response(ctx: Context, reply: Resumption) -> Result<Step, Failure> {
        let body = text(&reply.response.body);
        let url = |path: &str| format!("{}{path}", ctx.base_url);
        if reply.state == "cancel" {
            return Ok(Step::End(vec![last_chunk(9)]));
        }
        if reply.state == "usage" {
            return Ok(Step::End(vec![last_chunk(7)]));
        }
        if reply.response.status >= 400 {
            let mut failure = failure(
                if reply.response.status == 401 {
                    "authentication"
                } else {
                    "upstream"
                },
                &body,
            );
            failure.status = reply.response.status;
            return Err(failure);
        }
        Ok(match (ctx.model.as_str(), reply.state.as_str()) {
            ("job" | "job-emit" | "job-stream", "create") => poll(&url("/jobs/1"), vec![]),
            ("job-stream", "poll") => {
                let mut request = get(&url("/jobs/1/stream"));
                request.framing = "sse".into();
                send(request, "stream")
            }
            ("job" | "job-emit", "poll") if body == "done" => {
                if ctx.model == "job" {
                    answer("the job's answer")
                } else {
                    Step::End(vec![last_chunk(3)])
                }
            }
            ("job", "poll") => poll(&url("/jobs/1"), vec![]),
            ("job-emit", "poll") => poll(&url("/jobs/1"), vec![chunk(&body)]),
            ("retry", _) if body == "busy" => return Err(failure("overloaded", "busy")),
            _ => answer(&body),
        })
    }
}

fn poll(url: &str, emit: Vec<String>) -> Step {
    Step::Fetch(Fetch {
        emit,
        delay_ms: 1,
        request: get(url),
        state: "poll".into(),
    })
}

struct Decoder {
    follow_up: Option<String>,
}

impl streaming::Guest for Contract {
    type Decoder = Decoder;
    fn open(ctx: Context, _: String, _: u16, _: Vec<(String, String)>) -> Result<streaming::Decoder, Failure> {
        let follow_up = matches!(ctx.model.as_str(), "sse-follow-up" | "job-stream");
        Ok(streaming::Decoder::new(Decoder {
            follow_up: follow_up.then_some(ctx.base_url),
        }))
    }
}

impl streaming::GuestDecoder for Decoder {
    fn push(&self, frames: Vec<streaming::Frame>) -> Result<streaming::Output, Failure> {
        let mut output = streaming::Output {
            emit: vec![],
            ended: false,
        };
        for frame in frames {
            match text(&frame.data).as_str() {
                "end" => output.ended = true,
                "fail" => return Err(failure("upstream", "the provider gave up")),
                words => output.emit.push(chunk(words)),
            }
        }
        Ok(output)
    }

    fn finish(&self, reason: String) -> Result<Step, Failure> {
        match (&self.follow_up, reason.as_str()) {
            (_, "eof") => Err(failure("upstream", "the stream broke")),
            (None, _) => Ok(Step::End(vec![last_chunk(5)])),
            (Some(base), reason) => Ok(send(post(&format!("{base}/{reason}"), ""), "usage")),
        }
    }
}

impl auth::Guest for Contract {
    fn authenticate(ctx: Context, reply: Option<Resumption>) -> Result<Step, Failure> {
        let Some(reply) = reply else {
            let secret = setting(&ctx, "client_secret");
            let mut request = post(
                &format!("{}/token", ctx.base_url),
                &format!("grant_type=x&secret={secret}"),
            );
            request.headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
            request.ext = vec![("credentials".into(), "omit".into())];
            return Ok(send(request, "token"));
        };
        let token = text(&reply.response.body);
        if reply.response.status >= 400 {
            return Err(failure("authentication", &token));
        }
        Ok(Step::Done(
            json!({"headers": {"authorization": format!("Bearer {token}")}, "vars": {"project": "p1"}, "ttl_ms": 3600000}).to_string(),
        ))
    }
}

impl models::Guest for Contract {
    fn get_models(ctx: Context, reply: Option<Resumption>) -> Result<Step, Failure> {
        let page = |n: &str, seen: &str| send(get(&format!("{}/models?page={n}", ctx.base_url)), seen);
        let Some(reply) = reply else {
            return Ok(page("1", ""));
        };
        let name = text(&reply.response.body);
        if reply.state.is_empty() {
            return Ok(page("2", &name));
        }
        Ok(Step::Done(
            json!({"object": "list", "data": [{"id": reply.state}, {"id": name}]}).to_string(),
        ))
    }
}

impl jobs::Guest for Contract {
    fn cancel(ctx: Context, state: String) -> Result<Step, Failure> {
        Ok(send(post(&format!("{}/jobs/1/cancel", ctx.base_url), &state), "cancel"))
    }
}
