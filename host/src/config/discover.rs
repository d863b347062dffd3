//! Providers that are there without being configured: model servers on this machine's usual ports, and providers whose usual key
//! variables are set. Whom to look for is data (`known.toml`).

mod probe;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{
    Config, Environment, Key, KeySource, Model, Note, Provider, base_url, is_loopback,
    known::{self, Described, Hosted, Known, Server},
};
use futures_util::future::join_all;

/// Adds what is found to the providers of `config`. A configured provider of the same name stays as it is. Takes as long as the
/// slowest local server, at most a second.
pub async fn add(config: &mut Config) {
    let known = known::table();
    let ours = own_port(config);
    let environment = |name: &str| std::env::var(name).ok();
    let mut found = from_environment(known, ours, &environment, &mut config.warnings);
    found.extend(servers(&known.servers, ours).await);
    for provider in found {
        let taken = |other: &Arc<Provider>| other.is_called(&provider.id) || same_place(other, &provider);
        if !config.providers.iter().any(taken) {
            config.providers.push(Arc::new(provider));
        }
    }
}

/// A local server is known by its address, whatever the configuration calls it.
fn same_place(one: &Provider, other: &Provider) -> bool {
    let place = |provider: &Provider| {
        let url = provider.base_url.as_ref().filter(|url| is_loopback(url))?;
        url.port_or_known_default()
    };
    place(one).is_some() && place(one) == place(other)
}

/// The gateway must not find itself.
fn own_port(config: &Config) -> Option<u16> {
    config
        .server
        .listen
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
}

/// Providers that environment variables tell of.
fn from_environment(
    known: &Known,
    ours: Option<u16>,
    environment: Environment<'_>,
    warnings: &mut Vec<Note>,
) -> Vec<Provider> {
    let mut found = Vec::new();
    let mut replaced = Vec::new();
    for row in &known.described {
        match row.provider(ours, environment) {
            None => {}
            Some(Ok(provider)) => {
                found.push(provider);
                replaced.extend(row.instead_of.as_deref());
            }
            Some(Err(message)) => warnings.push(Note {
                line: None,
                key: row.base_url.clone(),
                message,
            }),
        }
    }
    let hosted = known.hosted.iter().filter(|row| !replaced.contains(&row.id.as_str()));
    found.extend(hosted.filter_map(|row| row.provider(environment)));
    found
}

fn key_of(variable: &str, environment: Environment<'_>) -> Key {
    let text = environment(variable).unwrap_or_default();
    Key::of(&text, KeySource::Variable(variable.to_owned()))
}

impl Described {
    /// `None` if its variables are not set, or name this gateway: clients of it have the same variable.
    fn provider(&self, ours: Option<u16>, environment: Environment<'_>) -> Option<Result<Provider, String>> {
        let text = environment(&self.base_url).filter(|text| !text.trim().is_empty())?;
        let url = match base_url::normalise(&text) {
            Ok((url, _)) => url,
            Err((message, remedy)) => return Some(Err(format!("{message}; {remedy}"))),
        };
        if is_loopback(&url) && url.port_or_known_default() == ours {
            return None;
        }
        let mut provider = Provider::new(&self.id, Some(url), key_of(&self.key, environment));
        let model = self.model.as_deref().and_then(environment);
        provider.models.extend(
            model
                .filter(|model| !model.trim().is_empty())
                .map(|model| Model::named(model.trim())),
        );
        Some(Ok(provider))
    }
}

impl Hosted {
    fn provider(&self, environment: Environment<'_>) -> Option<Provider> {
        let key = key_of(&self.key, environment);
        key.secret.as_ref()?;
        let (url, _) = base_url::normalise(&self.base_url).ok()?;
        let mut provider = Provider::new(&self.id, Some(url), key);
        if let Some(type_) = &self.type_ {
            provider.type_.clone_from(type_);
        }
        provider.claims.clone_from(&self.claims);
        provider.apis.clone_from(&self.apis);
        provider.built_in = true;
        Some(provider)
    }
}

/// The local servers that answer.
async fn servers(known: &[Server], ours: Option<u16>) -> Vec<Provider> {
    let mut ports: Vec<u16> = known
        .iter()
        .map(|server| server.port)
        .filter(|port| Some(*port) != ours)
        .collect();
    ports.dedup();
    let answers = join_all(
        ports
            .into_iter()
            .map(async |port| Some((port, probe::models(port).await?))),
    )
    .await;
    answers
        .into_iter()
        .flatten()
        .filter_map(|(port, models)| server(known, port, models))
        .collect()
}

fn server(known: &[Server], port: u16, models: Vec<probe::Listed>) -> Option<Provider> {
    let owner = models.iter().find_map(|model| model.owned_by.as_deref());
    let fits = |row: &&Server| row.port == port && (row.owned_by.is_none() || row.owned_by.as_deref() == owner);
    let row = known.iter().find(fits)?;
    let url = row.base_url()?;
    let key = Key {
        secret: None,
        source: KeySource::Keyless,
    };
    let mut provider = Provider::new(&row.id, Some(url), key);
    provider.models = models.into_iter().map(|model| Model::named(model.id)).collect();
    provider.built_in = true;
    Some(provider)
}
