//! Where a request goes.

use std::collections::BTreeMap;

use serde::Deserialize;
use witgate_sdk::url::segment;
use witgate_sdk::{Context, Failure, Kind, Request, Result};

use crate::model::Model;

/// Offered as the base URL. No such host exists: what is meant is that of the region.
pub(crate) const BASE_URL: &str = "https://bedrock-runtime.amazonaws.com";

/// The provider's settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    region: Option<String>,
    /// a guardrail for all chats
    guardrail: Option<Guardrail>,
    /// chats go to InvokeModel
    invoke: bool,
    /// the models behind ids that do not tell: an application's profiles, what is provisioned or imported
    profiles: BTreeMap<String, String>,
}

/// A guardrail of the operator's.
#[derive(Debug, Deserialize)]
struct Guardrail {
    id: String,
    version: String,
}

impl Config {
    /// Chats go to InvokeModel, in each model's own form.
    pub(crate) fn invokes(&self) -> bool {
        self.invoke
    }

    /// What is known of the call's model.
    pub(crate) fn model<'a>(&'a self, ctx: &'a Context) -> Model<'a> {
        let named = self.profiles.get(ctx.model()).map(String::as_str);
        Model::named(named.unwrap_or(ctx.model()))
    }

    /// The guardrail's id and version.
    pub(crate) fn guardrail_names(&self) -> Option<(&str, &str)> {
        let guardrail = self.guardrail.as_ref()?;
        Some((&guardrail.id, &guardrail.version))
    }

    /// `guardrailConfig` for clients that send none, as JSON text.
    pub(crate) fn guardrail(&self) -> Option<String> {
        let guardrail = self.guardrail.as_ref()?;
        let config = witgate_sdk::json!({"guardrailIdentifier": guardrail.id, "guardrailVersion": guardrail.version,
            "trace": "enabled"});
        Some(config.to_string())
    }

    /// A request for a model: "converse", "invoke", … An ARN is one segment of the path, its slashes and colons escaped.
    pub(crate) fn post(&self, ctx: &Context, operation: &str) -> Result<Request> {
        self.post_to(ctx, ctx.model(), operation)
    }

    /// The same for a model of another name.
    pub(crate) fn post_to(&self, ctx: &Context, model: &str, operation: &str) -> Result<Request> {
        let base = self.base(ctx.base_url(), "bedrock-runtime")?;
        let url = [&base, "/model/", &segment(model), "/", operation].concat();
        Ok(Request::post(url).credentials(true).header("accept", accept(operation)))
    }

    /// A request for a list of the service's.
    pub(crate) fn list(&self, ctx: &Context, path: &str) -> Result<Request> {
        let base = self.base(ctx.base_url(), "bedrock")?;
        Ok(Request::get([&base, path].concat()).credentials(true))
    }

    /// The base URL of one of Bedrock's two services: the operator's own, else that of the region. AWS's hosts tell the two apart by
    /// name; another host, a stand-in or a proxy, serves both.
    fn base(&self, given: &str, service: &str) -> Result<String> {
        if given == BASE_URL {
            let region = self.region.as_deref().ok_or_else(|| {
                Failure::new(
                    Kind::Config,
                    "Bedrock needs a region: set it, or AWS_REGION, or a base_url that names it.",
                )
            })?;
            let end = if region.starts_with("cn-") { ".cn" } else { "" };
            return Ok(format!("https://{service}.{region}.amazonaws.com{end}"));
        }
        let given = given.trim_end_matches('/');
        let given = given.strip_suffix("/model").unwrap_or(given);
        Ok(match service {
            "bedrock" if given.contains(".amazonaws.com") => given.replacen("bedrock-runtime", "bedrock", 1),
            _ => given.to_owned(),
        })
    }
}

fn accept(operation: &str) -> &'static str {
    match operation {
        "converse-stream" | "invoke-with-response-stream" => "application/vnd.amazon.eventstream",
        _ => "application/json",
    }
}

#[cfg(test)]
mod tests {
    use super::{BASE_URL, Config};

    fn config(region: Option<&str>) -> Config {
        Config {
            region: region.map(str::to_owned),
            ..Config::default()
        }
    }

    #[test]
    fn a_host_is_that_of_the_region_unless_the_operator_names_one() {
        let base = |region, given: &str, service| config(region).base(given, service).ok();
        let of = |text: &str| Some(text.to_owned());
        assert_eq!(
            base(Some("us-east-1"), BASE_URL, "bedrock-runtime"),
            of("https://bedrock-runtime.us-east-1.amazonaws.com")
        );
        assert_eq!(
            base(Some("cn-north-1"), BASE_URL, "bedrock"),
            of("https://bedrock.cn-north-1.amazonaws.com.cn")
        );
        assert_eq!(base(None, BASE_URL, "bedrock-runtime"), None);
        let own = "https://bedrock-runtime-fips.us-east-1.amazonaws.com";
        assert_eq!(
            base(None, own, "bedrock"),
            of("https://bedrock-fips.us-east-1.amazonaws.com")
        );
        assert_eq!(
            base(None, "http://localhost:8000/model", "bedrock-runtime"),
            of("http://localhost:8000")
        );
        assert_eq!(
            base(None, "http://localhost:8000", "bedrock"),
            of("http://localhost:8000")
        );
    }
}
