//! Pictures that a client names by address are fetched by the host and become data URLs, for adapters whose provider takes no address
//! (`media: "inline"` in the manifest).
//!
//! An address is the client's word, so it gets less trust than anything else that goes out: no credentials, https and public hosts
//! only, unless the operator allows a host (`security.allow_hosts`), and never the provider's own origin.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use bytestring::ByteString;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::site::{NO_RANDOM, Site};
use crate::{
    error::{Error, Failure, Kind, Result},
    record::Record,
    transport::{
        egress::HostRule,
        http::{Incoming, Outgoing},
        pieces::Pieces,
        tokens::Tokens,
    },
};

/// Of one picture: what the largest provider takes.
const LARGEST: usize = 20 << 20;
/// Of all files of one request, as bytes and by number.
const ALL: usize = 50 << 20;
const MOST: usize = 64;
const AT_ONCE: usize = 4;
const PATIENCE: Duration = Duration::from_secs(20);
/// Redirects that are followed: hosts of pictures like to send on to where they store them.
const HOPS: usize = 3;

/// A picture at an address, and where the client wrote it.
struct Named<'b> {
    /// The JSON string, as it stands in the body.
    literal: &'b str,
    url: String,
    param: String,
}

#[derive(Deserialize)]
struct Chat<'b> {
    #[serde(borrow)]
    messages: Vec<Message<'b>>,
}

#[derive(Deserialize)]
struct Message<'b> {
    #[serde(borrow)]
    content: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct Part<'b> {
    #[serde(borrow)]
    image_url: Option<Image<'b>>,
}

#[derive(Deserialize)]
struct Image<'b> {
    #[serde(borrow)]
    url: &'b RawValue,
}

/// `body`, a chat, with every picture at an address fetched and in its place. A picture that cannot be had is the client's error.
pub(super) async fn inline(
    site: &Site,
    body: ByteString,
    tokens: &mut Tokens,
    record: &Arc<Record>,
) -> Result<ByteString> {
    let named = named(&body);
    if named.is_empty() {
        return Ok(body);
    }
    if named.len() > MOST {
        let message = format!("a request may name at most {MOST} images by URL");
        return Err(Error::invalid(message, Some("messages")));
    }
    // A picture that is named twice is fetched once.
    let distinct: BTreeMap<&str, &Named<'_>> = named.iter().map(|one| (one.url.as_str(), one)).collect();
    let fetches: Vec<_> = distinct
        .into_values()
        .map(|one| fetch(site, one, record).boxed())
        .collect();
    let fetched: BTreeMap<&str, Bytes> = stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect().await?;
    if fetched.values().map(Bytes::len).sum::<usize>() > ALL {
        let message = format!("the images of a request may have {} MB together", ALL >> 20);
        return Err(Error::invalid(message, Some("messages")));
    }
    let mut written: BTreeMap<&str, String> = BTreeMap::new();
    for (url, bytes) in &fetched {
        let kind = kind(bytes).unwrap_or_default();
        let token = tokens.issue_file(STANDARD.encode(bytes).into()).ok_or(NO_RANDOM)?;
        written.insert(url, format!("\"data:{kind};base64,{token}\""));
    }
    Ok(replaced(&body, &named, &written).into())
}

/// The pictures at addresses. What cannot be read is left to the adapter.
fn named(body: &str) -> Vec<Named<'_>> {
    let mut named = Vec::new();
    if !body.contains("\"image_url\"") {
        return named;
    }
    let messages = serde_json::from_str::<Chat<'_>>(body).map_or_else(|_| Vec::new(), |chat| chat.messages);
    for (at, message) in messages.iter().enumerate() {
        let content = message.content.map(RawValue::get).filter(|text| text.starts_with('['));
        let parts: Vec<&RawValue> = content
            .map(serde_json::from_str)
            .and_then(Result::ok)
            .unwrap_or_default();
        for (part_at, part) in parts.iter().enumerate() {
            let part = serde_json::from_str::<Part<'_>>(part.get()).ok();
            let Some(literal) = part.and_then(|part| part.image_url).map(|image| image.url.get()) else {
                continue;
            };
            let url = serde_json::from_str::<String>(literal).unwrap_or_default();
            if url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) {
                let param = format!("messages[{at}].content[{part_at}].image_url.url");
                named.push(Named { literal, url, param });
            }
        }
    }
    named
}

/// `body` with what was `written` in the places of the addresses.
fn replaced(body: &str, named: &[Named<'_>], written: &BTreeMap<&str, String>) -> String {
    let mut out = String::with_capacity(body.len() + named.len() * 64);
    let mut done = 0;
    for one in named {
        // They are slices of the body, in their order.
        let at = one.literal.as_ptr() as usize - body.as_ptr() as usize;
        out.push_str(body.get(done..at).unwrap_or_default());
        out.push_str(written.get(one.url.as_str()).map_or(one.literal, String::as_str));
        done = at + one.literal.len();
    }
    out.push_str(body.get(done..).unwrap_or_default());
    out
}

async fn fetch<'n>(site: &Site, one: &'n Named<'_>, record: &Arc<Record>) -> Result<(&'n str, Bytes)> {
    let told = tokio::time::timeout(PATIENCE, read(site, &one.url, record)).await;
    told.unwrap_or_else(|_| Err(format!("it did not come within {PATIENCE:?}")))
        .map(|bytes| (one.url.as_str(), bytes))
        .map_err(|why| {
            let mut failure = Failure::new(Kind::InvalidRequest, format!("the image cannot be fetched: {why}"));
            failure.code = Some("invalid_image_url".to_owned());
            failure.param = Some(one.param.clone());
            Error::Refused(Box::new(failure))
        })
}

/// The picture at `address`. The error says what is wrong, and nothing of what was found inside the operator's network.
async fn read(site: &Site, address: &str, record: &Arc<Record>) -> Result<Bytes, String> {
    let mut url = Url::parse(address).map_err(|_| "the URL is not valid".to_owned())?;
    for _ in 0..=HOPS {
        let reply = ask(site, &url, record).await?;
        match reply.status {
            200 => return picture(reply).await,
            301..=303 | 307 | 308 => {
                let to = reply.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
                url = to
                    .and_then(|to| url.join(to).ok())
                    .ok_or("its host sends on to nowhere")?;
            }
            status => return Err(format!("its host answered with status {status}")),
        }
    }
    Err(format!("its host sends on more than {HOPS} times"))
}

async fn ask(site: &Site, url: &Url, record: &Arc<Record>) -> Result<Incoming, String> {
    let egress = &site.upstream.egress;
    let rule = url.host_str().and_then(|host| HostRule::parse(host).ok());
    let rule = rule.ok_or("the URL names no host")?;
    if egress.is_base(url) {
        return Err("it is not fetched from the provider itself".to_owned());
    }
    egress.check(url, &[rule]).map_err(|denied| denied.to_string())?;
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("image/*"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("witgate"));
    let request = Outgoing {
        method: Method::GET,
        url: url.clone(),
        headers,
        body: Pieces::default(),
        timeout: Some(PATIENCE),
    };
    let sent = site.upstream.send(request, record).await;
    sent.map_err(|_| "its host cannot be reached".to_owned())
}

async fn picture(reply: Incoming) -> Result<Bytes, String> {
    let read = reply.body.whole(LARGEST).await;
    let bytes = read.map_err(|_| format!("it is not whole, or larger than {} MB", LARGEST >> 20))?;
    match kind(&bytes) {
        Some(_) => Ok(bytes),
        None => Err("it is no PNG, JPEG, GIF or WebP".to_owned()),
    }
}

/// What a picture is, from its first bytes: hosts often call it something else.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_any_spelling_and_nothing_else_of_the_body_changes() {
        let body = "{ \"temperature\": 1.0e0, \"messages\" : [ {\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"http:\"},\
                    {\"type\":\"image_url\",\"image_url\":{\"detail\":\"low\", \"url\": \"https:\\/\\/a.example\\/1.png\"}}]},\
                    {\"role\":\"user\",\"content\":\"image_url\"},{\"role\":\"assistant\"},\
                    {\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AA\"}},\
                    {\"type\":\"image_url\",\"image_url\":{\"url\":\"HTTP://b.example/2\"}}]}] }";
        let found = named(body);
        let told: Vec<_> = found.iter().map(|one| (one.url.as_str(), one.param.as_str())).collect();
        assert_eq!(
            told,
            [
                ("https://a.example/1.png", "messages[0].content[1].image_url.url"),
                ("HTTP://b.example/2", "messages[3].content[1].image_url.url"),
            ]
        );
        let written = BTreeMap::from([
            ("https://a.example/1.png", "\"A\"".to_owned()),
            ("HTTP://b.example/2", "\"B\"".to_owned()),
        ]);
        let expected = body
            .replace("\"https:\\/\\/a.example\\/1.png\"", "\"A\"")
            .replace("\"HTTP://b.example/2\"", "\"B\"");
        assert_eq!(replaced(body, &found, &written), expected);
    }

    #[test]
    fn what_is_no_chat_is_left_to_the_adapter() {
        for body in [
            "",
            "[]",
            "{\"image_url\":1}",
            "{\"messages\":[{\"content\":[1,{\"image_url\":3}]}],\"x\":\"image_url\"}",
        ] {
            assert!(named(body).is_empty(), "{body}");
        }
    }
}
