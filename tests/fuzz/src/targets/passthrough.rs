//! `passthrough`: what a provider of OpenAI's API streams, on its way to the client.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use url::Url;
use witgate::{
    call::Operation,
    chunk::{Chunks, DONE, Stamp},
    passthrough::{Lens, Outcome},
    reply::Usage,
    secret::Secret,
    transport::{Upstream, egress::Policy, http::Client, tls::Rules},
};

use super::{chunk, events, without_made_ids};
use crate::random::Random;

static UPSTREAM: LazyLock<Arc<Upstream>> = LazyLock::new(|| {
    let base = Url::parse("https://provider.example/v1").expect("a URL");
    let egress = Policy::new(&base).expect("a base URL that may be used");
    Arc::new(Upstream {
        id: "provider".to_owned(),
        client: Client::new(egress.clone(), &Rules::default()).expect("no rule that can be wrong"),
        base,
        key: Some(Secret::new("sk-a-key-of-the-gateway")),
        auth: None,
        headers: HeaderMap::new(),
        defaults: Vec::new(),
        timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(1),
        retries: 0,
        egress,
    })
});

/// What the client got.
#[derive(Debug, PartialEq)]
struct Got {
    events: Vec<String>,
    end: &'static str,
    usage: Option<Usage>,
}

/// Streams the bytes in one read, and in pieces: the client gets the same.
pub fn target(data: &[u8]) {
    let mut random = Random::of(data);
    for operation in [Operation::Chat, Operation::Completions] {
        let include_usage = random.once_in(2);
        let whole = stream(data, data.len(), operation, include_usage);
        for piece in [1, random.below(40) + 1, random.below(data.len() + 1) + 1] {
            let got = stream(data, piece, operation, include_usage);
            assert_eq!(got, whole, "in pieces of {piece} bytes");
        }
    }
}

/// The stream of `data`, read in pieces of at most `piece` bytes.
fn stream(data: &[u8], piece: usize, operation: Operation, include_usage: bool) -> Got {
    let stamp = Stamp {
        id: "chatcmpl-1".to_owned(),
        created: 1,
        model: "m".to_owned(),
        include_usage,
        base64: false,
    };
    let mut lens = Lens::new(UPSTREAM.clone(), Chunks::new(stamp, operation));
    let mut out = Vec::new();
    for read in data.chunks(piece.max(1)) {
        let (some, outcome) = lens.read(Bytes::copy_from_slice(read));
        written(some, &mut out);
        if !matches!(outcome, Outcome::More) {
            return got(&lens, &out, &outcome);
        }
    }
    let (some, outcome) = lens.end(None);
    written(some, &mut out);
    got(&lens, &out, &outcome)
}

/// Every write is whole events: a client that goes on reading later loses nothing, and an error can follow at any time.
fn written(some: Option<Bytes>, out: &mut Vec<u8>) {
    let Some(bytes) = some else { return };
    assert!(bytes.ends_with(b"\n\n"), "a write that is no whole event");
    out.extend_from_slice(&bytes);
}

fn got(lens: &Lens, out: &[u8], outcome: &Outcome) -> Got {
    let end = match outcome {
        Outcome::More => "more",
        Outcome::Ended => "ended",
        Outcome::Closed => "closed",
        Outcome::Broken(_) => "broken",
    };
    let chunks = match outcome {
        Outcome::Ended | Outcome::Closed => out.strip_suffix(DONE).expect("a stream ends with its end mark"),
        _ => out,
    };
    let events = events(chunks);
    events.iter().for_each(|event| chunk::has_identity(event));
    Got {
        events: events.iter().map(|event| without_made_ids(event)).collect(),
        end,
        usage: lens.usage(),
    }
}
