//! The Custom AI Service: a text goes in, a text comes out, and a token must be fetched first.

use serde::Deserialize;
use witgate_sdk::openai::{ChatRequest, ChatResponse, Model, Usage};
use witgate_sdk::{Adapter, Auth, Context, Credentials, Http, Manifest, Request, Response, Result, Step, json};

/// The adapter.
pub struct CustomAi;

#[derive(Deserialize)]
struct Answer {
    generated_text: String,
    model_used: String,
    input_token_count: u64,
    output_token_count: u64,
    total_token_count: u64,
}

#[derive(Deserialize)]
struct Listed {
    model_id: String,
    display_name: String,
    max_context_length: u64,
    input_price_per_token: f64,
    output_price_per_token: f64,
}

impl Adapter for CustomAi {
    fn describe() -> Manifest {
        Manifest::new("custom_ai", env!("CARGO_PKG_VERSION")).auth(Auth::custom())
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let chat = ChatRequest::parse(body)?;
        let request = json!({
            "query": chat.texts().join("\n"),
            "model": own_id(ctx.model()),
            "parameters": {
                "max_tokens": chat.token_limit().unwrap_or(1000),
                "temperature": chat.temperature.unwrap_or(0.7.into()),
            },
        });
        Request::post(ctx.url("/generate")).json(&request).send()
    }

    fn transform_response(_: &Context, reply: Response) -> Result<Step> {
        let answer: Answer = reply.ok()?.json()?;
        let mut usage = Usage::new(answer.input_token_count, answer.output_token_count);
        usage.total_tokens = answer.total_token_count;
        let chat = ChatResponse::text(answer.generated_text, "stop").with_usage(usage);
        Step::done(&chat.with_model(answer.model_used))
    }

    async fn authenticate(ctx: Context, http: Http) -> Result<Credentials> {
        let request = Request::post(ctx.url("/auth")).bearer(&ctx.secret("api_key")?);
        Ok(Credentials::bearer(http.fetch(request).await?.ok()?.text()?.trim()))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        let models: Vec<Listed> = http.fetch(Request::get(ctx.url("/models"))).await?.ok()?.json()?;
        let model = |listed: Listed| {
            Model::new(listed.model_id)
                .name(listed.display_name)
                .context_window(listed.max_context_length)
                .pricing(listed.input_price_per_token, listed.output_price_per_token)
        };
        Ok(models.into_iter().map(model).collect())
    }
}

/// The service's own model ids, for clients that know only OpenAI's.
fn own_id(model: &str) -> &str {
    match model {
        "gpt-5" => "custom-large-model",
        "gpt-4.1-mini" => "custom-fast-model",
        other => other,
    }
}

witgate_sdk::export!(CustomAi: auth, models);
