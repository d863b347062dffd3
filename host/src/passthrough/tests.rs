//! What providers really send, and what the client gets of it.

mod meaning;
mod recorded;
mod wire;

use std::{sync::Arc, time::Duration};

use url::Url;

use crate::{
    secret::Secret,
    transport::{Upstream, egress::Policy, http::Client, tls::Rules},
};

/// A provider at `base`.
fn upstream(base: &str) -> Arc<Upstream> {
    let base = Url::parse(base).expect("a URL");
    let egress = Policy::new(&base).expect("a provider's address");
    Arc::new(Upstream {
        id: "test".to_owned(),
        key: Some(Secret::new("sk-the-real-key")),
        auth: None,
        headers: hyper::HeaderMap::new(),
        defaults: Vec::new(),
        timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(5),
        retries: 0,
        client: Client::new(egress.clone(), &Rules::default()).expect("a client"),
        egress,
        base,
    })
}
