//! The Custom AI Service: a text goes in, a text comes out, and a token must be fetched first.

use serde::{Deserialize, Serialize};
use witgate_sdk::json::{Number, Str};
use witgate_sdk::openai::{ChatRequest, ChatResponse, Message, Model, Usage};
use witgate_sdk::{Adapter, Auth, Context, Credentials, Http, Manifest, Request, Response, Result, Step};

/// The adapter.
pub struct CustomAi;

#[derive(Serialize)]
struct CustomRequest<'a> {
    query: String,
    model: &'a str,
    parameters: Parameters<'a>,
}

#[derive(Serialize)]
struct Parameters<'a> {
    temperature: Number<'a>,
    max_tokens: u64,
}

#[derive(Deserialize)]
struct CustomResponse<'a> {
    #[serde(borrow)]
    generated_text: Str<'a>,
    #[serde(borrow)]
    model_used: Option<Str<'a>>,
    input_token_count: u64,
    output_token_count: u64,
    total_token_count: u64,
}

#[derive(Deserialize)]
struct CustomModel<'a> {
    #[serde(borrow)]
    model_id: Str<'a>,
    #[serde(borrow)]
    display_name: Str<'a>,
    max_context_length: u64,
    #[serde(borrow)]
    input_price_per_token: Number<'a>,
    #[serde(borrow)]
    output_price_per_token: Number<'a>,
}

impl Adapter for CustomAi {
    fn describe() -> Manifest {
        Manifest::new("custom_ai", env!("CARGO_PKG_VERSION"))
            .description("Custom AI Service")
            .auth(Auth::custom())
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let chat = ChatRequest::parse(body)?;
        let lines: Vec<_> = chat.messages.iter().map(Message::text).collect();
        let request = CustomRequest {
            query: lines.join("\n"),
            model: map_model(ctx.model()),
            parameters: Parameters {
                max_tokens: chat.token_limit().unwrap_or(1000),
                temperature: chat.temperature.unwrap_or(0.7.into()),
            },
        };
        Request::post(ctx.url("/generate")).json(&request).send()
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        let reply = reply.ok()?;
        let custom: CustomResponse = reply.json()?;
        let mut usage = Usage::new(custom.input_token_count, custom.output_token_count);
        usage.total_tokens = custom.total_token_count;
        let answer = ChatResponse::text(custom.generated_text, "stop").with_usage(usage);
        Step::done(&ChatResponse {
            id: Some(format!("custom-{}", ctx.now_unix_ms()).into()),
            model: custom.model_used,
            ..answer
        })
    }

    async fn authenticate(ctx: Context, http: Http) -> Result<Credentials> {
        let key = format!("Bearer {}", ctx.secret("api_key")?);
        let reply = http
            .fetch(Request::post(ctx.url("/auth")).header("authorization", key))
            .await?
            .ok()?;
        Ok(Credentials::bearer(reply.text()?.trim()))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        let reply = http.fetch(Request::get(ctx.url("/models"))).await?.ok()?;
        let models: Vec<CustomModel> = reply.json()?;
        let model = |custom: CustomModel| {
            Model::new(custom.model_id)
                .name(custom.display_name)
                .context_window(custom.max_context_length)
                .pricing(custom.input_price_per_token, custom.output_price_per_token)
                .into_static()
        };
        Ok(models.into_iter().map(model).collect())
    }
}

/// OpenAI's model ids, for clients that know no other.
fn map_model(openai: &str) -> &str {
    match openai {
        "gpt-5" => "custom-large-model",
        "gpt-4.1-mini" => "custom-fast-model",
        other => other,
    }
}

witgate_sdk::export!(CustomAi: auth, models);
