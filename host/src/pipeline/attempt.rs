//! One provider's turn at a call: tries, with a growing and jittered pause between them, until it answers or the tries are used up.

mod dropping;

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use futures_util::{StreamExt, stream};

use super::target::Target;
use crate::{
    adapter,
    call::{Call, Operation},
    dialect::{self, Taker, messages, responses},
    error::{Error, Kind, Result},
    gateway::{Gateway, Speaks},
    passthrough,
    record::Record,
    reply::{Body, Reply},
};

/// A `Retry-After` longer than this is not waited for: the client is told, or the next provider asked.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// How many fields a provider may refuse one after the other before it is told so to the client.
const LESS: usize = 3;

/// Lets one provider answer. The reply's first event has come when this returns, so an error after it can only be told in the stream.
pub(super) async fn run(gateway: &Gateway, target: &Target, call: &Call, record: &Arc<Record>) -> Result<Reply> {
    let provider = &target.provider;
    record.note(|entry| {
        entry.provider = Some(provider.id().into());
        entry.upstream_model = Some(target.model.clone());
        entry.price.clone_from(&target.price);
        entry.dropped.clear();
    });
    if let Some(reason) = provider.unusable() {
        return Err(Error::Misconfigured {
            provider: provider.id().to_owned(),
            reason: reason.to_owned(),
        });
    }
    if !dialect::speaks(call.operation) {
        return remembered(gateway, target, call, record).await;
    }
    if provider.has(call.operation) {
        match in_its_own_words(gateway, target, call, record).await {
            // It has this API, but not for this model.
            Err(Error::Refused(failure)) if failure.kind == Kind::Unsupported => {}
            reply => return reply,
        }
    }
    if call.operation == Operation::CountTokens {
        return Ok(messages::estimate::reply(call));
    }
    Box::pin(translated(gateway, target, call, record)).await
}

/// A chat, or another of OpenAI's calls. In a chat, also in one that was made of another API's call, an adapter finds what is its
/// provider's own and the client dropped.
async fn remembered(gateway: &Gateway, target: &Target, call: &Call, record: &Arc<Record>) -> Result<Reply> {
    let provider = &target.provider;
    let found = match &provider.speaks {
        Speaks::Adapter(_) => gateway.kept.restore(call, provider.id())?,
        _ => None,
    };
    let Some((asker, restored)) = found else {
        return ask(gateway, target, call, record).await;
    };
    let reply = ask(gateway, target, restored.as_ref().unwrap_or(call), record).await?;
    Ok(gateway.kept.watch(reply, asker))
}

/// A call that the provider takes as it is.
async fn in_its_own_words(gateway: &Gateway, target: &Target, call: &Call, record: &Arc<Record>) -> Result<Reply> {
    let cleared = match call.operation {
        Operation::Messages | Operation::CountTokens => {
            messages::request::without_sealed(call).map(|messages| ("messages", messages))
        }
        Operation::Responses => responses::request::without_sealed(call).map(|input| ("input", input)),
        _ => None,
    };
    let cleared = cleared.map(|(key, value)| call.with(key, &value)).transpose()?;
    match ask(gateway, target, cleared.as_ref().unwrap_or(call), record).await {
        // A server may have the one path and not the other.
        Err(Error::Refused(failure)) if call.operation == Operation::CountTokens && failure.kind == Kind::NotFound => {
            Ok(messages::estimate::reply(call))
        }
        reply => reply,
    }
}

/// A call that the provider can be asked for as a chat.
async fn translated(gateway: &Gateway, target: &Target, call: &Call, record: &Arc<Record>) -> Result<Reply> {
    let provider = &target.provider;
    let taker = Taker {
        provider: provider.id(),
        adapter: matches!(provider.speaks, Speaks::Adapter(_)),
    };
    let mut translated = dialect::translate(call, taker)?;
    let left_out = || translated.dropped.iter().map(String::as_str);
    provider.config.drop_params.check(left_out())?;
    record.dropped(left_out());
    let mut chat = call.as_chat(std::mem::take(&mut translated.body))?;
    for _ in 0..LESS {
        match remembered(gateway, target, &chat, record).await {
            Ok(reply) => return translated.tell(reply, provider.id()),
            Err(error) => {
                let (body, dropped) = dialect::less(&chat, &error).filter(|_| !taker.adapter).ok_or(error)?;
                chat = call.as_chat(body)?;
                provider.config.drop_params.check(dropped)?;
                record.dropped(dropped);
            }
        }
    }
    translated.tell(remembered(gateway, target, &chat, record).await?, provider.id())
}

/// Asks a provider for what it, or its adapter, can be asked for.
async fn ask(gateway: &Gateway, target: &Target, call: &Call, record: &Arc<Record>) -> Result<Reply> {
    let provider = &target.provider;
    let lighter = dropping::before(provider, call, record)?;
    let call = lighter.as_ref().unwrap_or(call);
    let begun = async |reply: Reply| {
        let reply = if dialect::speaks(call.operation) {
            dialect::relay(call, reply, provider.id(), record)?
        } else {
            reply
        };
        first_event(reply).await
    };
    match &provider.speaks {
        Speaks::Adapter(_) if call.upload.is_some() => Err(dialect::unsupported(
            format!(
                "`{}` is not supported by this model's provider.",
                call.operation.as_str()
            ),
            None,
        )),
        // The adapter knows which of its requests may be sent twice, so its exchange repeats them itself, and counts them.
        Speaks::Adapter(site) => {
            begun(adapter::call(&gateway.runtime, site, call, &target.model, 1, record).await?).await
        }
        Speaks::OpenAi(upstream) => {
            let once = async || {
                record.note(|entry| entry.attempts += 1);
                begun(passthrough::send(upstream, call, &target.model, record).await?).await
            };
            let pauses = ExponentialBuilder::default()
                .with_jitter()
                .with_min_delay(Duration::from_millis(200))
                .with_max_times(upstream.retries as usize);
            once.retry(pauses)
                .when(|error| repeatable(error, call))
                .notify(|_, pause| record.note(|entry| entry.upstream += pause))
                .adjust(|error, pause| pause.map(|pause| longer(error, pause)))
                .await
        }
        Speaks::Nothing(_) => Err(Error::Internal("an unusable provider was asked")),
    }
}

/// Nothing is repeated that the provider may be at work on still, or has worked on, and would be paid for twice: after a time-out, an
/// answer that was cut off, or a connection that broke when the request was out. The last may be, if the client said by an
/// `idempotency-key` that the request may come twice.
fn repeatable(error: &Error, call: &Call) -> bool {
    let patient = error.retry_after().is_none_or(|after| after <= LONGEST_PAUSE);
    let harmless = match error {
        Error::UpstreamTimeout { .. } | Error::Truncated { .. } => false,
        Error::Connection { unsent, .. } => *unsent || call.headers.contains_key("idempotency-key"),
        error => !timed_out(error),
    };
    error.retryable() && patient && harmless && !call.is_spent()
}

fn timed_out(error: &Error) -> bool {
    matches!(error, Error::Refused(failure) if failure.kind == Kind::Timeout)
}

fn longer(error: &Error, pause: Duration) -> Duration {
    error.retry_after().map_or(pause, |asked| asked.max(pause))
}

/// Waits for the first event of a stream: until then another try, or another provider, can still take over.
async fn first_event(mut reply: Reply) -> Result<Reply> {
    if let Body::Events(mut events) = reply.body {
        let first = events.next().await.transpose()?;
        reply.body = Body::Events(Box::pin(stream::iter(first.map(Ok)).chain(events)));
    }
    Ok(reply)
}
