//! An adapter's own tests, from its manifest, played before it goes into service: on the way a real call takes, but the provider's
//! replies are those of the test.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::BytesMut;
use futures_util::StreamExt as _;
use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;
use url::Url;

use crate::{
    adapter::{
        self, Adapter, Runtime, Site,
        manifest::{CannedReply, SelfTest},
    },
    call::{Call, Operation},
    chunk::{Chunks, Stamp},
    config::DropParams,
    error::{Error, Kind},
    record::Record,
    reply::Body,
    secret::Secret,
    telemetry::Telemetry,
    transport::{
        Upstream,
        canned::{Canned, Reply},
        egress, http,
    },
};

/// How long all tests of one adapter may take: they hold up its coming into service.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where the provider would be. The name is reserved for names that do not exist (RFC 6761).
const BASE: &str = "https://provider.invalid/v1";
/// How deep a test's body may nest.
const DEPTH: usize = 120;

/// A test that did not come out as it says.
#[derive(Debug, thiserror::Error)]
#[error("its own test `{name}` fails: {reason}")]
pub struct Failed {
    name: String,
    reason: String,
    /// It could not be played: every instance is in use.
    pub busy: bool,
}

/// What came of a call.
enum Came {
    Answer(Value),
    Chunks(Vec<Value>),
    Failure(Box<Error>),
}

/// Plays all tests of an adapter; the first that fails decides.
pub async fn play_all(runtime: &Runtime, adapter: &Arc<Adapter>) -> Result<(), Failed> {
    // The calls of tests are nobody's: neither counted nor logged.
    let silence = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
    let played = tokio::time::timeout(PATIENCE, async {
        for test in &adapter.manifest.tests {
            let failed = |trouble| Failed {
                name: test.name.clone(),
                busy: matches!(trouble, Trouble::Busy),
                reason: match trouble {
                    Trouble::Busy => "every adapter instance is in use".to_owned(),
                    Trouble::Wrong(reason) => reason,
                },
            };
            play(runtime, adapter, test).await.map_err(failed)?;
        }
        Ok(())
    });
    let result = played.await.unwrap_or_else(|_| {
        Err(Failed {
            name: "all together".to_owned(),
            reason: format!("they take longer than {PATIENCE:?}"),
            busy: false,
        })
    });
    drop(silence);
    result
}

/// Why a test was not passed.
enum Trouble {
    Busy,
    Wrong(String),
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self::Wrong(reason)
    }
}

async fn play(runtime: &Runtime, adapter: &Arc<Adapter>, test: &SelfTest) -> Result<(), Trouble> {
    let operation = operation(&test.operation)?;
    let call = Call::parse(
        operation,
        "selftest".to_owned(),
        HeaderMap::new(),
        test.body.to_string().into(),
        DEPTH,
    )
    .map_err(|error| format!("its body is no request: {error}"))?;
    let upstream = upstream(&test.replies)?;
    let site = Site::new(
        Arc::new(upstream),
        Arc::clone(adapter),
        test.config.clone(),
        &BTreeMap::new(),
        DropParams::default(),
    );
    let record = Record::open(Arc::new(Telemetry::default()), call.id.clone(), operation.as_str());
    let came = match adapter::call(runtime, &site, &call, &call.model, 1, &record).await {
        Ok(reply) => receive(reply.body).await?,
        Err(Error::Busy(_)) => return Err(Trouble::Busy),
        Err(error) => Came::Failure(Box::new(error)),
    };
    Ok(judge(test, &call, &came)?)
}

fn operation(word: &str) -> Result<Operation, String> {
    let known = [Operation::Chat, Operation::Completions, Operation::Embeddings];
    let found = known.into_iter().find(|operation| operation.as_str() == word);
    found.ok_or_else(|| format!("`{word}` is not an operation this gateway calls"))
}

fn upstream(replies: &[CannedReply]) -> Result<Upstream, String> {
    let base = Url::parse(BASE).map_err(|error| error.to_string())?;
    let replies: Result<Vec<_>, _> = replies.iter().map(reply).collect();
    Ok(Upstream {
        id: "selftest".to_owned(),
        egress: egress::Policy::new(&base).map_err(|error| error.to_string())?,
        base,
        key: Some(Secret::new("selftest")),
        auth: None,
        headers: HeaderMap::new(),
        defaults: Vec::new(),
        timeout: PATIENCE,
        idle_timeout: PATIENCE,
        // A test says what each request is answered with.
        retries: 0,
        client: http::Client::canned(Canned::new(replies?)),
    })
}

fn reply(canned: &CannedReply) -> Result<Reply, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &canned.headers {
        let bad = || format!("`{name}` is no header");
        let name = HeaderName::try_from(name).map_err(|_| bad())?;
        headers.append(name, HeaderValue::try_from(value).map_err(|_| bad())?);
    }
    let body = match &canned.body {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        json => json.to_string(),
    };
    Ok(Reply {
        status: canned.status,
        headers,
        body: body.into(),
    })
}

async fn receive(body: Body) -> Result<Came, String> {
    match body {
        Body::Whole(bytes) => serde_json::from_slice(&bytes)
            .map(Came::Answer)
            .map_err(|e| format!("the answer is not JSON: {e}")),
        Body::Raw(_) => Err("the answer goes by as it came: a test has nothing to compare".to_owned()),
        Body::Events(mut events) => {
            let mut chunks = Vec::new();
            while let Some(event) = events.next().await {
                match event {
                    Ok(bytes) => chunks.extend(parse_events(&bytes)),
                    Err(error) => return Ok(Came::Failure(Box::new(error))),
                }
            }
            Ok(Came::Chunks(chunks))
        }
    }
}

/// The JSON of the events in one write of ours.
fn parse_events(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect()
}

fn judge(test: &SelfTest, call: &Call, came: &Came) -> Result<(), String> {
    let expected = &test.expect;
    match (came, &expected.answer, &expected.chunks, &expected.failure) {
        (_, None, None, None) => Err("it expects nothing".to_owned()),
        (Came::Answer(answer), Some(wanted), ..) => differs(wanted, answer, "answer"),
        (Came::Chunks(chunks), _, Some(wanted), _) => differs(
            &Value::from(as_a_client_gets(wanted, call)?),
            &Value::from(chunks.clone()),
            "chunks",
        ),
        (Came::Failure(error), _, _, Some(wanted)) => fails_so(wanted, error),
        (Came::Failure(error), ..) => Err(format!("it failed: {error}")),
        (Came::Answer(_), ..) => Err("an answer came, which it does not expect".to_owned()),
        (Came::Chunks(_), ..) => Err("chunks came, which it does not expect".to_owned()),
    }
}

/// The gateway completes and rearranges an adapter's chunks (usage gets a chunk of its own, or none); so it does to those a test
/// names, and what is compared has gone the same way.
fn as_a_client_gets(chunks: &[Value], call: &Call) -> Result<Vec<Value>, String> {
    let stamp = Stamp {
        id: String::new(),
        created: 0,
        model: call.model.clone(),
        include_usage: call.include_usage,
        base64: false,
    };
    let (mut sent, mut maker) = (BytesMut::new(), Chunks::new(stamp, call.operation));
    for chunk in chunks {
        maker
            .add(&chunk.to_string(), &mut sent)
            .map_err(|flaw| format!("it expects what is no chunk: {flaw:?}"))?;
    }
    maker.end(&mut sent);
    let mut chunks = parse_events(&sent);
    for fields in chunks.iter_mut().filter_map(Value::as_object_mut) {
        // Invented here and there.
        fields.remove("id");
        fields.remove("created");
    }
    Ok(chunks)
}

/// Compares a failure's fields, under the contract's names.
fn fails_so(wanted: &Value, error: &Error) -> Result<(), String> {
    let Error::Refused(failure) = error else {
        return Err(format!("the adapter was to refuse, but the call broke: {error}"));
    };
    let mut wanted = wanted.clone();
    // An unknown word is taken for the nearest the gateway knows, so the words are compared as it understands them.
    let kind = wanted.as_object_mut().and_then(|wanted| wanted.remove("kind"));
    if let Some(word) = kind.as_ref().and_then(Value::as_str)
        && Kind::parse(word) != failure.kind
    {
        return Err(format!(
            "failure.kind should be {word:?}, and the gateway understood {:?}",
            failure.kind
        ));
    }
    let came = serde_json::json!({
        "status": failure.status.unwrap_or(0),
        "message": failure.message,
        "code": failure.code,
        "param": failure.param,
        "retry-after-ms": failure.retry_after.map(|after| after.as_millis()),
        "upstream": failure.upstream,
    });
    differs(&wanted, &came, "failure")
}

/// What is expected must be there; the gateway may have added to it (ids, times, the model).
fn differs(wanted: &Value, came: &Value, at: &str) -> Result<(), String> {
    match (wanted, came) {
        (Value::Object(wanted), Value::Object(came)) => wanted
            .iter()
            .try_for_each(|(key, value)| differs(value, came.get(key).unwrap_or(&Value::Null), &format!("{at}.{key}"))),
        (Value::Array(wanted), Value::Array(came)) if wanted.len() == came.len() => {
            let mut pairs = wanted.iter().zip(came).enumerate();
            pairs.try_for_each(|(n, (wanted, came))| differs(wanted, came, &format!("{at}[{n}]")))
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => Ok(()),
        _ if wanted == came => Ok(()),
        _ => Err(format!("{at} should be {}, and is {}", short(wanted), short(came))),
    }
}

fn short(value: &Value) -> String {
    const LONGEST: usize = 200;
    let mut text = value.to_string();
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}
