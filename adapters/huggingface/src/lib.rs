//! Witgate's adapter for the native API of text-generation-inference (TGI), and for Hugging Face's inference API, which speaks the same.
//! The README says what becomes of what.
//!
//! Both go on with a text: `prompt` makes one of a chat, `request` asks for it with the `config` at hand, `answer` reads what comes
//! back, whole or as a `stream`, and `stops` keeps the texts away at which it was to end. `embeddings` and `models` are the other
//! endpoints, `error` is what can go wrong at any.

mod answer;
mod config;
mod describe;
mod embeddings;
mod error;
mod models;
pub mod prompt;
mod request;
mod stops;
mod stream;

use witgate_sdk::openai::Model;
use witgate_sdk::{Adapter, Context, Decoder, Failure, Http, Manifest, Response, Result, Step, StreamHead};

use config::Config;
pub use stream::Tokens;

/// The adapter.
#[derive(Debug)]
pub struct HuggingFace;

#[cfg(feature = "export")]
witgate_sdk::export!(HuggingFace: streaming, models);

impl Adapter for HuggingFace {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let config: Config<'_> = ctx.config()?;
        match ctx.operation() {
            "chat.completions" => request::chat(ctx, &config, body),
            "completions" => request::completion(ctx, &config, body),
            "embeddings" => embeddings::request(ctx, &config, body),
            other => Err(Failure::unsupported(format!(
                "Text generation has nothing like {other}."
            ))),
        }
    }

    fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        if ctx.operation() == "embeddings" {
            return embeddings::answer(&reply);
        }
        answer::whole(ctx, &reply)
    }

    fn open_stream(ctx: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Tokens::new(ctx, head.state())))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        models::list(ctx, http).await
    }
}
