//! Models of other makers on Vertex AI, but for Anthropic's. Most are asked in OpenAI's API, all at one path; Mistral's in Mistral's, with
//! the model in the URL. Either answers in OpenAI's form, which is relayed. Mistral's requests are `witgate_mistral`'s.

use witgate_sdk::json::text::{Object, push_field, push_string};
use witgate_sdk::{Context, Failure, Kind, Request, Response, Result, Step};

use crate::endpoint::Endpoint;
use crate::error;

/// What paths of other kinds begin with.
const PATHS: [&str; 4] = ["models", "tunedModels", "endpoints", "projects"];
/// How the names of what Vertex AI serves for others end, but for some makers'.
const SERVED: &str = "-maas";
const GOOGLE: &str = "google";
const MISTRAL: &str = "mistralai";
/// How Mistral's models are called, also without their publisher.
const MISTRALS: [&str; 2] = ["mistral-", "codestral"];

/// A model that is not asked as Gemini is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Model<'a> {
    publisher: &'a str,
    /// "llama-3.3-70b-instruct-maas", "mistral-medium-3@001"
    name: &'a str,
}

impl<'a> Model<'a> {
    /// The model of this name: "meta/llama-3.3-70b-instruct-maas", also as a path, or "mistral-medium-3". `None` if it is Google's own
    /// or an endpoint.
    ///
    /// # Errors
    /// If the name is another maker's, but does not say whose.
    pub(crate) fn named(model: &'a str) -> Result<Option<Self>> {
        let model = model.trim_start_matches('/');
        let (publisher, name) = match model.strip_prefix("publishers/") {
            Some(path) => path.split_once("/models/").unwrap_or_default(),
            None => match model.split_once('/') {
                Some((kind, _)) if PATHS.contains(&kind) => return Ok(None),
                Some(named) => named,
                None => (publisher(model)?, model),
            },
        };
        // Of Google's models those that are open are served like other makers'.
        let others = !publisher.is_empty() && (publisher != GOOGLE || name.ends_with(SERVED));
        Ok(others.then_some(Self { publisher, name }))
    }

    fn is_mistrals(&self) -> bool {
        self.publisher == MISTRAL
    }
}

/// The publisher of a model that is named without one.
fn publisher(model: &str) -> Result<&'static str> {
    if MISTRALS.iter().any(|start| model.starts_with(start)) {
        return Ok(MISTRAL);
    }
    if model.ends_with(SERVED) && !model.starts_with("gemma") {
        let text =
            format!("Vertex AI has to be told whose model this is: PUBLISHER/{model}, such as meta/… for Llama.");
        return Err(Failure::new(Kind::NotFound, text).param("model"));
    }
    Ok(GOOGLE)
}

/// The request for a model of another maker's.
pub(crate) fn request(ctx: &Context, endpoint: &Endpoint, model: &Model<'_>, body: &str) -> Result<Step> {
    if ctx.operation() != "chat.completions" {
        let text = format!(
            "Vertex AI has nothing like {} for models of other makers.",
            ctx.operation()
        );
        return Err(Failure::unsupported(text));
    }
    let request = if model.is_mistrals() {
        mistral(ctx, endpoint, model.name, body)?
    } else {
        endpoint.openai().json_text(openai(model, body)?)
    };
    // A request that failed has cost nothing, so it may be sent again.
    request.idempotent().relay().send()
}

fn mistral(ctx: &Context, endpoint: &Endpoint, name: &str, body: &str) -> Result<Request> {
    // The URL has the version, the body has not.
    let plain = name.split('@').next().unwrap_or(name);
    let sent = witgate_mistral::chat(body, plain)?;
    let method = if ctx.streaming() {
        "streamRawPredict"
    } else {
        "rawPredict"
    };
    let request = endpoint.raw(MISTRAL, name, method);
    Ok(request.json_text(sent.body).dropped(sent.dropped))
}

/// The client's body with the name that Vertex AI has for the model, and with the older word for the longest answer: not every maker's
/// server knows the newer.
fn openai(model: &Model<'_>, body: &str) -> Result<String> {
    let fields = Object::parse(body).ok_or_else(|| Failure::invalid_request("The request is no JSON object."))?;
    let mut out = String::with_capacity(body.len() + 64);
    out.push_str("{\"model\":");
    push_string(&mut out, &[model.publisher, "/", model.name].concat());
    let newer = fields.get("max_completion_tokens");
    for (key, value) in &fields.0 {
        match &**key {
            "model" | "max_completion_tokens" => {}
            "max_tokens" if newer.is_some() => {}
            _ => push_field(&mut out, key, value.get()),
        }
    }
    if let Some(length) = newer {
        push_field(&mut out, "max_tokens", length);
    }
    out.push('}');
    Ok(out)
}

/// What went wrong, told by the maker's server or by Google.
pub(crate) fn failure(model: &Model<'_>, reply: &Response) -> Failure {
    let told = if model.is_mistrals() {
        witgate_mistral::failure(reply)
    } else {
        Failure::upstream(reply)
    };
    if !reply.text().is_ok_and(error::is_googles) {
        return told;
    }
    let failure = error::from_reply(reply);
    // Google passes on what a maker's server says of a long prompt, which is not what Gemini says.
    if told.kind() == Kind::ContextLength {
        failure.with_kind(Kind::ContextLength)
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::Model;

    fn named(model: &str) -> Option<(&str, &str)> {
        let model = Model::named(model).expect("a name that says whose it is")?;
        Some((model.publisher, model.name))
    }

    #[test]
    fn a_model_is_known_by_its_publisher_however_that_is_written() {
        let llama = Some(("meta", "llama-3.3-70b-instruct-maas"));
        for model in [
            "meta/llama-3.3-70b-instruct-maas",
            "publishers/meta/models/llama-3.3-70b-instruct-maas",
            "/publishers/meta/models/llama-3.3-70b-instruct-maas",
        ] {
            assert_eq!(named(model), llama, "{model}");
        }
        assert_eq!(named("unheard-of/model"), Some(("unheard-of", "model")));
    }

    #[test]
    fn mistrals_models_need_no_publisher() {
        for model in [
            "mistral-medium-3@001",
            "mistralai/mistral-medium-3@001",
            "publishers/mistralai/models/mistral-medium-3@001",
        ] {
            assert_eq!(named(model), Some(("mistralai", "mistral-medium-3@001")), "{model}");
        }
        for model in ["codestral-2", "codestral@2405"] {
            assert_eq!(named(model), Some(("mistralai", model)));
        }
    }

    #[test]
    fn googles_own_models_and_endpoints_are_asked_as_gemini_is() {
        for model in [
            "gemini-2.5-pro",
            "google/gemini-2.5-pro",
            "models/gemini-2.5-pro",
            "publishers/google/models/gemini-2.5-pro",
            "tunedModels/mine",
            "endpoints/12",
            "projects/p/locations/l/endpoints/12",
            "publishers/meta",
            "publishers//models/m",
        ] {
            assert_eq!(named(model), None, "{model}");
        }
    }

    #[test]
    fn of_googles_models_the_open_ones_are_asked_like_other_makers() {
        for model in ["gemma-4-26b-a4b-it-maas", "google/gemma-4-26b-a4b-it-maas"] {
            assert_eq!(named(model), Some(("google", "gemma-4-26b-a4b-it-maas")), "{model}");
        }
    }

    #[test]
    fn a_name_that_does_not_say_whose_it_is_is_refused() {
        let failure = Model::named("llama-3.3-70b-instruct-maas").expect_err("refused");
        assert!(
            failure.message().contains("PUBLISHER/llama-3.3-70b-instruct-maas"),
            "{}",
            failure.message()
        );
    }
}
