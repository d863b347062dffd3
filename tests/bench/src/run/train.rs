//! Training: what a gateway does in service, in a minute, for a compiler that arranges a program by what it does often
//! (`cargo xtask build --trained`). Adapters compiled and taken from the cache; clients of every API before every adapter, whole and
//! streamed; long histories; TLS and HTTP/2 on both sides. Nothing is measured, but every answer is checked.

use super::{Contender, Places, Processors, Route, machine, send, spawn, start, start_ourselves};
use crate::load::Plan;
use crate::request::{self, Size};
use crate::{control, mock};
use std::path::Path;

/// How long each kind of request is asked, in seconds, and by how many clients at a time.
const SECONDS: f64 = 0.3;
const CLIENTS: usize = 16;

/// Where the gateway behind a gateway listens, and the one before it.
const BEHIND: &str = "127.0.0.1:9311";
const BEFORE: &str = "127.0.0.1:9312";

/// One of the APIs that clients speak.
struct Api {
    path: &'static str,
    body: fn(&str, bool, Size) -> Vec<u8>,
    /// how a stream ends
    end: &'static str,
}

const APIS: [Api; 3] = [
    Api {
        path: "/v1/chat/completions",
        body: request::body,
        end: "[DONE]",
    },
    Api {
        path: "/v1/messages",
        body: request::messages,
        end: "message_stop",
    },
    Api {
        path: "/v1/responses",
        body: request::responses,
        end: "response.completed",
    },
];

/// Starts the provider and trains. The program is the one that is measured.
pub(crate) async fn all() -> Result<(), String> {
    let places = Places::new(Path::new("nginx"))?;
    let mut witgate = Contender::list(&places, &["witgate".to_owned()])?
        .pop()
        .ok_or("the program is not built")?;
    let data = places.work.join("training");
    // What is not there need not be removed.
    let _ = std::fs::remove_dir_all(&data);
    witgate
        .environment
        .insert("WITGATE_DATA".to_owned(), data.display().to_string());
    let processors = Processors::choose()?;
    processors.take_the_rest()?;
    let mut provider = start_ourselves("mock")
        .spawn()
        .map_err(|error| format!("the mock did not start: {error}"))?;
    let trained = tokio::select! {
        trained = both(&witgate, &places, &processors) => trained,
        _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
        ended = provider.wait() => Err(format!("the mock ended: {ended:?}; is {} in use?", mock::LISTEN)),
    };
    machine::end(provider).await;
    trained
}

async fn both(witgate: &Contender, places: &Places, processors: &Processors) -> Result<(), String> {
    let (process, _) = start(witgate, places, processors).await?;
    let asked = plain(witgate).await;
    end(process).await;
    asked?;
    let (behind, before) = pair(witgate, places)?;
    // It is asked by way of the one before it: the load does not speak TLS.
    let behind = spawn(&behind, places, processors)?;
    let asked = match start(&before, places, processors).await {
        Ok((before_it, _)) => {
            let asked = secure(&before).await;
            end(before_it).await;
            asked
        }
        Err(reason) => Err(reason),
    };
    end(behind).await;
    asked
}

async fn end(process: Option<tokio::process::Child>) {
    if let Some(process) = process {
        machine::end(process).await;
    }
}

/// Every API to every adapter, and what agents send.
async fn plain(witgate: &Contender) -> Result<(), String> {
    let adapters = witgate.adapters().map(|(_, route)| route.model);
    for model in std::iter::once(witgate.chat.model.clone()).chain(adapters) {
        println!("{model}");
        every_api(witgate, &model).await?;
    }
    let translated = witgate.translated.as_ref().unwrap_or(&witgate.chat);
    for model in [&witgate.chat.model, &translated.model] {
        println!("{model}: histories, calls of tools, one client");
        for api in &APIS {
            ask(witgate, api, model, false, Size::History, 4).await?;
            ask(witgate, api, model, true, Size::Small, 1).await?;
        }
        ask(witgate, &APIS[0], model, false, Size::Megabyte, 4).await?;
        control::get(mock::LISTEN, "/bench/streams/calls/0").await?;
        ask(witgate, &APIS[0], model, true, Size::Small, 4).await?;
        control::get(mock::LISTEN, "/bench/streams/text/10000").await?;
        ask(witgate, &APIS[0], model, true, Size::Small, 32).await?;
        control::get(mock::LISTEN, "/bench/streams/text/0").await?;
    }
    Ok(())
}

/// Through two gateways with TLS between them.
async fn secure(before: &Contender) -> Result<(), String> {
    for model in ["chats/mock/gpt-4o-mini", "messages/anthropic/claude-sonnet-4-20250514"] {
        println!("{model}, by TLS");
        every_api(before, model).await?;
    }
    Ok(())
}

async fn every_api(witgate: &Contender, model: &str) -> Result<(), String> {
    for api in &APIS {
        for stream in [false, true] {
            ask(witgate, api, model, stream, Size::Small, CLIENTS).await?;
        }
    }
    Ok(())
}

async fn ask(
    witgate: &Contender,
    api: &Api,
    model: &str,
    stream: bool,
    size: Size,
    clients: usize,
) -> Result<(), String> {
    let plan = Plan {
        address: witgate.address.clone(),
        path: api.path.to_owned(),
        headers: witgate.headers(),
        body: String::from_utf8_lossy(&(api.body)(model, stream, size)).into_owned(),
        connections: clients,
        warm_up_s: 0.0,
        measure_s: SECONDS,
        end_of_stream: stream.then(|| api.end.to_owned()),
    };
    match send(&plan).await?.first_error {
        None => Ok(()),
        Some(error) => Err(format!("{} to {model}: {error}", api.path)),
    }
}

/// A gateway that speaks TLS, and one before it whose providers it is.
fn pair(witgate: &Contender, places: &Places) -> Result<(Contender, Contender), String> {
    let file = |name: &str, text: &str| {
        let file = places.work.join(name);
        std::fs::write(&file, text)
            .map(|()| file.clone())
            .map_err(|error| format!("{}: {error}", file.display()))
    };
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(|error| error.to_string())?;
    let cert = file("cert.pem", &certified.cert.pem())?;
    let key = file("key.pem", &certified.signing_key.serialize_pem())?;
    let conf = places.conf.join("witgate.toml");
    let providers = std::fs::read_to_string(&conf).map_err(|error| format!("{}: {error}", conf.display()))?;
    let port = BEHIND.rsplit(':').next().unwrap_or_default();
    let behind = file(
        "behind.toml",
        &format!("[server.tls]\ncert = {cert:?}\nkey = {key:?}\n\n{providers}"),
    )?;
    let provider = |id: &str, kind: &str, path: &str| {
        format!(
            "[[providers]]\nname = \"{id}\"\ntype = \"{kind}\"\nbase_url = \"https://localhost:{port}{path}\"\napi_key = \"k\"\n\
             security = {{ ca_file = {cert:?} }}\n\n"
        )
    };
    let providers = provider("chats", "openai-compatible", "/v1") + &provider("messages", "anthropic", "");
    let before = file("before.toml", &providers)?;
    Ok((
        elsewhere(witgate, "behind", BEHIND, &behind),
        elsewhere(witgate, "before", BEFORE, &before),
    ))
}

/// The same program with another configuration, at another address.
fn elsewhere(witgate: &Contender, name: &str, address: &str, conf: &Path) -> Contender {
    let mut other = witgate.clone();
    for (option, value) in [
        ("--config", conf.display().to_string()),
        ("--listen", address.to_owned()),
    ] {
        if let Some(at) = other.command.iter().position(|word| word == option)
            && let Some(word) = other.command.get_mut(at + 1)
        {
            *word = value;
        }
    }
    other.name = format!("{}-{name}", witgate.name);
    other.address = address.to_owned();
    other.chat = Route {
        model: format!("chats/{}", witgate.chat.model),
        ..witgate.chat.clone()
    };
    other
}
