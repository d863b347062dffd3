//! The five tests themselves. Each says what it saw, or what is wrong and what to do.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use futures_util::StreamExt;
use hyper::HeaderMap;
use serde_json::{Value, json};

use crate::{
    call::{Call, Operation},
    error::{Error, Kind},
    gateway::{Gateway, Provider, Speaks},
    pipeline,
    record::Record,
    reply::{Body, Reply},
};

/// A model that no provider has.
const NO_SUCH_MODEL: &str = "no-such-model-witgate-asks-for-an-error";

/// A provider being tested: the only one of its gateway.
pub(super) struct Trial {
    gateway: Arc<Gateway>,
    provider: Arc<Provider>,
    model: Option<String>,
    /// Its own list, once asked.
    listed: Mutex<Option<Vec<String>>>,
}

impl Trial {
    /// `model` is the one to chat with, if the operator says. The error is why the provider cannot be used at all.
    pub(super) fn new(gateway: Arc<Gateway>, model: Option<String>) -> Result<Self, String> {
        let provider = gateway.providers.first().ok_or("there is no provider")?.clone();
        if let Some(reason) = provider.unusable() {
            return Err(format!("provider `{}` cannot be used: {reason}", provider.id()));
        }
        Ok(Self {
            gateway,
            provider,
            model,
            listed: Mutex::new(None),
        })
    }

    /// The key is taken: its list of models is shown, or, where there is none, it answers.
    pub(super) async fn authentication(&self) -> Result<String, String> {
        let source = &self.provider.config.key.source;
        let refused = |error: &Error| {
            let kind = matches!(error, Error::Refused(f) if matches!(f.kind, Kind::Authentication | Kind::Permission));
            kind.then(|| format!("it does not take the key ({source}): {error}"))
        };
        match self.list().await {
            Ok(_) => return Ok(format!("key: {source}")),
            Err(error) if refused(&error).is_some() => return Err(refused(&error).unwrap_or_default()),
            Err(_) => {}
        }
        // No list of models: a chat shows it too.
        match self.chat(&self.chosen_model(), false).await {
            Ok(_) => Ok(format!("key: {source}")),
            Err(error) => Err(refused(&error).unwrap_or_else(|| error.to_string())),
        }
    }

    /// It lists models; or it has no such list, and the configuration does.
    pub(super) async fn model_listing(&self) -> Result<String, String> {
        let registered = self.provider.config.models.len();
        match self.list().await {
            Ok(models) if models.is_empty() && registered == 0 => Err(self.none_listed()),
            Ok(models) if models.is_empty() => Ok(format!("it lists none; {registered} registered")),
            Ok(models) => {
                let missing = self.unlisted(&models);
                let note = if missing.is_empty() {
                    String::new()
                } else {
                    format!("; not among them: {}", missing.join(", "))
                };
                Ok(format!("{} models{note}", models.len()))
            }
            Err(Error::Refused(failure)) if failure.kind == Kind::NotFound && registered > 0 => {
                Ok(format!("it has no list; {registered} registered"))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// It answers with a choice.
    pub(super) async fn basic_chat(&self) -> Result<String, String> {
        let model = self.chosen_model();
        let reply = self
            .chat(&model, false)
            .await
            .map_err(|error| format!("{model}: {error}"))?;
        let Body::Whole(body) = reply.body else {
            return Err("it streamed an answer that was not to be streamed".to_owned());
        };
        let answer: Value = serde_json::from_slice(&body).map_err(|error| format!("its answer is no JSON: {error}"))?;
        let message = answer
            .pointer("/choices/0/message")
            .ok_or("its answer has no `choices[0].message`")?;
        let words = message
            .get("content")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim();
        let tokens = answer
            .pointer("/usage/total_tokens")
            .map(|total| format!(", {total} tokens"))
            .unwrap_or_default();
        Ok(format!("{model}: {}{tokens}", quoted(words)))
    }

    /// It streams: pieces come, and the end mark.
    pub(super) async fn streaming(&self) -> Result<String, String> {
        let model = self.chosen_model();
        let started = Instant::now();
        let reply = self
            .chat(&model, true)
            .await
            .map_err(|error| format!("{model}: {error}"))?;
        let Body::Events(mut events) = reply.body else {
            return Err("it did not stream".to_owned());
        };
        let first = started.elapsed();
        let mut text = Vec::new();
        while let Some(event) = events.next().await {
            text.extend_from_slice(&event.map_err(|error| error.to_string())?);
        }
        let text = String::from_utf8_lossy(&text);
        let data: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(str::trim)
            .collect();
        let chunks = data.iter().filter(|data| data.starts_with('{')).count();
        match data.last() {
            _ if chunks == 0 => Err("the stream had no chunks".to_owned()),
            Some(&"[DONE]") => Ok(format!(
                "{model}: {chunks} chunks, the first after {} ms",
                first.as_millis()
            )),
            _ => Err("the stream ended without its end mark".to_owned()),
        }
    }

    /// It refuses a model it does not have with an error of the client's. A server that takes any name has nothing to refuse.
    pub(super) async fn error_handling(&self) -> Result<String, String> {
        match self.chat(NO_SUCH_MODEL, false).await {
            Ok(_) => Ok("it takes any model name".to_owned()),
            Err(Error::Refused(failure)) => {
                let error = Error::Refused(failure);
                match error.status() {
                    status @ 400..=499 => Ok(format!("{status} {}", quoted(&error.to_string()))),
                    status => Err(format!("it answers a wrong request with {status}: {error}")),
                }
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// The ids its own list has.
    async fn list(&self) -> Result<Vec<String>, Error> {
        let models = pipeline::models::ask(&self.gateway, &self.provider).await?;
        let id = |model: &Value| model.get("id").and_then(Value::as_str).map(str::to_owned);
        let ids: Vec<String> = models.iter().filter_map(id).collect();
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = Some(ids.clone());
        Ok(ids)
    }

    /// Why there is no list, and what to do.
    fn none_listed(&self) -> String {
        match &self.provider.speaks {
            Speaks::Adapter(site) if !site.adapter.interfaces().contains(&"models") => {
                let adapter = &site.adapter.manifest.name;
                format!("its adapter `{adapter}` cannot list models: name some in the provider's `models`")
            }
            _ => "it lists no models: name some in `models`, or load one in the server".to_owned(),
        }
    }

    /// Registered models that the provider's own list does not have.
    fn unlisted(&self, listed: &[String]) -> Vec<&str> {
        let registered = self.provider.config.models.iter().map(crate::config::Model::upstream);
        registered
            .filter(|model| !listed.iter().any(|listed| listed == model))
            .collect()
    }

    fn chosen_model(&self) -> String {
        let config = &self.provider.config;
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = || {
            config
                .default_model
                .clone()
                .or_else(|| config.models.first().map(|model| model.id.clone()))
        };
        let first = || listed.as_ref().and_then(|ids| ids.first().cloned());
        self.model
            .clone()
            .or_else(usual)
            .or_else(first)
            .unwrap_or_else(|| config.id.clone())
    }

    /// The smallest useful chat, as a client would send it.
    async fn chat(&self, model: &str, stream: bool) -> Result<Reply, Error> {
        let id = format!("provider-test-{}", self.provider.id());
        let body = json!({
            "model": format!("{}/{model}", self.provider.id()),
            "messages": [{ "role": "user", "content": "Say 'test' and nothing else." }],
            "max_tokens": 16,
            "stream": stream,
        });
        let record = Record::open(self.gateway.telemetry.clone(), id.clone(), Operation::Chat.as_str());
        let call = Call::parse(Operation::Chat, id, HeaderMap::new(), Bytes::from(body.to_string()), 16)?;
        let reply = pipeline::run(&self.gateway, call, &record)
            .await
            .inspect_err(|error| record.failed(error))?;
        record.note(|entry| entry.status = reply.status);
        if reply.status < 400 {
            return Ok(reply);
        }
        // A pass-through hands a provider's refusal on as it came.
        let mut failure = crate::error::Failure::new(Kind::of_status(reply.status), message_of(reply.body));
        failure.status = Some(reply.status);
        Err(Error::Refused(Box::new(failure)))
    }
}

fn message_of(body: Body) -> String {
    let Body::Whole(body) = body else {
        return "it streamed an error".to_owned();
    };
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = json.pointer("/error/message").and_then(Value::as_str);
    message.map_or_else(|| quoted(&String::from_utf8_lossy(&body)), str::to_owned)
}

/// The beginning of a text that somebody else wrote, on one line.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(120).filter(|c| !c.is_control()).collect();
    format!("\u{201c}{}\u{201d}", short.trim())
}
