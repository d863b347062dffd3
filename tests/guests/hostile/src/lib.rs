//! A guest that breaks every rule there is. The model of a call names the rule.

use bindings::{
    Context, Failure, Fetch, Resumption, Step, answer, chunk, failure, get, host_log, jobs, meta, post, send, setting,
    streaming, transform,
};

use std::sync::atomic::{AtomicU32, Ordering};

struct Hostile;
bindings::export!(Hostile with_types_in bindings);

impl meta::Guest for Hostile {
    fn describe() -> String {
        serde_json::json!({
            "name": "hostile",
            "version": "1.0.0",
            "operations": ["chat.completions"],
            "limits": {"n": 2},
            // What it asks for is not what it gets.
            "permissions": {"hosts": ["169.254.169.254", "10.0.0.1", "metadata.google.internal", "allowed.example.org"]},
        })
        .to_string()
    }
}

impl transform::Guest for Hostile {
    fn transform_request(ctx: Context, body: String) -> Result<Step, Failure> {
        let token = setting(&ctx, "api_key");
        let base = &ctx.base_url;
        Ok(match ctx.model.as_str() {
            "trap" => panic!("on purpose"),
            "loop" => spin(),
            "memory" => hoard(),
            "recursion" => answer(&dig(1).to_string()),
            "no-json" => Step::Done("{\"choices\": [".into()),
            "no-answer" => Step::Done("[]".into()),
            "chunk-no-json" => Step::End(vec!["data: no".into()]),
            // Made in one piece: more than may be returned, and less than the memory there is.
            "giant" => Step::Done([r#"{"choices":[],"x":""#, &"x".repeat(17 << 20), r#""}"#].concat()),
            "header-break" => with_header(base, "x-a", "b\r\nx-evil: c"),
            "header-name" => with_header(base, "x a", "b"),
            "no-url" => send(get("://"), ""),
            "relative-url" => send(get("/v1/chat"), ""),
            "url-with-user" => send(get("https://user:pass@allowed.example.org/"), ""),
            "method" => {
                let mut request = get(base);
                request.method = "GET / HTTP/1.1\r\nx: y\r\n\r\n".into();
                send(request, "")
            }
            "framing" => {
                let mut request = get(base);
                request.framing = "telepathy".into();
                send(request, "")
            }
            "foreign-host" => send(get("https://elsewhere.example.org/"), ""),
            "foreign-port" => send(get("http://127.0.0.1:1/"), ""),
            "secret-to-foreign-host" => {
                let mut request = post("https://elsewhere.example.org/", &token);
                request.headers.push(("authorization".into(), token.clone()));
                send(request, "")
            }
            "plain-http" => send(get("http://allowed.example.org/"), ""),
            "metadata" => send(get("http://169.254.169.254/latest/meta-data/"), ""),
            "metadata-name" => send(get("http://metadata.google.internal/"), ""),
            "private" => send(get("https://10.0.0.1/"), ""),
            "secret-in-error" => return Err(failure("invalid-request", &format!("the key is {token}"))),
            "huge-code" => return Err(worded(&"x".repeat(1 << 20))),
            "new-code-each-time" => return Err(worded(&format!("code-{}", ctx.now_unix_ms))),
            // Not all of it is done by tomorrow.
            "sleep-forever" => Step::Fetch(Fetch {
                emit: vec![],
                delay_ms: u32::MAX,
                request: get(base),
                state: String::new(),
            }),
            "send-body" => send(post(base, &body), ""),
            "busy-forever" => {
                let mut request = get(base);
                request.idempotent = true;
                send(request, "")
            }
            "log-flood" => {
                for _ in 0..64 {
                    host_log::log("info", &"x".repeat(16 << 10), &[]);
                }
                answer("still here")
            }
            "upload" => {
                let mut request = post(base, "");
                request.body = bindings::Body::Upload("0".into());
                send(request, "")
            }
            "emit-then-done" => Step::Fetch(Fetch {
                emit: vec![chunk("first")],
                delay_ms: 0,
                request: get(base),
                state: String::new(),
            }),
            // What another call has left behind.
            "count" => {
                let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
                answer(&format!("call {calls}, {} decoders", DECODERS.load(Ordering::Relaxed)))
            }
            "push-loop" | "push-trap" | "push-no-json" | "push-fine" | "finish-trap" => {
                let mut request = get(base);
                request.framing = "sse".into();
                send(request, "a job")
            }
            "poll-forever" | "answer-on-500" | "trap-in-response" => send(get(base), "a job"),
            _ => answer("well behaved"),
        })
    }

    fn transform_response(ctx: Context, _: Resumption) -> Result<Step, Failure> {
        Ok(match ctx.model.as_str() {
            "poll-forever" => send(get(&ctx.base_url), "again"),
            "trap-in-response" => panic!("on purpose"),
            "busy-forever" => {
                let mut busy = failure("overloaded", "busy");
                busy.retry_after_ms = Some(u32::MAX);
                return Err(busy);
            }
            _ => answer("as if nothing had happened"),
        })
    }
}

/// A failure with `word` wherever a word may be.
fn worded(word: &str) -> Failure {
    let mut failure = failure("upstream", "no");
    failure.code = Some(word.into());
    failure.param = Some(word.into());
    failure.ext = vec![("type".into(), word.into())];
    failure
}

fn with_header(url: &str, name: &str, value: &str) -> Step {
    let mut request = get(url);
    request.headers.push((name.into(), value.into()));
    send(request, "")
}

fn spin() -> ! {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

fn hoard() -> ! {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

fn dig(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 64]);
    if std::hint::black_box(depth) == 0 {
        0
    } else {
        dig(depth + 1) + here[7]
    }
}

struct Decoder(String);

static CALLS: AtomicU32 = AtomicU32::new(0);
static DECODERS: AtomicU32 = AtomicU32::new(0);

impl Drop for Decoder {
    fn drop(&mut self) {
        DECODERS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl streaming::Guest for Hostile {
    type Decoder = Decoder;
    fn open(ctx: Context, _: String, _: u16, _: Vec<(String, String)>) -> Result<streaming::Decoder, Failure> {
        DECODERS.fetch_add(1, Ordering::Relaxed);
        Ok(streaming::Decoder::new(Decoder(ctx.model)))
    }
}

impl streaming::GuestDecoder for Decoder {
    fn push(&self, _: Vec<streaming::Frame>) -> Result<streaming::Output, Failure> {
        let emit = match self.0.as_str() {
            "push-loop" => spin(),
            "push-trap" => panic!("on purpose"),
            "push-no-json" => vec!["nothing".into()],
            _ => vec![chunk("fine")],
        };
        Ok(streaming::Output { emit, ended: false })
    }

    fn finish(&self, _: String) -> Result<Step, Failure> {
        match self.0.as_str() {
            "push-fine" => Ok(Step::End(vec![])),
            _ => panic!("on purpose"),
        }
    }
}

impl jobs::Guest for Hostile {
    fn cancel(ctx: Context, state: String) -> Result<Step, Failure> {
        Ok(send(post(&format!("{}/cancel", ctx.base_url), &state), "cancel"))
    }
}

// The world has these; here they only refuse.
impl bindings::auth::Guest for Hostile {
    fn authenticate(_: Context, _: Option<Resumption>) -> Result<Step, Failure> {
        Err(failure("unsupported", "none"))
    }
}
impl bindings::models::Guest for Hostile {
    fn get_models(_: Context, _: Option<Resumption>) -> Result<Step, Failure> {
        Ok(Step::Done("{\"data\": [{\"name\": \"no id\"}]}".into()))
    }
}
