//! Does an adapter fit the providers that are configured for it? Their settings must be valid against its JSON Schema.

use serde_json::{Map, Value};

use crate::{
    adapter::Manifest,
    config::{self, Via},
    transport::signer,
};

/// How many errors are told of one provider: the first few say it all.
const TOLD: usize = 5;

/// A provider that may need an adapter.
#[derive(Clone)]
pub struct Need {
    /// The provider's id.
    pub provider: String,
    /// Which adapter it is.
    pub wanted: Wanted,
    /// The provider's settings.
    pub settings: Map<String, Value>,
    /// The names of further settings that are secret. An adapter that may have one sees a text in its place.
    pub secrets: Vec<String>,
}

impl std::fmt::Debug for Need {
    /// Without the settings: there are secrets among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Need")
            .field("provider", &self.provider)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

/// How a provider says which adapter it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// By the adapter's name.
    Name(String),
    /// By a provider `type` that the adapter serves.
    Type(String),
}

impl Need {
    /// What a provider needs, if it needs an adapter.
    pub fn of(provider: &config::Provider) -> Option<Self> {
        let wanted = match provider.via() {
            Via::Native => return None,
            Via::Adapter(id) => Wanted::Name(id.to_owned()),
            Via::Type(type_) => Wanted::Type(type_.to_owned()),
        };
        Some(Self {
            provider: provider.id.clone(),
            wanted,
            settings: provider.settings.0.clone(),
            secrets: provider.secrets.keys().cloned().collect(),
        })
    }

    /// Whether this adapter is the one.
    pub fn is_met_by(&self, manifest: &Manifest) -> bool {
        match &self.wanted {
            Wanted::Name(name) => *name == manifest.name,
            Wanted::Type(wanted) => manifest.types.contains(wanted),
        }
    }
}

/// Checks a provider's settings against the adapter's schema. The error names what is wrong, never a value: values may be secret.
pub fn check(manifest: &Manifest, need: &Need) -> Result<(), String> {
    let Some(schema) = &manifest.config_schema else {
        return Ok(());
    };
    let validator = validator(schema)?;
    let settings = as_seen_by_the_guest(schema, manifest, need);
    let wrong: Vec<_> = validator
        .iter_errors(&settings)
        .take(TOLD)
        .map(|error| match error.instance_path().to_string() {
            path if path.is_empty() => error.masked().to_string(),
            path => format!("{path}: {}", error.masked()),
        })
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

/// Checks that the schema is one.
pub fn check_schema(manifest: &Manifest) -> Result<(), String> {
    manifest
        .config_schema
        .as_ref()
        .map_or(Ok(()), |schema| validator(schema).map(drop))
}

fn validator(schema: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::validator_for(schema).map_err(|error| format!("its config-schema is not a JSON Schema: {error}"))
}

/// The settings with a text for each secret the adapter may have. The provider's key is among them under a fixed name; a schema may
/// mention it, and need not.
fn as_seen_by_the_guest(schema: &Value, manifest: &Manifest, need: &Need) -> Value {
    const KEY: &str = "api_key";
    const TOKEN: &str = "a token";
    let mut settings = need.settings.clone();
    for name in need
        .secrets
        .iter()
        .filter(|name| manifest.permissions.secrets.contains(name))
    {
        settings.insert(name.clone(), Value::from(TOKEN));
    }
    let taken = signer::settings(manifest.auth.as_ref());
    settings.retain(|name, _| !taken.contains(&name.as_str()));
    let mentioned = schema.pointer(&format!("/properties/{KEY}")).is_some();
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|name| name == KEY));
    if mentioned || required {
        settings.entry(KEY).or_insert_with(|| Value::from(TOKEN));
    } else {
        settings.remove(KEY);
    }
    Value::Object(settings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(schema: &Value) -> Manifest {
        let manifest =
            json!({ "name": "x", "version": "1", "operations": ["chat.completions"], "config-schema": schema });
        Manifest::parse(&manifest.to_string()).unwrap()
    }

    fn need(settings: Value) -> Need {
        Need {
            provider: "shop".to_owned(),
            wanted: Wanted::Name("x".to_owned()),
            settings: serde_json::from_value(settings).unwrap(),
            secrets: vec!["password".to_owned(), "other".to_owned()],
        }
    }

    #[test]
    fn an_error_names_the_setting_and_never_its_value() {
        let manifest = manifest(&json!({ "properties": { "region": { "type": "integer" } }, "required": ["zone"] }));
        let error = check(&manifest, &need(json!({ "region": "sk-very-secret" }))).unwrap_err();
        assert!(error.contains("/region") && error.contains("zone"), "{error}");
        assert!(!error.contains("sk-very-secret"), "{error}");
    }

    #[test]
    fn the_providers_key_is_there_if_the_schema_asks_and_in_nobodys_way_if_not() {
        let strict = manifest(&json!({ "properties": {}, "additionalProperties": false }));
        assert_eq!(check(&strict, &need(json!({ "api_key": "k" }))), Ok(()));
        let asking = manifest(&json!({ "properties": { "api_key": { "type": "string" } }, "required": ["api_key"] }));
        assert_eq!(check(&asking, &need(json!({}))), Ok(()));
    }

    #[test]
    fn a_secret_is_a_text_to_the_adapter_that_may_have_it_and_not_there_for_another() {
        let schema = json!({ "properties": { "password": { "type": "string" } }, "required": ["password"], "additionalProperties": false });
        let mut manifest = manifest(&schema);
        assert!(check(&manifest, &need(json!({}))).is_err());
        manifest.permissions.secrets.push("password".to_owned());
        assert_eq!(check(&manifest, &need(json!({}))), Ok(()));
    }

    #[test]
    fn a_schema_that_is_none_or_wants_the_network_is_an_error() {
        for schema in [
            json!({ "type": 7 }),
            json!({ "$ref": "https://example.com/schema.json" }),
        ] {
            let error = check(&manifest(&schema), &need(json!({}))).unwrap_err();
            assert!(error.contains("not a JSON Schema"), "{error}");
        }
    }
}
