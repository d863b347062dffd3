//! What an adapter costs: a whole buffered exchange on a fresh instance (two guest calls over 1 KB), a fresh instance alone, and an
//! event of a stream. The provider's replies are there already, so nothing is waited for. The guests are those of `tests/guests`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::StreamExt as _;
use hyper::HeaderMap;
use serde_json::{Map, json};
use tokio::runtime::Runtime as Tokio;
use witgate::{
    adapter::{self, Adapter, Limits, Runtime, Site},
    call::{Call, Operation},
    config::DropParams,
    record::Record,
    reply::Body,
    telemetry::Telemetry,
    transport::{
        Upstream,
        canned::{Canned, Reply},
        egress::Policy,
        http::Client,
    },
};

const EVENTS: usize = 1000;

/// A provider that has its replies ready.
fn site(adapter: &Arc<Adapter>, replies: &[Bytes]) -> Arc<Site> {
    let base = "http://127.0.0.1:9/v1".parse().expect("a URL");
    let replies = replies.iter().map(|body| Reply {
        status: 200,
        headers: HeaderMap::new(),
        body: body.clone(),
    });
    let upstream = Upstream {
        id: "bench".to_owned(),
        egress: Policy::new(&base).expect("a base URL that may be used"),
        base,
        key: None,
        auth: None,
        headers: HeaderMap::new(),
        defaults: Vec::new(),
        timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(1),
        retries: 0,
        client: Client::canned(Canned::new(replies)),
    };
    Site::new(
        Arc::new(upstream),
        Arc::clone(adapter),
        Map::new(),
        &BTreeMap::new(),
        DropParams::default(),
    )
}

fn call(model: &str, streaming: bool) -> Call {
    let body = json!({"model": model, "stream": streaming, "messages": [{"role": "user", "content": "x".repeat(900)}]});
    let bytes = Bytes::from(body.to_string());
    Call::parse(Operation::Chat, "r".to_owned(), HeaderMap::new(), bytes, 64).expect("a call")
}

/// Runs `call` to its end.
async fn run(runtime: &Runtime, site: &Arc<Site>, call: &Call) {
    let record = Record::open(Arc::new(Telemetry::default()), "r".to_owned(), "chat.completions");
    record.note(|entry| entry.status = 200);
    let reply = adapter::call(runtime, site, call, &call.model, 1, &record)
        .await
        .expect("a reply");
    if let Body::Events(mut events) = reply.body {
        while let Some(event) = events.next().await {
            event.expect("events");
        }
    }
}

fn guest(runtime: &Runtime, tokio: &Tokio, name: &str) -> Arc<Adapter> {
    load(
        runtime,
        tokio,
        &format!("tests/guests/target/wasm32-unknown-unknown/release/{name}.wasm"),
    )
}

fn load(runtime: &Runtime, tokio: &Tokio, file: &str) -> Arc<Adapter> {
    let bytes = std::fs::read(format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"))).expect("built adapters");
    Arc::new(tokio.block_on(runtime.load(bytes)).expect("an adapter"))
}

fn adapters(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("tokio");
    let limits = Limits {
        slots: 64,
        ..Limits::default()
    };
    let runtime = Runtime::new(&limits).expect("a runtime");
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "y".repeat(700)}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    });
    let answer = Bytes::from(answer.to_string());
    let mut measure = |name: &str, adapter: &Arc<Adapter>, call: &Call, replies: &[Bytes]| {
        criterion.bench_function(name, |bencher| {
            bencher.iter_batched(
                || site(adapter, replies),
                |site| tokio.block_on(run(&runtime, &site, call)),
                BatchSize::SmallInput,
            );
        });
    };
    let plain = guest(&runtime, &tokio, "plain");
    measure(
        "exchange of 1 KB, fresh instance",
        &plain,
        &call("m", false),
        std::slice::from_ref(&answer),
    );
    let hostile = guest(&runtime, &tokio, "hostile");
    measure(
        "answer without a request, fresh instance",
        &hostile,
        &call("fine", false),
        &[],
    );

    let anthropic = load(&runtime, &tokio, "adapters/anthropic.wasm");
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "y".repeat(700)}],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    });
    measure(
        "translation of 1 KB, fresh instance",
        &anthropic,
        &call("m", false),
        &[Bytes::from(message.to_string())],
    );

    let contract = guest(&runtime, &tokio, "contract");
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(EVENTS as u64));
    let events: String = (0..EVENTS).map(|at| format!("data: word {at}\n\n")).collect();
    let replies = [Bytes::from("a token"), Bytes::from(events + "data: end\n\n")];
    let asked = call("sse", true);
    group.bench_function("thousand events", |bencher| {
        bencher.iter_batched(
            || site(&contract, &replies),
            |site| tokio.block_on(run(&runtime, &site, &asked)),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, adapters);
criterion_main!(benches);
