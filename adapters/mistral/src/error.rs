//! What went wrong at Mistral. Most of it is read as any provider's; what its check of requests complains of stands deeper: as a list in
//! `message.detail`, `message` or `detail`, each with the place in the request and a sentence.

use witgate_sdk::json::text::{Object, string};
use witgate_sdk::{Failure, Kind, Response};

/// As many complaints are shown.
const SHOWN: usize = 5;

/// The failure that a reply tells of.
pub fn from_reply(reply: &Response) -> Failure {
    let failure = Failure::upstream(reply);
    let text = reply.text().unwrap_or_default();
    let complaints = Object::parse(text).map(|body| complaints(&body)).unwrap_or_default();
    let Some((place, _)) = complaints.first() else {
        return failure;
    };
    let sentences: Vec<String> = complaints
        .iter()
        .map(|(place, sentence)| format!("{place}: {sentence}"))
        .collect();
    Failure::new(Kind::InvalidRequest, sentences.join("; "))
        .status(reply.status())
        .upstream_text(text)
        .param(place.as_str())
}

/// The places in the request ("messages.2.name") and what is wrong there.
fn complaints(body: &Object<'_>) -> Vec<(String, String)> {
    let message = body.get("message");
    let nested = message.and_then(Object::parse);
    let lists = [
        nested.as_ref().and_then(|inner| inner.get("detail")),
        message,
        body.get("detail"),
    ];
    let read = |list: &str| {
        serde_json::from_str::<Vec<Object<'_>>>(list)
            .ok()
            .map(|list| said(&list))
    };
    lists.into_iter().flatten().find_map(read).unwrap_or_default()
}

fn said(list: &[Object<'_>]) -> Vec<(String, String)> {
    let one = |complaint: &Object<'_>| {
        let place: Vec<&serde_json::value::RawValue> = serde_json::from_str(complaint.get("loc")?).ok()?;
        let words = place.iter().map(|word| match string(word.get()) {
            Some(text) => text.into_owned(),
            None => word.get().to_owned(),
        });
        let place: Vec<String> = words.skip_while(|word| word == "body").collect();
        Some((place.join("."), complaint.text("msg")?.into_owned()))
    };
    list.iter().filter_map(one).take(SHOWN).collect()
}
