//! When the client leaves, the provider is told to stop, and what it did is still accounted for.

use std::sync::Arc;

use futures_util::StreamExt as _;
use witgate::reply::Body;

use super::world::{World, call, entry, record};
use witgate::adapter;

#[tokio::test]
async fn in_a_stream_the_connection_is_closed_at_once_and_the_decoder_says_the_last_word() {
    let world = World::new("contract").await;
    let record = record();
    let (reply, mut exchange) = tokio::join!(world.call_as("sse-follow-up", true, &record), async {
        world.provider.expect("/token", 200, "t").await;
        let mut exchange = world.provider.next().await;
        exchange.stream().await;
        exchange.event("a").await;
        exchange
    });
    let Body::Events(mut events) = reply.unwrap().body else {
        panic!("events were expected");
    };
    events.next().await.unwrap().unwrap();
    drop(events);
    exchange.closed().await;
    let (_, ()) = tokio::join!(world.provider.expect("/client-gone", 200, ""), world.runtime.drain());
    assert_eq!(entry(&record).usage.output, Some(7));
}

#[tokio::test]
async fn while_a_job_is_polled_it_is_cancelled_and_counted() {
    let world = World::new("contract").await;
    let record = record();
    let calling = world.call_as("job", false, &record);
    let polled = async {
        world.provider.expect("/token", 200, "t").await;
        world.provider.expect("/jobs", 201, "created").await;
        world.provider.next().await
    };
    let mut poll = tokio::select! {
        _ = calling => panic!("the job is not done"),
        poll = polled => poll,
    };
    poll.closed().await;
    let (seen, ()) = tokio::join!(world.provider.expect("/jobs/1/cancel", 200, ""), world.runtime.drain());
    assert_eq!(seen.text, "poll");
    assert_eq!(entry(&record).usage.output, Some(9));
}

#[tokio::test]
async fn while_a_job_is_being_created_it_is_let_finish_and_then_cancelled() {
    let world = World::new("contract").await;
    let record = record();
    let calling = world.call_as("job", false, &record);
    let created = async {
        world.provider.expect("/token", 200, "t").await;
        world.provider.next().await
    };
    let mut create = tokio::select! {
        _ = calling => panic!("the job is not created"),
        create = created => create,
    };
    create.answer(201, &[], b"created").await;
    let (seen, ()) = tokio::join!(world.provider.expect("/jobs/1/cancel", 200, ""), world.runtime.drain());
    assert_eq!(seen.text, "poll");
}

#[tokio::test]
async fn an_adapter_without_jobs_has_its_request_dropped() {
    let world = World::new("contract").await;
    let plain = Arc::new(world.runtime.load(super::world::guest("plain")).await.unwrap());
    let site = super::world::site(&plain, &world.provider.base);
    let (request, record) = (call("m", false), record());
    let mut exchange = tokio::select! {
        _ = adapter::call(&world.runtime, &site, &request, "m", 1, &record) => panic!("nobody has answered"),
        exchange = world.provider.next() => exchange,
    };
    exchange.closed().await;
    world.runtime.drain().await;
}

#[tokio::test]
async fn a_provider_that_breaks_the_stream_is_reported_and_the_decoder_still_asked() {
    let world = World::new("contract").await;
    let record = record();
    let (reply, mut exchange) = tokio::join!(world.call_as("sse-follow-up", true, &record), async {
        world.provider.expect("/token", 200, "t").await;
        let mut exchange = world.provider.next().await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
        exchange.write(head).await;
        exchange.event("a").await;
        exchange
    });
    let Body::Events(mut events) = reply.unwrap().body else {
        panic!("events were expected");
    };
    events.next().await.unwrap().unwrap();
    exchange.write(b"data: b").await;
    drop(exchange);
    let broken = async { while let Some(Ok(_)) = events.next().await {} };
    let (_, (), ()) = tokio::join!(world.provider.expect("/upstream-error", 200, ""), broken, async {});
    world.runtime.drain().await;
    assert_eq!(entry(&record).usage.output, Some(7));
}
