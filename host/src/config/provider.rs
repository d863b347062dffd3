//! A provider as configured: where it is, what it speaks, how to get in, what it has.

use std::{collections::BTreeMap, fmt, time::Duration};

use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{
    auth::{self, Auth},
    base_url,
    drop_params::DropParams,
    key::Key,
    known,
    model::Model,
    read::Table,
    report::Report,
    rules::{Budget, CacheMode, RateLimit, Security},
};
use crate::secret::Secret;

/// `type` of a provider that has a known API itself.
const COMPATIBLE: &str = "openai-compatible";
/// `type` of a provider that names its adapter.
const CUSTOM_ADAPTER: &str = "custom-adapter";

/// Settings of a type's own that go to its adapter beside those of `adapter_config`, each under this name.
const ADAPTER_SETTINGS: &[&str] = &[
    "api_version",
    "region",
    "access_key_id",
    "profile",
    "role_arn",
    "role_session_name",
    "web_identity_token_file",
    "credentials",
    "project_id",
    "service_account_key",
    "token_url",
    "tenant_id",
    "client_id",
    "scope",
    "audience",
];

/// Those of them that no adapter gets to see.
const ADAPTER_SECRETS: &[&str] = &["secret_access_key", "session_token", "client_secret"];

/// A provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// `id`, or its key in the `providers` map, or its name. Unique.
    pub id: String,
    /// `name`: for people, and for clients that write `name/model`. Unique.
    pub name: String,
    /// `type`: an open set. Some are known to speak OpenAI's API (`known.toml`), adapters say which others they serve.
    pub type_: String,
    /// `api` or `format`: the API it speaks, if it is one of those known.
    pub api: Api,
    /// `apis`: those it has beside that one. Calls in them go to it as they are.
    pub apis: Vec<Api>,
    /// `adapter`, or `adapter_config.requestFormat` of a `custom-adapter`: the adapter's id.
    pub adapter: Option<String>,
    /// `enabled`
    pub enabled: bool,
    /// `priority`: 1 is tried first, 100 last.
    pub priority: u8,
    /// `base_url`, cleaned. Not every type has one.
    pub base_url: Option<Url>,
    /// Its key and where it came from.
    pub key: Key,
    /// `auth`; `None` leaves it to the adapter, or is [`Auth::Bearer`] without one.
    pub auth: Option<Auth>,
    /// `headers` for every request, `{api_key}` filled in. All values are marked sensitive.
    pub headers: HeaderMap,
    /// `timeout`: from sending to the head of the answer.
    pub timeout: Duration,
    /// `idle_timeout`: the longest silence inside an answer.
    pub idle_timeout: Duration,
    /// `max_retries`
    pub max_retries: u32,
    /// `models` and `supported_models`; empty: any, ask the provider.
    pub models: Vec<Model>,
    /// `default_model`: what the bare provider name stands for.
    pub default_model: Option<String>,
    /// `default_params`: for fields that a client left out.
    pub default_params: Map<String, Value>,
    /// `drop_params`
    pub drop_params: DropParams,
    /// `security`
    pub security: Security,
    /// `adapter_config` and the settings of its type.
    pub settings: Settings,
    /// Secrets of its type beside the key: an adapter gets a token for each.
    pub secrets: BTreeMap<String, Secret>,
    /// `rate_limit`
    pub rate_limit: RateLimit,
    /// `budget`
    pub budget: Budget,
    /// `cache.mode`
    pub cache: CacheMode,
    /// It was found, not configured: a configured provider cannot take its models.
    pub built_in: bool,
    /// Model names it is known to serve though it lists none: exact, or with one `*` at the end. Found providers only.
    pub claims: Vec<String>,
}

/// The API a provider speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Api {
    /// `openai-completions`: Chat Completions, embeddings.
    #[default]
    #[serde(rename = "openai-completions")]
    Completions,
    /// `openai-responses`
    #[serde(rename = "openai-responses")]
    Responses,
    /// `anthropic-messages`
    #[serde(rename = "anthropic-messages")]
    Messages,
}

impl Api {
    const WORDS: &[(&str, Self)] = &[
        ("openai-completions", Self::Completions),
        ("openai-responses", Self::Responses),
        ("anthropic-messages", Self::Messages),
    ];
    const FORMATS: &[(&str, Self)] = &[
        ("OpenAI Compatible", Self::Completions),
        ("openai-compatible", Self::Completions),
        ("Anthropic Compatible", Self::Messages),
        ("anthropic-compatible", Self::Messages),
    ];

    /// The word for it in a configuration.
    pub fn as_str(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(_, api)| *api == self)
            .map_or("", |(word, _)| word)
    }
}

/// Who turns calls into what a provider understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via<'p> {
    /// Nobody: it speaks the canonical form.
    Native,
    /// The adapter with this id.
    Adapter(&'p str),
    /// The adapter that serves this type.
    Type(&'p str),
}

/// An adapter's settings. They may hold secrets: `Debug` shows the keys only.
#[derive(Clone, Default, PartialEq)]
pub struct Settings(pub Map<String, Value>);

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Provider {
    /// A provider with an id and a base URL, and the defaults for the rest.
    pub fn new(id: impl Into<String>, base_url: Option<Url>, key: Key) -> Self {
        let id = id.into();
        Self {
            name: id.clone(),
            id,
            type_: COMPATIBLE.to_owned(),
            api: Api::default(),
            apis: Vec::new(),
            adapter: None,
            enabled: true,
            priority: 50,
            base_url,
            key,
            auth: None,
            headers: HeaderMap::new(),
            timeout: Duration::from_mins(10),
            idle_timeout: Duration::from_mins(5),
            max_retries: 2,
            models: Vec::new(),
            default_model: None,
            default_params: Map::new(),
            drop_params: DropParams::default(),
            security: Security::default(),
            settings: Settings::default(),
            secrets: BTreeMap::new(),
            rate_limit: RateLimit::default(),
            budget: Budget::default(),
            cache: CacheMode::default(),
            built_in: false,
            claims: Vec::new(),
        }
    }

    /// Who turns calls into what it understands.
    pub fn via(&self) -> Via<'_> {
        match (&self.adapter, self.type_.as_str(), self.api) {
            (Some(adapter), ..) => Via::Adapter(adapter),
            (None, type_, api) if type_ == COMPATIBLE || known::stands_for(type_).is_some() => match api {
                Api::Completions => Via::Native,
                api => Via::Type(api.as_str()),
            },
            (None, type_, _) => Via::Type(type_),
        }
    }

    /// The provider it is, by the name the world has for it: its type, or whose place it is at.
    pub fn known_as(&self) -> &str {
        let of_type = known::stands_for(&self.type_).map(|stands| stands.id);
        let of_place = || {
            self.base_url
                .as_ref()
                .and_then(known::at)
                .filter(|_| self.type_ == COMPATIBLE)
        };
        of_type.or_else(of_place).unwrap_or(&self.type_)
    }

    /// True if `name` is its id or its name; case does not count.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        self.id.trim().to_lowercase() == name || self.name.trim().to_lowercase() == name
    }

    /// The model that it calls `upstream`, or that clients call so.
    pub fn model(&self, upstream: &str) -> Option<&Model> {
        let same = |model: &&Model| model.upstream() == upstream || model.id.eq_ignore_ascii_case(upstream);
        self.models.iter().find(same)
    }

    /// `id` is its key in the `providers` map, or absent in a list.
    pub(super) fn read(id: Option<&str>, mut table: Table<'_>, report: &mut Report<'_>) -> Option<Self> {
        let (own_id, name) = (table.word("id", report), table.word("name", report));
        let type_ = table.word("type", report).unwrap_or_else(|| COMPATIBLE.to_owned());
        let stands = known::stands_for(&type_);
        let id = id.map(|id| id.trim().to_owned()).or(own_id).or_else(|| name.clone());
        let id = id.or_else(|| stands.as_ref().map(|stands| stands.id.to_owned()));
        if id.is_none() {
            report.problem(
                table.line,
                &table.path,
                "has neither `id` nor `name`",
                "give it an `id`",
            );
        }
        let id = id.unwrap_or_default();
        let usual = stands.as_ref().and_then(|stands| stands.key);
        let key = Key::read(&id, usual, &mut table, report);
        auth::check_key(&table, &key, report);
        let (headers, carry_key) = auth::headers(&mut table, &key, report);
        let base_url = base_url::read(&mut table, report);
        let base_url = base_url.or_else(|| stands.as_ref().map(|stands| stands.base_url.clone()));
        let mut provider = Self {
            name: name.unwrap_or_else(|| id.clone()),
            headers,
            // Headers with the key in them say how it travels.
            auth: Auth::read(&mut table, report).or(carry_key.then_some(Auth::None)),
            models: Model::read_all(&mut table, report),
            default_model: table.word("default_model", report),
            default_params: table.object("default_params", report),
            drop_params: DropParams::read(&mut table, report),
            security: Security::read(&mut table, report),
            rate_limit: RateLimit::read(&mut table, report),
            budget: Budget::read(&mut table, report),
            cache: CacheMode::read(&mut table, report),
            type_,
            apis: stands.map(|stands| stands.apis.to_vec()).unwrap_or_default(),
            ..Self::new(id, base_url, key)
        };
        provider.read_conduct(&mut table, report);
        provider.read_language(&mut table, report);
        provider.check(&table, report);
        table.end(report);
        (!provider.id.is_empty()).then_some(provider)
    }

    fn read_conduct(&mut self, table: &mut Table<'_>, report: &mut Report<'_>) {
        self.enabled = table.flag("enabled", report).unwrap_or(true);
        let priority = table.whole("priority", 1..=100, report);
        self.priority = priority.and_then(|p| u8::try_from(p).ok()).unwrap_or(self.priority);
        self.timeout = table.duration("timeout", report).unwrap_or(self.timeout);
        self.idle_timeout = table.duration("idle_timeout", report).unwrap_or(self.idle_timeout);
        let retries = table.whole("max_retries", 0..=20, report);
        self.max_retries = retries.and_then(|n| u32::try_from(n).ok()).unwrap_or(self.max_retries);
    }

    fn read_language(&mut self, table: &mut Table<'_>, report: &mut Report<'_>) {
        let api = table.choice("api", Api::WORDS, report);
        let format = table.choice("format", Api::FORMATS, report);
        if let (Some(api), Some(format)) = (api, format)
            && api != format
        {
            report.problem(
                table.line,
                &table.path("format"),
                "says something else than `api`",
                "keep one of them",
            );
        }
        self.api = api.or(format).unwrap_or_default();
        let apis = table.choices("apis", Api::WORDS, report);
        if !apis.is_empty() {
            self.apis = apis;
        }
        self.adapter = table.word("adapter", report);
        self.settings = Settings(table.object("adapter_config", report));
        for key in ADAPTER_SETTINGS.iter().copied() {
            if let Some(value) = table.word(key, report) {
                self.settings.0.entry(key).or_insert(value.into());
            }
        }
        for key in ADAPTER_SECRETS.iter().copied() {
            self.secrets.extend(
                table
                    .word(key, report)
                    .map(|value| (key.to_owned(), Secret::new(value))),
            );
        }
        if self.type_ == CUSTOM_ADAPTER && self.adapter.is_none() {
            let format = ["requestFormat", "request_format"]
                .iter()
                .find_map(|key| self.settings.0.get(*key));
            self.adapter = format.and_then(Value::as_str).map(str::to_owned);
            if self.adapter.is_none() {
                let remedy = "set `adapter` to the id of an adapter (`witgate adapter list`)";
                report.problem(table.line, &table.path("adapter"), "is missing", remedy);
            }
        }
    }

    /// What can only be seen with all of it read.
    fn check(&self, table: &Table<'_>, report: &mut Report<'_>) {
        let path = table.path("base_url");
        let Some(url) = &self.base_url else {
            if table.lacks("base_url") && self.via() == Via::Native {
                report.problem(
                    table.line,
                    &path,
                    "is missing",
                    "write where the provider is, such as \"http://localhost:8000/v1\"",
                );
            }
            return;
        };
        let bare = url.path() == "/" || url.path().is_empty();
        if bare && self.via() == Via::Native {
            report.warn(
                table.line,
                &path,
                "has no path: if requests end in 404, add the `/v1` that most servers want",
            );
        }
        let key_in_clear = url.scheme() == "http" && self.key.secret.is_some() && !base_url::is_loopback(url);
        if key_in_clear && !self.security.allow_insecure {
            report.warn(
                table.line,
                &path,
                "is plain HTTP: the key travels unencrypted; `security.allow_insecure = true` says that this is meant",
            );
        }
        if !self.security.certificate_validation {
            report.warn(
                table.line,
                &table.path("security"),
                "turns certificate validation off: anyone on the way can read the key",
            );
        }
    }
}
