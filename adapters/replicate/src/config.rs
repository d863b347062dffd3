//! The provider's settings: which inputs a model takes, under which names, and how patiently to wait for it.
//!
//! Replicate has one API and thousands of models, each with input names of its own, so nearly all of this is names. Everything has a
//! default that suits the official language models. README.md of this adapter is the manual, `config.schema.json` the schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use witgate_sdk::json::Str;
use witgate_sdk::{Context, Result};

use crate::endpoint;

/// A map from our name of an input to the model's; an empty one says that the model does not take it.
pub(crate) type Names<'a> = BTreeMap<Str<'a>, Str<'a>>;

/// The settings, borrowed from the call's context. Both spellings of each key of the older config documents are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings<'a> {
    /// run this version instead of the model's own endpoint
    #[serde(borrow)]
    version: Option<Str<'a>>,
    /// `false`: never ask for the event stream
    #[serde(alias = "streamingSupport")]
    streaming_support: Option<bool>,
    /// seconds the create call may wait for the answer (`prefer: wait=N`)
    wait: Option<u8>,
    /// milliseconds before the first poll
    poll_ms: Option<u32>,
    /// the longest pause between two polls
    poll_max_ms: Option<u32>,
    /// how a conversation becomes one prompt
    #[serde(borrow)]
    prompt_template: Option<TemplateSetting<'a>>,
    /// the model takes a list of images
    image_list: Option<bool>,
    /// embeddings: texts go as `list` or as `json` (a list written into a string)
    #[serde(borrow)]
    texts_as: Option<Str<'a>>,
    /// pages of the model list to read
    models_pages: Option<usize>,
    #[serde(borrow)]
    names: Names<'a>,
    #[serde(borrow)]
    input: BTreeMap<Str<'a>, &'a RawValue>,
    #[serde(borrow)]
    per_model: BTreeMap<Str<'a>, Settings<'a>>,
}

/// A template's name, or the template itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum TemplateSetting<'a> {
    /// one of the built-in ones
    Named(#[serde(borrow)] Cow<'a, str>),
    /// `{text}` stands for the message
    Own {
        /// before everything
        #[serde(default)]
        start: String,
        /// a system message
        #[serde(default)]
        system: String,
        /// a user's message
        user: String,
        /// a model's message
        assistant: String,
        /// after everything: the model goes on from here
        #[serde(default)]
        open: String,
    },
}

/// The pause before the first poll, and the longest one, where the settings name none.
const POLL_MS: (u32, u32) = (250, 5_000);
/// Replicate holds a create call for a minute at most.
const LONGEST_WAIT: u8 = 60;

/// How patiently a prediction is asked for: milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    first: u32,
    longest: u32,
}

impl Pace {
    /// The next pause, `before` being the last one (0: there was none). It grows by half each time.
    pub(crate) fn next(self, before: u32) -> u32 {
        let next = if before == 0 {
            self.first
        } else {
            before.saturating_add(before / 2)
        };
        next.min(self.longest)
    }
}

impl<'a> Settings<'a> {
    /// The settings of a call: those of the provider, and over them those of its model.
    pub(crate) fn of(ctx: &'a Context) -> Result<Self> {
        let mut settings: Self = ctx.config()?;
        if let Some(own) = settings.per_model.remove(&Str::from(endpoint::bare_model(ctx.model()))) {
            settings.overlay(own);
        }
        Ok(settings)
    }

    fn overlay(&mut self, own: Self) {
        self.version = own.version.or_else(|| self.version.take());
        self.streaming_support = own.streaming_support.or(self.streaming_support);
        self.wait = own.wait.or(self.wait);
        self.poll_ms = own.poll_ms.or(self.poll_ms);
        self.poll_max_ms = own.poll_max_ms.or(self.poll_max_ms);
        self.prompt_template = own.prompt_template.or_else(|| self.prompt_template.take());
        self.image_list = own.image_list.or(self.image_list);
        self.texts_as = own.texts_as.or_else(|| self.texts_as.take());
        self.names.extend(own.names);
        self.input.extend(own.input);
    }

    /// The version to run, if the settings name one.
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref().filter(|version| !version.is_empty())
    }

    /// Whether to read along on the event stream.
    pub(crate) fn streams(&self) -> bool {
        self.streaming_support.unwrap_or(true)
    }

    /// The value of the `prefer` header, if the create call may wait.
    pub(crate) fn prefer(&self) -> Option<String> {
        let seconds = self.wait.filter(|&seconds| seconds > 0)?;
        Some(format!("wait={}", seconds.min(LONGEST_WAIT)))
    }

    /// How patiently a prediction is asked for.
    pub(crate) fn pace(&self) -> Pace {
        Pace {
            first: self.poll_ms.unwrap_or(POLL_MS.0),
            longest: self.poll_max_ms.unwrap_or(POLL_MS.1),
        }
    }

    /// The model's name for one of our inputs; `None` if it takes no such thing.
    pub(crate) fn name<'s>(&'s self, ours: &'s str) -> Option<&'s str> {
        match self.names.get(&Str::from(ours)) {
            Some(theirs) => Some(&**theirs).filter(|name| !name.is_empty()),
            None => usual_name(ours),
        }
    }

    /// Inputs to send with every request, as they are.
    pub(crate) fn input(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.input.iter().map(|(name, value)| (&**name, *value))
    }

    /// How a conversation becomes one prompt.
    pub(crate) fn template(&self) -> Option<&TemplateSetting<'a>> {
        self.prompt_template.as_ref()
    }

    /// Whether images go as a list.
    pub(crate) fn image_list(&self) -> bool {
        self.image_list.unwrap_or(false)
    }

    /// How many pages of the model list to read: there are thousands of models, and few are meant.
    pub(crate) fn models_pages(&self) -> usize {
        self.models_pages.unwrap_or(4)
    }

    /// Whether the texts to embed go as a list written into a string.
    pub(crate) fn texts_as_json(&self) -> bool {
        self.texts_as.as_deref() == Some("json")
    }
}

/// What the official language models call our inputs.
fn usual_name(ours: &str) -> Option<&str> {
    match ours {
        "stop" => Some("stop_sequences"),
        "system" => Some("system_prompt"),
        "prompt" | "image" | "texts" | "max_tokens" | "temperature" | "top_p" | "top_k" | "seed"
        | "presence_penalty" | "frequency_penalty" => Some(ours),
        _ => None,
    }
}
