//! What an event of a stream costs on its way through: cut, looked at, and forwarded as it came; and what filling in an adapter's
//! chunk costs. Each figure is for a hundred events, in one read and in ten.

use std::{hint::black_box, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use witgate::{
    call::Operation,
    chunk::{Chunks, Stamp},
    passthrough::Lens,
    transport::{
        Upstream,
        egress::Policy,
        frame::{Cutter, Framing, LIMIT},
        http::Client,
        tls::Rules,
    },
};

const EVENTS: usize = 100;

fn stamp() -> Stamp {
    Stamp {
        id: "chatcmpl-1".to_owned(),
        created: 1,
        model: "gpt-4o-mini".to_owned(),
        include_usage: false,
        base64: false,
    }
}

/// A provider; nothing is sent to it.
fn upstream() -> Arc<Upstream> {
    let base = "http://127.0.0.1:9/v1".parse().expect("a URL");
    let egress = Policy::new(&base).expect("a base URL that may be used");
    Arc::new(Upstream {
        id: "bench".to_owned(),
        base,
        key: None,
        auth: None,
        headers: hyper::HeaderMap::new(),
        defaults: Vec::new(),
        timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(1),
        retries: 0,
        client: Client::new(egress.clone(), &Rules::default()).expect("a client"),
        egress,
    })
}

/// A hundred chunks as OpenAI sends them, some 260 bytes each.
fn events() -> Bytes {
    let mut all = String::new();
    for at in 0..EVENTS {
        let role = if at == 0 { "\"role\":\"assistant\"," } else { "" };
        all.push_str(&format!(
            "data: {{\"id\":\"chatcmpl-B1x8Zc3kQyqvJ2h6mYJd0KcXw4a2T\",\"object\":\"chat.completion.chunk\",\"created\":1741569952,\
             \"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_06737a9306\",\"choices\":[{{\
             \"index\":0,\"delta\":{{{role}\"content\":\" word{at}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
        ));
    }
    Bytes::from(all)
}

/// `bytes` in `count` reads that end between events.
fn reads(bytes: &Bytes, count: usize) -> Vec<Bytes> {
    let mut ends: Vec<usize> = memchr::memmem::find_iter(bytes, b"\n\n").map(|at| at + 2).collect();
    ends = ends
        .chunks(EVENTS / count)
        .filter_map(|part| part.last().copied())
        .collect();
    let mut from = 0;
    ends.into_iter()
        .map(|to| {
            let read = bytes.slice(from..to);
            from = to;
            read
        })
        .collect()
}

fn stream(criterion: &mut Criterion) {
    let (events, upstream) = (events(), upstream());
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for count in [1, 10, 100] {
        let reads = reads(&events, count);
        group.bench_function(format!("pass-through, {count} reads"), |bench| {
            bench.iter(|| {
                let mut lens = Lens::new(upstream.clone(), Chunks::new(stamp(), Operation::Chat));
                for read in &reads {
                    black_box(lens.read(read.clone()));
                }
            });
        });
        group.bench_function(format!("cut into frames, {count} reads"), |bench| {
            bench.iter(|| {
                let mut cutter = Cutter::new(Framing::Sse, LIMIT);
                for read in &reads {
                    cutter.feed(read.clone());
                    while let Ok(Some(frame)) = cutter.cut() {
                        black_box(frame);
                    }
                }
            });
        });
    }
    let chunk = r#"{"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}"#;
    group.bench_function("fill in an adapter's chunks", |bench| {
        let mut out = BytesMut::with_capacity(1 << 16);
        bench.iter(|| {
            let mut chunks = Chunks::new(stamp(), Operation::Chat);
            out.clear();
            for _ in 0..EVENTS {
                black_box(chunks.add(chunk, &mut out)).expect("a good chunk");
            }
        });
    });
    group.finish();
}

criterion_group!(benches, stream);
criterion_main!(benches);
