//! Instances that serve more than one call, where the operator wants that; and that by default none does.

use witgate::adapter::Limits;

use super::world::{World, events};

async fn world(calls_per_instance: u32) -> World {
    let limits = Limits {
        calls_per_instance,
        ..Limits::default()
    };
    World::with("hostile", limits).await
}

/// What the guest remembers of earlier calls.
async fn count(world: &World) -> String {
    world.text("count").await.unwrap()
}

#[tokio::test]
async fn by_default_nothing_of_a_call_is_seen_by_the_next() {
    let world = World::new("hostile").await;
    for _ in 0..3 {
        assert_eq!(count(&world).await, "call 1, 0 decoders");
    }
}

#[tokio::test]
async fn an_instance_serves_as_many_calls_as_the_operator_says_and_no_more() {
    let world = world(3).await;
    for expected in [1, 2, 3, 1, 2] {
        assert_eq!(count(&world).await, format!("call {expected}, 0 decoders"));
    }
}

#[tokio::test]
async fn an_instance_that_trapped_or_ran_too_long_serves_no_other_call() {
    let world = world(100).await;
    for model in ["trap", "loop", "memory"] {
        assert_eq!(count(&world).await, "call 1, 0 decoders");
        assert!(world.call(model).await.is_err());
    }
    assert_eq!(count(&world).await, "call 1, 0 decoders");
}

#[tokio::test]
async fn two_calls_at_a_time_never_share_an_instance() {
    let world = world(100).await;
    assert_eq!(count(&world).await, "call 1, 0 decoders");
    let (streamed, counted) = tokio::join!(
        async { events(world.stream("push-fine").await.unwrap()).await },
        async {
            let mut exchange = world.provider.next().await;
            // The stream has the instance that was there.
            let counted = count(&world).await;
            exchange.stream().await;
            exchange.event("x").await;
            drop(exchange);
            counted
        }
    );
    assert!(streamed.1.is_none() && streamed.0.contains("fine"));
    assert_eq!(counted, "call 1, 0 decoders");
}

#[tokio::test]
async fn a_stream_leaves_no_decoder_in_an_instance_that_goes_on() {
    let world = world(100).await;
    for expected in [1, 2, 3] {
        let ((), (all, error)) = tokio::join!(
            async {
                let mut exchange = world.provider.next().await;
                exchange.stream().await;
                exchange.event("x").await;
                drop(exchange);
            },
            async { events(world.stream("push-fine").await.unwrap()).await }
        );
        assert!(error.is_none() && all.contains("fine"), "{all}");
        assert_eq!(count(&world).await, format!("call {expected}, 0 decoders"));
    }
}
